"""Arguments of calls: an argument that cannot be read is named."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.operations.arguments import read_argument, read_serials, recording_instant
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, earn, fixed, shop
from loyalty_rules.values.dates import read_instant
from shop import Serials

from .steps import AT, NAIVE, SOLD_AT, bill


def test_an_argument_is_read() -> None:
    assert read_argument(read_instant, "at", "2025-01-20T13:00:00+01:00") == AT


def test_an_argument_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InvalidValueError) as error:
        read_argument(read_instant, "at", NAIVE)

    assert (error.value.name, error.value.code) == ("at", "naive_instant")


def test_a_generator_of_serials_has_the_method_serial() -> None:
    serials = Serials()

    assert read_serials(serials) is serials


@pytest.mark.parametrize("value", ["a key", b"a key", 7, object(), type("Wrong", (), {"serial": "S-1"})()])
def test_another_value_is_not_a_generator_of_serials(value: Any) -> None:
    with pytest.raises(InvalidValueError, match="expected a generator of serials"):
        read_serials(value)


def test_an_event_is_recorded_at_its_own_instant_unless_the_host_passes_another() -> None:
    assert recording_instant(bill(), None) == SOLD_AT
    assert recording_instant(bill(), AT) == AT


def test_a_query_takes_a_program_or_its_id() -> None:
    till = Till(MemoryLedger())
    program = till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    ledger = till.ledger
    for given in (program, "acme"):
        assert ledger.balance(given, ANNA, "points", till.now).available == 10
        assert len(ledger.lots(given, ANNA, "points", till.now)) == 1
        assert len(ledger.statement(given, ANNA, till.now)) == 1
        assert (ledger.promises(given, till.now), ledger.coupons(given, "anna")) == ([], [])
        assert ledger.coupon(given, "unknown") is None
        assert len([*ledger.report_rows(given, till.now).lots]) == 1


def test_a_currency_that_a_program_does_not_have_is_an_error_and_not_zero() -> None:
    till = Till(MemoryLedger())
    program = till.runs(shop(earn(fixed("10"))))
    for query in (till.ledger.balance, till.ledger.lots):
        with pytest.raises(
            InvalidValueError, match="expected a currency of the program: points; found the text 'ponits'"
        ):
            query(program, ANNA, "ponits", till.now)


@pytest.mark.parametrize("wrong", ["a\0", "\ud800", "", 7, None])
def test_an_id_of_a_query_that_is_no_name_is_an_error(wrong: Any) -> None:
    ledger, at = MemoryLedger(), Till(MemoryLedger()).now
    for query in (
        lambda: ledger.coupons("acme", wrong),
        lambda: ledger.coupons(wrong, "anna"),
        lambda: ledger.balance("acme", ANNA, wrong, at),
        lambda: ledger.balance(wrong, ANNA, "points", at),
    ):
        with pytest.raises(InvalidValueError):
            query()
