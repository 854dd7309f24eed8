"""Events: sales, activities, later events about a sale; and the snapshot, the facts that an event does not contain.

Every class is a frozen value whose constructor checks its arguments. Amounts are Decimals in the event's currency.
Source: semantics 1, documents (event, snapshot).
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.amounts import (
    Number,
    read_count,
    read_decimal,
    read_drawn,
    read_non_negative,
    read_positive,
    read_rate,
    read_sum,
)
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.dates import read_date, read_event_date, read_event_instant
from loyalty_rules.values.identifiers import (
    MAX_TEXT,
    FreeForm,
    mapping_schema,
    read_event_id,
    read_free_form,
    read_id,
    read_mapping,
    read_name,
    read_names,
    read_text,
)
from loyalty_rules.values.json_schema import any_of, at_most_items, declare, schema_rules

__all__ = [
    "EVENT_TYPES",
    "Activity",
    "Amendment",
    "Confirmation",
    "Contact",
    "CouponCounts",
    "DeliveredLine",
    "Event",
    "Issued",
    "IssuedCounts",
    "Line",
    "Member",
    "RecipientCounts",
    "Return",
    "ReturnedLine",
    "Snapshot",
    "Tender",
    "TierStanding",
    "Transaction",
    "Update",
    "read_activity_type",
]

MAX_LINES = 10_000


def _read_contact_to(value: str | bool) -> str | bool:
    return value if isinstance(value, bool) else read_text(value)


declare(_read_contact_to, {"type": ["string", "boolean"], "maxLength": MAX_TEXT})


@attrs.frozen(field_transformer=checked)
class Contact:
    """The contact of a member on one channel: `to` is an address, or `True` for a channel without addresses.

    A priority channel with `consent=False` or `suppressed=True` is not used. Source: semantics 10.
    """

    to: str | bool | None = attrs.field(default=None, converter=optional(_read_contact_to))
    consent: bool | None = None
    suppressed: bool | None = None


def _read_contacts(value: Mapping[str, Any]) -> Mapping[str, str | bool | Contact | None]:
    return read_mapping(value, _read_contact, "contacts", read_name, most=100)


def _read_contact(value: object) -> str | bool | Contact | None:
    if value is None or isinstance(value, (bool, Contact)):
        return value
    if isinstance(value, str):
        return read_text(value)
    raise InvalidValueError(
        "", "not_a_contact", f'expected a text, true, false, nothing or {{"to": …}}; found {describe(value)}'
    )


declare(
    _read_contacts,
    mapping_schema(
        {
            "type": ["string", "boolean", "object", "null"],
            "maxLength": MAX_TEXT,
            "if": {"type": "object"},
            "then": {"$ref": Contact},
        },
        read_name,
    ),
)


@attrs.frozen(field_transformer=checked)
class Member:
    """The member who bought or acted. An event without a member is anonymous. Source: semantics 1."""

    id: str = attrs.field(converter=read_name)
    group: str | None = attrs.field(default=None, converter=optional(read_name))
    tier: str | None = attrs.field(default=None, converter=optional(read_name))
    registered_on: date | None = attrs.field(default=None, converter=optional(read_date))
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    contacts: Mapping[str, str | bool | Contact | None] = attrs.field(factory=dict, converter=_read_contacts)
    extended_fields: FreeForm = attrs.field(factory=dict, converter=read_free_form)


@schema_rules(any_of("value", "unit_price"))
@attrs.frozen(field_transformer=checked)
class Line:
    """One line of a bill. Its value is `value`, or `quantity × unit_price − discount` if `value` is None.

    Quantity and value may be below zero (exchanges, voided lines, discount lines). `tax`, zero or more, is the tax of
    this line. Source: semantics 2 and 3.
    """

    id: str = attrs.field(converter=read_name)
    quantity: Decimal = attrs.field(converter=read_decimal)
    value: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))
    unit_price: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))
    discount: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))
    sku: str | None = attrs.field(default=None, converter=optional(read_name))
    category: str | None = attrs.field(default=None, converter=optional(read_name))
    brand: str | None = attrs.field(default=None, converter=optional(read_name))
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    extended_fields: FreeForm = attrs.field(factory=dict, converter=read_free_form)
    tax: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))

    def __attrs_post_init__(self) -> None:
        if self.value is None and self.unit_price is None:
            raise InvalidValueError("", "required", "a line needs a value or a unit_price")


@attrs.frozen(field_transformer=checked)
class Tender:
    """A payment by one means: `card`, `cash`, `gift_card`… The amount is in the event's currency.

    Change given in cash is an amount below zero. The tenders of one type add up.
    """

    type: str = attrs.field(converter=read_name)
    amount: Decimal = attrs.field(converter=read_decimal)


def read_activity_type(value: str) -> str:
    """Read the type of an activity: a name of the host's that is no type of another event."""
    name = read_name(value)
    if name in EVENT_TYPES:
        raise InvalidValueError(
            "", "not_a_choice", f"expected a type of the host's own, found {name!r}, the type of another event"
        )
    return name


@attrs.frozen(field_transformer=checked, kw_only=True)
class _Happening:
    """The common fields of a sale and an activity."""

    id: str = attrs.field(converter=read_event_id)
    occurred_at: datetime = attrs.field(converter=read_event_instant)
    business_date: date | None = attrs.field(default=None, converter=optional(read_event_date))
    tax: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    shipping: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tip: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tenders: tuple[Tender, ...] = attrs.field(default=(), converter=TupleOf[Tender])
    currency: str | None = attrs.field(default=None, converter=optional(read_name))
    exchange_rate: Decimal | None = attrs.field(default=None, converter=optional(read_rate))
    store: str | None = attrs.field(default=None, converter=optional(read_name))
    brand: str | None = attrs.field(default=None, converter=optional(read_name))
    channel: str | None = attrs.field(default=None, converter=optional(read_name))
    status: str | None = attrs.field(default=None, converter=optional(read_name))
    member: Member | None = None
    custom_fields: FreeForm = attrs.field(factory=dict, converter=read_free_form)
    extended_fields: FreeForm = attrs.field(factory=dict, converter=read_free_form)

    def __attrs_post_init__(self) -> None:
        _limit("tenders", self.tenders)


@schema_rules(at_most_items("tenders", MAX_LINES), at_most_items("lines", MAX_LINES))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Transaction(_Happening):
    """A sale. `amount` is the bill as the host states it; the engine never computes it from the lines.

    `occurred_at` is the instant of the sale. `business_date` is the local date of the sale if it differs from the
    date of that instant in the program's zone. `amount`, `tax`, `shipping`, `tip` and tenders are in the event's
    currency; all but `amount` are zero or more. `exchange_rate` is the program's money for one unit of that currency.
    Line ids are unique. Source: semantics 1 to 3, documents (event).
    """

    type: Literal["transaction"] = "transaction"
    amount: Decimal = attrs.field(converter=read_decimal)
    lines: tuple[Line, ...] = attrs.field(default=(), converter=TupleOf[Line])

    def __attrs_post_init__(self) -> None:
        _limit("tenders", self.tenders)
        _check_lines(self.lines)


def _check_lines(lines: tuple[Line, ...]) -> None:
    """Check the number of lines of a bill, and that their ids are unique."""
    _limit("lines", lines)
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.id in seen:
            raise InvalidValueError(
                f"lines[{index}].id", "duplicate_id", f"an earlier line has the id {describe(line.id)}"
            )
        seen.add(line.id)


def _limit(name: str, items: tuple[object, ...]) -> None:
    if len(items) > MAX_LINES:
        raise InvalidValueError(name, "out_of_range", f"expected at most {MAX_LINES:,}, found {len(items):,}")


@schema_rules(at_most_items("tenders", MAX_LINES))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Activity(_Happening):
    """An event without a sale, such as `registration`, `profile_update` or `check_in`.

    The host chooses its type. It has no amount and no lines. Source: semantics 1, documents (event).
    """

    type: str = attrs.field(converter=read_activity_type)


@attrs.frozen(field_transformer=checked)
class ReturnedLine:
    """The part of one line of the original sale that came back; `id` is the id of that line.

    `amount` is the refund on the line, also without goods (quantity 0); by default it is the part of the line's value
    that the quantity is of the quantity bought. Numbers in `extended_fields` are the parts of those fields that came
    back. Source: semantics 11.
    """

    id: str = attrs.field(converter=read_name)
    quantity: Decimal = attrs.field(converter=read_non_negative)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    extended_fields: FreeForm = attrs.field(factory=dict, converter=read_free_form)


@schema_rules(at_most_items("lines", MAX_LINES))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Return:
    """A return of goods of the sale `of`, worth `amount` (zero or more), or of the whole activity `of`.

    `amount` is the refund; only the return of an activity has none. `tax`, `shipping`, `tip` and `tenders`
    are the parts of the bill that came back. A part that is None follows the amount or the lines. Source: semantics 11.
    """

    type: Literal["return"] = "return"
    id: str = attrs.field(converter=read_name)
    occurred_at: datetime = attrs.field(converter=read_event_instant)
    of: str = attrs.field(converter=read_event_id)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    lines: tuple[ReturnedLine, ...] = attrs.field(default=(), converter=TupleOf[ReturnedLine])
    tax: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    shipping: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tip: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tenders: tuple[Tender, ...] | None = None

    def __attrs_post_init__(self) -> None:
        _limit("lines", self.lines)
        _limit("tenders", self.tenders or ())


@attrs.frozen(field_transformer=checked)
class DeliveredLine:
    """The quantity of one line of the original sale that was delivered; `id` is the id of that line."""

    id: str = attrs.field(converter=read_name)
    quantity: Decimal = attrs.field(converter=read_non_negative)


@schema_rules(at_most_items("lines", MAX_LINES))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Update:
    """A later state of the sale `of`: every field that is not None replaces the field of the sale.

    `lines` are the parts of lines that were delivered, if not all were: only their part of a promise is released.
    Source: semantics 6, documents (event).
    """

    type: Literal["update"] = "update"
    id: str = attrs.field(converter=read_name)
    occurred_at: datetime = attrs.field(converter=read_event_instant)
    of: str = attrs.field(converter=read_event_id)
    status: str | None = attrs.field(default=None, converter=optional(read_name))
    custom_fields: FreeForm | None = attrs.field(default=None, converter=optional(read_free_form))
    extended_fields: FreeForm | None = attrs.field(default=None, converter=optional(read_free_form))
    lines: tuple[DeliveredLine, ...] = attrs.field(default=(), converter=TupleOf[DeliveredLine])

    def __attrs_post_init__(self) -> None:
        _limit("lines", self.lines)

    def replaced(self) -> dict[str, Any]:
        """Return the fields of the sale that it replaces, with their new values."""
        names = ("status", "custom_fields", "extended_fields")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@schema_rules(at_most_items("tenders", MAX_LINES), at_most_items("lines", MAX_LINES))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Amendment:
    """A correction of the sale or activity `of`: every field that is not None replaces the field of the sale.

    An order was edited, an anonymous sale is claimed by a `member`, or it belongs to another member. Returns so far
    still count. Source: semantics 11.
    """

    type: Literal["amendment"] = "amendment"
    id: str = attrs.field(converter=read_name)
    occurred_at: datetime = attrs.field(converter=read_event_instant)
    of: str = attrs.field(converter=read_event_id)
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_decimal))
    lines: tuple[Line, ...] | None = None
    tax: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    shipping: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tip: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    tenders: tuple[Tender, ...] | None = None
    status: str | None = attrs.field(default=None, converter=optional(read_name))
    custom_fields: FreeForm | None = attrs.field(default=None, converter=optional(read_free_form))
    extended_fields: FreeForm | None = attrs.field(default=None, converter=optional(read_free_form))
    member: Member | None = None

    def __attrs_post_init__(self) -> None:
        _limit("tenders", self.tenders or ())
        _check_lines(self.lines or ())

    def replaced(self) -> dict[str, Any]:
        """Return the fields of the sale that it replaces, with their new values."""
        names = set(attrs.fields_dict(type(self))) - {"type", "id", "occurred_at", "of"}
        return {name: value for name in sorted(names) if (value := getattr(self, name)) is not None}


@attrs.frozen(field_transformer=checked, kw_only=True)
class Confirmation:
    """An external decision to issue or cancel a promise. `promise` is the key of the promise's intent.

    `amount` are the units that it decides about; None are all that are still promised. `by` is the person who decides:
    an adjustment must be confirmed by another person than the one who made it. Source: semantics 6, 13.
    """

    type: Literal["confirmation"] = "confirmation"
    id: str = attrs.field(converter=read_name)
    occurred_at: datetime = attrs.field(converter=read_event_instant)
    promise: str = attrs.field(converter=read_text)
    outcome: Literal["issue", "cancel"]
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_positive))
    by: str | None = attrs.field(default=None, converter=optional(read_name))


EVENT_TYPES: Mapping[str, type] = {
    "transaction": Transaction,
    "return": Return,
    "update": Update,
    "amendment": Amendment,
    "confirmation": Confirmation,
}
"""The class of each event type; any other type is an `Activity`."""

declare(read_activity_type, {"$ref": read_name, "not": {"enum": [*EVENT_TYPES]}})

Event: TypeAlias = Transaction | Activity | Return | Update | Amendment | Confirmation


# -- the facts beyond the event --------------------------------------------------------------------------------------


@attrs.frozen(field_transformer=checked)
class IssuedCounts:
    """The amount and the number of times that an action issued or promised before the event, in its cap's window."""

    amount: Decimal = attrs.field(default=Decimal(0), converter=read_drawn)
    times: int = attrs.field(default=0, converter=read_count)


_NOTHING = IssuedCounts()


@attrs.frozen(field_transformer=checked)
class Issued:
    """The counts of one action: for this member, and in total."""

    member: IssuedCounts = _NOTHING
    total: IssuedCounts = _NOTHING


@attrs.frozen(field_transformer=checked)
class CouponCounts:
    """The number of coupons of one type that were issued in this store, to this member, and in total."""

    store: int = attrs.field(default=0, converter=read_count)
    member: int = attrs.field(default=0, converter=read_count)
    total: int = attrs.field(default=0, converter=read_count)


def _read_sums(value: Mapping[str, Number]) -> Mapping[str, Decimal]:
    return read_mapping(value, read_sum, "numbers")


declare(_read_sums, mapping_schema({"$ref": read_sum}))


def _read_drawn(value: Mapping[str, Number]) -> Mapping[str, Decimal]:
    return read_mapping(value, read_drawn, "numbers")


declare(_read_drawn, mapping_schema({"$ref": read_drawn}))


def _read_issued(value: Mapping[str, Issued]) -> Mapping[str, Issued]:
    return read_mapping(value, _an_issued, "counts of actions")


declare(_read_issued, mapping_schema({"$ref": Issued}))


def _an_issued(value: Issued) -> Issued:
    if isinstance(value, Issued):
        return value
    raise InvalidValueError("", "wrong_type", f"expected Issued, found {describe(value)}")


def _read_coupon_counts(value: Mapping[str, CouponCounts]) -> Mapping[str, CouponCounts]:
    return read_mapping(value, _coupon_counts, "counts of coupons")


declare(_read_coupon_counts, mapping_schema({"$ref": CouponCounts}))


def _coupon_counts(value: CouponCounts) -> CouponCounts:
    if isinstance(value, CouponCounts):
        return value
    raise InvalidValueError("", "wrong_type", f"expected CouponCounts, found {describe(value)}")


@attrs.frozen(field_transformer=checked)
class TierStanding:
    """The level that a member or a group has in a tier, valid until a last day; None means without end."""

    level: str = attrs.field(converter=read_id)
    until: date | None = attrs.field(default=None, converter=optional(read_date))


def _read_standings(value: Mapping[str, TierStanding]) -> Mapping[str, TierStanding]:
    return read_mapping(value, _standing, "levels")


declare(_read_standings, mapping_schema({"$ref": TierStanding}))


def _standing(value: TierStanding) -> TierStanding:
    if isinstance(value, TierStanding):
        return value
    raise InvalidValueError("", "wrong_type", f"expected TierStanding, found {describe(value)}")


@attrs.frozen(field_transformer=checked)
class RecipientCounts:
    """The counts of a recipient that a field of the event names: what its caps and limits have counted before."""

    issued: Mapping[str, Issued] = attrs.field(factory=dict, converter=_read_issued)
    limits: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_drawn)


def _read_recipients(value: Mapping[str, RecipientCounts]) -> Mapping[str, RecipientCounts]:
    return read_mapping(value, _recipient_counts, "counts of recipients")


declare(_read_recipients, mapping_schema({"$ref": RecipientCounts}))


def _recipient_counts(value: RecipientCounts) -> RecipientCounts:
    if isinstance(value, RecipientCounts):
        return value
    raise InvalidValueError("", "wrong_type", f"expected RecipientCounts, found {describe(value)}")


@attrs.frozen(field_transformer=checked)
class Snapshot:
    """The facts that an event does not contain: sums and counts before the event, in the window of the event.

    `trackers` has tracker ids as keys, `issued` has `PROMOTION/ACTION`, and `coupons` has coupon types. `limits` has
    limit ids, for the member, its group or the store of the event. `balances` has the available units of the member
    by currency (less its debt, so it may be below zero), `tiers` the member's levels. `recipients` has the counts of
    members whom a field of the event names as recipients. A missing key means zero, or the first level.
    Source: semantics 1, documents (snapshot).
    """

    trackers: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_sums)
    issued: Mapping[str, Issued] = attrs.field(factory=dict, converter=_read_issued)
    limits: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_drawn)
    coupons: Mapping[str, CouponCounts] = attrs.field(factory=dict, converter=_read_coupon_counts)
    balances: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_sums)
    tiers: Mapping[str, TierStanding] = attrs.field(factory=dict, converter=_read_standings)
    recipients: Mapping[str, RecipientCounts] = attrs.field(factory=dict, converter=_read_recipients)
