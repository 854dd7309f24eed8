"""Conversion: events from documents of another system, and a list of everything that they could not carry.

A document that cannot be read does not stop the others: it is listed as not carried, as a whole. Versions of an order
that come later become amendments and updates of its sale. Source: semantics 11, documents (event).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from loyalty_rules.adapters.payload import Payload
from loyalty_rules.documents.sources import read_json
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Amendment, Return, Transaction, Update
from loyalty_rules.values.dates import read_zone
from loyalty_rules.values.identifiers import read_name

__all__ = [
    "Conversion",
    "ConvertedEvent",
    "Converter",
    "Document",
    "Enrich",
    "NotCarried",
    "converted",
    "converter_with",
]

Enrich: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""A function from a line of the system to fields of the line of the event: `category`, `brand`, `tags`, `sku`,
`extended_fields`. The values replace those that the adapter found; None changes nothing."""

ConvertedEvent: TypeAlias = Transaction | Return | Amendment | Update
"""The events that orders become; `type` tells them apart, also for a type checker."""

Document: TypeAlias = Mapping[str, Any] | Iterable[Mapping[str, Any]] | str | bytes | bytearray
"""One document of a system, several, or their JSON text."""

ENRICHED = frozenset({"sku", "category", "brand", "tags", "extended_fields"})


@attrs.frozen
class NotCarried:
    """A part of a document that the events do not have: its place, its content and the reason.

    `whole` is true if an order, a refund or a version is missing altogether.
    """

    path: str
    found: str
    why: str
    whole: bool = False

    def __str__(self) -> str:
        found = f" found {self.found}:" if self.found else ""
        return f"{self.path}:{found} {self.why}"


@attrs.frozen
class Conversion:
    """The events of some documents, in the order of the documents, and the parts that they could not carry."""

    events: tuple[ConvertedEvent, ...]
    not_carried: tuple[NotCarried, ...]


@attrs.define(kw_only=True)
class Converter:
    """The state of a conversion: its settings, and the events, sales and missing parts so far."""

    zone: tzinfo
    enrich: Enrich | None = None
    tax_in_prices: bool | None = None
    events: list[ConvertedEvent] = attrs.field(factory=list)
    not_carried: list[NotCarried] = attrs.field(factory=list)
    sales: dict[str, Transaction] = attrs.field(factory=dict)
    included: dict[str, bool] = attrs.field(factory=dict)
    versions: dict[str, datetime] = attrs.field(factory=dict)
    returns: set[str] = attrs.field(factory=set)
    facts: dict[str, str] = attrs.field(factory=dict)

    def result(self) -> Conversion:
        """Return the events and the missing parts so far."""
        return Conversion(tuple(self.events), tuple(self.not_carried))

    def miss(self, part: Payload, why: str, *, found: str | None = None, whole: bool = False) -> None:
        """List a part of the document that the events do not have."""
        self.not_carried.append(NotCarried(part.path, part.shown() if found is None else found, why, whole))

    def label(self, part: Payload) -> str | None:
        """Return a name or a category of the system; one that an event cannot hold is listed."""
        text = part.text()
        if text is None:
            return None
        text = " ".join(text.split())
        try:
            return read_name(text)
        except InvalidValueError as error:
            self.miss(part, error.message, found="")
            return None

    def labels(self, parts: Iterable[Payload]) -> tuple[str, ...]:
        """Return names of the system, each once."""
        return tuple(dict.fromkeys(each for each in map(self.label, parts) if each is not None))

    def enriched(self, source: Mapping[str, Any] | None, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a line with those that the host adds. Raises `TypeError` for another field."""
        added = self.enrich(source) if self.enrich is not None and source is not None else None
        if not added:
            return fields
        if unknown := sorted(set(added) - ENRICHED):
            raise TypeError(f"enrich may return {', '.join(sorted(ENRICHED))}; found {unknown[0]!r}")
        return {**fields, **added}

    def attempt(self, part: Payload, take: Callable[[Payload], None]) -> None:
        """Convert one order or refund; if it cannot be read, none of its events remain and it is listed."""
        count = len(self.events)
        try:
            take(part)
        except InvalidValueError as error:
            del self.events[count:]
            for each in (error, *error.others):
                path = each.name if each.name.startswith("$") else f"{part.path} ({each.name})"
                self.not_carried.append(NotCarried(path, "", each.message, whole=True))

    # -- sales and returns -------------------------------------------------------------------------------------------

    def add_sale(self, part: Payload, sale: Transaction, at: datetime, *, included: bool) -> None:
        """Add a sale, or the changes since its version before: an amendment of the bill, an update of the status."""
        before, latest = self.sales.get(sale.id), self.versions.get(sale.id)
        if latest is not None and at < latest:
            self.miss(part, "a later version of this order came before", found=sale.id, whole=True)
            return
        self.sales[sale.id], self.included[sale.id], self.versions[sale.id] = sale, included, at
        if before is None:
            self.events.append(sale)
            return
        version = f"{sale.id}@{at.isoformat()}"
        if changes := self._changes(part, before, sale, _BILL):
            self.events.append(Amendment(id=version, occurred_at=at, of=sale.id, **changes))
        if changes := self._changes(part, before, sale, _STATUS):
            self.events.append(Update(id=f"{version}/status", occurred_at=at, of=sale.id, **changes))
        for name in attrs.fields_dict(Transaction):
            if name not in _BILL + _STATUS and getattr(before, name) != getattr(sale, name):
                self.miss(part, f"a later version changes {name}; an amendment cannot", found=sale.id)

    def _changes(
        self, part: Payload, before: Transaction, after: Transaction, names: tuple[str, ...]
    ) -> dict[str, Any]:
        changes = {name: getattr(after, name) for name in names if getattr(before, name) != getattr(after, name)}
        for name, value in list(changes.items()):
            if value is None and name in ("tax", "shipping", "tip"):
                changes[name] = 0
            elif value is None:
                del changes[name]
                self.miss(
                    part, f"a later version has no {name} any more; an amendment cannot remove it", found=after.id
                )
        return changes

    def add_return(self, event: Return) -> None:
        """Add a return once, however often the system sends it."""
        if event.id not in self.returns:
            self.returns.add(event.id)
            self.events.append(event)


_BILL = ("amount", "lines", "tax", "shipping", "tip", "tenders", "member")
_STATUS = ("status", "custom_fields", "extended_fields")


def converted(
    source: Document,
    take: Callable[[Converter, Payload], None],
    envelopes: tuple[str, ...],
    *,
    zone: str,
    enrich: Enrich | None,
    tax_in_prices: bool | None,
    known: Iterable[Transaction],
) -> Conversion:
    """Convert documents with the function of a system. `envelopes` are the keys that hold one document or a list.

    Raises `InvalidValueError` for an unknown zone, and `DocumentError` for a text that is not JSON.
    """
    converter = converter_with(zone, enrich, tax_in_prices, known)
    for part in _parts(source, envelopes):
        converter.attempt(part, lambda part: take(converter, part))
    return converter.result()


def converter_with(
    zone: str, enrich: Enrich | None, tax_in_prices: bool | None, known: Iterable[Transaction]
) -> Converter:
    """Build the state of a conversion. Raises `InvalidValueError` for an unknown zone."""
    sales = {sale.id: sale for sale in known}
    included = {sale.id: any(line.tax is not None for line in sale.lines) for sale in sales.values()}
    return Converter(
        zone=ZoneInfo(read_zone(zone)), enrich=enrich, tax_in_prices=tax_in_prices, sales=sales, included=included
    )


def _parts(source: Document, envelopes: tuple[str, ...]) -> Iterator[Payload]:
    if isinstance(source, (str, bytes, bytearray)):
        yield from _opened(Payload(read_json(source, "document")), envelopes)
    elif isinstance(source, Mapping):
        yield from _opened(Payload(source), envelopes)
    else:
        for index, item in enumerate(source):
            yield from _opened(Payload(item, f"$[{index}]"), envelopes)


def _opened(part: Payload, envelopes: tuple[str, ...], depth: int = 8) -> Iterator[Payload]:
    """Yield the documents in a part: the items of a list, the content of an envelope, or the part itself."""
    inner = next((part[key] for key in envelopes if isinstance(part[key].value, (Mapping, list, tuple))), None)
    if isinstance(part.value, (list, tuple)) and depth:
        for item in part.items():
            yield from _opened(item, envelopes, depth - 1)
    elif inner is not None and depth:
        yield from _opened(inner, envelopes, depth - 1)
    else:
        yield part
