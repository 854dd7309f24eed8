"""WooCommerce: orders of the REST API, version 3, and their refunds.

The value of a line is its `total`, which is after discounts and without tax; `total_tax` is its tax. A fee is a line
with the tag `fee`. An order holds summaries of its refunds alone: the refunds themselves come from
`/orders/ID/refunds`, put into the order as `refunds`, or alone with `parent_id`. Source: semantics 11.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Transaction
from loyalty_rules.values.amounts import MICRO

__all__ = ["convert"]

_ENVELOPES = ("orders", "order", "data")
_UTC = ZoneInfo("UTC")
_NO_SALES = frozenset({"auto-draft", "checkout-draft", "failed", "trash"})
_REFUNDED_ITEM = "_refunded_item_id"


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert orders, and refunds in full; later versions of an order become amendments and updates.

    `tax_in_prices` overrides the order's `prices_include_tax`. `known` are sales of earlier calls.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


def _take(converter: Converter, part: Payload) -> None:
    if part["parent_id"].whole() and part["status"].value is None:
        _refund(converter, part, _sale_id(part["parent_id"]))
    elif part["status"].text() in _NO_SALES:
        converter.miss(part["status"], "an order in this status is no sale", whole=True)
    else:
        _order(converter, part)


def _sale_id(part: Payload) -> str:
    return f"woocommerce-{part.required_text()}"


# -- orders ----------------------------------------------------------------------------------------------------------


def _order(converter: Converter, order: Payload) -> None:
    sale_id = _sale_id(order["id"])
    bill = _bill(converter, order)
    method = converter.label(order["payment_method"])
    paid = order.first("date_paid_gmt", "date_paid") and bill.amount is not None
    customer = order["customer_id"].text()
    sale = Transaction(
        id=sale_id,
        occurred_at=_at(converter, order, "date_created"),
        currency=order["currency"].text(),
        channel=converter.label(order["created_via"]),
        status=order["status"].text(),
        member=Member(id=customer) if customer not in (None, "0") else None,
        tenders=(tender(method, bill.amount),) if method and paid and bill.amount is not None else (),
        **bill.fields(converter, order["total"]),
    )
    at = (
        _at(converter, order, "date_modified")
        if order.first("date_modified_gmt", "date_modified")
        else sale.occurred_at
    )
    converter.add_sale(order, sale, at, included=bill.included)
    for refund in order["refunds"].items():
        converter.attempt(refund, lambda refund: _refund(converter, refund, sale_id))


def _at(converter: Converter, part: Payload, name: str) -> datetime:
    """Return an instant: the one in UTC if it is there, else the local one."""
    in_utc = part[f"{name}_gmt"]
    if in_utc:
        return in_utc.required_instant(converter.zone, local=_UTC)
    return part[name].required_instant(converter.zone)


def _bill(converter: Converter, order: Payload) -> Bill:
    included = order["prices_include_tax"].flag()
    fees = [_priced(each, prefix="fee-", tags=("fee",)) for each in order["fee_lines"].items()]
    shipping = list(order["shipping_lines"].items())
    return Bill(
        lines=(*(_line(converter, each, included) for each in order["line_items"].items()), *fees),
        included=included,
        amount=order["total"].required_amount(),
        shipping=sum(_net(each) for each in shipping) if shipping else order["shipping_total"].amount(),
        shipping_tax=sum(_tax(each) for each in shipping) if shipping else order["shipping_tax"].amount() or 0,
        tax=order["total_tax"].amount(),
    )


def _line(converter: Converter, line: Payload, included: bool) -> SoldLine:
    quantity = line["quantity"].required_amount()
    before, tax_before = line["subtotal"].amount(), line["subtotal_tax"].amount() or 0
    shown = None if before is None else before + included * tax_before
    discount = None if shown is None else shown - _net(line) - included * _tax(line)
    return SoldLine(
        id=line["id"].required_text(),
        quantity=quantity,
        net=_net(line),
        tax=_tax(line),
        unit_price=_unit_price(shown, quantity),
        discount=discount,
        sku=converter.label(line["sku"]),
        source=line.value,
    )


def _unit_price(shown: int | None, quantity: int) -> int | None:
    """Return the price of one unit, or None if it has more than six decimals."""
    if shown is None or quantity <= 0 or shown * MICRO % quantity:
        return None
    return shown * MICRO // quantity


def _priced(part: Payload, prefix: str, tags: tuple[str, ...]) -> SoldLine:
    return SoldLine(
        id=prefix + part["id"].required_text(),
        quantity=MICRO,
        net=_net(part),
        tax=_tax(part),
        tags=tags,
        source=part.value,
    )


def _net(part: Payload) -> int:
    return part["total"].required_amount()


def _tax(part: Payload) -> int:
    return part["total_tax"].amount() or 0


# -- refunds ---------------------------------------------------------------------------------------------------------


def _refund(converter: Converter, refund: Payload, of: str) -> None:
    if not refund.first("date_created_gmt", "date_created"):
        converter.miss(
            refund, "this is a summary of a refund: put the refunds of /orders/ID/refunds into the order", whole=True
        )
        return
    lines = [_returned(converter, line, "") for line in refund["line_items"].items()]
    lines += [_returned(converter, line, "fee-") for line in refund["fee_lines"].items()]
    amount = refund["amount"].amount()
    parts = RefundedParts(
        lines=tuple(line for line in lines if line is not None),
        included=converter.included.get(of, False),
        amount=None if amount is None else abs(amount),
        shipping=-sum(_net(each) for each in refund["shipping_lines"].items()),
        shipping_tax=-sum(_tax(each) for each in refund["shipping_lines"].items()),
    )
    event_id = f"woocommerce-refund-{refund['id'].required_text()}"
    at = _at(converter, refund, "date_created")
    converter.add_return(parts.event(converter, refund["amount"], event_id=event_id, of=of, at=at))


def _returned(converter: Converter, line: Payload, prefix: str) -> RefundedLine | None:
    """Return the part of a line that came back; its numbers are below zero in a refund."""
    original = next(
        (each["value"] for each in line["meta_data"].items() if each["key"].text() == _REFUNDED_ITEM), Payload(None)
    )
    if not original:
        converter.miss(line, f"the line has no {_REFUNDED_ITEM}, so its line of the order is not known", found="")
        return None
    quantity = line["quantity"].amount() or 0
    return RefundedLine(id=prefix + original.required_text(), quantity=abs(quantity), net=-_net(line), tax=-_tax(line))
