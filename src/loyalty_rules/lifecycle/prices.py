"""The price of issues that an action of the sale paid for goes back with them. Source: semantics 12 (spend_currency).

The price is split evenly over the coupons and the issues of currency that depend on the spend, odd units to the first.
A coupon gives its part back when a return voids it, an issue as much of it as is taken, rounded down.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import attrs

from loyalty_rules.intents import IssueCoupon, IssueCurrency, SpendCurrency
from loyalty_rules.keys import ordinal_in
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Payment, Sale
from loyalty_rules.lifecycle.remaining_award import action_of
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.apportionment import split, unit_of

__all__ = ["returned_prices"]


def returned_prices(
    sale: Sale,
    spends: Iterable[Payment],
    dues: Sequence[tuple[Lot, int]],
    coupons: Iterable[CouponRecord],
    voided: Collection[str],
) -> dict[str, int]:
    """Return the millionths that go back now of each spend with dependents, by the key of the spend.

    `dues` are the issues of the sale with the millionths that are taken now, `voided` the keys of its coupons that are
    voided now. A spend on which nothing depends is not part of the result.
    """
    prices: dict[str, int] = {}
    for payment in spends:
        spent = payment.intent
        dependents = _dependents(sale, spent.key, dues, coupons)
        if isinstance(spent, SpendCurrency) and dependents:
            decimals = sale.program.decimals_of(spent.currency)
            unit = unit_of(micros(spent.amount), decimals)
            parts = split(micros(spent.amount) // unit, [1] * len(dependents))
            back = sum(each.price(part, voided) for each, part in zip(dependents, parts, strict=True)) * unit
            prices[spent.key] = min(back, micros(spent.amount) - micros(payment.undone))
    return prices


@attrs.frozen
class _Dependent:
    """An issue that a spend paid for: a coupon, or a lot with the millionths of it that are taken now."""

    issue: IssueCoupon | IssueCurrency
    lot: Lot | None = None
    due: int = 0

    def price(self, part: int, voided: Collection[str]) -> int:
        """Return the units of its part of the price that go back now."""
        if self.lot is None:
            return part if self.issue.key in voided else 0
        issued, taken = micros(self.lot.issued), micros(self.lot.taken_back)
        return part * (taken + self.due) // issued - part * taken // issued


def _dependents(
    sale: Sale, spend: str, dues: Iterable[tuple[Lot, int]], coupons: Iterable[CouponRecord]
) -> list[_Dependent]:
    """Return the issues that a spend paid for, in the order of the document."""
    issues: Iterator[_Dependent] = (_Dependent(lot.issue, lot, due) for lot, due in dues)
    found = [*issues, *(_Dependent(each.issue) for each in coupons)]
    places = _places(sale)
    mine = [each for each in found if spend in each.issue.depends_on]
    return sorted(mine, key=lambda each: (places[action_of(each.issue)], _ordinal(each.issue)))


def _places(sale: Sale) -> Mapping[str, int]:
    actions = (f"{promotion.id}/{action.id}" for promotion in sale.program.promotions for action in promotion.actions)
    return {action: place for place, action in enumerate(actions)}


def _ordinal(issue: IssueCoupon | IssueCurrency) -> int:
    return ordinal_in(issue.key) if isinstance(issue, IssueCoupon) else 0
