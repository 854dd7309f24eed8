"""The points, coupons and stored values that paid for a sale go back with the goods, by its `give_back`.

With the whole sale all of them go back. In proportion each return gives back the part of the bill that has come back,
over all returns, less the units undone before; single-use coupons only go back with the whole sale. They go back before
anything is taken, so that a return can take units that it has just given back. Source: semantics 11.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType

import attrs

from loyalty_rules.events import Return, Transaction
from loyalty_rules.intents import RedeemCoupon, SpendCurrency, UndoRedemption, UndoSpend
from loyalty_rules.keys import part_undo_key
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Payment, Refusal, Sale, Shortfall
from loyalty_rules.lifecycle.redemption import reinstated, undo_redemption
from loyalty_rules.lifecycle.remaining_award import RemainingAward
from loyalty_rules.lifecycle.undoing import after_settling, undo_spend
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.apportionment import unit_of
from loyalty_rules.values.money import cent_of

__all__ = [
    "Redeemed",
    "after_undoing_redemptions",
    "after_undoing_spends",
    "part_to_give_back",
    "undone_redemptions",
    "undone_spends",
]


@attrs.frozen
class Redeemed:
    """A redemption that paid for a sale, and its coupon; `is_earned` as `is_coupon_earned` returns it."""

    payment: Payment
    coupon: CouponRecord
    is_earned: bool

    @property
    def redemption(self) -> RedeemCoupon:
        """The intent of the redemption."""
        assert isinstance(self.payment.intent, RedeemCoupon)
        return self.payment.intent


def part_to_give_back(sale: Sale, remainder: RemainingAward) -> Fraction:
    """Return the part of each payment that goes back in all, by the program's `give_back`: 1 is the whole."""
    give_back = sale.program.give_back
    if give_back == "never":
        return Fraction(0)
    if remainder.sale is None:
        return Fraction(1)
    bill = micros(remainder.sale.amount) + remainder.come_back if isinstance(remainder.sale, Transaction) else 0
    if give_back == "whole" or bill <= 0:
        return Fraction(0)
    return min(Fraction(remainder.come_back, bill), Fraction(1))


# -- points ----------------------------------------------------------------------------------------------------------


def undone_spends(
    sale: Sale,
    back: Return,
    spends: Iterable[Payment],
    lots: Iterable[Lot],
    shortfalls: Iterable[Shortfall],
    part: Fraction,
    prices: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[UndoSpend]:
    """Yield the undoing of a part of each spend: its units settle shortfalls and return to their lots.

    `prices` are the millionths of the spends that go back only with the issues that they paid for. A spend that is
    dated after the return is left alone.
    """
    known, open_ = {lot.key: lot for lot in lots}, [*shortfalls]
    for payment in spends:
        spent = payment.intent
        assert isinstance(spent, SpendCurrency)
        is_price = spent.key in prices
        units = prices[spent.key] if is_price else _units_to_undo(sale, payment, spent, part)
        if units <= 0:
            continue
        is_part = is_price or part < 1
        amount = decimal_of(units) if is_part else None
        key = part_undo_key(sale.program.id, back.id, spent.key) if is_part else None
        owed = [each for each in open_ if (each.account, each.currency) == (Account.of(spent), spent.currency)]
        undone = undo_spend(payment, known, owed, back.occurred_at, amount, key)
        if not isinstance(undone, Refusal):
            known = {lot.key: lot for lot in after_undoing_spends(known.values(), [undone])}
            open_ = after_settling(open_, undone.settled)
            yield undone


def _units_to_undo(sale: Sale, payment: Payment, spent: SpendCurrency, part: Fraction) -> int:
    """Return the millionths of a spend to undo: its part, rounded down to the unit, less those undone before."""
    amount = micros(spent.amount)
    decimals = sale.program.decimals_of(spent.currency)
    unit = unit_of(amount, decimals)
    return int(amount * part) // unit * unit - micros(payment.undone)


def after_undoing_spends(lots: Iterable[Lot], undone: Iterable[UndoSpend]) -> list[Lot]:
    """Return the lots after their units have come back."""
    current = {lot.key: lot for lot in lots}
    for each in undone:
        for target, moved in (("available", each.draws), ("expired", each.expired), ("reversed", each.settled)):
            for units in moved:
                current[units.lot] = current[units.lot].moved("spent", target, units.amount)
    return [*current.values()]


# -- coupons ---------------------------------------------------------------------------------------------------------


def undone_redemptions(
    sale: Sale, back: Return, redeemed: Iterable[Redeemed], part: Fraction
) -> Iterator[UndoRedemption]:
    """Yield the undoing of each redemption that can be undone; of a part of it only if it is of a stored value."""
    for each in redeemed:
        made, discount, before = each.redemption, micros(each.redemption.discount), each.payment.undone
        undone: UndoRedemption | Refusal | None = None
        if part == 1:
            undone = undo_redemption(made, each.coupon, back.occurred_at, undone=before)
        elif each.coupon.remaining is not None:
            cent = cent_of(sale.program.money)
            units = int(discount * part) // cent * cent - micros(before)
            if units > 0:
                key, amount = part_undo_key(sale.program.id, back.id, made.key), decimal_of(units)
                undone = undo_redemption(made, each.coupon, back.occurred_at, amount=amount, undone=before, key=key)
        if isinstance(undone, UndoRedemption):
            yield undone


def after_undoing_redemptions(
    coupons: Iterable[CouponRecord], undone: Sequence[UndoRedemption], at: datetime
) -> list[CouponRecord]:
    """Return the coupons after their redemptions have been undone."""
    current = {each.key: each for each in coupons}
    for each in undone:
        if each.coupon in current:
            current[each.coupon] = reinstated(current[each.coupon], each, at, is_whole=True)
    return [*current.values()]
