"""Bills: the lines, the postage, the tax and the tip of a sale or of a refund, whose sum must be the amount.

A line is worth its price as the shop shows it. If prices include tax, so do a line's value and `shipping`, and each
line carries its own `tax`, which `less` can subtract. Otherwise tax stands beside the lines, in the bill's `tax` alone.
An amount that the parts of a bill do not explain is listed as not carried. All numbers here are whole millionths.
Source: semantics 3 and 11.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from loyalty_rules.adapters.conversion import Converter
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Line, Return, ReturnedLine, Tender
from loyalty_rules.values.amounts import MICRO, decimal_of, micros_text

__all__ = ["Bill", "RefundedLine", "RefundedParts", "SoldLine", "product_of", "tender"]


@attrs.frozen(kw_only=True)
class SoldLine:
    """A line of a bill: its value without tax, and its tax.

    `unit_price` and `discount` are as the shop shows them. `source` is the line of the system, for `enrich`.
    """

    id: str
    quantity: int
    net: int
    tax: int = 0
    unit_price: int | None = None
    discount: int | None = None
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    tags: tuple[str, ...] = ()
    extended_fields: Mapping[str, Any] = attrs.field(factory=dict)
    source: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True)
class Bill:
    """A bill: `amount` is the bill as the system states it, or None if it states none; `tax` likewise.

    `included` is true if the prices that the shop shows include tax. `shipping` is without its tax. `inner_tax` is the
    tax that is in the values of lines, if the system does not say how much of it is in which line.
    """

    lines: tuple[SoldLine, ...]
    included: bool
    amount: int | None = None
    shipping: int | None = None
    shipping_tax: int = 0
    tax: int | None = None
    inner_tax: int = 0
    tip: int | None = None

    def fields(self, converter: Converter, part: Payload) -> dict[str, Any]:
        """Return the fields of a sale, and list the part of the amount that is nowhere in the bill."""
        included = self.included if converter.tax_in_prices is None else converter.tax_in_prices
        known_tax = sum(line.tax for line in self.lines) + self.shipping_tax + self.inner_tax
        tax = known_tax if self.tax is None else self.tax
        parts = sum(line.net for line in self.lines) + (self.shipping or 0) + (self.tip or 0) + tax - self.inner_tax
        amount = parts if self.amount is None else self.amount
        if amount != parts:
            converter.miss(
                part,
                f"the parts come to {micros_text(parts)} and the bill to {micros_text(amount)}: "
                f"a difference of {micros_text(amount - parts)} is in the amount alone",
                found=micros_text(amount),
            )
        if included and tax != known_tax:
            converter.miss(
                part,
                f"lines and shipping include a tax of {micros_text(known_tax)}; the rest is in the amount alone",
                found=f"a tax of {micros_text(tax)}",
            )
        if tax < 0:
            converter.miss(part, "a tax below zero cannot be carried", found=micros_text(tax))
        return {
            "amount": decimal_of(amount),
            "tax": decimal_of(tax) if tax >= 0 and (tax or self.tax is not None or self.lines) else None,
            "shipping": None if self.shipping is None else decimal_of(self.shipping + included * self.shipping_tax),
            "tip": None if self.tip is None else decimal_of(self.tip),
            "lines": tuple(self._line(converter, line, included) for line in self.lines),
        }

    def _line(self, converter: Converter, line: SoldLine, included: bool) -> Line:
        shown = included == self.included  # prices as the shop shows them, so that the unit price fits the value
        fields = {
            "sku": line.sku,
            "category": line.category,
            "brand": line.brand,
            "tags": line.tags or None,
            "extended_fields": line.extended_fields,
        }
        return Line(
            id=line.id,
            quantity=decimal_of(line.quantity),
            value=decimal_of(line.net + included * line.tax),
            unit_price=decimal_of(line.unit_price) if shown and line.unit_price is not None else None,
            discount=decimal_of(line.discount) if shown and line.discount else None,
            tax=decimal_of(line.tax) if included and not self.inner_tax and line.tax >= 0 else None,
            **converter.enriched(line.source, fields),
        )


@attrs.frozen(kw_only=True)
class RefundedLine:
    """A part of a line of the sale that came back: its value without tax, and its tax, both zero or more."""

    id: str
    quantity: int
    net: int
    tax: int = 0


@attrs.frozen(kw_only=True)
class RefundedParts:
    """The parts of a refund. `amount` is the money that went back; None is the sum of the parts."""

    lines: tuple[RefundedLine, ...]
    included: bool
    amount: int | None = None
    shipping: int = 0
    shipping_tax: int = 0
    tip: int = 0
    tax: int | None = None

    def event(self, converter: Converter, part: Payload, *, event_id: str, of: str, at: datetime) -> Return:
        """Build the return, and list the money that went back for none of the parts."""
        included = self.included if converter.tax_in_prices is None else converter.tax_in_prices
        tax = sum(line.tax for line in self.lines) + self.shipping_tax if self.tax is None else self.tax
        parts = sum(line.net for line in self.lines) + self.shipping + self.tip + tax
        amount = parts if self.amount is None else self.amount
        named = bool(self.lines or self.shipping or self.tip)
        if named and amount != parts:
            converter.miss(
                part,
                f"the parts come to {micros_text(parts)} and the money back to {micros_text(amount)}: "
                f"a difference of {micros_text(amount - parts)} is in the amount alone",
                found=micros_text(amount),
            )
        return Return(
            id=event_id,
            of=of,
            occurred_at=at,
            amount=decimal_of(amount),
            lines=tuple(
                ReturnedLine(
                    id=line.id, quantity=decimal_of(line.quantity), amount=decimal_of(line.net + included * line.tax)
                )
                for line in self._lines(converter, part, of)
            ),
            tax=decimal_of(tax) if named else None,
            shipping=decimal_of(self.shipping + included * self.shipping_tax) if self.shipping else None,
            tip=decimal_of(self.tip) if self.tip else None,
        )

    def _lines(self, converter: Converter, part: Payload, of: str) -> Iterable[RefundedLine]:
        """Return the lines; for a refund of postage or tips alone, a line of which nothing comes back.

        A return without lines would bring back a part of every line. Source: semantics 11.
        """
        if self.lines or not (self.shipping or self.tip):
            return self.lines
        sale = converter.sales.get(of)
        if sale is None or not sale.lines:
            converter.miss(
                part, "the sale is not known here, so the refund of postage counts for its lines too", found=of
            )
            return ()
        return [RefundedLine(id=sale.lines[0].id, quantity=0, net=0)]


def tender(type: str, amount: int) -> Tender:
    """Build a payment from millionths."""
    return Tender(type=type, amount=decimal_of(amount))


def product_of(quantity: int, price: int) -> int:
    """Return a quantity times a price in millionths, half up at the sixth decimal by magnitude."""
    product = quantity * price
    magnitude = (abs(product) * 2 + MICRO) // (2 * MICRO)
    return magnitude if product >= 0 else -magnitude
