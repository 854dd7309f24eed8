"""The history of a lot: its state now and as of any instant, computed from its entries and other changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger import Entry
from loyalty_rules.ledger.records import ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account
from shop import earn, fixed, program, sale

SHOP = lr.load_program(program(earn(fixed(10), timing={"type": "external"})))
(ISSUE,) = SHOP.evaluate(lr.load_event(sale())).intents
assert isinstance(ISSUE, IssueCurrency)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2025, 2, day, hour, tzinfo=UTC)


def entry(source: str, target: str, amount: int, day: int) -> Entry:
    account = Account("member", "M1")
    lot, reason = "acme/T-1/p/earn", "acme/T-1/p/earn"
    return Entry(
        "acme/T-1#event", "acme", account, "points", lot, source, target, Decimal(amount), at(day), at(28), reason
    )


def history() -> LotHistory:
    """A promise of day 1 that is released on day 3, partly spent on day 5 and partly taken back on day 7."""
    assert isinstance(ISSUE, IssueCurrency)
    return LotHistory(
        ISSUE,
        "acme",
        4,
        rolling=False,
        entries=(
            entry("issued", "promised", 10, 1),
            entry("promised", "available", 10, 3),
            entry("available", "spent", 4, 5),
            entry("available", "reversed", 6, 7),
        ),
        expiry_versions=(
            ExpiryVersion(at(3), date(2025, 2, 20), at(21)),
            ExpiryVersion(at(6), date(2025, 2, 25), at(26)),
        ),
        released=(at(3), date(2025, 2, 3)),
        claimed=((at(7), Decimal(8)),),
    )


@pytest.mark.parametrize(
    ("instant", "buckets"),
    [
        (at(1), {"promised": 10}),
        (at(2, 23), {"promised": 10}),
        (at(3), {"available": 10}),
        (at(5), {"available": 6, "spent": 4}),
        (at(7), {"spent": 4, "reversed": 6}),
        (at(28), {"spent": 4, "reversed": 6}),
        (None, {"spent": 4, "reversed": 6}),
    ],
)
def test_a_lot_as_of_an_instant_has_the_entries_up_to_then(instant: datetime | None, buckets: dict[str, int]) -> None:
    lot = history().lot(instant)

    assert lot is not None
    assert {name: units for name, units in lot.buckets.items() if units} == buckets
    assert lot.issued == 10
    assert lot.is_whole()
    assert lot.order == 4


@pytest.mark.parametrize(
    ("instant", "issue_on", "expires_on", "taken_back"),
    [
        (at(1), None, None, 0),
        (at(3), date(2025, 2, 3), date(2025, 2, 20), 0),
        (at(6), date(2025, 2, 3), date(2025, 2, 25), 0),
        (at(7), date(2025, 2, 3), date(2025, 2, 25), 8),
        (None, date(2025, 2, 3), date(2025, 2, 25), 8),
    ],
)
def test_a_lot_as_of_an_instant_has_the_release_the_expiry_and_the_claims_up_to_then(
    instant: datetime | None, issue_on: date | None, expires_on: date | None, taken_back: int
) -> None:
    lot = history().lot(instant)

    assert lot is not None
    assert (lot.issue_on, lot.expires_on, lot.taken_back) == (issue_on, expires_on, taken_back)
    assert lot.expires_at == (at(21) if expires_on == date(2025, 2, 20) else at(26) if expires_on else None)


def test_there_is_no_lot_before_its_issue() -> None:
    assert isinstance(ISSUE, IssueCurrency)
    assert history().lot(datetime(2025, 1, 31, 23, 59, tzinfo=UTC)) is None
    assert LotHistory(ISSUE, "acme", 0, rolling=False).lot() is None


def test_the_latest_instant_is_that_of_the_last_change_of_any_kind() -> None:
    assert isinstance(ISSUE, IssueCurrency)
    first = (entry("issued", "promised", 10, 1),)

    assert history().latest == at(7)
    assert LotHistory(ISSUE, "acme", 0, rolling=False, entries=first).latest == at(1)
    assert LotHistory(ISSUE, "acme", 0, False, first, (ExpiryVersion(at(4), None, None),)).latest == at(4)
    assert LotHistory(ISSUE, "acme", 0, False, first, (), (at(5), date(2025, 2, 5))).latest == at(5)
    assert LotHistory(ISSUE, "acme", 0, False, first, (), None, ((at(6), Decimal(1)),)).latest == at(6)
