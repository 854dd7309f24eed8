"""The accounting journal: entries by hand, and the law that each adds up to zero. Source: ledger 4."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.reports.issuance import Movement
from loyalty_rules.reports.journal import Accounts, Period, beancount_text, csv_text, journal_of
from loyalty_rules.values.amounts import MICRO, micros

CENT = {"points": (MICRO // 100, MICRO)}  # a point is worth 0.01
JANUARY, MARCH = date(2025, 1, 10), date(2025, 3, 2)
BUCKETS = ("promised", "available", "held", "spent", "expired", "reversed", "voided", "moved")


def moved(source: str, target: str, units: int, on: date = JANUARY, promotion: str | None = "p") -> Movement:
    return Movement("currency", "points", source, target, units * MICRO, on=on, promotion=promotion)


def lines(*movements: Movement, **parts: Any) -> list[tuple[str, ...]]:
    """Return the day of each entry, the last parts of its accounts, and its debit to the first."""
    entries = journal_of("acme", movements, CENT, "EUR", **parts)
    return [
        (str(each.on), *(line.account.rpartition(":")[2] for line in each.lines), str(each.lines[0].amount))
        for each in entries
    ]


@pytest.mark.parametrize(("movement", "accounts", "amount"), [
    (moved("issued", "available", 500), ("Deferred", "Points"), "5"),
    (moved("issued", "promised", 500), ("Deferred", "Points"), "5"),
    (moved("available", "reversed", 200), ("Deferred", "Points"), "-2"),
    (moved("promised", "voided", 200), ("Deferred", "Points"), "-2"),
    (moved("available", "spent", 300), ("Points", "Redeemed"), "3"),
    (moved("spent", "available", 100), ("Points", "Redeemed"), "-1"),
    (moved("available", "expired", 50), ("Breakage", "Points"), "-0.5"),
    (moved("issued", "available", 50, promotion=None), ("Adjustments", "Points"), "0.5"),
    (moved("available", "voided", 50), ("Adjustments", "Points"), "-0.5"),
])  # fmt: skip
def test_each_movement_has_its_two_accounts(movement: Movement, accounts: tuple[str, str], amount: str) -> None:
    assert lines(movement) == [("2025-01-31", *accounts, amount)]


def test_states_of_the_liability_give_no_entry() -> None:
    inner = [moved("promised", "available", 5), moved("available", "held", 5), moved("available", "moved", 5)]
    assert lines(*inner) == []


def test_a_period_has_one_entry_for_two_accounts_and_opposite_movements_cancel_out() -> None:
    assert lines(
        moved("available", "spent", 300),
        moved("spent", "available", 100),
        moved("available", "spent", 7, MARCH),
        moved("available", "expired", 9, MARCH),
        moved("expired", "available", 9, MARCH),
    ) == [("2025-01-31", "Points", "Redeemed", "2"), ("2025-03-31", "Points", "Redeemed", "0.07")]


@pytest.mark.parametrize(("period", "end"), [
    ("day", "2025-01-10"), ("week", "2025-01-12"), ("month", "2025-01-31"), ("quarter", "2025-03-31"),
    ("year", "2025-12-31"),
])  # fmt: skip
def test_an_entry_stands_on_the_last_day_of_its_period(period: Period, end: str) -> None:
    ((on, *_),) = lines(moved("issued", "available", 1), period=period)
    assert on == end
    assert period in get_args(Period)


def test_coupons_and_currencies_without_a_value_are_left_out() -> None:
    coupon = Movement("coupon", "gift", "issued", "available", MICRO, on=JANUARY)
    other = Movement("currency", "miles", "issued", "available", MICRO, on=JANUARY)
    assert lines(coupon, other) == []


def test_an_amount_is_rounded_to_the_cent_once_an_entry() -> None:
    thirds = {"points": (1, 3)}
    entries = journal_of("acme", [moved("issued", "available", 2)], thirds, "EUR")
    assert [str(each.amount) for each in entries[0].lines] == ["0.67", "-0.67"]


ANY = st.builds(
    moved,
    st.sampled_from(["issued", *BUCKETS]),
    st.sampled_from(BUCKETS),
    st.integers(0, 10**6),
    st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    st.sampled_from(["p", None]),
)


@given(st.lists(ANY, max_size=20), st.integers(1, 10**6))
def test_every_entry_adds_up_to_zero_and_the_liability_is_what_is_left(movements: list[Movement], value: int) -> None:
    worth = {"points": (value * 10**6, MICRO)}  # whole units of money, so that no amount is rounded
    entries = journal_of("acme", movements, worth, "EUR")
    assert all(sum(micros(line.amount) for line in entry.lines) == 0 for entry in entries)
    liability = sum(
        micros(line.amount) for entry in entries for line in entry.lines if line.account == "Liabilities:Loyalty:Points"
    )
    inside = ("promised", "available", "held", "moved")
    left = sum(each.amount * ((each.target in inside) - (each.source in inside)) for each in movements)
    assert liability == -left * value


# -- texts -----------------------------------------------------------------------------------------------------------

ENTRIES = journal_of("acme", [moved("issued", "available", 500), moved("available", "spent", 120)], CENT, "EUR")


def test_a_row_of_csv_is_a_line_of_an_entry() -> None:
    assert csv_text(ENTRIES, "EUR").splitlines() == [
        "date,entry,program,narration,account,amount,money,units,currency",
        '2025-01-31,1,acme,"points issued, less returns",Income:Loyalty:Deferred,5,EUR,500,points',
        '2025-01-31,1,acme,"points issued, less returns",Liabilities:Loyalty:Points,-5,EUR,-500,points',
        "2025-01-31,2,acme,points redeemed,Liabilities:Loyalty:Points,1.2,EUR,120,points",
        "2025-01-31,2,acme,points redeemed,Income:Loyalty:Redeemed,-1.2,EUR,-120,points",
    ]


def test_the_text_of_beancount_opens_its_accounts_before_the_first_entry() -> None:
    assert (
        beancount_text(ENTRIES, "EUR")
        == """\
2024-12-31 open Income:Loyalty:Deferred EUR
2024-12-31 open Income:Loyalty:Redeemed EUR
2024-12-31 open Liabilities:Loyalty:Points EUR

2025-01-31 * "acme" "points issued, less returns"
  Income:Loyalty:Deferred     5 EUR
  Liabilities:Loyalty:Points  -5 EUR

2025-01-31 * "acme" "points redeemed"
  Liabilities:Loyalty:Points  1.2 EUR
  Income:Loyalty:Redeemed     -1.2 EUR
"""
    )
    assert beancount_text([], "EUR") == ""


def test_the_host_names_its_accounts() -> None:
    names = Accounts(liability="Liabilities:Points", deferred="Income:Sales")
    (entry,) = journal_of("acme", [moved("issued", "available", 1)], CENT, "EUR", accounts=names)
    assert [line.account for line in entry.lines] == ["Income:Sales", "Liabilities:Points:Points"]
