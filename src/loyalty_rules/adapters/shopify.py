"""Shopify: orders and refunds of the Admin API, in the shapes of REST and of GraphQL, and webhooks.

The value of a line is its price times its quantity, less the discounts that are allocated to it. The fields
`total_discount` and `subtotal_price` are never used: one leaves out the share of an order's discount, the other
changes with each edit. Amounts are in the money of the shop. Source: semantics 11, documents (event).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, product_of, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Return, Tender, Transaction
from loyalty_rules.values.amounts import MICRO, micros, micros_text

__all__ = ["convert"]

_ENVELOPES = ("data", "orders", "order", "edges", "node", "nodes")
_PAID = frozenset({"sale", "capture"})
_NEVER_PAID = frozenset({"pending", "voided", "authorized", "expired"})
_WAS_PAID = frozenset({"paid", "partially_refunded", "refunded"})


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert orders, with their refunds, and refunds of webhooks.

    A later version of an order becomes an amendment or an update. `known` are sales of earlier calls, so that a
    version or a refund that comes alone finds its sale. `tax_in_prices` overrides the order's `taxes_included`.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


def _take(converter: Converter, part: Payload) -> None:
    if not isinstance(part.value, Mapping):
        raise part.refusal("not_an_object", "expected an order or a refund")
    order = Payload(_as_rest(part.value), part.path)
    refunds = [order["refund"]] if order["refund"] else list(order["refunds"].items()) if not order["id"] else []
    if order["line_items"].value is None and (order["order_id"] or order["order"]):
        refunds = [order]
    if refunds:
        for refund in refunds:
            converter.attempt(refund, lambda refund: _refund(converter, refund, _sale_of(refund)))
        return
    if order["test"].flag():
        converter.miss(order["test"], "a test order is no sale", found=order["id"].shown(), whole=True)
        return
    _order(converter, order)


# -- orders ----------------------------------------------------------------------------------------------------------


def _order(converter: Converter, order: Payload) -> None:
    sale_id = _sale_id(order["id"])
    occurred_at = order.first("processed_at", "created_at").required_instant(converter.zone)
    at = order["updated_at"].instant(converter.zone) or occurred_at
    bill = _bill(converter, order)
    sale = Transaction(
        id=sale_id,
        occurred_at=occurred_at,
        currency=order.first("currency", "currency_code").text(),
        store=converter.label(order.first("location_id", "retail_location")),
        channel=converter.label(order["source_name"]),
        status=_status(order),
        member=_member(converter, order["customer"]),
        tenders=_tenders(converter, order, bill.amount),
        **bill.fields(converter, order["total_price"]),
    )
    converter.add_sale(order, sale, at, included=bill.included)
    for refund in order["refunds"].items():
        converter.attempt(refund, lambda refund: _refund(converter, refund, sale_id))
    if order["cancelled_at"] and order["financial_status"].text() in _NEVER_PAID:
        converter.attempt(order["cancelled_at"], lambda part: _cancelled(converter, part, sale))


def _bill(converter: Converter, order: Payload) -> Bill:
    included = order["taxes_included"].flag()
    lines, tips = [], []
    for line in order["line_items"].items():
        if line["tip"]:
            tips.append(product_of(_quantity(line), _money(line, "price")))
        else:
            lines.append(_line(converter, line, included))
    shipping = [each for each in order["shipping_lines"].items() if not each["is_removed"].flag()]
    shipping_tax = sum(_tax(each) for each in shipping)
    shipping_shown = sum(_money(each, "price") - _discounts(each) for each in shipping)
    duties = _optional_money(order, "original_total_duties")
    if duties:
        lines.append(SoldLine(id="duties", quantity=MICRO, net=duties, tags=("duty",)))
    return Bill(
        lines=tuple(lines),
        included=included,
        amount=_money(order, "total_price"),
        shipping=shipping_shown - included * shipping_tax if shipping else None,
        shipping_tax=shipping_tax,
        tax=_optional_money(order, "total_tax"),
        tip=sum(tips) if tips else _optional_money(order, "total_tip_received"),
    )


def _line(converter: Converter, line: Payload, included: bool) -> SoldLine:
    quantity, price, tax = _quantity(line), _money(line, "price"), _tax(line)
    discount = _discounts(line)
    shown = product_of(quantity, price) - discount
    return SoldLine(
        id=_number_of(line["id"]),
        quantity=quantity,
        net=shown - included * tax,
        tax=tax,
        unit_price=price,
        discount=discount,
        sku=converter.label(line["sku"]),
        category=converter.label(line["product_type"]),
        brand=converter.label(line["vendor"]),
        tags=("gift_card",) if line["gift_card"].flag() or line["is_gift_card"].flag() else (),
        source=line.value,
    )


def _status(order: Payload) -> str | None:
    if order["cancelled_at"]:
        return "cancelled"
    if order["fulfillment_status"].text() == "fulfilled":
        return "fulfilled"
    return order["financial_status"].text()


def _member(converter: Converter, customer: Payload) -> Member | None:
    if not customer["id"]:
        return None
    tags = customer["tags"]
    parts = (Payload(tags.value.split(","), tags.path) if isinstance(tags.value, str) else tags).items()
    return Member(id=_number_of(customer["id"]), tags=converter.labels(parts) or None)


def _tenders(converter: Converter, order: Payload, amount: int | None) -> tuple[Tender, ...]:
    """Return the payments; an order without its transactions names the gateways alone."""
    rows = [
        tender(each["gateway"].required_text(), _money(each, "amount"))
        for each in order["transactions"].items()
        if each["kind"].text() in _PAID and each["status"].text() == "success"
    ]
    gateways = [each.required_text() for each in order["payment_gateway_names"].items()]
    if rows or not gateways or order["financial_status"].text() not in _WAS_PAID:
        return tuple(rows)
    if len(gateways) == 1 and amount is not None:
        return (tender(gateways[0], amount),)
    converter.miss(
        order["payment_gateway_names"],
        "the order does not say how much each of them paid: send it with its transactions",
        found=", ".join(gateways),
    )
    return ()


def _cancelled(converter: Converter, part: Payload, sale: Transaction) -> None:
    """Take the rest of an order back that was cancelled and never paid; a paid one has refunds."""
    back = sum(micros(each.amount or sale.amount) for each in _returns_of(converter, sale.id))
    rest = micros(sale.amount) - back
    if rest > 0:
        parts = RefundedParts(lines=(), included=False, amount=rest)
        at = part.required_instant(converter.zone)
        converter.add_return(parts.event(converter, part, event_id=f"{sale.id}-cancelled", of=sale.id, at=at))


def _returns_of(converter: Converter, sale_id: str) -> Iterator[Return]:
    return (event for event in converter.events if isinstance(event, Return) and event.of == sale_id)


# -- refunds ---------------------------------------------------------------------------------------------------------


def _refund(converter: Converter, refund: Payload, of: str) -> None:
    """Convert a refund: the lines, the postage, and the adjustments that are on neither."""
    at = refund.first("processed_at", "created_at").required_instant(converter.zone)
    items = list(refund["refund_line_items"].items())
    shown = [(item, _money(item, "subtotal"), _optional_money(item, "total_tax") or 0) for item in items]
    postage, postage_tax = _postage(refund)
    adjustment = _adjustment(refund)
    paid = _paid_back(refund)
    gross = sum(value for _, value, _ in shown) + postage - adjustment
    tax = sum(tax for _, _, tax in shown) + postage_tax
    included = converter.included.get(of, paid == gross)
    lines = tuple(
        RefundedLine(
            id=_number_of(item["line_item_id"] if item["line_item_id"] else item["line_item"]["id"]),
            quantity=_quantity(item),
            net=value - included * tax,
            tax=tax,
        )
        for item, value, tax in shown
    )
    lines += tuple(RefundedLine(id="duties", quantity=0, net=_money(each, "amount")) for each in _duties(refund))
    gross += sum(line.net for line in lines[len(items) :])
    amount = gross if included else gross + tax
    if tax and paid is None and of not in converter.included:
        converter.miss(refund, "the order is not known here; its prices are taken as without tax", found=of)
    if paid is not None and paid != amount:
        converter.miss(
            refund["transactions"],
            f"the parts of this refund come to {micros_text(amount)}; the amount is the money that was paid",
            found=micros_text(paid),
        )
        amount = paid
    parts = RefundedParts(
        lines=lines,
        included=included,
        amount=max(amount, 0),
        shipping=postage - included * postage_tax,
        shipping_tax=postage_tax,
    )
    if amount or lines:
        event_id = f"shopify-refund-{_number_of(refund['id'])}"
        converter.add_return(parts.event(converter, refund, event_id=event_id, of=of, at=at))


def _postage(refund: Payload) -> tuple[int, int]:
    """Return the postage of a refund as the shop shows it, and its tax; older versions have it as an adjustment."""
    lines = list(refund["refund_shipping_lines"].items())
    if lines:
        return (
            sum(_money(each, "subtotal_amount") for each in lines),
            sum(_optional_money(each, "tax_amount") or 0 for each in lines),
        )
    rows = [each for each in refund["order_adjustments"].items() if each["kind"].text() == "shipping_refund"]
    return (
        -sum(_money(each, "amount") for each in rows),
        -sum(_optional_money(each, "tax_amount") or 0 for each in rows),
    )


def _adjustment(refund: Payload) -> int:
    """Return the sum of the adjustments that are no postage: above zero is money that the shop kept."""
    return sum(
        _money(each, "amount") + (_optional_money(each, "tax_amount") or 0)
        for each in refund["order_adjustments"].items()
        if each["kind"].text() != "shipping_refund"
    )


def _duties(refund: Payload) -> Iterator[Payload]:
    duties = refund["duties"]
    return duties.items() if isinstance(duties.value, (list, tuple)) else duties["duties"].items()


def _paid_back(refund: Payload) -> int | None:
    """Return the money that went back; None if the refund names no payments, or one that has not ended."""
    rows = [each for each in refund["transactions"].items() if each["kind"].text() == "refund"]
    if not rows or any(each["status"].text() not in ("success", "failure", "error") for each in rows):
        return None
    return sum(_money(each, "amount") for each in rows if each["status"].text() == "success")


# -- values ----------------------------------------------------------------------------------------------------------


def _quantity(line: Payload) -> int:
    return line["quantity"].required_amount()


def _money(part: Payload, name: str) -> int:
    """Return an amount in the money of the shop. Raises `InvalidValueError` if there is none."""
    found = _optional_money(part, name)
    return part[name].required_amount() if found is None else found


def _optional_money(part: Payload, name: str) -> int | None:
    in_shop = part[f"{name}_set"]["shop_money"]["amount"]
    return in_shop.amount() if in_shop else part[name].amount()


def _discounts(line: Payload) -> int:
    return sum(_money(each, "amount") for each in line["discount_allocations"].items())


def _tax(line: Payload) -> int:
    return sum(_money(each, "price") for each in line["tax_lines"].items())


def _sale_id(part: Payload) -> str:
    return f"shopify-{_number_of(part)}"


def _sale_of(refund: Payload) -> str:
    return _sale_id(refund["order_id"] if refund["order_id"] else refund["order"]["id"])


def _number_of(part: Payload) -> str:
    """Return an id without the prefix of GraphQL, `gid://shopify/Order/`."""
    return part.required_text().rpartition("/")[2].partition("?")[0]


# -- the shape of GraphQL ----------------------------------------------------------------------------------------------

_RENAMED = {
    "original_unit_price_set": "price_set",
    "allocated_amount_set": "amount_set",
    "original_price_set": "price_set",
    "display_financial_status": "financial_status",
    "display_fulfillment_status": "fulfillment_status",
}
_ENUMS = frozenset({"financial_status", "fulfillment_status", "kind", "status"})


def _as_rest(value: Any, depth: int = 12) -> Any:
    """Return a document of GraphQL in the shape of REST: names with underscores, connections as lists."""
    if isinstance(value, Mapping):
        for key in ("nodes", "edges"):
            if isinstance(value.get(key), (list, tuple)):
                return _as_rest([each.get("node") if key == "edges" else each for each in value[key]], depth)
        named = {_name(key): _as_rest(item, depth - 1) if depth else item for key, item in value.items()}
        for key in _ENUMS & named.keys():
            if isinstance(named[key], str):
                named[key] = named[key].lower()
        return named
    if isinstance(value, (list, tuple)) and depth:
        return [_as_rest(item, depth - 1) for item in value]
    return value


def _name(key: Any) -> str:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(key)).lower()
    return _RENAMED.get(name, name)
