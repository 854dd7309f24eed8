"""Stripe: Checkout sessions with their line items, and refunds of their payments.

Money is in minor units; for three currencies Stripe departs from ISO 4217. A session without its line items, or with a
part of them, gives a sale without the missing lines, which is listed: expand `line_items`. Source: semantics 11.
"""

from collections.abc import Iterable, Mapping

from loyalty_rules.adapters.bills import Bill, RefundedParts, SoldLine, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Document, Enrich, converted
from loyalty_rules.adapters.minor_units import amount_in
from loyalty_rules.adapters.payload import Payload
from loyalty_rules.events import Member, Tender, Transaction
from loyalty_rules.values.amounts import MICRO

__all__ = ["convert"]

_ENVELOPES = ("data", "object")
_DECIMALS: Mapping[str, int] = {"ISK": 2, "MGA": 0, "UGX": 2}
_PAID = frozenset({"paid", "no_payment_required"})


def convert(
    source: Document,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert paid Checkout sessions, webhook events with one, and refunds.

    A refund names the payment alone, so its session must be in the same call or in `known`.
    `tax_in_prices` overrides the `tax_behavior` of the prices.
    """
    return converted(source, _take, _ENVELOPES, zone=zone, enrich=enrich, tax_in_prices=tax_in_prices, known=known)


def _take(converter: Converter, part: Payload) -> None:
    kind = part["object"].text()
    if kind == "refund":
        _refund(converter, part)
    elif kind == "charge":
        for refund in part["refunds"]["data"].items():
            converter.attempt(refund, lambda refund: _refund(converter, refund))
    elif part["payment_status"].text() not in _PAID:
        converter.miss(part["payment_status"], "a session that is not paid is no sale", whole=True)
    else:
        _session(converter, part)


# -- sessions --------------------------------------------------------------------------------------------------------


def _session(converter: Converter, session: Payload) -> None:
    currency = session["currency"].required_text()
    payment = _id_of(session["payment_intent"])
    bill = _bill(converter, session, currency)
    created = session["created"].required_instant(converter.zone)
    customer = session["client_reference_id"].text() or _id_of(session["customer"])
    sale = Transaction(
        id=f"stripe-{session['id'].required_text()}",
        occurred_at=created,
        currency=currency.upper(),
        channel=converter.label(session["mode"]),
        status=session["payment_status"].text(),
        member=Member(id=customer) if customer else None,
        tenders=_tenders(session, bill.amount),
        custom_fields={"payment_intent": payment} if payment else {},
        **bill.fields(converter, session["amount_total"]),
    )
    converter.add_sale(session, sale, created, included=bill.included)
    if payment:
        converter.facts[payment] = sale.id


def _bill(converter: Converter, session: Payload, currency: str) -> Bill:
    items = session["line_items"]
    lines = tuple(_line(line, currency) for line in items["data"].items())
    if not lines or items["has_more"].flag():
        converter.miss(items, "not all lines are in the session: expand line_items, and list further pages", found="")
    cost, details = session["shipping_cost"], session["total_details"]
    shipping = amount_in(cost["amount_total"], currency, _DECIMALS)
    shipping_tax = amount_in(cost["amount_tax"], currency, _DECIMALS) or 0
    return Bill(
        lines=lines,
        included=_included(session),
        amount=amount_in(session["amount_total"], currency, _DECIMALS),
        shipping=amount_in(details["amount_shipping"], currency, _DECIMALS)
        if shipping is None
        else shipping - shipping_tax,
        shipping_tax=shipping_tax,
        tax=amount_in(details["amount_tax"], currency, _DECIMALS),
    )


def _line(line: Payload, currency: str) -> SoldLine:
    total = amount_in(line["amount_total"], currency, _DECIMALS)
    tax = amount_in(line["amount_tax"], currency, _DECIMALS) or 0
    if total is None:
        raise line["amount_total"].refusal("required", "is missing")
    quantity = line["quantity"].whole()
    return SoldLine(
        id=line["id"].required_text(),
        quantity=(1 if quantity is None else quantity) * MICRO,
        net=total - tax,
        tax=tax,
        unit_price=amount_in(line["price"]["unit_amount"], currency, _DECIMALS),
        discount=amount_in(line["amount_discount"], currency, _DECIMALS),
        sku=_id_of(line["price"]["product"]),
        source=line.value,
    )


def _included(session: Payload) -> bool:
    """Return whether every price of the session includes tax."""
    kinds = [line["price"]["tax_behavior"].text() for line in session["line_items"]["data"].items()]
    return bool(kinds) and all(kind == "inclusive" for kind in kinds)


def _tenders(session: Payload, amount: int | None) -> tuple[Tender, ...]:
    """Return the payment; a session that allows several methods does not say which one was used."""
    methods = [each.required_text() for each in session["payment_method_types"].items()]
    return (tender(methods[0], amount),) if len(methods) == 1 and amount else ()


def _id_of(part: Payload) -> str | None:
    """Return an id, whether the object is expanded or not."""
    return part["id"].text() if isinstance(part.value, Mapping) else part.text()


# -- refunds ---------------------------------------------------------------------------------------------------------


def _refund(converter: Converter, refund: Payload) -> None:
    payment = _id_of(refund["payment_intent"])
    sale_id = _sale_of(converter, payment) if payment else None
    if sale_id is None:
        converter.miss(
            refund["payment_intent"], "no session of this payment is known: give it in the same call", whole=True
        )
        return
    if refund["status"].text() in ("failed", "canceled"):
        converter.miss(refund["status"], "no money went back", whole=True)
        return
    amount = amount_in(refund["amount"], refund["currency"].required_text(), _DECIMALS)
    parts = RefundedParts(lines=(), included=False, amount=amount)
    event_id = f"stripe-{refund['id'].required_text()}"
    at = refund["created"].required_instant(converter.zone)
    converter.add_return(parts.event(converter, refund["amount"], event_id=event_id, of=sale_id, at=at))


def _sale_of(converter: Converter, payment: str) -> str | None:
    """Return the sale of a payment, of this call or of an earlier one."""
    if payment in converter.facts:
        return converter.facts[payment]
    sales = converter.sales.values()
    return next((sale.id for sale in sales if sale.custom_fields.get("payment_intent") == payment), None)
