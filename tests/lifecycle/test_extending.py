"""Extensions by a spend, and the last day of a lot. Source: semantics 5."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs

import loyalty_rules as lr
from loyalty_rules.lifecycle.extending import extension_of_spend, last_day_of
from loyalty_rules.lifecycle.records import Lot, Sale
from shop import earn, fixed, program, sale

SPENT = lr.SpendCurrency("acme/B/spend/points", "B", "M1", None, "points", Decimal(10))
AT = datetime(2024, 12, 10, 10, tzinfo=UTC)
HARD_END = {"type": "rolling", "after": {"months": 18}, "most": {"years": 4}}


def shop(**extends: Any) -> lr.Program:
    rate = {"points": "1", "value": "1", **({"extends": extends} if extends else {})}
    return lr.load_program(program(earn(fixed("5")), currencies={"points": {"redeem": rate}}))


def test_a_spend_extends_the_rest_by_the_period_of_its_currency() -> None:
    extension = extension_of_spend(shop(after={"months": 12}, scope="rolling_lots"), SPENT, AT)

    assert extension == lr.ExtendExpiry(
        "acme/B/spend/points/extend", "M1", None, "points", "rolling_lots", date(2025, 12, 10),
        datetime(2025, 12, 11, tzinfo=UTC),
    )  # fmt: skip


def test_a_currency_without_extension_or_with_a_date_out_of_range_extends_nothing() -> None:
    assert extension_of_spend(shop(), SPENT, AT) is None
    late = datetime(9990, 1, 1, tzinfo=UTC)
    assert extension_of_spend(shop(after={"years": 50}), SPENT, late) is None


def lot_of(**timing: Any) -> tuple[Sale, Lot]:
    loaded = lr.load_program(program(earn(fixed("5"), expiry=HARD_END, **timing)))
    event: Any = lr.load_event(sale(occurred_at="2020-02-01T12:00:00Z"))
    terms = Sale(loaded, event, lr.Snapshot())
    [issue, *_] = loaded.evaluate(event).intents
    assert isinstance(issue, lr.IssueCurrency)
    return terms, Lot(issue, 1)


def test_a_lot_is_held_to_the_last_day_of_its_issue() -> None:
    _, lot = lot_of()
    assert last_day_of(lot, None) == date(2024, 2, 1)


def test_a_promise_gets_its_last_day_with_its_issue_date() -> None:
    terms, lot = lot_of(timing={"type": "external"})

    assert lot.issue.expires_by is None
    assert last_day_of(lot, terms) is None
    assert last_day_of(attrs.evolve(lot, issue_on=date(2020, 5, 1)), terms) == date(2024, 5, 1)
