"""A ledger in a database: SQLite for one shop, PostgreSQL for many tills. Source: ledger."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.desk import Desk
from loyalty_rules.ledger.operations import Operations
from loyalty_rules.ledger.sql.books import SQLBooks
from loyalty_rules.ledger.sql.dialects import dialect_of
from loyalty_rules.ledger.sql.programs import Programs
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.serials import SerialKeys

__all__ = ["SQLLedger"]

T = TypeVar("T")

_MOST_TRIES = 10
_FIRST_PAUSE_SECONDS = 0.005


class SQLLedger(Desk):
    """A ledger in a database: see `Ledger` for what each operation does.

    `bind` is an engine, on which each operation has a transaction of its own, or a connection, whose transaction all
    operations join. `serials` are the keys from which serials are derived, needed where coupons have them; `tables`
    are those of the host's metadata, or new ones. Raises `UnsupportedDatabaseError` for any other database.
    """

    def __init__(
        self, bind: Engine | Connection, *, serials: SerialKeys | None = None, tables: Tables | None = None
    ) -> None:
        self.tables = tables if tables is not None else Tables()
        self._dialect = dialect_of(bind)
        self._bind = self._dialect.prepare(bind) if isinstance(bind, Engine) else bind
        self._serials = serials
        self._statements = Statements(self.tables, self._dialect.insert)
        self._programs = Programs()

    @classmethod
    def open(cls, url: str, *, serials: SerialKeys | None = None) -> Self:
        """Open the ledger at a URL, `sqlite:///shop.db` or `postgresql+psycopg://…`; its tables are made if need be."""
        ledger = cls(create_engine(url), serials=serials)
        ledger.create_all()
        return ledger

    def create_all(self) -> None:
        """Make the tables that are not there, with their triggers."""
        self.tables.metadata.create_all(self._bind, tables=[*self.tables.log, *self.tables.state])

    def close(self) -> None:
        """Close the connections of the engine."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, connection: Connection | None = None) -> Iterator[Operations]:
        """Make several operations one: all are recorded or, where an error leaves the block, none.

        With a `connection` they join its transaction, which the host commits; an operation that is refused, or whose
        error the host catches, is taken back by itself. Where the database asks for another try (a deadlock, a failure
        to serialise) the error leaves the block, and the host does the whole of it again.
        """
        joined = connection if connection is not None else self._bind
        if isinstance(joined, Connection):
            self._dialect.begin(joined)
            yield Operations(self._books(joined, savepoints=True), self._serials)
            return
        with self._own(savepoints=True) as books:
            yield Operations(books, self._serials)

    @contextmanager
    def _own(self, *, savepoints: bool = False) -> Iterator[SQLBooks]:
        assert isinstance(self._bind, Engine)
        with self._bind.connect() as connection:
            self._dialect.begin(connection)
            books = self._books(connection, savepoints=savepoints)
            yield books
            if books.doomed:
                connection.rollback()
                return
            connection.commit()
        for version in books.stored:
            self._programs.note_stored(version)

    def _books(self, connection: Connection, *, savepoints: bool = False, reading: bool = False) -> SQLBooks:
        return SQLBooks(
            connection,
            self._statements,
            self._dialect,
            SerialsAtRest(self._serials),
            self._programs,
            savepoints=savepoints,
            reading=reading,
        )

    def _do(self, work: Callable[[Operations], T]) -> T:
        """Do one operation in a transaction, and again where it failed for what others did at the same time.

        A connection that was lost leaves open whether the transaction was committed; done again, the operation looks
        for its batch first, and gives what was recorded. Source: ledger 3.
        """
        if isinstance(self._bind, Connection):
            with self.transaction() as operations:
                return work(operations)
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                with self._own() as books:
                    return work(Operations(books, self._serials))
            except DBAPIError as error:
                again = error.connection_invalidated or self._dialect.is_worth_another_try(error)
                if not again or attempt == _MOST_TRIES:
                    raise
                time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _ask(self, question: Callable[[Operations], T]) -> T:
        if isinstance(self._bind, Connection):
            return question(Operations(self._books(self._bind, reading=True), self._serials))
        with self._bind.connect() as connection:
            self._dialect.begin_to_read(connection)
            return question(Operations(self._books(connection, reading=True), self._serials))

    def check_invariants(self) -> Sequence[str]:
        return []
