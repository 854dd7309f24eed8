"""Calls that a type checker must accept, and calls that it must refuse, each with a comment.

Not a test: `test_checked.py` runs mypy over it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import loyalty_rules as lr
from loyalty_rules.rules.base_values import Awarded, TransactionValue
from loyalty_rules.rules.caps import Limit
from loyalty_rules.rules.communication import Communication
from loyalty_rules.rules.conditions import AllOf, AnyOf, Comparison
from loyalty_rules.rules.coupons import CouponType, PercentOff, Redemption
from loyalty_rules.rules.expiry import FixedDate, Never
from loyalty_rules.rules.promotions import CouponAction, Currency, CurrencyAction, Promotion
from loyalty_rules.rules.proration import Fixed, Stepped
from loyalty_rules.rules.trackers import Tracker


def line(sku: str | None, price: Decimal | None, discount: str | None) -> lr.Line:
    return lr.Line(id="1", quantity=1, value="5.50", sku=sku, unit_price=price, discount=discount, tags=["a"])


lr.Member(id="m", tags=["staff"], registered_on="2020-01-01", group=None, contacts={"sms": True, "mail": None})
lr.Member(id="m", tags=("staff",), registered_on=date(2020, 1, 1), extended_fields={"birthday": "2000-01-01"})
lr.Transaction(
    id="1",
    occurred_at="2025-01-01T00:00:00Z",
    amount=5,
    business_date=date(2025, 1, 1),
    tax="1",
    exchange_rate=Decimal("1.5"),
    lines=[line(None, None, None)],
    tenders=[lr.Tender(type="card", amount="5")],
)
lr.Transaction(id="1", occurred_at=datetime(2025, 1, 1, tzinfo=UTC), amount="5", lines=(line(None, None, None),))
lr.Activity(id="1", type="visit", occurred_at="2025-01-01T00:00:00Z", tenders=[])
lr.Return(id="1", occurred_at="2025-01-01T00:00:00Z", of="1", amount=1, lines=[lr.ReturnedLine(id="1", quantity=1)])
lr.Snapshot(trackers={"a": 1, "b": "2", "c": Decimal(3)}, limits={"x": "1"}, issued={"p/a": lr.Issued()})
lr.IssuedCounts(amount="5", times=1)


def program(stores: list[str], conditions: list[Comparison], currency_actions: Sequence[CurrencyAction]) -> lr.Program:
    promotion = Promotion(
        id="p",
        starts_at="2025-01-01T00:00:00Z",
        when=AllOf([*conditions, AnyOf(conditions), Comparison(field="store", in_=stores)]),
        actions=currency_actions,
    )
    earn = CurrencyAction(id="a", currency="points", proration=Fixed(5), expiry=FixedDate("2030-01-01"))
    step = Stepped(step_size="150", points_per_step=5, of=TransactionValue(less=["tax"]))
    both = Promotion(id="q", actions=[earn, CouponAction(id="b", coupon_type="c", quantity=Fixed("1"))])
    coupon = CouponType(id="c", benefit=PercentOff("10", most=5), redemption=Redemption(stores=stores, brands=["x"]))
    Promotion(id="r", actions=[CurrencyAction(id="a", currency="points", proration=step, expiry=Never())])
    Communication(template="t", mandatory=["sms"], priority=stores)
    Comparison(field="amount", in_=[1, "2", Decimal(3)], at_least="5", not_in=("a", True))
    Awarded(actions=["p/a"])
    return lr.Program(
        id="shop",
        time_zone="UTC",
        currencies=[Currency("points")],
        limits=[Limit("l", "points", "member", "5")],
        trackers=[Tracker("t", TransactionValue(), target=100)],
        coupon_types=[coupon],
        promotions=[promotion, both],
    )


def refused(lines: list[lr.Line]) -> None:
    lr.Line(id=1, quantity=1, value=1)  # refused: an id is a text
    lr.Line(id="1", quantity=1.5, value=1)  # refused: a float is not exact
    lr.Member(id="m", tags=[1])  # refused: a tag is a text
    lr.Transaction(id="1", occurred_at=5, amount=1)  # refused: an instant is a datetime or a text
    lr.Transaction(id="1", occurred_at="2025-01-01T00:00:00Z", amount=1, lines=["1"])  # refused: a line is a Line
    lr.Transaction(id="1", occurred_at="2025-01-01T00:00:00Z", amount=1, tenders=lines)  # refused: a line is no tender
    Promotion(id="p", actions=lines)  # refused: a line is no action
