"""The remainder of a sale: the sale as if the returned goods had never been bought. Source: semantics 11.

Everything that came back is added up over all returns so far, exactly, and rounded once: to 6 decimals, half up.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from loyalty_rules.events import Line, Return, ReturnedLine, Tender, Transaction
from loyalty_rules.values.amounts import MICRO, decimal_of, micros, number_in, text_of

__all__ = ["remaining_sale", "wrong_parts"]

ZERO = Fraction(0)


def remaining_sale(event: Transaction, returns: Sequence[Return], fields: Collection[str] = ()) -> Transaction | None:
    """Return the sale without the returned goods; None if the whole sale has come back.

    `fields` are the number fields of lines that the program's bases read; they come back with the quantity, and so do
    the fields that a return names. Shipping and tips stay if a return has lines, unless it names them. The whole sale
    has come back if its whole amount has, or every line in full quantity.
    """
    back = _Back(event, returns)
    if back.is_whole():
        return None
    return attrs.evolve(
        event,
        amount=_rest(_exact(event.amount), back.amount),
        tax=_less(event.tax, back.tax()),
        shipping=_less(event.shipping, back.component("shipping")),
        tip=_less(event.tip, back.component("tip")),
        tenders=back.remaining_tenders(),
        lines=[line for each in event.lines if (line := back.remaining_line(each, fields)) is not None],
    )


def wrong_parts(event: Transaction, returns: Sequence[Return], *, is_bounded: bool = False) -> dict[str, str]:
    """Return the reasons for refusing the last of the returns, each with its detail; an empty dict if there are none.

    `unknown_line`: the sale has no such line. `more_than_bought`: more comes back of a line, or in amount, over all
    returns, than the sale had. A bill of zero or less bounds no amount, unless `is_bounded`.
    """
    back, lines = _Back(event, returns), {line.id: line for line in event.lines}
    reasons: dict[str, str] = {}
    for line in back.named_lines:
        if line not in lines:
            reasons.setdefault("unknown_line", f"the sale has no line {line!r}")
        elif back.exceeds(lines[line]):
            reasons.setdefault("more_than_bought", f"more of line {line!r} comes back than was bought")
    if back.amount > back.whole_amount and (back.whole_amount > 0 or is_bounded):
        reasons.setdefault("more_than_bought", "a larger amount comes back than the sale had")
    return reasons


class _Back:
    """The parts of a sale that have come back, over all its returns."""

    def __init__(self, event: Transaction, returns: Sequence[Return]) -> None:
        self._event = event
        self._returns = returns
        self._bill = _exact(event.amount)
        self.amount = sum((_amount(each) for each in returns), ZERO)
        self._without_lines = [each for each in returns if not each.lines]
        self.named_lines: dict[str, list[tuple[Return, ReturnedLine]]] = {}
        for each in returns:
            for row in each.lines:
                self.named_lines.setdefault(row.id, []).append((each, row))
        self._is_divided = any(_value(line) < 0 for line in event.lines)

    # -- the bill ----------------------------------------------------------------------------------------------------

    @property
    def whole_amount(self) -> Fraction:
        """The most that can come back in amount: the bill or, of an exchange, its lines above zero if they are more.

        Zero stands for no maximum: of a bill of zero or less without an exchange, the lines alone decide.
        """
        bought = sum((max(_value(line), ZERO) for line in self._event.lines), ZERO) if self._is_divided else ZERO
        return max(self._bill, bought, ZERO)

    def is_whole(self) -> bool:
        """Return whether the whole amount has come back, or every line in full quantity."""
        if self._bill <= 0 and self._without_lines:
            return True
        if self._bill > 0 and self.amount >= self.whole_amount:
            return True
        bought = [line for line in self._event.lines if line.quantity > 0]
        return bool(bought) and all(self.quantity(line) >= _exact(line.quantity) for line in bought)

    def _part_of_bill(self, returns: Iterable[Return]) -> Fraction:
        """Return the part that the amounts of some returns are of the bill, at most 1."""
        if self._bill <= 0:
            return ZERO
        return min(sum((_amount(each) for each in returns), ZERO) / self._bill, Fraction(1))

    def component(self, name: str) -> Fraction:
        """Return the shipping or the tip that came back: as named or, of a return without lines, by amount."""
        named = sum((_exact(getattr(each, name)) for each in self._returns), ZERO)
        silent = (each for each in self._without_lines if getattr(each, name) is None)
        return named + _exact(getattr(self._event, name)) * self._part_of_bill(silent)

    def tax(self) -> Fraction:
        """Return the tax that came back: as named, else with the lines if all carry their own, else by amount."""
        named = sum((_exact(each.tax) for each in self._returns), ZERO)
        lines = self._event.lines
        if lines and all(line.tax is not None for line in lines):
            return named + sum((_exact(line.tax) * self._portion(line, without_tax=True) for line in lines), ZERO)
        silent = (each for each in self._returns if each.tax is None)
        return named + _exact(self._event.tax) * self._part_of_bill(silent)

    def remaining_tenders(self) -> tuple[Tender, ...]:
        """Return the remaining tenders: less those that returns name, and less the part of the other returns."""
        paid = _by_type(self._event.tenders)
        named = _by_type(tender for each in self._returns for tender in each.tenders or ())
        part = self._part_of_bill(each for each in self._returns if each.tenders is None)
        return tuple(
            Tender(kind, _rest(amount, _clamped(amount * part + named.get(kind, ZERO), amount)))
            for kind, amount in paid.items()
        )

    # -- lines -------------------------------------------------------------------------------------------------------

    def _rows(self, line: Line) -> list[ReturnedLine]:
        return [row for _, row in self.named_lines.get(line.id, ())]

    def _portion(self, line: Line, *, without_tax: bool = False) -> Fraction:
        """Return the part that the returned quantity is of the quantity bought, at most 1.

        `without_tax` counts only the returns that name no tax of the bill.
        """
        if line.quantity <= 0:
            return ZERO
        named = [row for each, row in self.named_lines.get(line.id, ()) if not without_tax or each.tax is None]
        by_amount = [each for each in self._without_lines if not without_tax or each.tax is None]
        rows = sum((_exact(row.quantity) for row in named), ZERO) / _exact(line.quantity)
        return min(rows + self._part_of_bill(by_amount), Fraction(1))

    def quantity(self, line: Line) -> Fraction:
        """Return the quantity of a line that came back, held to 6 decimals over all returns."""
        return Fraction(_rounded(_exact(line.quantity) * self._portion(line)), MICRO)

    def exceeds(self, line: Line) -> bool:
        """Return whether the named quantities or amounts of a line are more than it had; only goods can come back."""
        rows = self._rows(line)
        quantity = sum((_exact(row.quantity) for row in rows), ZERO)
        amount = sum((_exact(row.amount) for row in rows), ZERO)
        if line.quantity <= 0:
            return quantity > 0 or amount > 0
        return quantity > _exact(line.quantity) or amount > max(_value(line), ZERO)

    def _number(self, line: Line, whole: Fraction, named: Mapping[int, Fraction]) -> Fraction:
        """Return the part of a line's number that came back: as named, else with the quantity."""
        if line.quantity <= 0:
            return ZERO
        rows = self._rows(line)
        silent = sum((_exact(row.quantity) for place, row in enumerate(rows) if place not in named), ZERO)
        part = silent / _exact(line.quantity) + self._part_of_bill(self._without_lines)
        return _clamped(whole * part + sum(named.values(), ZERO), whole)

    def remaining_line(self, line: Line, fields: Collection[str]) -> Line | None:
        """Return the rest of a line; None if neither quantity nor value is left of it."""
        rows = self._rows(line)
        portion = self._portion(line)
        if not rows and not portion:
            return line
        value = _rest(_value(line), self._number(line, _value(line), _by_row(rows, lambda row: row.amount)))
        quantity = _rest(_exact(line.quantity), self.quantity(line))
        if not quantity and not value:
            return None
        return attrs.evolve(
            line,
            quantity=quantity,
            value=value,
            discount=_less(line.discount, _exact(line.discount) * portion),
            tax=_less(line.tax, _exact(line.tax) * portion),
            extended_fields=self._remaining_fields(line, rows, fields),
        )

    def _remaining_fields(self, line: Line, rows: list[ReturnedLine], fields: Collection[str]) -> dict[str, object]:
        remaining = dict(line.extended_fields)
        for name in {*fields, *(name for row in rows for name in row.extended_fields)}:
            number = number_in(remaining.get(name))
            if number is not None:
                whole = Fraction(number, MICRO)
                named = _by_row(rows, lambda row, name=name: row.extended_fields.get(name))  # type: ignore[misc]
                remaining[name] = text_of(_rest(whole, self._number(line, whole, named)))
        return remaining


def _by_row(rows: Iterable[ReturnedLine], number_of: Callable[[ReturnedLine], object]) -> Mapping[int, Fraction]:
    """Return the numbers that rows name, by the position of the row."""
    numbers = ((place, number_in(number_of(row))) for place, row in enumerate(rows))
    return {place: Fraction(number, MICRO) for place, number in numbers if number is not None}


def _by_type(tenders: Iterable[Tender]) -> dict[str, Fraction]:
    """Return the sums of tenders by their type."""
    sums: dict[str, Fraction] = {}
    for tender in tenders:
        sums[tender.type] = sums.get(tender.type, ZERO) + _exact(tender.amount)
    return sums


def _amount(back: Return) -> Fraction:
    return _exact(back.amount)


def _value(line: Line) -> Fraction:
    """Return the value of a line: as given, else quantity × unit price − discount."""
    if line.value is not None:
        return _exact(line.value)
    return _exact(line.quantity) * _exact(line.unit_price) - _exact(line.discount)


def _exact(number: Decimal | None) -> Fraction:
    return Fraction(micros(number), MICRO) if number is not None else ZERO


def _less(number: Decimal | None, back: Fraction) -> Decimal | None:
    """Return the rest of a number that may be absent; no more comes back than there was."""
    return _rest(_exact(number), _clamped(back, _exact(number))) if number is not None else None


def _clamped(back: Fraction, whole: Fraction) -> Fraction:
    """Return the part that came back, between zero and the whole, which may be below zero."""
    return min(max(back, min(whole, ZERO)), max(whole, ZERO))


def _rest(whole: Fraction, back: Fraction) -> Decimal:
    """Return the whole less the part that came back, which is rounded to 6 decimals; so is the rest."""
    return decimal_of(_rounded(whole - Fraction(_rounded(back), MICRO)))


def _rounded(number: Fraction) -> int:
    """Return a number in millionths, rounded half up by magnitude."""
    units = abs(number) * MICRO
    rounded = (2 * units.numerator + units.denominator) // (2 * units.denominator)
    return rounded if number >= 0 else -rounded
