"""Unrecovered units and coupons of a return or an amendment: used ones, which the shop can deduct from the refund.

Each return names those that are newly due: the shortfalls of its reversals, and the coupons that should have gone and
are redeemed, with the discount that they took. Source: semantics 11.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import attrs

from loyalty_rules.events import Amendment
from loyalty_rules.intents import Intent, ReverseCurrency, VoidCoupon
from loyalty_rules.lifecycle.records import CouponRecord, Sale
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of
from loyalty_rules.lifecycle.returned_coupons import coupon_pools, surplus_coupons
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["UNRECOVERED", "Shortfall", "Unrecovered", "UsedCoupon", "unrecovered"]


@attrs.frozen
class Shortfall:
    """Units of an issue that could not be taken back."""

    type: ClassVar[Literal["shortfall"]] = "shortfall"
    issue: str
    currency: str
    shortfall: Decimal


@attrs.frozen
class UsedCoupon:
    """A coupon that should have gone with its sale, and took this discount before."""

    type: ClassVar[Literal["used_coupon"]] = "used_coupon"
    coupon: str
    discount: Decimal


Unrecovered: TypeAlias = Shortfall | UsedCoupon
"""An entry of a return: units or a coupon that it could not take back."""

UNRECOVERED: Mapping[str, type[Unrecovered]] = {each.type: each for each in (Shortfall, UsedCoupon)}
"""The classes of the entries by their `type`."""


def unrecovered(
    sale: Sale,
    remainder: RemainingAward,
    at: datetime,
    intents: Sequence[Intent],
    coupons: Sequence[CouponRecord],
    discounts: Mapping[str, Decimal],
) -> tuple[Unrecovered, ...]:
    """Return the units and coupons that a return or an amendment, decided as `intents`, could not take back.

    `sale` is as it was before; `remainder` is its rest now. `coupons` are those that the sale issued, in the
    order of issue, as they were before any was voided. `discounts` are those of redemptions, by the key of the
    redemption.
    """
    reversals = (each for each in intents if isinstance(each, ReverseCurrency))
    shortfalls = (Shortfall(each.issue, each.currency, each.shortfall) for each in reversals if micros(each.shortfall))
    voided = {each.coupon for each in intents if isinstance(each, VoidCoupon)}
    taken = {each.key: amount for each in coupons if (amount := _taken(each, discounts)) is not None}
    used = set(_used(sale, remainder, at, coupons, voided)) if taken else set()
    return (*shortfalls, *(UsedCoupon(key, amount) for key, amount in taken.items() if key in used))


def _taken(coupon: CouponRecord, discounts: Mapping[str, Decimal]) -> Decimal | None:
    """Return the discount that a coupon has taken in all; None if it has taken none.

    A stored value counts as used before the amounts that were added to it.
    """
    taken = micros(coupon.taken)
    if taken and coupon.remaining is not None:
        return decimal_of(min(taken, micros(coupon.remaining) + taken - micros(coupon.topped_up)))
    if taken:
        return coupon.taken
    return discounts.get(coupon.redemption) if coupon.redemption is not None else None


def _used(
    sale: Sale, remainder: RemainingAward, at: datetime, coupons: Sequence[CouponRecord], voided: set[str]
) -> Iterator[str]:
    """Yield the keys of the coupons that were newly due and are redeemed, and of those voided after a part was used."""
    has_changed = sale.returns or any(isinstance(each, Amendment) for each in sale.updates)
    earlier = RemainingAward(sale, sale.returns) if has_changed else None
    issued = {action_of(each.issue) for each in coupons}
    for members in coupon_pools(remainder, coupons):
        gone = sum(each.is_lost or each.state_at(at) == "expired" for each in members)
        vain = max(surplus_coupons(remainder, members, issued) - gone - len(voided & {m.key for m in members}), 0)
        named = max(surplus_coupons(earlier, members, issued) - gone, 0) if earlier is not None else 0
        redeemed = [each.key for each in reversed(members) if each.state == "redeemed"]
        yield from redeemed[named : max(vain, named)]
    yield from voided
