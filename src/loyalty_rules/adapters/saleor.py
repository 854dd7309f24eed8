"""Saleor: orders of webhooks, in the shape of subscriptions and in the older one, with refunds and returned goods.

Lines have their total with and without tax. A discount of the whole order that no line has is a line with the tag
`discount`. Saleor writes amounts as JSON numbers: pass the text, or parse it with `parse_float=Decimal`.
Source: semantics 11, documents (event).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, product_of, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Transaction
from loyalty_rules.values.amounts import MICRO

__all__ = ["convert"]

_ENVELOPES = ("data", "event", "orders", "order", "edges", "node")
_NO_SALES = frozenset({"draft", "unconfirmed", "expired"})
_GOODS_BACK = frozenset({"returned", "refunded", "refunded_and_returned"})


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert orders, with their granted refunds and the fulfillments that came back.

    Prices are taken as with tax, unless `displayGrossPrices` or `tax_in_prices` is false. Later versions of an order
    become amendments and updates; `known` are sales of earlier calls.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


def _take(converter: Converter, part: Payload) -> None:
    order = Payload(_flat(part.value), part.path)
    status = (order["status"].text() or "").lower()
    if status in _NO_SALES:
        converter.miss(order["status"], "an order in this status is no sale", whole=True)
        return
    sale_id = f"saleor-{order['id'].required_text()}"
    occurred_at = order.first("created", "created_at").required_instant(converter.zone)
    bill = _bill(converter, order)
    sale = Transaction(
        id=sale_id,
        occurred_at=occurred_at,
        currency=order.first("total_gross_currency", "currency", "channel_currency_code").text(),
        channel=converter.label(order.first("channel_slug", "channel")) if order["channel_slug"] else None,
        status=status or None,
        member=_member(order),
        tenders=tuple(
            tender(each["gateway"].required_text(), _number(each, "captured_amount"))
            for each in order["payments"].items()
            if each["is_active"].flag() and each["captured_amount"]
        ),
        **bill.fields(converter, order["total_gross_amount"]),
    )
    at = order["updated_at"].instant(converter.zone) or occurred_at
    converter.add_sale(order, sale, at, included=bill.included)
    for refund in order["granted_refunds"].items():
        converter.attempt(refund, lambda refund: _granted(converter, refund, order, sale_id))
    if not order["granted_refunds"]:
        for each in order["fulfillments"].items():
            if (each["status"].text() or "").lower() in _GOODS_BACK:
                converter.attempt(each, lambda part: _fulfillment(converter, part, order, sale_id))


def _bill(converter: Converter, order: Payload) -> Bill:
    shown = order["display_gross_prices"]
    included = shown.value is None or shown.flag()
    lines = [_line(converter, line, included) for line in order["lines"].items()]
    gross, net = _optional(order, "shipping_price_gross_amount"), _optional(order, "shipping_price_net_amount")
    total = _number(order, "total_gross_amount")
    parts = sum(line.net + line.tax for line in lines) + (gross or 0)
    discounts = sum(
        _optional(each, "amount_value") or _optional(each, "amount") or 0 for each in order["discounts"].items()
    )
    if discounts and parts - discounts == total:
        lines.append(SoldLine(id="discount", quantity=MICRO, net=-discounts, tags=("discount",)))
    return Bill(
        lines=tuple(lines),
        included=included,
        amount=total,
        shipping=gross if net is None else net,
        shipping_tax=0 if gross is None or net is None else gross - net,
    )


def _line(converter: Converter, line: Payload, included: bool) -> SoldLine:
    quantity = line["quantity"].required_amount()
    gross, net = _number(line, "total_price_gross_amount"), _number(line, "total_price_net_amount")
    return SoldLine(
        id=line["id"].required_text(),
        quantity=quantity,
        net=net,
        tax=gross - net,
        unit_price=_optional(line, f"unit_price_{'gross' if included else 'net'}_amount"),
        sku=converter.label(line["product_sku"]),
        tags=("gift",) if line["is_gift"].flag() else (),
        source=line.value,
    )


def _member(order: Payload) -> Member | None:
    user = order["user_id"].text() or order["user_email"].text()
    return Member(id=user) if user else None


# -- refunds ---------------------------------------------------------------------------------------------------------


def _granted(converter: Converter, refund: Payload, order: Payload, of: str) -> None:
    lines = _back(converter, refund["lines"], order, of)
    shipping, shipping_tax = _postage(order) if refund["shipping_costs_included"].flag() else (0, 0)
    parts = RefundedParts(
        lines=lines,
        included=converter.included[of],
        amount=_number(refund, "amount"),
        shipping=shipping,
        shipping_tax=shipping_tax,
    )
    at = refund["created_at"].required_instant(converter.zone)
    event_id = f"saleor-refund-{refund['id'].required_text()}"
    converter.add_return(parts.event(converter, refund["amount"], event_id=event_id, of=of, at=at))


def _fulfillment(converter: Converter, part: Payload, order: Payload, of: str) -> None:
    lines = _back(converter, part["lines"], order, of)
    refunded = _optional(part, "total_refund_amount") or _optional(part, "total_refunded_amount")
    postage = _optional(part, "shipping_refund_amount") or _optional(part, "shipping_refunded_amount")
    shipping, shipping_tax = _postage(order) if postage else (0, 0)
    parts = RefundedParts(
        lines=lines, included=converter.included[of], amount=refunded, shipping=shipping, shipping_tax=shipping_tax
    )
    at = part.first("created", "created_at").required_instant(converter.zone)
    event_id = f"saleor-fulfillment-{part['id'].required_text()}"
    converter.add_return(parts.event(converter, part, event_id=event_id, of=of, at=at))


def _postage(order: Payload) -> tuple[int, int]:
    gross = _optional(order, "shipping_price_gross_amount") or 0
    net = _optional(order, "shipping_price_net_amount")
    return (gross, 0) if net is None else (net, gross - net)


def _back(converter: Converter, rows: Payload, order: Payload, of: str) -> tuple[RefundedLine, ...]:
    """Return the parts of the order's lines that came back: the price of a unit times the quantity."""
    sold = {each["id"].text(): each for each in order["lines"].items()}
    found = []
    for row in rows.items():
        line_id, quantity = row.first("order_line_id", "id").required_text(), row["quantity"].required_amount()
        line = sold.get(line_id)
        bought = line["quantity"].amount() if line is not None else None
        if line is None or not bought:
            converter.miss(row, f"the order {of} has no such line", found=line_id)
            continue
        total, net = _number(line, "total_price_gross_amount"), _number(line, "total_price_net_amount")
        unit = _optional(line, "unit_price_gross_amount")
        gross = total if quantity >= bought or unit is None else min(product_of(quantity, unit), total)
        tax = total - net if quantity >= bought else (total - net) * quantity // bought
        found.append(RefundedLine(id=line_id, quantity=quantity, net=gross - tax, tax=tax))
    return tuple(found)


# -- the two shapes --------------------------------------------------------------------------------------------------


def _number(part: Payload, name: str) -> int:
    found = _optional(part, name)
    return part[name].required_amount() if found is None else found


def _optional(part: Payload, name: str) -> int | None:
    """Return an amount that is a number, or an object with `amount`."""
    found = part[f"{name}_amount"] if isinstance(part[name].value, Mapping) else part[name]
    return found.nearest_amount()


def _flat(value: Any, depth: int = 8) -> Any:
    """Return a document of a subscription in the older shape: `total.gross.amount` becomes `total_gross_amount`."""
    if isinstance(value, (list, tuple)) and depth:
        return [_flat(each, depth - 1) for each in value]
    if not isinstance(value, Mapping) or not depth:
        return value
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name, inner = _underscored(str(key)), _flat(item, depth - 1)
        if isinstance(inner, Mapping):
            flat |= {f"{name}_{each}": content for each, content in inner.items()}
        flat[name] = inner
    return flat


def _underscored(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
