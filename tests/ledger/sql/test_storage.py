"""The storage: batches are claimed once, and serials and terms are looked up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import Connection, Engine, event, insert, text

import loyalty_rules as lr
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, SQLLedger
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.sql.mapping import microseconds
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.serials import SerialRequest
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    serial_of,
    shop,
)

from .sqlite_files import dump

OLD_KEY, NEW_KEY = b"the master key of last year, used up", b"the master key of this year, brand new"


def test_a_retry_writes_nothing_after_a_change_of_keys_and_program(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    program = shop(hand_out(), coupon_types=coupon_type())
    old = SQLLedger.open(url, serials=lr.DerivedSerials({"0": OLD_KEY}, "0"))
    till = Till(old)
    till.serials = None
    till.runs(program)
    bill = till.bill("T1")
    first = old.process(program, bill)
    old.close()

    both = SQLLedger.open(url, serials=lr.DerivedSerials({"0": OLD_KEY, "1": NEW_KEY}, "1"))
    changed = shop(earn(fixed("1")), hand_out(quantity=3), coupon_types=coupon_type())
    before = dump(tmp_path / "shop.db")
    assert both.process(changed, bill) == attrs.evolve(first, status="already_recorded")
    assert dump(tmp_path / "shop.db") == before
    with pytest.raises(IdempotencyConflict) as conflict:
        both.process(changed, till.bill("T1", "101"))
    assert conflict.value.field == "event.amount"
    assert dump(tmp_path / "shop.db") == before
    assert serial_of(both.process(program, till.bill("T2")))[0] == "1"
    both.close()


class CollidingSerials:
    """Serials that are the same for the first two attempts of every coupon."""

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
    keys = CollidingSerials()
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


# -- counters ----------------------------------------------------------------------------------------------------------

JANUARY_14, JANUARY_15, JANUARY_16 = (date(2025, 1, day) for day in (14, 15, 16))


@pytest.mark.parametrize(
    ("window", "value"),
    [
        (("cap", None, None), 5),
        (("unknown", None, None), 0),
        (("days", JANUARY_14, JANUARY_14), 1),
        (("days", JANUARY_15, JANUARY_16), 6),
        (("days", JANUARY_14, JANUARY_16), 7),
        (("days", date(2025, 1, 17), date(2025, 1, 20)), 0),
    ],
)
def test_a_counter_has_one_value_or_the_sum_of_the_days_of_its_window(
    ledger: SQLLedger, engine: Engine, window: Any, value: int
) -> None:
    rows = [("cap", "", 5), ("days", "2025-01-14", 1), ("days", "2025-01-15", 2), ("days", "2025-01-16", 4)]
    with engine.connect() as connection:
        for name, day, amount in rows:
            row = {"program": "acme", "name": name, "day": day, "value": amount}
            connection.execute(insert(ledger.tables.counters), row)
        assert storage_on(connection).counter_value("acme", window) == value
        assert storage_on(connection).counter_value("elsewhere", window) == 0


def test_many_counters_are_read_in_one_query_and_once(ledger: SQLLedger, engine: Engine) -> None:
    windows: list[Any] = [("cap", None, None), ("days", JANUARY_14, JANUARY_16), ("other", None, None)]
    statements: list[str] = []
    with engine.connect() as connection:
        storage = storage_on(connection)
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        storage.lock(counter_lock("acme", name) for name, _, _ in windows)
        storage.read_counters("acme", windows)
        assert [storage.counter_value("acme", each) for each in windows] == [0, 0, 0]
    assert len(statements) == 1


def test_rows_are_read_again_after_a_lock(ledger: SQLLedger, engine: Engine) -> None:
    """Another transaction may have changed them while this one waited for the lock."""
    till = Till(ledger)
    till.runs(shop(earn(fixed("10")), hand_out(), coupon_types=coupon_type()))
    sold = till.sell("T1")
    lot, coupon, window = "acme/T1/p/earn", sold.intents[1].key, ("cap", None, None)
    with engine.connect() as connection:
        storage = storage_on(connection)
        with storage.atomic():
            assert storage.claim_batch(identity_of("S1")) is None
            lots = storage.lots_of("acme", ANNA)
            assert (storage.lot(lot), storage.coupon(coupon).state) == (lots[0], "issued")  # type: ignore[union-attr]
            storage.read_counters("acme", [window])
            later = {"at": microseconds(till.now + timedelta(days=2))}
            for change in (
                "UPDATE loyalty_lots SET outstanding = 4000000, spent = 6000000, version = 1, latest_at = :at",
                "UPDATE loyalty_coupons SET state = 'voided', version = 1",
                "INSERT INTO loyalty_counters VALUES ('acme', 'cap', '', 7)",
            ):
                connection.execute(text(change), later if ":at" in change else {})
            storage.lock([account_lock("acme", ANNA), counter_lock("acme", "cap")])
            assert [each.issue.key for each in storage.changed_since(lots, till.now)] == [lot]
            assert storage.lot(lot).outstanding == 4  # type: ignore[union-attr]
            assert storage.coupon(coupon).state == "voided"  # type: ignore[union-attr]
            assert storage.counter_value("acme", window) == 7


def identity_of(event: str) -> IdempotencyRecord:
    at = Till(MemoryLedger()).now
    return IdempotencyRecord("acme", event, "spend/points", {}, at, at)


def storage_on(connection: Connection) -> SQLStorage:
    return SQLLedger(connection)._storage(connection, savepoints=True)


# -- look-ups ----------------------------------------------------------------------------------------------------------


def test_a_code_that_cannot_be_printed_has_no_coupon(ledger: SQLLedger, engine: Engine) -> None:
    with engine.connect() as connection:
        assert storage_on(connection).coupons_by_code("acme", "SPRING\0") == []


def test_an_operation_that_is_rolled_back_dooms_a_transaction_without_savepoints(
    ledger: SQLLedger, engine: Engine
) -> None:
    with engine.connect() as connection:
        shared, single = storage_on(connection), SQLLedger(connection)._storage(connection)
        for storage in (shared, single):
            with pytest.raises(ZeroDivisionError), storage.atomic():
                raise ZeroDivisionError
        assert (shared.doomed, single.doomed) == (False, True)
