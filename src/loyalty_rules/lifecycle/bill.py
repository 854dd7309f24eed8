"""The bill of a transaction, and its remainder after the redemptions and spends so far. Source: semantics 9, 17.

Amounts are exact fractions of millionths of the program's money. A bill in foreign money is converted, and a line is
divided by its quantity. Discounts are whole numbers of millionths.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from loyalty_rules.events import Snapshot, Transaction
from loyalty_rules.intents import RedeemCoupon, Share, TakenUnits
from loyalty_rules.lifecycle.records import Payment
from loyalty_rules.program import Program
from loyalty_rules.rules.facts import Facts, LineFacts
from loyalty_rules.rules.line_predicates import LinePredicate
from loyalty_rules.values.amounts import MICRO, RATE_UNIT, decimal_of, micros
from loyalty_rules.values.apportionment import split

__all__ = [
    "Bill",
    "BillLine",
    "Part",
    "Taking",
    "Units",
    "amount_of",
    "bill_of",
    "payable",
    "shared",
    "standing",
    "taking_of",
    "to_cents",
]

NOTHING = Fraction(0)


@attrs.frozen
class Units:
    """A number of units of one line, and their remainder together."""

    number: int
    left: Fraction

    @property
    def each(self) -> Fraction:
        """The remainder of one unit; zero if there is none."""
        return self.left / self.number if self.number else NOTHING

    def less(self, amount: Fraction) -> Units:
        """Return the units after an amount has been taken off them."""
        return attrs.evolve(self, left=self.left - amount)


@attrs.frozen
class BillLine:
    """One line of a bill: the units that a benefit has taken, and the other ones, each with their remainder.

    `price` is the unit price as it was handed over. A line whose quantity is above zero and not
    whole is one unit at its whole value; a line of a quantity of zero or less has none.
    """

    id: str
    facts: LineFacts
    price: Fraction
    others: Units
    taken: Units

    @property
    def left(self) -> Fraction:
        """The remainder of the line, taken units included."""
        return self.others.left + self.taken.left

    def less(self, amount: int, units: int) -> BillLine:
        """Return the line after a discount of `amount` on `units` of its units, or on the line if `units` is 0."""
        if units:
            moved = self.others.each * units
            others = Units(self.others.number - units, self.others.left - moved)
            taken = Units(self.taken.number + units, self.taken.left + moved - amount)
            return attrs.evolve(self, others=others, taken=taken)
        part = self.taken.left / self.left if self.left else NOTHING
        return attrs.evolve(self, others=self.others.less(amount * (1 - part)), taken=self.taken.less(amount * part))


@attrs.frozen
class Part:
    """The part of a bill that a benefit works on: a line (None for the rest of the bill), and an amount of it.

    `units` is the number of its units that a benefit with `units` chooses.
    """

    line: str | None
    amount: Fraction
    units: int = 0


@attrs.frozen
class Taking:
    """The part of a bill that one redemption or spend takes: millionths, with their shares, and units by line."""

    amount: int
    shares: tuple[Share, ...] = ()
    units: tuple[TakenUnits, ...] = ()
    of_shipping: bool = False


@attrs.frozen
class Bill:
    """A bill in the program's money. `amount` is the whole bill as it was handed over, `left` its remainder.

    `rest` is the remainder of the part of the bill beyond its lines: postage, tax, tip. `shipping` is the remainder of
    the shipping. A bill without lines has no rest: it is one amount.
    """

    id: str
    amount: Fraction
    left: Fraction
    lines: tuple[BillLine, ...]
    rest: Fraction
    shipping: Fraction

    def less(self, taking: Taking) -> Bill:
        """Return the bill after a redemption or a spend. The share of a line that is gone comes off the bill alone."""
        shares = {each.line: micros(each.amount) for each in taking.shares}
        units = {each.line: each.units for each in taking.units}
        return attrs.evolve(
            self,
            left=self.left - taking.amount,
            lines=tuple(
                line.less(shares.get(line.id, 0), min(units.get(line.id, 0), line.others.number))
                if shares.get(line.id) or units.get(line.id)
                else line
                for line in self.lines
            ),
            rest=self.rest - shares.get(None, 0),
            shipping=self.shipping - taking.amount if taking.of_shipping else self.shipping,
        )

    # -- the parts that a benefit works on -----------------------------------------------------------------------------

    def of_lines(self, selects: LinePredicate | None) -> list[Part]:
        """Return the remainders of the selected lines, None selects all; below zero counts as nothing."""
        return [Part(line.id, max(line.left, NOTHING)) for line in self.lines if selects is None or selects(line.facts)]

    def with_rest(self, parts: Sequence[Part]) -> list[Part]:
        """Return the parts and the rest of the bill, unless nothing is left of it."""
        return [*parts, Part(None, self.rest)] if self.rest > 0 else [*parts]

    def of_units(
        self, selects: LinePredicate | None, units: int, *, dearest: bool, above: Fraction = NOTHING
    ) -> list[Part]:
        """Return the remainders of so many units of the selected lines, the cheapest or the dearest first.

        Only units that no benefit has taken and that have more than `above` left are chosen. Of equal prices the
        earlier line comes first. Lines of which no unit is chosen have a part of zero.
        """
        selected = [line for line in self.lines if selects is None or selects(line.facts)]
        chosen: dict[str, int] = {}
        for line in sorted(selected, key=lambda line: -line.price if dearest else line.price):
            if units and line.others.each > above:
                chosen[line.id] = min(units, line.others.number)
                units -= chosen[line.id]
        return [Part(line.id, line.others.each * chosen.get(line.id, 0), chosen.get(line.id, 0)) for line in selected]

    def base(self, parts: Iterable[Part]) -> Fraction:
        """Return the sum of some parts, at most the remainder of the bill; never below zero."""
        return max(min(sum((part.amount for part in parts), NOTHING), self.left), NOTHING)


def bill_of(facts: Facts) -> Bill:
    """Return the bill of a transaction, from which nothing has been taken; its exchange rate must be known."""
    assert facts.amount is not None
    assert facts.rate is not None
    amount = Fraction(facts.amount * facts.rate, RATE_UNIT)
    lines = tuple(_line_of(line, facts.rate) for line in facts.lines)
    rest = max(amount - sum((line.left for line in lines), NOTHING), NOTHING) if lines else NOTHING
    shipping = Fraction(micros(facts.event.shipping or Decimal(0)) * facts.rate, RATE_UNIT)
    return Bill(facts.event.id, amount, amount, lines, rest, shipping)


def amount_of(program: Program, transaction: Transaction | None) -> Decimal | None:
    """Return the amount of a bill in the program's money, to 6 decimals, rounded down; None if it is not known."""
    if transaction is None:
        return None
    facts = program.plan.facts(transaction, Snapshot())
    if facts.rate is None or facts.amount is None:
        return None
    return decimal_of(max(facts.amount * facts.rate // RATE_UNIT, 0))


def _line_of(line: LineFacts, rate: int) -> BillLine:
    value = Fraction(line.value * rate, MICRO * RATE_UNIT)
    quantity = micros(line.line.quantity)
    whole, part = divmod(quantity, MICRO)
    units = 0 if quantity <= 0 else 1 if part else whole
    price = value / units if units else value
    return BillLine(line.line.id, line, price, Units(units, value), Units(0, NOTHING))


def taking_of(
    payment: Payment, bill: Bill, *, of_shipping: bool = False, not_for: LinePredicate | None = None, cent: int
) -> Taking:
    """Return the part of a bill that an earlier redemption or spend has taken and that was not undone.

    Points whose spend did not see the bill are spread over the lines that they may pay.
    """
    made, stands = payment.intent, standing(payment)
    if isinstance(made, RedeemCoupon):
        scaled = _scaled(made.shares, stands, micros(made.discount), cent)
        return Taking(stands, scaled, made.units if stands else (), of_shipping)
    whole = micros(made.value or Decimal(0))
    if made.shares or not bill.lines:
        return Taking(stands, _scaled(made.shares, stands, whole, cent))
    parts = payable(bill, not_for)
    return Taking(stands, shared(stands, parts, cent) if sum(part.amount for part in parts) else ())


def standing(payment: Payment) -> int:
    """Return the discount of a redemption, or the worth of a spend, that was not undone; in millionths."""
    made = payment.intent
    if isinstance(made, RedeemCoupon):
        return micros(made.discount) - micros(payment.undone)
    units = micros(made.amount)
    return micros(made.value or Decimal(0)) * (units - micros(payment.undone)) // units


def _scaled(shares: tuple[Share, ...], stands: int, whole: int, cent: int) -> tuple[Share, ...]:
    if stands == whole or not shares:
        return shares
    return shared(stands, [Part(each.line, Fraction(micros(each.amount))) for each in shares], cent)


def payable(bill: Bill, not_for: LinePredicate | None) -> list[Part]:
    """Return the parts of a bill with lines that points may pay: the lines that `not_for` leaves, and the rest."""
    lines = bill.of_lines(None if not_for is None else lambda line: not not_for(line))
    return bill.with_rest(lines)


# -- amounts ---------------------------------------------------------------------------------------------------------


def to_cents(amount: Fraction, most: Fraction, cent: int) -> int:
    """Round an amount half up to whole cents, but down if that would be more than `most`. `cent` is in millionths.

    The amount is at most `most`. Source: semantics 17 (rounding).
    """
    rounded = (2 * amount / cent + 1) // 2 * cent
    return int(rounded if rounded <= most else amount // cent * cent)


def shared(amount: int, parts: Sequence[Part], cent: int) -> tuple[Share, ...]:
    """Split an amount over parts by their amounts, by largest remainder to the cent; the shares sum to it exactly."""
    unit = cent
    while amount % unit:
        unit //= 10  # points may be worth less than a cent
    weights = _whole([part.amount for part in parts])
    return tuple(_shares(parts, split(amount // unit, weights), unit)) if parts else ()


def _shares(parts: Iterable[Part], amounts: Iterable[int], unit: int) -> Iterator[Share]:
    for part, amount in zip(parts, amounts, strict=True):
        yield Share(part.line, decimal_of(amount * unit))


def _whole(weights: Sequence[Fraction]) -> list[int]:
    """Return whole numbers in the proportion of the weights."""
    denominator = math.lcm(*(weight.denominator for weight in weights))
    return [int(weight * denominator) for weight in weights]
