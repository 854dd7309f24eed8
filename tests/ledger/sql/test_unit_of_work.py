"""The unit of work: the rows that a batch has read and changed, before they are written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.kinds import PAYMENTS, SHORTFALLS
from loyalty_rules.ledger.records import Entry, ExpiryVersion
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, LotChange, RecordVersion, Tracked, UnitOfWork
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Shortfall
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, coupon_type, earn, fixed, hand_out, moment, shop

KEY = "acme/T1/p/earn"
DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


@pytest.fixture
def issue() -> IssueCurrency:
    """Return an issue of ten points that expire after thirty days."""
    till = Till(MemoryLedger())
    till.runs(shop(earn(fixed("10"), expiry=DAYS_30)))
    (intent,) = till.sell("T1").intents
    assert isinstance(intent, IssueCurrency)
    return intent


@pytest.fixture
def lot(issue: IssueCurrency) -> Lot:
    """Return a lot with all of its ten points available, as a row has it."""
    amount = Decimal(10)
    return Lot(issue, 7, amount, outstanding=amount, expires_on=issue.expires_on, expires_at=issue.expires_at)


def entry(source: str, target: str, amount: int, day: int = 0) -> Entry:
    at: Any = moment(day)
    return Entry("acme/S1#spend", "acme", ANNA, "points", KEY, source, target, Decimal(amount), at, at, "why")  # type: ignore[arg-type]


def unit_with(lot: Lot) -> UnitOfWork:
    unit = UnitOfWork()
    unit.read_lot(lot, 3, moment(0))
    return unit


# -- lots --------------------------------------------------------------------------------------------------------------


def test_a_lot_is_tracked_once(lot: Lot) -> None:
    unit = unit_with(lot)
    same = attrs.evolve(lot)

    assert unit.read_lot(same, 3, moment(0)) is lot


def test_a_lot_that_another_transaction_changed_is_read_again(lot: Lot) -> None:
    unit = unit_with(lot)
    newer = attrs.evolve(lot, outstanding=Decimal(6), spent=Decimal(4))

    assert unit.read_lot(newer, 4, moment(1)) == newer
    assert (unit.lot(KEY), unit.lots[KEY].version) == (newer, 4)


def test_a_lot_that_the_batch_has_changed_is_not_read_again(lot: Lot) -> None:
    unit = unit_with(lot)
    unit.add_entry(entry("available", "spent", 4))

    assert unit.read_lot(lot, 4, moment(1)).outstanding == 6
    assert unit.lots[KEY].version == 3  # so that the write fails


def test_a_coupon_that_another_transaction_changed_is_read_again() -> None:
    unit = UnitOfWork()

    def read(state: Any, version: int) -> Any:
        return unit.read_coupon("acme/T1/p/gift/1", lambda: state, version, moment(0))  # type: ignore[arg-type]

    assert [read("issued", 1), read("the same row", 1), read("redeemed", 2)] == ["issued", "issued", "redeemed"]


def test_a_lot_that_was_neither_read_nor_added_is_unknown(lot: Lot) -> None:
    assert UnitOfWork().lot(KEY) is None
    assert unit_with(lot).lot(KEY) == lot


def test_a_lot_that_was_only_read_is_unchanged(lot: Lot) -> None:
    assert not unit_with(lot).lots[KEY].changed


def test_an_entry_moves_an_amount_between_two_buckets(lot: Lot) -> None:
    unit = unit_with(lot)
    unit.add_entry(entry("available", "spent", 4, day=2))
    assert unit.lot(KEY) == attrs.evolve(lot, outstanding=Decimal(6), spent=Decimal(4))
    tracked = unit.lots[KEY]
    assert (tracked.changed, tracked.version, tracked.latest_at) == (True, 3, moment(2))
    assert [each.amount for each in unit.entries] == [4]


def test_a_new_lot_has_no_version_and_its_issued_amount(issue: IssueCurrency) -> None:
    unit = UnitOfWork()
    unit.add_lot(Lot(issue, 0), entry("issued", "available", 10))
    (new,) = unit.new_lots(lambda _: True)
    assert (new.issued, new.outstanding) == (10, 10)
    assert unit.lots[KEY].version is None


def test_new_lots_sort_after_read_ones_and_in_the_order_of_issue(lot: Lot, issue: IssueCurrency) -> None:
    unit = unit_with(attrs.evolve(lot, order=2**40))
    for key in ("acme/T2/p/earn", "acme/T3/p/earn"):
        moved = attrs.evolve(entry("issued", "available", 10), lot=key)
        unit.add_lot(Lot(attrs.evolve(issue, key=key), 0), moved)
    orders = [unit.lots[key].current.order for key in (KEY, "acme/T2/p/earn", "acme/T3/p/earn")]
    assert orders == sorted({*orders})
    assert [each.key for each in unit.new_lots(lambda _: True)] == ["acme/T2/p/earn", "acme/T3/p/earn"]
    assert [each.key for each in unit.new_lots(lambda each: each.key.startswith("acme/T3"))] == ["acme/T3/p/earn"]


def test_the_first_expiry_of_a_new_lot_is_not_recorded_again(issue: IssueCurrency) -> None:
    unit = UnitOfWork()
    unit.add_lot(Lot(issue, 0), entry("issued", "available", 10))
    unit.set_expiry(KEY, ExpiryVersion(moment(0), issue.expires_on, issue.expires_at))
    lot = unit.lot(KEY)
    assert lot is not None
    assert (lot.expires_on, lot.expires_at) == (issue.expires_on, issue.expires_at)
    assert unit.lot_changes == []


def test_a_moved_expiry_is_recorded(lot: Lot) -> None:
    unit = unit_with(lot)
    unit.set_expiry(KEY, ExpiryVersion(moment(5), date(2025, 3, 1), moment(45)))
    changed = unit.lot(KEY)
    assert changed is not None
    assert (changed.expires_on, changed.expires_at) == (date(2025, 3, 1), moment(45))
    assert unit.lot_changes == [LotChange(KEY, moment(5), "expires", date(2025, 3, 1), moment(45))]


def test_a_release_and_a_claim_are_recorded(lot: Lot) -> None:
    unit = unit_with(lot)
    unit.set_released(KEY, moment(1), date(2025, 1, 16))
    unit.add_taken_back(KEY, moment(2), 1_500_000)
    unit.add_taken_back(KEY, moment(3), 500_000)
    changed = unit.lot(KEY)
    assert changed is not None
    assert (changed.issue_on, changed.taken_back) == (date(2025, 1, 16), 2)
    assert [(each.change, each.day, each.amount) for each in unit.lot_changes] == [
        ("released", date(2025, 1, 16), None),
        ("taken_back", None, 1_500_000),
        ("taken_back", None, 500_000),
    ]


def test_the_last_change_is_the_latest_instant_and_not_the_latest_write() -> None:
    tracked = Tracked("a", 1, moment(5))
    tracked.change("b", moment(3))
    assert (tracked.current, tracked.latest_at, tracked.changed) == ("b", moment(5), True)


# -- coupons -----------------------------------------------------------------------------------------------------------


def test_every_state_of_a_coupon_is_recorded() -> None:
    till = Till(MemoryLedger())
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    (issued,) = till.sell("T1").intents
    coupon: Any = CouponRecord(issued)  # type: ignore[arg-type]
    redeemed = attrs.evolve(coupon, state="redeemed")
    unit = UnitOfWork()
    unit.update_coupon(coupon, moment(0))
    unit.update_coupon(redeemed, moment(1))
    assert unit.coupons[coupon.key] == Tracked(redeemed, None, moment(1), changed=True)
    assert unit.coupon_states == [(moment(0), coupon), (moment(1), redeemed)]


# -- counters ----------------------------------------------------------------------------------------------------------

DRAWS = [
    CounterDraw("acme", "cap", None, 4, 100),
    CounterDraw("acme", "cap", None, -1, None),
    CounterDraw("acme", "other", None, 50, None),
    CounterDraw("elsewhere", "cap", None, 60, None),
    CounterDraw("acme", "days", date(2025, 1, 14), 1, None),
    CounterDraw("acme", "days", date(2025, 1, 15), 2, None),
    CounterDraw("acme", "days", date(2025, 1, 16), 4, None),
    CounterDraw("acme", "days", date(2025, 1, 17), 8, None),
]


@pytest.mark.parametrize(
    ("window", "drawn"),
    [
        (("cap", None, None), 3),
        (("unknown", None, None), 0),
        (("days", date(2025, 1, 15), date(2025, 1, 16)), 6),
        (("days", date(2025, 1, 14), date(2025, 1, 17)), 15),
        (("days", date(2025, 1, 16), date(2025, 1, 16)), 4),
        (("days", date(2025, 1, 18), date(2025, 1, 20)), 0),
    ],
)
def test_the_draws_of_a_batch_count_by_program_name_and_window(window: Any, drawn: int) -> None:
    unit = UnitOfWork()
    unit.draws += DRAWS
    assert unit.drawn("acme", window) == drawn


# -- records of a kind ------------------------------------------------------------------------------------------------

OWED = Shortfall("acme/R1/p/earn/reverse", KEY, ANNA, "points", moment(0), Decimal(5), Decimal(5), carried=True)
PAID = attrs.evolve(OWED, open=Decimal(3))


def test_a_saved_record_is_the_current_one_and_each_version_goes_to_the_log() -> None:
    unit = UnitOfWork()
    first, second = (
        RecordVersion(SHORTFALLS, "acme", OWED, moment(0)),
        RecordVersion(SHORTFALLS, "acme", PAID, moment(1)),
    )
    unit.save_record(first)
    unit.save_record(second)

    assert unit.changed_record(SHORTFALLS, OWED.key) == PAID
    assert [*unit.changed_records(SHORTFALLS)] == [PAID]
    assert [*unit.changed_records(PAYMENTS)] == []
    assert unit.versions == [first, second]


def test_a_record_that_was_only_read_is_read_again_if_it_has_another_version() -> None:
    unit = UnitOfWork()

    assert unit.read_record(SHORTFALLS, OWED.key, lambda: OWED, 0, moment(0)) == OWED
    assert unit.changed_record(SHORTFALLS, OWED.key) is None
    assert unit.read_record(SHORTFALLS, OWED.key, lambda: PAID, 1, moment(1)) == PAID


def test_a_record_that_the_batch_has_changed_is_not_replaced_by_its_row() -> None:
    unit = UnitOfWork()
    unit.read_record(SHORTFALLS, OWED.key, lambda: OWED, 0, moment(0))
    unit.save_record(RecordVersion(SHORTFALLS, "acme", PAID, moment(1)))

    assert unit.read_record(SHORTFALLS, OWED.key, lambda: OWED, 1, moment(1)) == PAID
    assert unit.records["shortfalls", OWED.key].version == 0
