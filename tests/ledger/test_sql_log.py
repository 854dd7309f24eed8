"""What a ledger in a database keeps besides the contract: a log that proves itself, secrets that stay secret."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, select, text
from sqlalchemy.exc import DBAPIError

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, SQLLedger
from loyalty_rules.ledger.sql import (
    AmountOutOfRangeError,
    ConcurrentChangeError,
    SerialKeysNeededError,
    Tables,
    UnsupportedDatabaseError,
)
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.ledger.sql.dialects import dialect_of
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.hash_chain import CHAINS, FIRST_LINK, link_of
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.lifecycle import Account
from loyalty_rules.serials import SerialRequest
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    proportional,
    serial_of,
    shop,
)

OLD, NEW = b"the master key of last year, used up", b"the master key of this year, brand new"
DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SQLLedger]:
    ledger = SQLLedger.open(f"sqlite:///{path}", serials=SERIALS)
    yield ledger
    ledger.close()


@pytest.fixture(params=["memory", "sqlite"])
def either(request: pytest.FixtureRequest) -> Any:
    """A ledger in memory, or in a file: what is told of it holds of both."""
    return MemoryLedger() if request.param == "memory" else request.getfixturevalue("ledger")


@pytest.fixture
def till(ledger: SQLLedger) -> Till:
    return Till(ledger)


def a_busy_week(till: Till) -> None:
    """Sales, a promise, coupons, a return, a spend and its undoing, a redemption, an expiry."""
    till.runs(
        shop(
            earn(proportional("10"), expiry=DAYS_30, caps={"total": {"amount": "1000"}}),
            earn(fixed("5"), "later", timing={"type": "external"}),
            hand_out(quantity=2),
            coupon_types=coupon_type(caps={"total": 9}),
            trackers={"spent": {"measure": {"type": "transaction_value"}, "target": "500"}},
        )
    )
    first = till.sell("T1", "100", store="S1")
    till.sell("T2", "250")
    till.confirm("acme/T1/p/later")
    till.take_back("T2", "100")
    spend = till.spend("12")
    till.undo_spend(spend)
    till.spend("3")
    till.redeem(serial_of(first), "T3", "40")
    till.on(60)
    till.expire()


def raw(path: Path, statement: str, *given: Any) -> list[Any]:
    """What somebody does who has the file and keeps to no rules."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(statement, given).fetchall()
        connection.commit()
    finally:
        connection.close()
    return rows


# -- the log proves itself -------------------------------------------------------------------------------------------


def test_after_a_busy_week_nothing_is_wrong(till: Till, ledger: SQLLedger) -> None:
    a_busy_week(till)
    assert ledger.verify() == []
    assert ledger.check_invariants() == []


@pytest.mark.parametrize(
    "table",
    ["programs", "batches", "receipts", "entries", "lot_changes", "coupon_states", "draws", "undoables", "undone"],
)
@pytest.mark.parametrize("change", ["UPDATE {} SET batch = batch", "DELETE FROM {}"])
def test_the_log_refuses_change_and_removal(till: Till, path: Path, table: str, change: str) -> None:
    a_busy_week(till)
    if table in ("programs", "batches"):
        change = change.replace("batch = batch", "program = program")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        raw(path, change.format(f"loyalty_{table}"))


def without_triggers(path: Path) -> None:
    for (name,) in raw(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        raw(path, f"DROP TRIGGER {name}")


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE loyalty_entries SET amount = amount + 1 WHERE number = 1",
        "UPDATE loyalty_entries SET at = at + 1 WHERE number = 2",
        "UPDATE loyalty_batches SET inputs = replace(inputs, '250', '350') WHERE event = 'T2'",
        "UPDATE loyalty_receipts SET intents = replace(intents, '\"25\"', '\"35\"')",
        "UPDATE loyalty_receipts SET snapshot = '{}' WHERE snapshot IS NOT NULL",
        "UPDATE loyalty_draws SET amount = 0 WHERE number = 1",
        "UPDATE loyalty_coupon_states SET state = 'issued' WHERE state = 'redeemed'",
        "DELETE FROM loyalty_entries WHERE number = 1",
        "DELETE FROM loyalty_lot_changes",
        "DELETE FROM loyalty_undone",
    ],
)
def test_what_is_forged_is_found(till: Till, ledger: SQLLedger, path: Path, forgery: str) -> None:
    a_busy_week(till)
    without_triggers(path)
    raw(path, forgery)
    assert any("is not as it was recorded" in each for each in ledger.verify())


def test_what_is_forged_with_its_digest_breaks_the_chain(till: Till, ledger: SQLLedger, path: Path) -> None:
    a_busy_week(till)
    without_triggers(path)
    raw(path, "UPDATE loyalty_receipts SET digest = zeroblob(32) WHERE number = 1")
    assert any("does not follow" in each for each in ledger.verify())


def test_what_is_forged_with_its_digest_and_its_link_breaks_the_next(till: Till, ledger: SQLLedger, path: Path) -> None:
    till.runs(shop(earn(fixed("10"))))
    for number in range(CHAINS + 1):  # one of the chains has two
        till.sell(f"T{number}")
    without_triggers(path)
    ((first,),) = raw(path, "SELECT min(number) FROM loyalty_receipts GROUP BY chain HAVING count(*) > 1 LIMIT 1")
    digest = bytes(32)
    link = link_of(FIRST_LINK, digest)
    raw(path, "UPDATE loyalty_receipts SET digest = ?, link = ? WHERE number = ?", digest, link, first)
    forged, next_one = ledger.verify()
    assert "is not as it was recorded" in forged
    assert "does not follow" in next_one
    assert forged.split()[1] != next_one.split()[1]


def test_a_batch_that_was_cut_off_the_end_is_missed_by_who_kept_the_ends(
    till: Till, ledger: SQLLedger, path: Path
) -> None:
    a_busy_week(till)
    kept = ledger.ends()
    without_triggers(path)
    [(last,)] = raw(path, "SELECT max(batch) FROM loyalty_receipts")
    for table in ("receipts", "entries", "lot_changes", "coupon_states", "draws", "undoables", "undone"):
        raw(path, f"DELETE FROM loyalty_{table} WHERE batch = ?", last)
    assert ledger.verify() == []
    assert len(ledger.verify(kept)) == 1


@pytest.mark.parametrize(
    ("drift", "told"),
    [
        ("UPDATE loyalty_lots SET spent = spent + 1, expired = expired - 1 WHERE number = 1", "sum of its"),
        ("UPDATE loyalty_lots SET taken_back = 0", "not claimed"),
        ("UPDATE loyalty_counters SET value = value + 1", "sum of what was drawn"),
        ("UPDATE loyalty_coupons SET state = 'voided' WHERE state = 'redeemed'", "not in the state"),
        ("DELETE FROM loyalty_lots WHERE number = 1", "is not there"),
    ],
)
def test_a_state_that_drifts_from_the_log_is_found_and_rebuilt(
    till: Till, ledger: SQLLedger, path: Path, drift: str, told: str
) -> None:
    a_busy_week(till)
    before = till.everything(), ledger.report_rows("acme", till.now)
    raw(path, drift)
    assert any(told in each for each in ledger.check_invariants())
    ledger.rebuild()
    assert ledger.check_invariants() == []
    assert (till.everything(), ledger.report_rows("acme", till.now)) == before


@pytest.mark.parametrize(
    "overdraft",
    [
        "UPDATE loyalty_lots SET outstanding = -1, spent = issued + 1",
        "UPDATE loyalty_lots SET spent = spent + 1",
        "UPDATE loyalty_counters SET value = -1",
        "UPDATE loyalty_lots SET outstanding = 0.5",
    ],
)
def test_the_tables_themselves_refuse_what_can_never_be(till: Till, path: Path, overdraft: str) -> None:
    a_busy_week(till)
    with pytest.raises(sqlite3.IntegrityError):
        raw(path, overdraft)


def test_what_never_arrived_is_named(till: Till, ledger: SQLLedger) -> None:
    a_busy_week(till)
    assert ledger.reconcile("acme", ["T1", "X1", "T2", "X2"]) == ["X1", "X2"]
    assert ledger.reconcile("other", ["T1"]) == ["T1"]


# -- frozen terms, replays -------------------------------------------------------------------------------------------


def test_another_process_finds_the_terms_of_an_old_sale(till: Till, path: Path) -> None:
    till.runs(shop(earn(proportional("10"))))
    till.sell("T1", "100")
    later = SQLLedger.open(f"sqlite:///{path}", serials=SERIALS)
    again = Till(later)
    again.runs(shop(earn(fixed("1"), "other")))
    assert [str(each.amount) for each in again.take_back("T1", "50").intents] == ["5"]  # type: ignore[union-attr]
    later.close()


def test_a_program_is_stored_once_however_many_sales_it_decides(till: Till, path: Path) -> None:
    till.runs(shop(earn(fixed("1"))))
    for number in range(5):
        till.sell(f"T{number}")
    assert raw(path, "SELECT count(*) FROM loyalty_programs") == [(1,)]


def test_a_replay_writes_nothing_after_a_change_of_keys_and_program_a_year_later(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    program = shop(hand_out(), coupon_types=coupon_type())
    old = SQLLedger.open(url, serials=lr.DerivedSerials({"0": OLD}, "0"))
    till = Till(old)
    till.serials = None
    till.runs(program)
    bill = till.bill("T1")
    first = old.process(program, bill)
    old.close()

    both = SQLLedger.open(url, serials=lr.DerivedSerials({"0": OLD, "1": NEW}, "1"))
    changed = shop(earn(fixed("1")), hand_out(quantity=3), coupon_types=coupon_type())
    before = dump_of(tmp_path / "shop.db")
    assert both.process(changed, bill) == attrs.evolve(first, status="already_recorded")
    assert dump_of(tmp_path / "shop.db") == before
    with pytest.raises(IdempotencyConflict) as conflict:
        both.process(changed, till.bill("T1", "101"))
    assert conflict.value.field == "event.amount"
    assert dump_of(tmp_path / "shop.db") == before
    assert serial_of(both.process(program, till.bill("T2")))[0] == "1"
    both.close()


def dump_of(path: Path) -> list[str]:
    """The whole file, as statements."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


# -- serials at rest -------------------------------------------------------------------------------------------------


def test_no_serial_stands_in_the_file(till: Till, path: Path, ledger: SQLLedger) -> None:
    till.runs(shop(hand_out(quantity=3), coupon_types=coupon_type()))
    receipt = till.sell("T1")
    serials = [serial_of(receipt, number) for number in (1, 2, 3)]
    till.redeem(serials[0], "T2")
    ledger.close()
    kept = b"".join(each.read_bytes() for each in path.parent.iterdir())
    for serial in serials:
        for written in (serial, serial.replace("-", ""), serial.lower()):
            assert written.encode() not in kept
    assert serials[0][-4:].encode() in kept  # as the last four symbols alone


def test_without_the_keys_only_the_last_four_symbols_are_told(till: Till, path: Path) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    serial = serial_of(till.sell("T1"))
    blind = SQLLedger.open(f"sqlite:///{path}")
    [coupon] = blind.coupons("acme", "anna")
    assert coupon.issue.serial == f"••••••-••••••-••{serial[-4:]}"
    assert blind.coupon("acme", serial) is None
    assert blind.check_invariants() == []
    with pytest.raises(SerialKeysNeededError, match="next-visit"):
        blind.process(till.program, till.bill("T2"), serials=SERIALS)
    assert till.sell("T2").status == "recorded"  # nothing of it had been kept
    blind.close()


class Colliding:
    """Serials of which the first two attempts of every coupon are one and the same."""

    def serial(self, request: SerialRequest) -> str:
        return SERIALS.serial(self._of(request))

    def serial_under(self, key_id: str, request: SerialRequest) -> str:
        return SERIALS.serial_under(key_id, self._of(request))

    def fingerprint(self, serial: str) -> bytes | None:
        return SERIALS.fingerprint(serial)

    @staticmethod
    def _of(request: SerialRequest) -> SerialRequest:
        return attrs.evolve(request, ordinal=1, event="same") if request.attempt < 2 else request


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_serial_that_is_taken_is_derived_again(kind: str, path: Path) -> None:
    keys = Colliding()
    ledger: Any = MemoryLedger(keys) if kind == "memory" else SQLLedger.open(f"sqlite:///{path}", serials=keys)
    till = Till(ledger)
    till.serials = None
    till.runs(shop(hand_out(quantity=2), coupon_types=coupon_type()))
    receipts = [till.sell("T1"), till.sell("T2")]
    issued = [intent for receipt in receipts for intent in receipt.intents if isinstance(intent, IssueCoupon)]
    assert len({each.serial for each in issued}) == 4
    assert all(each.till_message.endswith(each.serial or "?") for each in issued)
    assert [ledger.coupon("acme", each.serial).key for each in issued] == [each.key for each in issued]
    assert ledger.check_invariants() == []


# -- the host's transaction, its metadata, its mistakes --------------------------------------------------------------


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("fails", [False, True])
def test_a_sale_is_recorded_with_the_hosts_own_rows_or_not_at_all(engine: Engine, fails: bool) -> None:
    ledger = SQLLedger(engine)
    ledger.create_all()
    program = shop(earn(fixed("10")))
    bill = Till(ledger).bill("T1")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id TEXT PRIMARY KEY)"))
    connection = engine.connect()
    with ledger.transaction(connection) as tx:
        connection.execute(text("INSERT INTO orders VALUES ('T1')"))
        assert tx.process(program, bill).status == "recorded"
    connection.rollback() if fails else connection.commit()
    connection.close()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == (0 if fails else 1)
    assert ledger.balance("acme", ANNA, "points", bill.occurred_at).available == (0 if fails else 10)
    assert ledger.check_invariants() == []


def test_a_ledger_on_a_connection_joins_whatever_it_is_in(engine: Engine) -> None:
    SQLLedger(engine).create_all()
    program, bill = shop(earn(fixed("10"))), Till(MemoryLedger()).bill("T1")
    with engine.connect() as connection:
        joined = SQLLedger(connection)
        assert joined.process(program, bill).status == "recorded"
        assert joined.process(program, bill).status == "already_recorded"
        connection.rollback()
    assert SQLLedger(engine).process(program, bill).status == "recorded"


def test_the_tables_attach_to_the_hosts_metadata() -> None:
    metadata = MetaData()
    tables = Tables(metadata, prefix="points_")
    assert metadata.tables["points_lots"] is tables.lots
    assert {*metadata.tables} == {each.name for each in (*tables.log, *tables.state)}


def test_two_ledgers_in_one_database_keep_to_themselves(engine: Engine) -> None:
    metadata = MetaData()
    one, other = (SQLLedger(engine, tables=Tables(metadata, prefix=each)) for each in ("one_", "other_"))
    metadata.create_all(engine)
    program, bill = shop(earn(fixed("10"))), Till(MemoryLedger()).bill("T1")
    assert [each.process(program, bill).status for each in (one, other)] == ["recorded", "recorded"]


def test_every_connection_is_safe(ledger: SQLLedger, engine: Engine) -> None:
    with SQLLedger(engine).transaction(), engine.connect() as fresh:
        pass
    with engine.connect() as connection:
        dialect_of(engine).begin(connection)
        read: Callable[[str], Any] = lambda name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()  # noqa: E731
        assert (read("journal_mode"), read("synchronous"), read("foreign_keys")) == ("wal", 2, 1)
        assert read("busy_timeout") == 30_000
        assert connection.connection.driver_connection.in_transaction  # type: ignore[union-attr]
    assert fresh.closed


def test_a_database_that_it_can_not_keep_its_promises_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine("sqlite://")
    monkeypatch.setattr(engine.dialect, "name", "mysql")
    with pytest.raises(UnsupportedDatabaseError, match="mysql"):
        SQLLedger(engine)


def test_an_amount_that_64_bits_can_not_hold_is_refused_and_nothing_is_kept(till: Till, ledger: SQLLedger) -> None:
    till.runs(shop(earn(fixed("999999999999999"))))
    with pytest.raises(AmountOutOfRangeError, match="acme/T1/p/earn"):
        till.sell("T1")
    assert ledger.reconcile("acme", ["T1"]) == ["T1"]
    assert till.points() == 0


@pytest.mark.parametrize("statement", ["UPDATE loyalty_lots SET version = version + 1", "DELETE FROM loyalty_lots"])
def test_a_lot_that_changes_between_the_look_and_the_leap_stops_the_spend(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """What no lock keeps off: somebody who writes by other rules, on the same connection here."""
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    look = SQLStorage.lots_of

    def meddled_with(self: SQLStorage, *of: Any) -> Any:
        found = look(self, *of)
        self._connection.execute(text(statement))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SQLStorage, "lots_of", meddled_with)
        with pytest.raises(ConcurrentChangeError, match="a lot"):
            till.spend("4", "S1")
    assert till.points() == 10
    assert till.spend("4", "S1").status == "recorded"


def test_a_coupon_that_changes_between_the_look_and_the_leap_stops_the_redemption(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    serial = serial_of(till.sell("T1"))
    write = Flush._write_coupons

    def meddled_with(self: Flush) -> None:
        self._connection.execute(text("UPDATE loyalty_coupons SET version = version + 1"))
        write(self)

    with monkeypatch.context() as patch:
        patch.setattr(Flush, "_write_coupons", meddled_with)
        with pytest.raises(ConcurrentChangeError, match="a coupon"):
            till.redeem(serial, "T2")
    assert till.redeem(serial, "T2").status == "recorded"


def test_a_counter_that_fills_between_the_look_and_the_leap_stops_the_issue(
    till: Till, ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.runs(shop(earn(fixed("10"), caps={"total": {"amount": "15"}})))
    till.sell("T1")
    write = Flush._write_counters

    def meddled_with(self: Flush) -> None:
        self._connection.execute(text("UPDATE loyalty_counters SET value = 11000000"))
        write(self)

    with monkeypatch.context() as patch:
        patch.setattr(Flush, "_write_counters", meddled_with)
        with pytest.raises(ConcurrentChangeError, match="a counter"):
            till.sell("T2")
    assert till.points() == 10
    assert [str(each.amount) for each in till.sell("T2").intents] == ["5"]  # type: ignore[union-attr]


# -- asyncio ---------------------------------------------------------------------------------------------------------


def test_the_same_for_asyncio(tmp_path: Path) -> None:
    till = Till(MemoryLedger())
    program = till.runs(
        shop(
            earn(fixed("10"), expiry=DAYS_30),
            earn(fixed("3"), "due", timing={"type": "delayed", "days": 1}),
            hand_out(),
            coupon_types=coupon_type(),
        )
    )
    bill, at = till.bill("T1"), till.now

    async def story() -> list[Any]:
        ledger = await AsyncSQLLedger.open(f"sqlite+aiosqlite:///{tmp_path}/shop.db", serials=SERIALS)
        sold = await ledger.process(program, bill)
        again = await ledger.process(program, bill)
        spent = await ledger.spend(program, ANNA, "anna", "points", Decimal(4), event="S1", at=at)
        redeemed = await ledger.redeem(program, serial_of(sold), till.bill("T2"))
        till.on(40)
        settled = await ledger.settle(program, till.now)
        expired = await ledger.expire(program, till.now)
        left = await ledger.balance("acme", ANNA, "points", at)
        wrong = await ledger.check_invariants()
        await ledger.close()
        return [sold.status, again.status, spent.status, redeemed.status, len(settled), len(expired), left, wrong]

    *statuses, settled, expired, left, wrong = asyncio.run(story())
    assert statuses == ["recorded", "already_recorded", "recorded", "recorded"]
    assert (settled, expired, str(left.available), wrong) == (1, 1, "6", [])


def test_programs_and_the_latest_instant_are_told(till: Till, ledger: SQLLedger) -> None:
    assert (ledger.programs(), ledger.latest()) == ([], None)
    a_busy_week(till)
    assert [each.version for each in ledger.programs()] == [till.program.version]
    assert ledger.latest() is not None


def test_the_host_sees_each_error_of_the_database(ledger: SQLLedger, path: Path, till: Till) -> None:
    till.runs(shop(earn(fixed("10"))))
    raw(path, "DROP TABLE loyalty_entries")
    with pytest.raises(DBAPIError, match="loyalty_entries"):
        till.sell("T1")
    with ledger._reading() as connection:
        assert connection.execute(select(ledger.tables.batches)).all() == []


def test_a_migration_tool_finds_nothing_to_change_in_what_create_all_has_made(
    ledger: SQLLedger, engine: Engine
) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, ledger.tables.metadata) == []
        assert compare_metadata(context, MetaData()) != []  # it can see a difference


def test_an_id_or_an_instant_that_is_none_is_told_and_nothing_is_kept(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    naive = till.now.replace(tzinfo=None)
    for member, event, at in [
        ("a\0", "S", till.now),
        ("", "S", till.now),
        ("anna", "S\0", till.now),
        ("anna", "x" * 300, till.now),
        ("anna", "S", naive),
    ]:
        with pytest.raises(lr.InvalidValueError):
            ledger.spend(program, ANNA, member, "points", Decimal(1), event=event, at=at)
    for name in ("a\0", "\ud800", ""):
        with pytest.raises(lr.InvalidValueError):
            ledger.balance("acme", Account("member", name), "points", till.now)
    with pytest.raises(lr.InvalidValueError):
        ledger.undo_spend(program, "acme/S\0/spend/points", event="U", at=till.now)
    assert till.points() == 10


def test_an_argument_that_is_none_is_told_by_its_name(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    naive = till.now.replace(tzinfo=None)
    for name, call in [
        ("at", lambda: ledger.balance("acme", ANNA, "points", naive)),
        ("at", lambda: ledger.lots("acme", ANNA, "points", naive)),
        ("at", lambda: ledger.statement("acme", ANNA, naive)),
        ("at", lambda: ledger.promises("acme", naive)),
        ("at", lambda: ledger.report_rows("acme", naive)),
        ("at", lambda: ledger.settle(program, naive)),
        ("at", lambda: ledger.expire(program, naive)),
        ("at", lambda: ledger.void(program, "acme/T1/p/earn", event="V", at=naive)),
        ("recorded_at", lambda: ledger.process(program, till.bill("T1"), recorded_at=naive)),
        ("amount", lambda: ledger.spend(program, ANNA, "anna", "points", 1.5, event="S", at=till.now)),
        ("member", lambda: ledger.spend(program, ANNA, None, "points", Decimal(1), event="S", at=till.now)),
        ("event", lambda: ledger.spend(program, ANNA, "anna", "points", Decimal(1), event=7, at=till.now)),
        ("code", lambda: ledger.redeem(program, 12345, till.bill("T1"))),
        ("code", lambda: ledger.coupon("acme", None)),
        ("coupon", lambda: ledger.void(program, 1, event="V", at=till.now)),
        ("spend", lambda: ledger.undo_spend(program, 1, event="V", at=till.now)),
        ("redemption", lambda: ledger.undo_redemption(program, 1, event="V", at=till.now)),
        ("kind", lambda: Account("memebr", "anna")),  # type: ignore[arg-type]
    ]:
        with pytest.raises(lr.InvalidValueError) as error:
            call()
        assert error.value.name == name


def test_a_spend_for_another_member_under_the_same_id_is_a_conflict(either: Any) -> None:
    ledger, till = either, Till(either)
    program = till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    ledger.spend(program, ANNA, "anna", "points", Decimal(1), event="S", at=till.now)
    with pytest.raises(IdempotencyConflict) as conflict:
        ledger.spend(program, ANNA, "ben", "points", Decimal(1), event="S", at=till.now)
    assert (conflict.value.field, conflict.value.recorded) == ("member", "anna")


def test_a_ledger_that_is_not_there_is_not_made_by_who_asks(database: str) -> None:
    for _ in range(2):
        with closing(SQLLedger.open(database, create=False)) as ledger:
            assert not ledger.exists()
    with closing(SQLLedger.open(database)) as ledger:
        assert ledger.exists()


def test_a_report_on_a_server_without_a_ledger_says_so_and_makes_nothing(
    postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", postgres_url]) == 2
    assert "is a database without a ledger" in capsys.readouterr().err
    with closing(SQLLedger.open(postgres_url, create=False)) as ledger:
        assert not ledger.exists()


def open_and_sell(url: str, number: int) -> str:
    """What each worker of a web server does when it starts, all at once."""
    with closing(SQLLedger.open(url)) as ledger:
        return ledger.process(shop(earn(fixed("10"))), Till(ledger).bill(f"T{number}")).status


def test_eight_processes_open_a_new_database_at_once(database: str) -> None:
    with multiprocessing.get_context("spawn").Pool(8) as workers:
        assert workers.starmap(open_and_sell, [(database, number) for number in range(8)], 1) == ["recorded"] * 8
