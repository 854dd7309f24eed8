"""The invariant of every adapter: the parts of a bill come to its amount, or the difference is named."""

from __future__ import annotations

from decimal import Decimal

import loyalty_rules as lr
from loyalty_rules.adapters import Conversion
from loyalty_rules.events import Amendment, Return


def parts_of(sale: lr.Transaction, *, included: bool) -> Decimal:
    """Return the sum of lines, shipping, tip and, if prices do not include it, tax."""
    lines = sum((line.value for line in sale.lines if line.value is not None), Decimal(0))
    tax = Decimal(0) if included else (sale.tax or Decimal(0))
    return lines + (sale.shipping or Decimal(0)) + (sale.tip or Decimal(0)) + tax


def explained(conversion: Conversion, *, included: bool) -> bool:
    """Return whether the parts of every sale come to its amount, or a difference is named."""
    named = any("difference" in each.why for each in conversion.not_carried)
    return named or all(
        parts_of(event, included=included) == event.amount
        for event in conversion.events
        if isinstance(event, lr.Transaction)
    )


def whys(conversion: Conversion) -> list[str]:
    return [each.why for each in conversion.not_carried]


def sale(conversion: Conversion) -> lr.Transaction:
    """Return the only sale."""
    (found,) = (event for event in conversion.events if isinstance(event, lr.Transaction))
    return found


def only(conversion: Conversion) -> object:
    """Return the only event of a conversion that carried everything."""
    assert conversion.not_carried == ()
    (event,) = conversion.events
    return event


def lines_of(event: lr.Transaction | Amendment) -> list[tuple[str, str, str | None]]:
    """Return id, value and tax of each line."""
    return [(line.id, str(line.value), None if line.tax is None else str(line.tax)) for line in event.lines or ()]


def returned(event: Return) -> list[tuple[str, str, str]]:
    """Return id, quantity and amount of each returned line."""
    return [(line.id, str(line.quantity), str(line.amount)) for line in event.lines]
