"""Benefits: the discount of each kind of benefit on the remainder of a bill. Source: semantics 9, 17 (benefits).

Each function returns the discount with its shares. A bill without lines is one amount; a benefit that has
`lines` or `units`, and a fixed price, find nothing on it.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from loyalty_rules.intents import Share, TakenUnits
from loyalty_rules.lifecycle.bill import Bill, Part, Taking, Units, shared, to_cents
from loyalty_rules.lifecycle.records import CouponRecord
from loyalty_rules.rules.coupons import AmountOff, Benefit, PercentOff, Price, Shipping, StoredValue
from loyalty_rules.rules.line_predicates import bind_line
from loyalty_rules.values.amounts import MICRO, decimal_of, micros

__all__ = ["BENEFIT_ORDER", "taken_off"]

NOTHING = Fraction(0)


def taken_off(bill: Bill, benefit: Benefit | None, coupon: CouponRecord, cent: int) -> Taking:
    """Return the discount of a coupon on a bill; `cent` is the smallest unit of the program's money, in millionths."""
    if benefit is None:
        return Taking(0)  # a voucher for a thing
    return _BENEFITS[type(benefit)](bill, benefit, coupon, cent)


def _percent_off(bill: Bill, benefit: PercentOff, coupon: CouponRecord, cent: int) -> Taking:
    base, parts = _goods(bill, benefit)
    most = _least(base, benefit.most, coupon.left_in_all)
    discount = to_cents(min(base * micros(benefit.percent) / (100 * MICRO), most), most, cent)
    return _taking(discount, parts, cent)


def _amount_off(bill: Bill, benefit: AmountOff, _coupon: CouponRecord, cent: int) -> Taking:
    base, parts = _goods(bill, benefit)
    return _taking(to_cents(min(Fraction(micros(benefit.amount)), base), base, cent), parts, cent)


def _stored_value(bill: Bill, benefit: StoredValue, coupon: CouponRecord, cent: int) -> Taking:
    if benefit.lines is not None:
        parts = bill.of_lines(bind_line(benefit.lines))
    else:
        parts = bill.with_rest(bill.of_lines(None))
    base = bill.base(parts) if bill.lines or benefit.lines is not None else max(bill.left, NOTHING)
    most = _least(base, coupon.remaining)
    return _taking(to_cents(most, most, cent), parts, cent)


def _price(bill: Bill, benefit: Price, _coupon: CouponRecord, cent: int) -> Taking:
    price = Fraction(micros(benefit.price))
    selects = bind_line(benefit.lines)
    if benefit.units is not None:
        chosen = bill.of_units(selects, benefit.units, dearest=benefit.pick == "dearest", above=price)
        excesses = [Part(each.line, each.amount - price * each.units, each.units) for each in chosen]
    else:
        chosen = bill.of_lines(selects)
        excesses = [
            Part(line.id, _excess(line.others, price) + _excess(line.taken, price))
            for line in bill.lines
            if selects is None or selects(line.facts)
        ]
    return _taking(to_cents(bill.base(excesses), bill.base(chosen), cent), excesses, cent)


def _excess(units: Units, price: Fraction) -> Fraction:
    return max(units.each - price, NOTHING) * units.number


def _shipping(bill: Bill, benefit: Shipping, _coupon: CouponRecord, cent: int) -> Taking:
    most = max(_least(min(bill.shipping, bill.left), benefit.most), NOTHING)
    discount = to_cents(most, most, cent)
    return Taking(discount, (Share(None, decimal_of(discount)),) if bill.lines else (), of_shipping=True)


def _goods(bill: Bill, benefit: PercentOff | AmountOff) -> tuple[Fraction, list[Part]]:
    """Return the amount that a benefit discounts, and its parts by line."""
    if not bill.lines:
        return (max(bill.left, NOTHING) if benefit.lines is None and benefit.units is None else NOTHING), []
    selects = bind_line(benefit.lines)
    if benefit.units is None:
        parts = bill.of_lines(selects)
    else:
        parts = bill.of_units(selects, benefit.units, dearest=benefit.pick == "dearest")
    return bill.base(parts), parts


def _least(amount: Fraction, *others: Decimal | None) -> Fraction:
    """Return the least of an amount and of those maxima that there are."""
    return min([amount, *(Fraction(micros(other)) for other in others if other is not None)])


def _taking(discount: int, parts: Sequence[Part], cent: int) -> Taking:
    if discount == 0:
        return Taking(0)
    units = tuple(TakenUnits(each.line, each.units) for each in parts if each.units and each.line is not None)
    return Taking(discount, shared(discount, parts, cent), units)


_BENEFITS: Mapping[type, Callable[[Bill, Any, CouponRecord, int], Taking]] = {
    Price: _price,
    PercentOff: _percent_off,
    AmountOff: _amount_off,
    Shipping: _shipping,
    StoredValue: _stored_value,
}

BENEFIT_ORDER: Mapping[type, int] = {kind: position for position, kind in enumerate([*_BENEFITS, type(None)])}
"""The order of benefits within a set of redemptions. Source: semantics 9 (redeem_all)."""
