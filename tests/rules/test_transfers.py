"""The terms of transfers: a currency without them cannot be given away."""

from __future__ import annotations

from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.transfers import MostSent, Transfer
from loyalty_rules.rules.windows import Calendar, Lifetime
from shop import program


def transfer_of(terms: dict | None) -> Transfer | None:
    currency = {"transfer": terms} if terms is not None else {}
    return lr.load_program(program(currencies={"points": currency})).currencies[0].transfer


def test_a_currency_has_no_terms_unless_the_document_says_so() -> None:
    assert transfer_of(None) is None
    assert transfer_of({}) == Transfer(least=None, fee=None, most=None)


def test_the_terms_are_read_from_a_document() -> None:
    most = {"amount": "500", "window": {"type": "calendar", "unit": "month"}}

    assert transfer_of({"least": 10, "fee": "0.5", "most": most}) == Transfer(
        Decimal(10), Decimal("0.5"), MostSent(Decimal(500), Calendar("month"))
    )


def test_the_window_of_a_maximum_is_by_default_the_whole_time() -> None:
    terms = transfer_of({"most": {"amount": "500"}})

    assert terms is not None
    assert terms.most is not None
    assert terms.most.window == Lifetime()


@pytest.mark.parametrize(
    ("terms", "step"),
    [({"least": -1}, "least"), ({"fee": "x"}, "fee"), ({"most": {}}, "most.amount"), ({"cost": 1}, "cost")],
)
def test_a_problem_is_named_by_its_path(terms: dict, step: str) -> None:
    with pytest.raises(lr.DocumentError) as error:
        transfer_of(terms)

    assert [each.path for each in error.value.problems] == [f"$.currencies.points.transfer.{step}"]
