"""Money in minor units: the decimals of each currency."""

from __future__ import annotations

import pytest

from loyalty_rules.adapters.minor_units import amount_in, money_of
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.errors import InvalidValueError


@pytest.mark.parametrize(
    ("units", "currency", "micros"),
    [(1999, "USD", 19_990_000), (1999, "jpy", 1_999_000_000), (1999, "KWD", 1_999_000), (-5, "EUR", -50_000)],
)
def test_the_smallest_unit_is_that_of_the_currency(units: int, currency: str, micros: int) -> None:
    assert amount_in(Payload(units), currency) == micros
    assert money_of(Payload({"amount": units, "currency": currency})) == micros


def test_a_system_may_depart_from_iso_4217() -> None:
    assert amount_in(Payload(1999), "isk") == 1_999_000_000
    assert amount_in(Payload(1999), "isk", {"ISK": 2}) == 19_990_000


def test_nothing_is_no_amount() -> None:
    assert money_of(Payload(None)) is None


@pytest.mark.parametrize("value", [19.99, "1999", True, 10**18])
def test_another_value_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError):
        amount_in(Payload(value), "USD")
