"""Square: orders, their returns, service charges and tips.

Money is in minor units of ISO 4217. The value of a line is its total less its tax, so that every discount is in it. A
service charge is a line of its own, with the tag `service_charge`; cash rounding is a line with the tag `rounding`.
Source: semantics 11, documents (event).
"""

from collections.abc import Iterable

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.minor_units import money_of
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Tender, Transaction
from loyalty_rules.values.amounts import MICRO

__all__ = ["convert"]

_ENVELOPES = ("data", "object", "orders", "order")
_TENDERS = {"square_gift_card": "gift_card"}


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert orders and the returns in them; later versions of an order become amendments and updates.

    A return without `source_order_id` belongs to no sale and is not carried. `tax_in_prices` overrides the types of
    the order's taxes. `known` are sales of earlier calls.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


def _take(converter: Converter, order: Payload) -> None:
    order_id = order["id"].required_text()
    if order["state"].text() == "DRAFT":
        converter.miss(order["state"], "a draft is no sale", whole=True)
        return
    created_at = order["created_at"].required_instant(converter.zone)
    if order["line_items"] or not order["returns"]:
        bill = _bill(converter, order)
        sale = Transaction(
            id=f"square-{order_id}",
            occurred_at=created_at,
            currency=order["total_money"]["currency"].text(),
            store=converter.label(order["location_id"]),
            channel=converter.label(order["source"]["name"]),
            status=(order["state"].text() or "").lower() or None,
            member=Member(id=order["customer_id"].required_text()) if order["customer_id"] else None,
            tenders=tuple(_tender(each) for each in order["tenders"].items()),
            **bill.fields(converter, order["total_money"]["amount"]),
        )
        at = order["updated_at"].instant(converter.zone) or created_at
        converter.add_sale(order, sale, at, included=bill.included)
    for part in order["returns"].items():
        converter.attempt(part, lambda part: _return(converter, order, part))


# -- sales -----------------------------------------------------------------------------------------------------------


def _bill(converter: Converter, order: Payload) -> Bill:
    lines = [_line(converter, line) for line in order["line_items"].items()]
    charges = [(each, _charge(each)) for each in order["service_charges"].items()]
    rounding = money_of(order["rounding_adjustment"]["amount_money"])
    if rounding:
        lines.append(SoldLine(id="rounding", quantity=MICRO, net=rounding, tags=("rounding",)))
    tip = money_of(order["total_tip_money"])
    total = money_of(order["total_money"])
    lines, amount = _adding_up(lines, charges, tip or 0, total)
    return Bill(
        lines=tuple(lines),
        included=_included(order),
        amount=amount,
        tip=tip,
        tax=money_of(order["total_tax_money"]),
    )


def _adding_up(
    lines: list[SoldLine], charges: list[tuple[Payload, SoldLine]], tip: int, total: int | None
) -> tuple[list[SoldLine], int | None]:
    """Return the lines and the amount that agree with the total of the order.

    Versions of the API differ: charges may be in the totals of the lines already, and the tip beside the total.
    """
    apart = [line for part, line in charges if part["treatment_type"].text() != "APPORTIONED_TREATMENT"]
    for chosen in ([line for _, line in charges], apart):
        found = [*lines, *chosen]
        parts = sum(line.net + line.tax for line in found)
        if total is None or total in (parts, parts + tip):
            return found, parts + tip
    return [*lines, *(line for _, line in charges)], total


def _line(converter: Converter, line: Payload) -> SoldLine:
    tax = money_of(line["total_tax_money"]) or 0
    kind = (line["item_type"].text() or "ITEM").lower()
    return SoldLine(
        id=line["uid"].required_text(),
        quantity=line["quantity"].required_amount(),
        net=_total(line) - tax,
        tax=tax,
        unit_price=money_of(line["base_price_money"]),
        discount=money_of(line["total_discount_money"]),
        sku=converter.label(line.first("sku", "catalog_object_id")),
        tags=() if kind == "item" else (kind,),
        source=line.value,
    )


def _charge(charge: Payload) -> SoldLine:
    tax = money_of(charge["total_tax_money"]) or 0
    return SoldLine(
        id=f"charge-{charge['uid'].required_text()}",
        quantity=MICRO,
        net=_total(charge) - tax,
        tax=tax,
        tags=("service_charge",),
        source=charge.value,
    )


def _total(part: Payload) -> int:
    total = money_of(part["total_money"])
    if total is None:
        raise part["total_money"]["amount"].refusal("required", "is missing")
    return total


def _included(order: Payload) -> bool:
    """Return whether prices include tax: every tax of the order is inclusive."""
    kinds = [each["type"].text() for each in order["taxes"].items()]
    return bool(kinds) and all(kind == "INCLUSIVE" for kind in kinds)


def _tender(part: Payload) -> Tender:
    kind = part["type"].required_text().lower()
    amount = money_of(part["amount_money"])
    return tender(_TENDERS.get(kind, kind), amount or 0)


# -- returns ---------------------------------------------------------------------------------------------------------


def _return(converter: Converter, order: Payload, part: Payload) -> None:
    source = part["source_order_id"].text()
    if source is None:
        converter.miss(part, "a return that is not linked to its sale cannot take points back", whole=True)
        return
    of = f"square-{source}"
    lines = [_returned(line, line["source_line_item_uid"], "") for line in part["return_line_items"].items()]
    lines += [
        _returned(line, line["source_service_charge_uid"], "charge-") for line in part["return_service_charges"].items()
    ]
    tips = sum(money_of(each["applied_money"]) or 0 for each in part["return_tips"].items())
    total = money_of(order["return_amounts"]["total_money"]) if len(order["returns"].value) == 1 else None
    parts = RefundedParts(
        lines=tuple(lines), included=converter.included.get(of, _included(order)), amount=total, tip=tips
    )
    number = part["uid"].text() or source
    event_id = f"square-return-{order['id'].required_text()}-{number}"
    at = order.first("closed_at", "updated_at", "created_at").required_instant(converter.zone)
    converter.add_return(
        parts.event(converter, order["return_amounts"]["total_money"]["amount"], event_id=event_id, of=of, at=at)
    )


def _returned(line: Payload, source: Payload, prefix: str) -> RefundedLine:
    tax = money_of(line["total_tax_money"]) or 0
    quantity = line["quantity"].amount()
    return RefundedLine(
        id=prefix + source.required_text(),
        quantity=MICRO if quantity is None else quantity,
        net=_total(line) - tax,
        tax=tax,
    )
