"""A ledger in a database: SQLite for one shop, PostgreSQL for many tills. Source: ledger."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, func, inspect, or_, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.ledger.autocommit import AutocommitLedger
from loyalty_rules.ledger.bulk import NotTogetherError, chunks, execute_together
from loyalty_rules.ledger.errors import ConcurrentChangeError, UnsafeTransactionError, UpgradeError
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.operations.arguments import read_argument, read_program_id
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.receipts import Receipt, ReceiptT
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.ledger.sql.audit import broken_chains, ends_of_chains, violated_invariants
from loyalty_rules.ledger.sql.connections import Connections, options_in_memory
from loyalty_rules.ledger.sql.dialects import dialect_of
from loyalty_rules.ledger.sql.edition import FIRST_EDITION, check_edition, edition_in, wrong_edition
from loyalty_rules.ledger.sql.files import create_private_file
from loyalty_rules.ledger.sql.mapping import instant_of, microseconds
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.rebuild import rebuild
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.state_audit import differences_of_state, rows_out_of_order
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.ledger.sql.upgrade import upgrade_first_edition
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialKeys
from loyalty_rules.values.identifiers import read_text

__all__ = ["SQLLedger"]

T = TypeVar("T")

_CHUNK_SIZE = 500  # ids in one query
_TABLES_LOCK = 0, "the tables themselves"
_MAX_RETRIES = 10
_MAX_RETRIES_AFTER_A_CHANGE = 3
_FIRST_BACKOFF_SECONDS = 0.005


def _is_sweep(phase: Any) -> Any:
    return or_(phase.in_(["settle", "expire"]), phase.startswith("review/", autoescape=True))


class SQLLedger(AutocommitLedger):
    """A ledger in a database: see `Ledger` for its operations.

    With an engine as `bind`, each operation has a transaction of its own; with a connection, all operations join its
    transaction. `serials` are the keys that serials are derived from, needed if coupons have serials. `tables` are
    those of the host's metadata, by default new ones. Raises `UnsupportedDatabaseError`.
    """

    def __init__(
        self, bind: Engine | Connection, *, serials: SerialKeys | None = None, tables: Tables | None = None
    ) -> None:
        self.tables = tables if tables is not None else Tables()
        self._dialect = dialect_of(bind)
        self._bind = bind.execution_options(**self._dialect.options) if isinstance(bind, Engine) else bind
        self._connections = Connections(self._bind) if isinstance(self._bind, Engine) else None
        self._serials = serials
        self._statements = Statements(self.tables, self._dialect)
        self._programs = ProgramVersions()
        self._has_edition = False  # whether the edition of the tables is known to be that of this release

    @classmethod
    def open(cls, url: str, *, serials: SerialKeys | None = None, create: bool = True) -> Self:
        """Open the ledger at a URL, such as `sqlite:///shop.db` or `postgresql+psycopg://…`.

        Create missing tables, unless `create` is false; then `exists()` returns whether there are tables. A new file
        of SQLite is private to the user. Errors of the database show no parameters of statements.
        """
        if create:
            create_private_file(url)
        ledger = cls(create_engine(url, hide_parameters=True, **options_in_memory(url)), serials=serials)
        if create:
            ledger.create_all()
        return ledger

    def exists(self) -> bool:
        """Return whether the database has the tables of this ledger."""
        batches = self.tables.batches
        with self._read_connection() as connection:
            return inspect(connection).has_table(batches.name, batches.schema)

    def create_all(self) -> None:
        """Create the missing tables, with their triggers."""
        if isinstance(self._bind, Connection):
            self.create_all_on(self._bind)
            return
        with self._connect() as connection:
            self.create_all_on(connection)
            connection.commit()

    def create_all_on(self, connection: Connection) -> None:
        """Create the missing tables in the transaction of a connection, under a lock: one process at a time.

        Raises `SchemaVersionError` if there are tables of another edition.
        """
        self._dialect.join(connection)
        self._dialect.lock(connection, [_TABLES_LOCK])
        check_edition(connection, self.tables)
        self.tables.metadata.create_all(connection, tables=self.tables.every)

    @property
    def options(self) -> Mapping[str, Any]:
        """The execution options of the host's engine, by the dialect."""
        return self._dialect.options

    def _connect(self) -> AbstractContextManager[Connection]:
        assert self._connections is not None
        return self._connections.connect()

    def close(self) -> None:
        """Close the connections of the engine."""
        if isinstance(self._bind, Engine):
            self._bind.dispose()

    # -- transactions ------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, connection: Connection | None = None) -> Iterator[LedgerService]:
        """Run several operations in one transaction: all of them are recorded, or none if an error leaves the block.

        With a `connection` they join its transaction, which the host commits. An operation that is refused, or whose
        error the host catches, is rolled back by itself. A deadlock or a serialization failure leaves the block, and
        the host retries the whole of it. Raises `UnsafeTransactionError` at REPEATABLE READ and in AUTOCOMMIT, and on
        SQLite if the host has begun without the write lock.
        """
        joined = connection if connection is not None else self._bind
        if isinstance(joined, Connection):
            self._dialect.join(joined)
            with self._known_versions():
                yield LedgerService(self._storage(joined, savepoints=True, joined=True), self._serials)
            return
        with self._connect() as own, self._known_versions(), self.transaction_on(own, savepoints=True) as service:
            yield service

    @contextmanager
    def transaction_on(self, connection: Connection, *, savepoints: bool = False) -> Iterator[LedgerService]:
        """Begin a transaction on an unused connection, and commit it after the block."""
        self._dialect.begin(connection)
        storage = self._storage(connection, savepoints=savepoints)
        yield LedgerService(storage, self._serials)
        if storage.doomed:
            connection.rollback()
            return
        connection.commit()
        for version in storage.stored:
            self._programs.note_stored(version)

    @contextmanager
    def _known_versions(self) -> Iterator[None]:
        """Forget which program versions are stored if a row is missing: the database may be an older copy."""
        try:
            yield
        except IntegrityError:
            self._programs.forget_stored()
            raise

    def queries_on(self, connection: Connection) -> Queries:
        """Begin a read-only transaction on an unused connection, and return its queries."""
        self._dialect.begin_to_read(connection)
        return self._queries(connection)

    def _queries(self, connection: Connection) -> Queries:
        return Queries(self._storage(connection, read_only=True))

    def backoff_after(self, error: DBAPIError | ConcurrentChangeError, retries: int) -> float | None:
        """Return the back-off in seconds before the next retry, or None if a retry would not help.

        A lost connection leaves it unknown whether the transaction was committed. The retry claims the batch again,
        and returns the recorded one if it was. A row that has changed since it was read is read again. A program
        version that the database has lost, since it was restored, is stored again. Source: ledger 2 and 3.
        """
        if isinstance(error, ConcurrentChangeError):
            return _FIRST_BACKOFF_SECONDS * 2**retries if retries < _MAX_RETRIES_AFTER_A_CHANGE else None
        is_retryable = error.connection_invalidated or self._dialect.is_retryable(error)
        if isinstance(error, IntegrityError) and self._programs.forget_stored():
            is_retryable = True
        return _FIRST_BACKOFF_SECONDS * 2**retries if is_retryable and retries < _MAX_RETRIES else None

    def _storage(
        self, connection: Connection, *, savepoints: bool = False, joined: bool = False, read_only: bool = False
    ) -> SQLStorage:
        self._check_edition(connection)
        return SQLStorage(
            connection,
            self._statements,
            self._dialect,
            SerialsAtRest(self._serials),
            self._programs,
            savepoints=savepoints,
            joined=joined,
            read_only=read_only,
        )

    def _check_edition(self, connection: Connection) -> None:
        """Check the edition of the tables, once. Raises `SchemaVersionError`."""
        if not self._has_edition:
            check_edition(connection, self.tables)
            self._has_edition = True

    def _write(self, work: Callable[[LedgerService], T]) -> T:
        """Run one operation in a transaction; retry it after an error of `backoff_after`."""
        if isinstance(self._bind, Connection):
            with self.transaction() as service:
                return work(service)
        for retries in itertools.count():
            try:
                with self._connect() as connection, self.transaction_on(connection) as service:
                    return work(service)
            except (DBAPIError, ConcurrentChangeError) as error:
                backoff = self.backoff_after(error, retries)
                if backoff is None:
                    raise
                time.sleep(backoff)
        raise AssertionError("the last attempt returns or raises")

    def execute_many(self, operations: Iterable[Operation[ReceiptT]]) -> Sequence[ReceiptT]:
        """Execute operations in their order, several in one transaction if none of them is refused or raises."""
        if isinstance(self._bind, Connection):
            return super().execute_many(operations)
        receipts: list[ReceiptT] = []
        for chunk in chunks(operations):
            try:
                receipts += self._write(partial(execute_together, operations=chunk))
            except (LoyaltyError, NotTogetherError):
                receipts += super().execute_many(chunk)
        return receipts

    # -- queries and maintenance -------------------------------------------------------------------------------------

    @contextmanager
    def _read_connection(self) -> Iterator[Connection]:
        if isinstance(self._bind, Connection):
            yield self._bind
            return
        with self._connect() as connection:
            self._dialect.begin_to_read(connection)
            self._check_edition(connection)
            yield connection

    def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""
        with self._read_connection() as connection:
            return query(self._queries(connection))

    def programs(self) -> Sequence[Program]:
        """Return each program, sorted by id, in the version of its sale that was recorded last."""
        b, r = self.tables.batches, self.tables.receipts
        last_receipts = select(func.max(r.c.number)).join(b).where(r.c.version.is_not(None)).group_by(b.c.program)
        with self._read_connection() as connection:
            versions = connection.execute(select(r.c.version).where(r.c.number.in_(last_receipts))).scalars().all()
            programs = [self._programs.load(connection, self._statements, version) for version in versions]
        return sorted(programs, key=lambda program: program.id)

    def sweeps(self, program: str, first: datetime, last: datetime) -> Sequence[Receipt]:
        """Return the receipts of the settlements, expiries and reviews between two instants, in the order of record."""
        b, r, program = self.tables.batches, self.tables.receipts, read_program_id(program)
        swept = select(b.c.event, b.c.phase).join(r).where(b.c.program == program, _is_sweep(b.c.phase))
        swept = swept.where(b.c.recorded_at.between(microseconds(first), microseconds(last))).order_by(r.c.number)
        with self._read_connection() as connection:
            storage = self._storage(connection, read_only=True)
            receipts = [storage.receipt(program, row.event, row.phase) for row in connection.execute(swept).all()]
            return [each for each in receipts if each is not None]

    def latest(self) -> datetime | None:
        """Return the latest instant of all recorded operations; None if the ledger is empty."""
        with self._read_connection() as connection:
            latest = connection.execute(select(func.max(self.tables.batches.c.at))).scalar_one()
        return instant_of(latest) if latest is not None else None

    def verify(self, ends: Mapping[int, tuple[int, bytes]] | None = None) -> Sequence[str]:
        """Hash the log again, and return its changes as sentences; an empty list means that it is unchanged.

        `ends` are an earlier result of `ends()`, kept out of reach of those who can write to the database. Only with
        them the deletion of the last batches is found. Source: ledger P6.
        """
        with self._read_connection() as connection:
            chains = {link: chain for chain, (_, link) in (ends or {}).items()}
            links = select(self.tables.receipts.c.link).where(self.tables.receipts.c.link.in_([*chains]))
            missing = {*chains} - {*connection.execute(links).scalars()}
            broken = [*broken_chains(connection, self.tables)]
        cut_off = sorted(chains[link] for link in missing)
        return [*broken, *(f"chain {chain} no longer has the end that was kept" for chain in cut_off)]

    def ends(self) -> dict[int, tuple[int, bytes]]:
        """Return the position and the link at the end of each chain, to be kept elsewhere for `verify`."""
        with self._read_connection() as connection:
            return ends_of_chains(connection, self.tables)

    def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants as sentences; an empty list means the ledger is consistent."""
        with self._read_connection() as connection:
            return self.violations_on(connection)

    def violations_on(self, connection: Connection) -> Sequence[str]:
        """Return the violated invariants, as `check_invariants` does, on a connection of the host."""
        storage = self._storage(connection, read_only=True)
        violations = [
            *wrong_edition(connection, self.tables),
            *violated_invariants(connection, self.tables),
            *differences_of_state(connection, self.tables, storage),
            *broken_chains(connection, self.tables),
            *self._dialect.missing_triggers(connection, self.tables.log, self.tables.prefix),
        ]
        if self._dialect.has_one_writer:
            violations += rows_out_of_order(connection, self.tables)
        return violations

    def upgrade(self) -> None:
        """Upgrade the tables of an earlier edition to that of this release, in one transaction; make a backup first.

        The earlier tables stay under names with `edition_1_`, for an audit. All operations are recorded again from
        them, with their keys, instants and results. The hash chains begin anew: keep the new `ends()`. Nothing happens
        if the tables have this edition. Coupons with serials need their keys. Raises `UpgradeError`, and
        `SchemaVersionError` if the tables are of a later release.
        """
        if isinstance(self._bind, Connection):
            self._dialect.join(self._bind)
            self._upgrade(self._bind)
            return
        with self._connect() as connection:
            self._dialect.begin(connection)
            self._upgrade(connection)
            connection.commit()

    def _upgrade(self, connection: Connection) -> None:
        self._dialect.lock(connection, [_TABLES_LOCK])
        if edition_in(connection, self.tables) == FIRST_EDITION:
            upgrade_first_edition(
                connection, self.tables, self._dialect, self._statements, SerialsAtRest(self._serials)
            )
            problems = self.violations_on(connection)
            if problems:
                raise UpgradeError(problems)
        self._check_edition(connection)

    def rebuild(self) -> None:
        """Compute every lot, coupon and counter again from the log, under a lock. Source: ledger P6."""
        if isinstance(self._bind, Connection):
            self._dialect.join(self._bind)
            self._rebuild(self._bind)
            return
        with self._connect() as connection:
            self._dialect.begin(connection)
            self._rebuild(connection)
            connection.commit()

    def _rebuild(self, connection: Connection) -> None:
        self._dialect.lock_tables(connection, self.tables.state)
        rebuild(connection, self.tables, self._storage(connection, read_only=True))

    def vacuum(self) -> None:
        """Remove the bytes of rows that `forget` has deleted from the files of the database.

        It waits for all other transactions. Copies of the database, its backups and the log of a server are the host's
        to erase. Raises `UnsafeTransactionError` on the connection of a host.
        """
        if isinstance(self._bind, Connection):
            raise UnsafeTransactionError("the host's", "an engine: VACUUM runs in no transaction")
        with self._connect() as connection:
            self.vacuum_on(connection.execution_options(isolation_level="AUTOCOMMIT"))

    def vacuum_on(self, connection: Connection) -> None:
        """Remove the bytes of erased rows, as `vacuum` does, on a connection in AUTOCOMMIT."""
        self._dialect.vacuum(connection, self.tables.personal)

    def reconcile(self, program: str, events: Iterable[str]) -> Sequence[str]:
        """Return the ids among `events` that no batch of the program has recorded, in their order."""
        b, r, program = self.tables.batches, self.tables.receipts, read_program_id(program)
        missing: list[str] = []
        with self._read_connection() as connection:
            remaining = (read_argument(read_text, "events", each) for each in events)
            while ids := [*dict.fromkeys(itertools.islice(remaining, _CHUNK_SIZE))]:
                recorded = select(b.c.event).join(r).where(b.c.program == program, b.c.phase == "event")
                known = set(connection.execute(recorded.where(b.c.event.in_(ids))).scalars())
                missing += [each for each in ids if each not in known]
        return missing
