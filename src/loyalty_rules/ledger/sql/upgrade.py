"""The upgrade of a database of edition 1, the tables of version 0.1, to the present tables. Source: ledger 3.

The log of edition 1 has every operation with its inputs and its intents. They are posted again, in the order of
record, so that the new tables follow from the descriptions of the present ones. Nothing is decided again: caps, draws
and shortfalls stay as they were. The earlier tables are kept, read-only, under other names.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, MetaData, Table, inspect, select

from loyalty_rules.documents.structuring import restore
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.intents import Claim
from loyalty_rules.ledger.errors import UpgradeError
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.ledger.receipts import Trim, receipt_class
from loyalty_rules.ledger.sql.dialects import Dialect
from loyalty_rules.ledger.sql.hash_chain import FIRST_LINK, link_of
from loyalty_rules.ledger.sql.mapping import MAX_AMOUNT, instant_of, intents_of, json_of
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import Tables, ddl_of
from loyalty_rules.lifecycle.records import Sale, Shortfall
from loyalty_rules.loading import dump, load_event, load_program, load_snapshot
from loyalty_rules.program import Program

__all__ = ["upgrade_first_edition"]

_WRITTEN = ("entries", "lot_changes", "coupon_states", "draws", "debts", "citations", "undone")
_LOG = ("programs", "batches", "receipts", *_WRITTEN)
_STATE = ("lots", "coupons", "counters")
_BATCH = ("program", "event", "phase", "of", "inputs", "at", "recorded_at")
_RECEIPT = ("version", "snapshot", "intents", "trims")
_NOT_CONTENT = frozenset({"number", "batch", "id"})
_CHUNK_SIZE = 200


def upgrade_first_edition(
    connection: Connection, tables: Tables, dialect: Dialect, statements: Statements, serials: SerialsAtRest
) -> None:
    """Upgrade the tables of edition 1 in the transaction of a connection. Raises `UpgradeError`."""
    archive = _reflected(connection, tables)
    broken = [*_broken_chains(connection, archive)]
    if broken:
        raise UpgradeError(broken)
    archive = _set_aside(connection, tables, dialect, archive)
    tables.metadata.create_all(connection, tables=tables.every)
    storage = SQLStorage(connection, statements, dialect, serials, ProgramVersions())
    history = _History(connection, archive, serials)
    for row in history.rows():
        _record_again(storage, history, row)


def _reflected(connection: Connection, tables: Tables, prefix: str = "") -> dict[str, Table]:
    """Return the tables of edition 1 as they are in the database, by their names without the prefix."""
    metadata = MetaData(schema=tables.schema)
    names = {name: f"{tables.prefix}{prefix}{name}" for name in (*_LOG, *_STATE)}
    missing = [each for each in names.values() if not inspect(connection).has_table(each, tables.schema)]
    if missing:
        raise UpgradeError([f"the table {each} of edition 1 is missing" for each in missing])
    return {name: Table(full, metadata, autoload_with=connection, resolve_fks=False) for name, full in names.items()}


# -- the chains of edition 1 -------------------------------------------------------------------------------------------


def _broken_chains(connection: Connection, t: Mapping[str, Table]) -> Iterator[str]:
    """Hash the log of edition 1 again; yield a sentence for each batch that has changed since it was recorded."""
    b, r = t["batches"], t["receipts"]
    written = [t[name] for name in _WRITTEN]
    chain, position, previous = -1, 0, FIRST_LINK
    every = select(b, r).join(r, r.c.batch == b.c.id).order_by(r.c.chain, r.c.position)
    for row in connection.execute(every.execution_options(yield_per=_CHUNK_SIZE)).mappings():
        if row[r.c.chain] != chain:
            chain, position, previous = row[r.c.chain], 0, FIRST_LINK
        content = [
            [row[b.c[name]] for name in _BATCH],
            [row[r.c[name]] for name in _RECEIPT],
            {table.name: rows for table in written if (rows := _content(connection, table, row[b.c.id]))},
        ]
        digest = hashlib.sha256(json.dumps(content, separators=(",", ":"), sort_keys=True).encode()).digest()
        key = IdempotencyRecord.key_of(row[b.c.program], row[b.c.event], row[b.c.phase])
        if digest != row[r.c.digest] or link_of(previous, digest) != row[r.c.link] or row[r.c.position] != position + 1:
            yield f"batch {key} is not as it was recorded"
        position, previous = row[r.c.position], row[r.c.link]


def _content(connection: Connection, table: Table, batch: int) -> list[list[Any]]:
    rows = connection.execute(select(table).where(table.c.batch == batch)).mappings().all()
    ordered = sorted(rows, key=lambda row: row["number" if "number" in table.c else "key"])
    return [[row[each.name] for each in table.columns if each.name not in _NOT_CONTENT] for row in ordered]


# -- the tables of edition 1 -------------------------------------------------------------------------------------------


def _set_aside(connection: Connection, tables: Tables, dialect: Dialect, t: Mapping[str, Table]) -> dict[str, Table]:
    """Rename the tables of edition 1, without their indexes; those of its log stay append-only."""
    quoted = connection.dialect.identifier_preparer.quote
    schema = f"{quoted(tables.schema)}." if tables.schema is not None else ""
    for name, table in t.items():
        for index in inspect(connection).get_indexes(table.name, tables.schema):
            if index["name"] is not None and not index.get("duplicates_constraint"):
                connection.exec_driver_sql(f"DROP INDEX {schema}{quoted(index['name'])}")
        for statement in dialect.drop_triggers(table):
            connection.exec_driver_sql(statement)
        new = quoted(f"{tables.prefix}edition_1_{name}")
        connection.exec_driver_sql(f"ALTER TABLE {schema}{quoted(table.name)} RENAME TO {new}")
    archive = _reflected(connection, tables, "edition_1_")
    for name in _LOG:
        for statement in dialect.triggers(archive[name], tables.prefix):
            connection.execute(ddl_of(statement))
    return archive


# -- the operations ----------------------------------------------------------------------------------------------------


class _History:
    """The operations of edition 1, in the order of record, with the programs of their sales."""

    def __init__(self, connection: Connection, t: Mapping[str, Table], serials: SerialsAtRest) -> None:
        self._connection = connection
        self._batches, self._receipts = t["batches"], t["receipts"]
        self.serials = serials
        programs = connection.execute(select(t["programs"])).mappings()
        self.programs = {row["version"]: load_program(json_of(row["document"])) for row in programs}
        self._latest: dict[str, Program] = {}

    def rows(self) -> Iterator[Mapping[str, Any]]:
        b, r = self._batches, self._receipts
        content = [*(b.c[name] for name in _BATCH), r.c.number, *(r.c[name] for name in _RECEIPT)]
        every = select(*content).join(r, r.c.batch == b.c.id).order_by(r.c.number).limit(_CHUNK_SIZE)
        after = -MAX_AMOUNT
        while rows := self._connection.execute(every.where(r.c.number > after)).mappings().all():
            yield from (dict(row) for row in rows)
            after = rows[-1]["number"]

    def program_of(self, row: Mapping[str, Any]) -> Program:
        """Return the program of a sale, or that of the last sale before another operation."""
        if row["version"] is not None:
            self._latest[row["program"]] = self.programs[row["version"]]
        program = self._latest.get(row["program"])
        if program is None:
            raise UpgradeError([f"the first operation of {row['program']}, {row['event']}, is not a sale"])
        return program


def _record_again(storage: SQLStorage, history: _History, row: Mapping[str, Any]) -> None:
    """Record an operation of edition 1 again, with its key, its instants and its results."""
    program = history.program_of(row)
    inputs = json_of(row["inputs"])
    event = load_event(inputs["event"]) if "event" in inputs else None
    if event is not None:
        inputs["event"] = dump(event)
    if "program_version" in inputs:
        inputs["program_version"] = program.version
    at, recorded_at = instant_of(row["at"]), instant_of(row["recorded_at"])
    identity = IdempotencyRecord(row["program"], row["event"], row["phase"], inputs, at, recorded_at, row["of"])
    intents = intents_of(row["program"], json_of(row["intents"]), history.serials)
    trims = tuple(restore(each, Trim) for each in json_of(row["trims"]))
    receipt = receipt_class(row["phase"], inputs)("recorded", identity.key, intents, trims)
    with storage.atomic():
        storage.claim_batch(identity)
        if isinstance(event, (Transaction, Activity)) and row["snapshot"] is not None:
            storage.save_sale(Sale(program, event, load_snapshot(json_of(row["snapshot"]))))
        _Again(storage, program, identity).post(intents)
        storage.commit_batch(receipt)


class _Again(Posting):
    """A posting of recorded intents: their caps were checked when they were recorded."""

    def left_of(self, claim: Claim) -> int:  # noqa: ARG002
        """Return more than any claim."""
        return MAX_AMOUNT

    def settle_late(self, shortfall: Shortfall) -> None:
        """Do nothing: later operations are recorded as they were decided."""
