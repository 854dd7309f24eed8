"""POSLog: receipts of tills in the XML of ARTS and OMG, version 6 and the older ones that share its elements.

A voided line does not count. Change is a payment below zero. `BusinessDayDate` is the day of the receipt, and a time
without an offset is a local time in the zone. Returned goods are a return of the sale that they are linked to; without
a link they are lines below zero. Vendors disagree whether amounts of lines are before discounts and with tax: the
reading that comes to the total of the receipt is taken. Source: semantics 2 and 11.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import attrs

from loyalty_rules.adapters.bills import Bill, RefundedLine, RefundedParts, SoldLine, tender
from loyalty_rules.adapters.conversion import Conversion, Converter, Enrich, converter_with
from loyalty_rules.adapters.payload import Payload, local_instant
from loyalty_rules.adapters.xml_documents import read_xml
from loyalty_rules.events import Member, Tender, Transaction
from loyalty_rules.values.amounts import MICRO, micros, micros_text

__all__ = ["convert"]

_SALES = ("Sale", "SaleForDelivery", "SaleForPickup")
_RETURNS = ("Return", "ReturnForDelivery")
_NO_SALES = frozenset({"canceled", "cancelled", "suspended", "voided", "failed"})
_VOIDING = frozenset({"postvoid", "postvoided", "void", "voided"})
_READ = frozenset({*_SALES, *_RETURNS, "Tax", "Tender", "TenderChange", "Discount", "Tip"})


def convert(
    source: str | bytes | bytearray,
    *,
    zone: str,
    enrich: Enrich | None = None,
    tax_in_prices: bool | None = None,
    known: Iterable[Transaction] = (),
) -> Conversion:
    """Convert the receipts of a POSLog document; transactions without goods, such as a sign-on, are passed over.

    `known` are sales of earlier calls: a return finds its line in them by the item. `tax_in_prices` decides only where
    the totals leave it open. Raises `DocumentError` for a text that is not XML, or has a document type.
    """
    converter = converter_with(zone, enrich, tax_in_prices, known)
    root = Payload(read_xml(source))
    logs = [*_children(root, "POSLog")] or [root]
    for log in logs:
        for transaction in _children(log, "Transaction"):
            for receipt in _children(transaction, "RetailTransaction"):
                converter.attempt(receipt, partial(_take, converter, transaction))
    return converter.result()


# -- elements --------------------------------------------------------------------------------------------------------


def _children(part: Payload, *names: str) -> Iterator[Payload]:
    for name in names:
        yield from part[name].items()


def _child(part: Payload, *names: str) -> Payload:
    """Return the first child of some names; an empty part if there is none."""
    return next(_children(part, *names), Payload(None, part[names[0]].path))


def _content(part: Payload, *names: str) -> Payload:
    """Return the text of the first child of some names."""
    child = _child(part, *names)
    return Payload(child["#"].value, child.path)


def _amount(part: Payload) -> int | None:
    """Return the amount in an element, or in its `Amount`."""
    inner = _content(part, "Amount")
    return inner.amount() if inner else Payload(part["#"].value, part.path).amount()


# -- receipts --------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Item:
    """A line of goods: sold above zero, returned below; `link` is the sale that it came from."""

    part: Payload
    id: str
    quantity: int
    extended: int
    discount: int
    tax: int
    tags: tuple[str, ...]
    link: Payload | None = None

    def value(self, reading: "_Reading") -> int:
        """Return the amount of the line in one reading of it."""
        return self.extended - self.discount if reading.less_discount else self.extended

    def worth(self, reading: "_Reading") -> int:
        """Return the amount of the line with its tax."""
        return self.value(reading) + (0 if reading.included else self.tax)


@attrs.frozen(kw_only=True)
class _Reading:
    """One reading of the amounts of lines: less their discounts or not, and with tax or without."""

    less_discount: bool
    included: bool


@attrs.frozen(kw_only=True)
class _Receipt:
    """A receipt of goods: its elements, its identity, and its amounts in the reading that comes to its total."""

    transaction: Payload
    part: Payload
    id: str
    at: datetime
    items: tuple[_Item, ...]
    tax: int
    tip: int
    grand: int | None
    reading: _Reading

    @property
    def names_taxes(self) -> bool:
        """Whether the items carry taxes of their own."""
        return any(item.tax for item in self.items)


def _take(converter: Converter, transaction: Payload, part: Payload) -> None:
    receipt_id = _receipt_id(transaction)
    for flag in (transaction["@CancelFlag"], transaction["@TrainingModeFlag"]):
        if flag.flag():
            converter.miss(flag, "a cancelled or a training receipt is no sale", found=receipt_id, whole=True)
            return
    if (part["@TransactionStatus"].text() or "").lower() in _NO_SALES:
        converter.miss(part["@TransactionStatus"], "a receipt in this status is no sale", whole=True)
        return
    at = _time(converter, transaction, part)
    items = tuple(_items(converter, part))
    tax, grand = _tax(part, items), _grand(part, items)
    tip = sum(_amount(each) or 0 for line in _lines(part) for each in _children(line, "Tip"))
    receipt = _Receipt(
        transaction=transaction,
        part=part,
        id=receipt_id,
        at=at,
        items=items,
        tax=tax,
        tip=tip,
        grand=grand,
        reading=_reading(converter, items, tax, tip, grand),
    )
    link = _child(part, "TransactionLink")
    if link and (link["@ReasonCode"].text() or "").lower() in _VOIDING:
        _void(converter, receipt, link)
        return
    _returns(converter, receipt)
    if not items or any(item.link is None for item in items):
        _sale(converter, receipt)


def _sale(converter: Converter, receipt: _Receipt) -> None:
    transaction, part, reading = receipt.transaction, receipt.part, receipt.reading
    sold = [item for item in receipt.items if item.link is None]
    returned = [item for item in receipt.items if item.link is not None]
    tax = receipt.tax - sum(item.tax for item in returned)
    bill = Bill(
        lines=tuple(_sold_line(converter, item, reading) for item in sold),
        included=reading.included,
        amount=None if receipt.grand is None else receipt.grand - sum(item.worth(reading) for item in returned),
        tax=tax,
        inner_tax=tax if reading.included and not receipt.names_taxes else 0,
        tip=receipt.tip or None,
    )
    tenders = tuple(_tenders(part))
    paid = sum(micros(each.amount) for each in tenders)
    if tenders and receipt.grand is not None and paid != receipt.grand:
        shown = micros_text(receipt.grand)
        converter.miss(part, f"the payments come to {micros_text(paid)}, not to the total of the receipt", found=shown)
    sale = Transaction(
        id=receipt.id,
        occurred_at=receipt.at,
        business_date=_content(transaction, "BusinessDayDate").day(),
        currency=_content(transaction, "CurrencyCode").text(),
        store=converter.label(_store(transaction)),
        channel="pos",
        member=_member(part),
        tenders=tenders,
        **bill.fields(converter, part),
    )
    converter.add_sale(part, sale, receipt.at, included=reading.included)
    if identity := _content(transaction, "TransactionID").text():
        converter.facts[identity] = receipt.id


def _sold_line(converter: Converter, item: _Item, reading: _Reading) -> SoldLine:
    goods, value = item.part, item.value(reading)
    price = _content(goods, "ActualSalesUnitPrice", "RegularSalesUnitPrice").amount()
    return SoldLine(
        id=item.id,
        quantity=item.quantity,
        net=value - reading.included * item.tax,
        tax=item.tax,
        unit_price=price,
        discount=item.discount,
        sku=converter.label(_item_id(goods)),
        category=converter.label(_content(goods, "MerchandiseHierarchy")),
        tags=item.tags,
        source=_flat(goods),
    )


def _flat(goods: Payload) -> Mapping[str, Any]:
    """Return the texts of an item for `enrich`: its children, one level of theirs, and its attributes."""
    flat: dict[str, Any] = {}
    for name, value in (goods.value or {}).items():
        if isinstance(value, str):
            flat[name.lstrip("@")] = value
            continue
        first = value[0]
        flat |= {key: each[0]["#"] for key, each in first.items() if isinstance(each, list) and "#" in each[0]}
        if "#" in first:
            flat[name] = first["#"]
    return flat


# -- the amounts of a receipt ------------------------------------------------------------------------------------------


def _lines(receipt: Payload) -> Iterator[Payload]:
    """Yield the lines that count: neither voided nor cancelled."""
    for line in _children(receipt, "LineItem"):
        if not (line["@VoidFlag"].flag() or line["@CancelFlag"].flag()):
            yield line


def _items(converter: Converter, receipt: Payload) -> Iterator[_Item]:
    for line in _lines(receipt):
        for name in line.value:
            if name not in _READ and not name.startswith(("@", "#")) and _child(_child(line, name), "Amount"):
                converter.miss(line[name], "a line of this kind has no place in a sale", found=name)
        for goods in _children(line, *_SALES):
            yield _item(line, goods, 1, None)
        for goods in _children(line, *_RETURNS):
            link = _child(goods, "TransactionLink", "ReturnTransactionLink")
            link = link or _child(line, "TransactionLink")
            yield _item(line, goods, -1, link or None)
        for part in _children(line, "Discount"):
            value = -abs(_amount(part) or 0)
            yield _Item(part, _number_of(line), MICRO, value, 0, 0, ("discount",))


def _item(line: Payload, goods: Payload, sign: int, link: Payload | None) -> _Item:
    quantity = _content(goods, "Quantity").amount()
    quantity = MICRO if quantity is None else quantity
    extended = _content(goods, "ExtendedAmount").required_amount()
    discount = _content(goods, "ExtendedDiscountAmount", "DiscountAmount").amount() or 0
    tax = sum(_amount(each) or 0 for each in _children(goods, "Tax"))
    if sign < 0:
        quantity, extended, discount, tax = -abs(quantity), -abs(extended), -abs(discount), -abs(tax)
    kind = (goods["@ItemType"].text() or "stock").lower()
    return _Item(
        goods, _number_of(line), quantity, extended, discount, tax, () if kind in ("stock", "item") else (kind,), link
    )


def _number_of(line: Payload) -> str:
    return _content(line, "SequenceNumber").required_text()


def _tax(receipt: Payload, items: tuple[_Item, ...]) -> int:
    """Return the tax of the receipt: that of the items, else that of the lines of tax, else the total."""
    if any(item.tax for item in items):
        return sum(item.tax for item in items)
    rows = [_amount(each) or 0 for line in _lines(receipt) for each in _children(line, "Tax")]
    total = sum(rows) if rows else _total(receipt, "TransactionTaxAmount") or 0
    only_back = bool(items) and all(item.quantity < 0 for item in items)
    return -abs(total) if only_back else total


def _total(receipt: Payload, *kinds: str) -> int | None:
    for kind in kinds:
        for each in _children(receipt, "Total"):
            if each["@TotalType"].text() == kind:
                return _amount(each)
    return None


def _grand(receipt: Payload, items: tuple[_Item, ...]) -> int | None:
    """Return the total of the receipt; below zero if goods came back alone."""
    grand = _total(receipt, "TransactionGrandAmount", "TransactionGrossAmount")
    only_back = bool(items) and all(item.quantity < 0 for item in items)
    return -abs(grand) if grand is not None and only_back else grand


def _reading(converter: Converter, items: tuple[_Item, ...], tax: int, tip: int, grand: int | None) -> _Reading:
    """Return the first reading of the lines that comes to the total."""
    first = bool(converter.tax_in_prices)
    readings = [
        _Reading(less_discount=less, included=included)
        for less in (True, False)
        for included in ((first, not first) if tax else (first,))
    ]
    for reading in readings:
        parts = sum(item.value(reading) for item in items) + tip
        if grand in (None, parts if reading.included else parts + tax):
            return reading
    return readings[0]


# -- payments ----------------------------------------------------------------------------------------------------------


def _tenders(receipt: Payload) -> Iterator[Tender]:
    """Yield the payments; change, cash back and refunds are below zero."""
    for line in _lines(receipt):
        for part in _children(line, "Tender"):
            kind = (part["@TenderType"].text() or "other").lower()
            amount = _amount(part) or 0
            refund = (part["@TypeCode"].text() or "").lower() == "refund"
            yield tender(kind, -abs(amount) if refund else amount)
            for change in _children(part, "TenderChange"):
                yield tender(kind, -abs(_amount(change) or 0))
            for back in _children(part, "Cashback"):
                yield tender("cash", -abs(_amount(back) or 0))
        for change in _children(line, "TenderChange"):
            yield tender((change["@TenderType"].text() or "cash").lower(), -abs(_amount(change) or 0))


# -- returns -----------------------------------------------------------------------------------------------------------


def _returns(converter: Converter, receipt: _Receipt) -> None:
    """Convert the returned goods that are linked to sales: one return for each sale."""
    back: dict[str, list[_Item]] = {}
    for item in receipt.items:
        if item.link is not None:
            back.setdefault(_linked(converter, receipt.transaction, item.link), []).append(item)
    alone = len(back) == 1 and all(item.link is not None for item in receipt.items)
    for number, (of, rows) in enumerate(back.items(), 1):
        if not of:
            why = "the link of the returned goods does not name a receipt"
            converter.miss(receipt.part, why, found="", whole=True)
            continue
        worth = -sum(item.worth(receipt.reading) for item in rows)
        beside = alone and not receipt.names_taxes and not receipt.reading.included
        parts = RefundedParts(
            lines=tuple(filter(None, (_refunded(converter, item, receipt.reading, of) for item in rows))),
            included=receipt.reading.included,
            amount=-receipt.grand if alone and receipt.grand is not None else worth,
            tax=-receipt.tax if beside else None,
        )
        event_id = f"{receipt.id}-return-{number}"
        converter.add_return(parts.event(converter, receipt.part, event_id=event_id, of=of, at=receipt.at))


def _refunded(converter: Converter, item: _Item, reading: _Reading, of: str) -> RefundedLine | None:
    """Return the part of a line that came back: its number is in the link, or the item is found in the sale."""
    assert item.link is not None
    line_id = _content(item.link, "LineItemSequenceNumber").text()
    sku = _item_id(item.part).text()
    if line_id is None and of in converter.sales:
        line_id = next((line.id for line in converter.sales[of].lines if line.sku == sku and sku), None)
    if line_id is None:
        converter.miss(item.part, f"the line of {of} that came back is not known, so a part of each counts", found=sku)
        return None
    value = -item.value(reading)
    return RefundedLine(id=line_id, quantity=-item.quantity, net=value + reading.included * item.tax, tax=-item.tax)


def _void(converter: Converter, receipt: _Receipt, link: Payload) -> None:
    """Take back the whole sale that a later receipt voids."""
    of = _linked(converter, receipt.transaction, link)
    sale = converter.sales.get(of)
    if not of or (sale is None and receipt.grand is None):
        converter.miss(link, "the voided receipt is not known", found=receipt.id, whole=True)
        return
    amount = micros(sale.amount) if sale is not None else abs(receipt.grand or 0)
    parts = RefundedParts(lines=(), included=False, amount=amount)
    converter.add_return(parts.event(converter, receipt.part, event_id=receipt.id, of=of, at=receipt.at))


# -- identity, time and people -----------------------------------------------------------------------------------------


def _receipt_id(transaction: Payload) -> str:
    """Return the id of a receipt: store, till, business day and number, since numbers begin anew."""
    return f"poslog-{_number(transaction) or _content(transaction, 'TransactionID').required_text()}"


def _number(part: Payload) -> str | None:
    store, till = _store(part).text(), _content(part, "WorkstationID").text()
    day, sequence = _content(part, "BusinessDayDate").day(), _content(part, "SequenceNumber").text()
    return None if None in (store, till, day, sequence) else f"{store}-{till}-{day}-{sequence}"


def _store(part: Payload) -> Payload:
    unit = _content(_child(part, "BusinessUnit"), "UnitID")
    return unit if unit else _content(part, "RetailStoreID")


def _linked(converter: Converter, transaction: Payload, link: Payload) -> str:
    """Return the id of the sale that a link names; empty if it names none. A link may leave out the same store."""
    identity = _content(link, "TransactionID").text()
    if identity is not None and identity in converter.facts:
        return converter.facts[identity]
    here = transaction.value
    number = _number(Payload({"RetailStoreID": here.get("RetailStoreID"), **link.value}, link.path))
    number = number or identity
    return f"poslog-{number}" if number else ""


def _item_id(goods: Payload) -> Payload:
    item = _content(goods, "ItemID")
    return item if item else _content(_child(goods, "POSIdentity"), "POSItemID")


def _time(converter: Converter, transaction: Payload, receipt: Payload) -> datetime:
    written = _content(transaction, "EndDateTime", "BeginDateTime")
    written = written if written else _content(receipt, "ReceiptDateTime")
    at = written.required_instant(converter.zone)
    wall = at.replace(tzinfo=None)
    if len(written.required_text()) <= len("2026-01-15T10:00:00") and not local_instant(wall, converter.zone)[1]:
        converter.miss(written, "this local time occurs twice, since clocks were put back; the first one is taken")
    return at


def _member(receipt: Payload) -> Member | None:
    account = _content(_child(receipt, "LoyaltyAccount"), "LoyaltyAccountID", "LoyaltyID")
    memberships = [each for line in _lines(receipt) for each in _children(line, "LoyaltyMembership", "LoyaltyAccount")]
    found = [
        account.text(),
        *(_content(each, "LoyaltyID", "MembershipID", "LoyaltyAccountID").text() for each in memberships),
        _content(_child(receipt, "Customer"), "CustomerID").text(),
    ]
    member = next((each for each in found if each is not None), None)
    return None if member is None else Member(id=member)
