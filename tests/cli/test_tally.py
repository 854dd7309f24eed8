"""The tally: the value of each counter is the sum of its claims, over its days if it is rolling."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.cli.tally import Tally
from loyalty_rules.engine.counters import Counter
from loyalty_rules.intents import AdvanceTracker, Claim, IssueCurrency

FIRST = date(2025, 1, 1)
days = st.integers(0, 12).map(lambda days: FIRST + timedelta(days=days))
amounts = st.decimals(min_value=0, max_value=10**15 - 1, places=6)


def issue(*claims: Claim) -> IssueCurrency:
    """Return an issue of one point with these claims."""
    one = Decimal(1)
    return IssueCurrency(
        "k", "p", "a", "e", "m", None, "points", one, "issued", FIRST, None, None, None, None, (), claims
    )


def rolling(name: str, first: date, last: date) -> Counter:
    """Return a rolling counter over the days from `first` to `last`."""
    return Counter(name, "issued", "p/a", "total.amount", first, last)


@given(claimed=st.lists(st.tuples(days, amounts), max_size=30), first=days, last=days)
def test_a_rolling_counter_sums_its_days_in_any_order_of_claims(
    claimed: list[tuple[date, Decimal]], first: date, last: date
) -> None:
    tally = Tally()
    for day, amount in claimed:
        tally.count([issue(Claim("c/rolling", Decimal(1), amount, day - timedelta(days=3), day))], [])

    expected = sum((Fraction(amount) for day, amount in claimed if first <= day <= last), Fraction(0))
    if first <= last:
        assert Fraction(tally.value_of(rolling("c/rolling", first, last))) == expected


@given(claimed=st.lists(amounts, max_size=30))
def test_a_counter_of_one_window_sums_exactly(claimed: list[Decimal]) -> None:
    tally = Tally()
    for amount in claimed:
        tally.count([issue(Claim("c/2025-01-01", Decimal(1), amount), Claim("other", Decimal(1), amount))], [])

    value = tally.value_of(Counter("c/2025-01-01", "limit", "c"))
    assert Fraction(value) == sum(map(Fraction, claimed), Fraction(0))


def test_a_counter_without_claims_is_zero() -> None:
    assert Tally().value_of(Counter("c", "limit", "c")) == 0
    assert Tally().value_of(rolling("c", FIRST, FIRST)) == 0


def test_a_tracker_advances_the_counter_of_its_own_event() -> None:
    tally, spend = Tally(), Counter("tracker/spend/m/2025-01-01", "tracker", "spend")
    visits = Counter("tracker/visits/m/rolling", "tracker", "visits", "", FIRST - timedelta(days=6), FIRST)

    advances = [
        AdvanceTracker("k", "spend", "m", Decimal("10.5"), None, None),
        AdvanceTracker("k", "visits", "m", Decimal(1), None, None),
    ]
    tally.count(advances, [spend, visits])

    assert tally.value_of(spend) == Decimal("10.5")
    assert tally.value_of(visits) == 1
    assert tally.value_of(rolling(visits.name, FIRST + timedelta(days=1), FIRST + timedelta(days=7))) == 0
