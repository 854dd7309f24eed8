"""Every change of every column of every row, and every deletion, is found: in the log and in the state.

Some changes cannot be seen; `UNSEEN` lists them, each with the reason. Source: ledger 2 (verify and check_invariants).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.nightly import nightly
from loyalty_rules.ledger.sql import Tables, audit, state_audit
from loyalty_rules.testing.ledgers.facts.till import ANNA, BEN, SERIALS, Till, earn, fixed, shop

from .sqlite_files import busy_week, drop_triggers, execute

TABLES = Tables()
STATE = {table.name for table in TABLES.state}
LOG = {table.name for table in TABLES.every} - STATE

YEAR = {"type": "calendar", "unit": "year"}
YEAR_LONG = {"type": "fixed_period", "after": {"years": 1}}
ROLLING = {"type": "rolling", "after": {"days": 30}, "most": {"days": 40}}

UNSEEN = {
    **{(name, "version"): "counts the changes of a row, and a rebuild begins it again" for name in STATE},
    **{(name, "number"): "orders the rows of a table: a gap means nothing" for name in STATE | LOG},
}
"""The columns of which a change of one value may remain unseen, with the reason."""


RANKED = shop(
    earn(fixed("10")),
    adjustments={"approve_over": "50"},
    trackers={"spend": {"measure": {"type": "transaction_value"}, "target": "100", "window": YEAR}},
    tiers={"status": {"levels": ["bronze", "silver"], "by": "spend", "from": {"silver": "100"}, "lasts": YEAR_LONG}},
)


def week_of(till: Till) -> None:
    """Record a busy week and more: a hold, an adjustment, a shortfall, a merge, personal parts, extensions."""
    busy_week(till)
    ledger, program, at = till.ledger, till.program, till.now
    till.sell("T5", "300", custom_fields={"note": "likes figs"})
    till.sell("T7", "300", member="carl", custom_fields={"note": "hates figs"})
    ledger.forget(program, "carl", reason="asked", by="clerk", event="F1", at=at)
    later = at + timedelta(days=1)
    ledger.hold(program, ANNA, "points", Decimal(4), later, event="H1", at=at)
    ledger.adjust(program, ANNA, "points", Decimal(7), reason="goodwill", by="clerk", event="A1", at=at)
    till.sell("T6", "300", member="ben")
    till.spend("30", account=BEN)
    till.take_back("T6", "300")
    ledger.merge(program, "ben", "anna", reason="twice", by="clerk", event="M1", at=at)
    till.runs(shop(earn(fixed("10"), expiry=ROLLING)))
    till.sell("T8")
    till.on(80)
    till.sell("T9")
    till.spend("15")  # which writes the lot of T8 after an extension
    program = till.runs(RANKED)
    till.sell("T10", "300")
    till.sell("T11", "10")
    till.process({"type": "amendment", "id": "M2", "of": "T11", "member": {"id": "dora"}})  # who has spent nothing
    ledger.adjust(program, ANNA, "points", Decimal(70), reason="goodwill", by="clerk", event="A2", at=till.now)
    assert len([*nightly(ledger, program, till.now)]) == 6  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a consistent ledger without triggers, to be copied."""
    path = tmp_path_factory.mktemp("week") / "shop.db"
    with closing(SQLLedger.open(f"sqlite:///{path}", serials=SERIALS)) as ledger:
        week_of(Till(ledger))
        assert ledger.check_invariants() == []
    drop_triggers(path)
    execute(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    return path


class Forger:
    """A consistent ledger, in which one change after the other is made, audited, and rolled back."""

    def __init__(self, file: Path) -> None:
        # New connections have no foreign keys, as those of other programs; the ledger's own would keep them.
        self._engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
        self._ledger = SQLLedger(self._engine, serials=SERIALS)
        self._ledger.latest()  # its edition is checked before it is forged

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(f"SELECT rowid AS row_id, * FROM {table}").mappings().all()
        return [dict(row) for row in rows]

    def findings(self, statement: str, *values: Any) -> list[str] | None:
        """Return the findings after a statement; None if the database itself refuses it."""
        with self._engine.connect() as connection:
            try:
                connection.exec_driver_sql(statement, values)
            except IntegrityError:
                return None
            found = [each for each in self._ledger.violations_on(connection) if "trigger" not in each]
            connection.rollback()
        return found


@pytest.fixture
def forger(week: Path) -> Iterator[Forger]:
    forger = Forger(week)
    yield forger
    forger._engine.dispose()


def other(value: Any) -> Iterator[Any]:
    """Yield other values than one of a column: near ones, far ones, and none."""
    if isinstance(value, int):
        yield from (value + 1, 10**15)
    elif isinstance(value, bytes):
        yield bytes([value[0] ^ 1]) + value[1:]
    elif isinstance(value, str):
        yield from (value + "x", value.replace("1", "2", 1), "{}")
    else:
        yield from (1, "x", "2030-01-01", b"x")
    if value is not None:
        yield None


def changes(table: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, Any, int]]:
    """Yield the changes of the columns: two rows of a table, and each value that the database may accept."""
    for row in {each["row_id"]: each for each in (rows[0], rows[-1])}.values():
        for column, value in row.items():
            if column == "row_id":
                continue
            for new in other(value):
                if new != value:
                    yield column, f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', new, row["row_id"]


ALL = sorted(STATE | LOG)


@pytest.mark.slow
@pytest.mark.parametrize("table", ALL)
def test_a_change_of_any_column_is_found(forger: Forger, table: str) -> None:
    rows = forger.rows(table)
    assert rows, "the week writes no such row"
    unseen, tried = [], 0
    for column, statement, *values in changes(table, rows):
        findings = forger.findings(statement, *values)
        tried += findings is not None
        if findings == [] and (table, column) not in UNSEEN:
            unseen.append((column, values))
    assert tried
    assert unseen == []


@pytest.mark.slow
@pytest.mark.parametrize("table", ALL)
def test_a_deletion_of_any_row_is_found(forger: Forger, table: str) -> None:
    rows = forger.rows(table)
    for row in {each["row_id"]: each for each in (*rows[:2], *rows[-2:])}.values():
        assert forger.findings(f"DELETE FROM {table} WHERE rowid = ?", row["row_id"]), row
    assert forger.findings(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["lots", "coupons", "counters", "payments", "entries", "draws"])
def test_a_row_that_is_added_is_found(forger: Forger, table: str) -> None:
    name = f"loyalty_{table}"
    row = forger.rows(name)[0]
    row.pop("row_id")
    for column in ("number", "fingerprint"):
        if column in row:
            row[column] = None
    row |= {column: "acme/T9/p/x" for column in ("key", "lot", "name") if column in row}
    if "batch" in row:
        row["batch"] = 999
    marks = ", ".join("?" * len(row))
    assert forger.findings(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", *row.values())


CONTROLS = {
    "UPDATE loyalty_lots SET expires_at = 4000000000000000": "differences_of_state",
    "DELETE FROM loyalty_counters": "differences_of_state",
    "DELETE FROM loyalty_batches": "_incomplete_batches",
    "UPDATE loyalty_programs SET document = replace(document, '10', '20')": "_changed_programs",
}


@pytest.mark.parametrize("statement", CONTROLS)
def test_without_its_check_a_forgery_would_not_be_found(
    forger: Forger, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """The control: each of these was unseen once."""
    assert forger.findings(statement)
    module: Any = state_audit if hasattr(state_audit, CONTROLS[statement]) else audit
    monkeypatch.setattr(module, CONTROLS[statement], lambda *_: iter(()))
    monkeypatch.setattr("loyalty_rules.ledger.sql.ledger.differences_of_state", lambda *_: iter(()))
    assert not forger.findings(statement)


def test_a_missing_trigger_is_found(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    execute(path, "DROP TRIGGER loyalty_draws_no_delete")
    assert ledger.check_invariants() == ["loyalty_draws can be changed: a trigger of it is missing"]


def test_a_missing_or_disabled_trigger_is_found_on_postgresql(postgres_url: str) -> None:
    with closing(SQLLedger.open(postgres_url, serials=SERIALS)) as ledger:
        assert ledger.check_invariants() == []
        with ledger._bind.begin() as connection:  # type: ignore[union-attr]
            connection.exec_driver_sql("ALTER TABLE loyalty_entries DISABLE TRIGGER USER")
            connection.exec_driver_sql("DROP TRIGGER loyalty_draws_only_added_to ON loyalty_draws")
        assert ledger.check_invariants() == [
            f"loyalty_{table} can be changed: its trigger is missing or disabled" for table in ("entries", "draws")
        ]
