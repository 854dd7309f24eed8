"""A ledger in a database: SQLite for one shop, PostgreSQL for many tills. Source: ledger."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.autocommit import AutocommitLedger
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.ledger.sql.audit import broken_chains, broken_sums, ends_of_chains
from loyalty_rules.ledger.sql.dialects import dialect_of
from loyalty_rules.ledger.sql.mapping import instant_of
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.rebuild import rebuild
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialKeys

__all__ = ["SQLLedger"]

T = TypeVar("T")

_AT_ONCE = 500
_TABLES = 0, "the tables themselves"
_MAX_TRIES = 10
_FIRST_PAUSE_SECONDS = 0.005


class SQLLedger(AutocommitLedger):
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
        self._bind = bind.execution_options(**self._dialect.options) if isinstance(bind, Engine) else bind
        self._serials = serials
        self._statements = Statements(self.tables, self._dialect.insert)
        self._programs = ProgramVersions()

    @classmethod
    def open(cls, url: str, *, serials: SerialKeys | None = None, create: bool = True) -> Self:
        """Open the ledger at a URL, `sqlite:///shop.db` or `postgresql+psycopg://…`.

        Tables that are not there are made, unless `create` says otherwise: then `exists()` tells.
        """
        ledger = cls(create_engine(url), serials=serials)
        if create:
            ledger.create_all()
        return ledger

    def exists(self) -> bool:
        """Say whether the database has a ledger's tables."""
        batches = self.tables.batches
        with self._reading() as connection:
            return inspect(connection).has_table(batches.name, batches.schema)

    def create_all(self) -> None:
        """Make the tables that are not there, with their triggers."""
        if isinstance(self._bind, Connection):
            self.create_all_on(self._bind)
            return
        with self._bind.connect() as connection:
            self.create_all_on(connection)
            connection.commit()

    def create_all_on(self, connection: Connection) -> None:
        """Make the tables that are not there, in the transaction of a connection; one process at a time does."""
        self._dialect.begin(connection)
        self._dialect.lock(connection, [_TABLES])
        self.tables.metadata.create_all(connection, tables=[*self.tables.log, *self.tables.state])

    @property
    def options(self) -> Mapping[str, Any]:
        """What the connections of the host's engine are asked for."""
        return self._dialect.options

    def close(self) -> None:
        """Close the connections of the engine."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, connection: Connection | None = None) -> Iterator[LedgerService]:
        """Make several operations one: all are recorded or, where an error leaves the block, none.

        With a `connection` they join its transaction, which the host commits; an operation that is refused, or whose
        error the host catches, is taken back by itself. Where the database asks for another try (a deadlock, a failure
        to serialise) the error leaves the block, and the host does the whole of it again.
        """
        joined = connection if connection is not None else self._bind
        if isinstance(joined, Connection):
            self._dialect.begin(joined)
            yield LedgerService(self._storage(joined, savepoints=True), self._serials)
            return
        with joined.connect() as own, self.on(own, savepoints=True) as operations:
            yield operations

    @contextmanager
    def on(self, connection: Connection, *, savepoints: bool = False) -> Iterator[LedgerService]:
        """Do a transaction on a connection on which nothing has been done, and commit it."""
        self._dialect.begin(connection)
        storage = self._storage(connection, savepoints=savepoints)
        yield LedgerService(storage, self._serials)
        if storage.doomed:
            connection.rollback()
            return
        connection.commit()
        for version in storage.stored:
            self._programs.note_stored(version)

    def read_only(self, connection: Connection) -> LedgerService:
        """Give the operations for questions on a connection on which nothing has been done."""
        self._dialect.begin_to_read(connection)
        return self._read_only(connection)

    def _read_only(self, connection: Connection) -> LedgerService:
        return LedgerService(self._storage(connection, reading=True), self._serials)

    def pause_after(self, error: DBAPIError, tries: int) -> float | None:
        """Say how many seconds to wait for another try after so many; None where it would be no better.

        A connection that was lost leaves open whether the transaction was committed; done again, the operation looks
        for its batch first, and gives what was recorded. Source: ledger 3.
        """
        again = error.connection_invalidated or self._dialect.is_worth_another_try(error)
        return _FIRST_PAUSE_SECONDS * 2**tries if again and tries < _MAX_TRIES else None

    def _storage(self, connection: Connection, *, savepoints: bool = False, reading: bool = False) -> SQLStorage:
        return SQLStorage(
            connection,
            self._statements,
            self._dialect,
            SerialsAtRest(self._serials),
            self._programs,
            savepoints=savepoints,
            reading=reading,
        )

    def _do(self, work: Callable[[LedgerService], T]) -> T:
        """Do one operation in a transaction, and again where it failed for what others did at the same time."""
        if isinstance(self._bind, Connection):
            with self.transaction() as operations:
                return work(operations)
        for tries in itertools.count():
            try:
                with self._bind.connect() as connection, self.on(connection) as operations:
                    return work(operations)
            except DBAPIError as error:
                pause = self.pause_after(error, tries)
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _ask(self, question: Callable[[LedgerService], T]) -> T:
        with self._reading() as connection:
            return question(self._read_only(connection))

    # -- what a ledger in a database is asked besides -----------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if isinstance(self._bind, Connection):
            yield self._bind
            return
        with self._bind.connect() as connection:
            self._dialect.begin_to_read(connection)
            yield connection

    def programs(self) -> Sequence[Program]:
        """Give the version of each program under which a sale was recorded last, in the order of their ids."""
        b, r = self.tables.batches, self.tables.receipts
        last = select(func.max(r.c.number)).join(b).where(r.c.version.is_not(None)).group_by(b.c.program)
        with self._reading() as connection:
            versions = connection.execute(select(r.c.version).where(r.c.number.in_(last))).scalars().all()
            programs = [self._programs.load(connection, self._statements, version) for version in versions]
        return sorted(programs, key=lambda program: program.id)

    def latest(self) -> datetime | None:
        """Give the latest instant at which anything happened that is recorded; None where nothing is."""
        with self._reading() as connection:
            latest = connection.execute(select(func.max(self.tables.batches.c.at))).scalar_one()
        return instant_of(latest) if latest is not None else None

    def verify(self, ends: Mapping[int, tuple[int, bytes]] | None = None) -> Sequence[str]:
        """Hash everything that was recorded once more; say what is not as it was, in sentences. Nothing is fine.

        `ends` are the ends of the chains as `ends()` gave them earlier, kept where whoever writes to the database
        can't write: without them nobody can tell that what was recorded last has been cut off. Source: ledger P6.
        """
        with self._reading() as connection:
            chains = {link: chain for chain, (_, link) in (ends or {}).items()}
            there = select(self.tables.receipts.c.link).where(self.tables.receipts.c.link.in_([*chains]))
            lost = {*chains} - {*connection.execute(there).scalars()}
            broken = [*broken_chains(connection, self.tables)]
        cut_off = sorted(chains[link] for link in lost)
        return [*broken, *(f"the end of chain {chain} that was kept is no longer in it" for chain in cut_off)]

    def ends(self) -> dict[int, tuple[int, bytes]]:
        """Give the position and the link at the end of each chain, to be kept elsewhere for `verify`."""
        with self._reading() as connection:
            return ends_of_chains(connection, self.tables)

    def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold: sums, states and hashes. Nothing is fine."""
        with self._reading() as connection:
            return self.broken_on(connection)

    def broken_on(self, connection: Connection) -> Sequence[str]:
        """Say what does not hold, as `check_invariants`, on a connection of the host's."""
        return [*broken_sums(connection, self.tables), *broken_chains(connection, self.tables)]

    def rebuild(self) -> None:
        """Make every lot, coupon and counter anew from the log alone, while nobody writes. Source: ledger P6."""
        if isinstance(self._bind, Connection):
            self._rebuild(self._bind)
            return
        with self._bind.connect() as connection:
            self._dialect.begin(connection)
            self._rebuild(connection)
            connection.commit()

    def _rebuild(self, connection: Connection) -> None:
        self._dialect.hold_tables(connection, self.tables.state)
        rebuild(connection, self.tables, self._storage(connection, reading=True))

    def reconcile(self, program: str, events: Iterable[str]) -> Sequence[str]:
        """Name those of a host's events, by their ids, that no batch records: what was lost on the way here."""
        b, r = self.tables.batches, self.tables.receipts
        missing: list[str] = []
        with self._reading() as connection:
            waiting = iter(events)
            while some := [*dict.fromkeys(itertools.islice(waiting, _AT_ONCE))]:
                recorded = select(b.c.event).join(r).where(b.c.program == program, b.c.phase == "event")
                known = set(connection.execute(recorded.where(b.c.event.in_(some))).scalars())
                missing += [each for each in some if each not in known]
        return missing
