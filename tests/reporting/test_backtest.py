"""A backtest: the reports of a history under one program."""

from __future__ import annotations

from decimal import Decimal

from loyalty_rules.reporting.backtest import backtest

from .histories import HISTORY, bought, version


def test_the_reports_are_those_of_a_ledger_that_recorded_the_history() -> None:
    test = backtest(version("20"), reversed(HISTORY))  # the order of the input does not matter
    [row] = test.issuance(["store"])[:1]
    assert (row.group, row.issued, row.reversed, row.outstanding) == ({"store": "A"}, 22, 8, 14)
    assert test.liability().total == Decimal("0.24")
    assert test.at == HISTORY[-1].occurred_at
    assert test.not_counted == {}


def test_an_anonymous_sale_earns_nothing() -> None:
    assert backtest(version("20"), [bought(1, None, "100")]).issuance() == ()


def test_a_backtest_of_nothing_is_empty() -> None:
    test = backtest(version("20"), [])
    assert (test.at, test.issuance(), test.liability().total) == (None, (), 0)
