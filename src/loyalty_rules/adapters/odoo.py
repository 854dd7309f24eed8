"""Odoo: orders of the point of sale, `pos.order`, as the till sends them or as the server reads them.

Odoo calculates with floats: pass the JSON text, whose numbers are read without their binary noise. `date_order` of the
server is in UTC without saying so. `discount` is a percentage. Refunded lines are below zero and name the line that
they refund; they become a return, the other lines of the order a sale. Source: semantics 2 and 11.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import attrs

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Tender, Transaction

__all__ = ["convert"]

_ENVELOPES = ("result", "records", "orders", "order", "data")
_NO_SALES = frozenset({"draft", "cancel"})


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert paid orders with their lines and payments in them, and refunds.

    A refund names the lines that it refunds; their order is `refunded_order_id`, or is found in the same call or in
    `known`. Prices are taken as with tax where the unit prices are nearer to the totals with tax.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


@attrs.frozen
class _Row:
    """A line of an order, without tax and with it; `refunds` is the id of the line that it refunds."""

    part: Payload
    id: str
    quantity: int
    net: int
    gross: int
    refunds: str | None


def _take(converter: Converter, order: Payload) -> None:
    state = order["state"]
    if state.text() in _NO_SALES:
        converter.miss(state, "an order in this state is no sale", whole=True)
        return
    sale_id = f"odoo-{_order_id(order)}"
    at = _time(converter, order)
    rows = [_row(part) for part in _rows(order["lines"])]
    bought = [row for row in rows if row.refunds is None]
    refunded = [row for row in rows if row.refunds is not None]
    included = _included(rows)
    total = order["amount_total"].nearest_amount()
    if total is None:
        raise order["amount_total"].refusal("required", "is missing")
    back = -sum(row.gross for row in refunded)
    if bought or not rows:
        _sale(converter, order, sale_id, at, bought, included, total + back)
    if refunded:
        _refunds(converter, order, sale_id, at, refunded, included)


def _rows(rows: Payload) -> Iterator[Payload]:
    """Yield the rows of a list; the till writes each as a command `[0, 0, row]`."""
    for row in rows.items():
        if isinstance(row.value, (list, tuple)) and len(row.value) == 3:
            yield Payload(row.value[2], f"{row.path}[2]")
        elif isinstance(row.value, int):
            raise row.refusal("not_an_object", "expected the row itself, found its id: read the rows, too")
        else:
            yield row


def _row(part: Payload) -> _Row:
    net, gross = part["price_subtotal"].nearest_amount(), part["price_subtotal_incl"].nearest_amount()
    quantity = part["qty"].nearest_amount()
    if net is None or gross is None or quantity is None:
        missing = next(name for name in ("price_subtotal", "price_subtotal_incl", "qty") if not part[name])
        raise part[missing].refusal("required", "is missing")
    return _Row(part, _reference(part.first("id", "uuid")) or part.path, quantity, net, gross, _refunded(part))


def _refunded(part: Payload) -> str | None:
    return _reference(part["refunded_orderline_id"])


def _reference(part: Payload) -> str | None:
    """Return the id of a record: `7`, `[7, "name"]` or false."""
    if part.value is False:
        return None
    if isinstance(part.value, (list, tuple)):
        return Payload(part.value[0], part.path).text() if part.value else None
    return part.text()


def _named(part: Payload) -> Payload:
    """Return the name of a record: the second part of `[7, "name"]`, or the value itself."""
    if isinstance(part.value, (list, tuple)) and len(part.value) == 2:
        return Payload(part.value[1], f"{part.path}[1]")
    return Payload(None if part.value is False else part.value, part.path)


def _order_id(order: Payload) -> str:
    found = _reference(order.first("id", "server_id", "uid", "pos_reference"))
    if found is None:
        raise order["id"].refusal("required", "is missing")
    return found


def _time(converter: Converter, order: Payload) -> datetime:
    return order.first("date_order", "creation_date").required_instant(converter.zone, local=UTC)


def _included(rows: list[_Row]) -> bool:
    """Return whether unit prices include tax: their sum is nearer to the totals with tax than to those without."""
    shown = sum(_shown(row) for row in rows)
    net, gross = sum(row.net for row in rows), sum(row.gross for row in rows)
    return abs(shown - gross * _HUNDRED) <= abs(shown - net * _HUNDRED)


_HUNDRED = 100 * 10**12
"""A percentage of a product of two numbers of millionths is in these units of a millionth."""


def _shown(row: _Row) -> int:
    price = row.part["price_unit"].nearest_amount() or 0
    percent = row.part["discount"].nearest_amount() or 0
    return row.quantity * price * (100 * 10**6 - percent)


# -- sales -----------------------------------------------------------------------------------------------------------


def _sale(
    converter: Converter,
    order: Payload,
    sale_id: str,
    at: datetime,
    rows: list[_Row],
    included: bool,
    amount: int,
) -> None:
    goods, tip = _without_tip(converter, order, rows)
    bill = Bill(lines=tuple(_line(converter, row) for row in goods), included=included, amount=amount, tip=tip or None)
    partner = _reference(order["partner_id"])
    sale = Transaction(
        id=sale_id,
        occurred_at=at,
        currency=converter.label(_named(order["currency_id"])),
        store=converter.label(_named(order["config_id"])),
        channel="pos",
        status=order["state"].text(),
        member=Member(id=partner) if partner else None,
        tenders=tuple(_tenders(order)),
        **bill.fields(converter, order["amount_total"]),
    )
    converter.add_sale(order, sale, at, included=included)
    for row in rows:
        converter.facts[row.id] = sale_id


def _line(converter: Converter, row: _Row) -> SoldLine:
    part = row.part
    product = _named(part["product_id"])
    return SoldLine(
        id=row.id,
        quantity=row.quantity,
        net=row.net,
        tax=row.gross - row.net,
        unit_price=part["price_unit"].nearest_amount(),
        sku=converter.label(part.first("default_code", "barcode") if part["default_code"] else product),
        category=converter.label(_named(part["pos_categ_id"])),
        tags=("reward",) if part["is_reward_line"].flag() else (),
        source=part.value,
    )


def _without_tip(converter: Converter, order: Payload, rows: list[_Row]) -> tuple[list[_Row], int]:
    """Return the lines of goods and the tip, which Odoo sells as a product."""
    tip = order["tip_amount"].nearest_amount() or 0 if order["is_tipped"].flag() else 0
    line = next((row for row in reversed(rows) if row.gross == tip), None) if tip else None
    if tip and line is None:
        converter.miss(order["tip_amount"], "no line has the amount of the tip, so that it counts as goods")
        return rows, 0
    return [row for row in rows if row is not line], tip


def _tenders(order: Payload) -> Iterator[Tender]:
    """Yield the payments; change is a row below zero, or `amount_return` of an order of the till."""
    rows = list(_rows(order["payment_ids"] if order["payment_ids"] else order["statement_ids"]))
    for row in rows:
        method = _named(row["payment_method_id"])
        yield tender((method.text() or "other").lower(), row["amount"].nearest_amount() or 0)
    change = order["amount_return"].nearest_amount() or 0
    if change and not any(row["is_change"].flag() for row in rows):
        yield tender("cash", -abs(change))


# -- refunds ---------------------------------------------------------------------------------------------------------


def _refunds(
    converter: Converter, order: Payload, order_id: str, at: datetime, rows: list[_Row], included: bool
) -> None:
    """Convert refunded lines: one return for each order that they are of."""
    named = _reference(order["refunded_order_id"])
    by_sale: dict[str, list[_Row]] = {}
    for row in rows:
        of = f"odoo-{named}" if named else _sale_of(converter, row)
        if of is None:
            converter.miss(
                row.part, "the order of the refunded line is not known: give it in the same call", whole=True
            )
        else:
            by_sale.setdefault(of, []).append(row)
    for number, (of, back) in enumerate(by_sale.items(), 1):
        lines = tuple(
            RefundedLine(id=row.refunds or row.id, quantity=-row.quantity, net=-row.net, tax=row.net - row.gross)
            for row in back
        )
        parts = RefundedParts(lines=lines, included=converter.included.get(of, included))
        event_id = f"{order_id}-return-{number}"
        converter.add_return(parts.event(converter, order, event_id=event_id, of=of, at=at))


def _sale_of(converter: Converter, row: _Row) -> str | None:
    if row.refunds in converter.facts:
        return converter.facts[row.refunds]
    sales = converter.sales.values()
    return next((sale.id for sale in sales if any(line.id == row.refunds for line in sale.lines)), None)
