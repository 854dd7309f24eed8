"""The connections of a ledger. A database of SQLite in memory has one, which threads use in turn. Source: ledger 3."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.pool import StaticPool

from loyalty_rules.ledger.errors import InMemoryDatabaseError

__all__ = ["Connections", "is_in_memory", "options_in_memory"]

_SHARED = (
    "each thread has a database of its own in memory: use `SQLLedger.open`, a file, or an engine with "
    "`poolclass=StaticPool, connect_args={'check_same_thread': False}`"
)
_NESTED = "the database in memory has one connection, which this transaction uses: call the operations of its block"


def is_in_memory(url: Any) -> bool:
    """Return whether a URL names a database of SQLite in memory."""
    url = make_url(url)
    database = url.database or ""
    in_memory = database in ("", ":memory:") or "mode=memory" in database or url.query.get("mode") == "memory"
    return url.get_backend_name() == "sqlite" and in_memory


def options_in_memory(url: Any) -> dict[str, Any]:
    """Return the options of an engine at a URL by which threads share one database in memory; none for any other."""
    if not is_in_memory(url):
        return {}
    return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}


class Connections:
    """The connections of an engine, one at a time if its database is in memory.

    A transaction in memory would otherwise be committed or rolled back by another one, unnoticed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_memory = is_in_memory(engine.url)
        self._made_by = threading.get_ident()
        self._turn = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection of the engine. Raises `InMemoryDatabaseError`."""
        if not self._in_memory:
            with self._engine.connect() as connection:
                yield connection
            return
        thread = threading.get_ident()
        if self._owner == thread:
            raise InMemoryDatabaseError(_NESTED)
        if thread != self._made_by and not isinstance(self._engine.pool, StaticPool):
            raise InMemoryDatabaseError(_SHARED)
        with self._turn:
            self._owner = thread
            try:
                with self._engine.connect() as connection:
                    yield connection
            finally:
                self._owner = None
