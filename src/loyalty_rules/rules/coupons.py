"""Coupon types: benefit, validity, caps and redemption of coupons.

Source: semantics 9, documents (program).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias, Union, get_args

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.base_values import Awarded, BaseValue
from loyalty_rules.rules.caps import NO_COUPON_CAPS, CouponCaps
from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.expiry import NEVER, Expiry, Rolling
from loyalty_rules.rules.texts import Text, read_text_by_language
from loyalty_rules.values.amounts import Number, read_non_negative, read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import Period
from loyalty_rules.values.folding import folded
from loyalty_rules.values.identifiers import list_schema, read_id, read_list, read_name, read_names
from loyalty_rules.values.json_schema import declare, given, schema_rules, whole_number_schema

__all__ = [
    "COUPON_EXPIRY",
    "WORTH",
    "AmountOff",
    "Benefit",
    "CouponType",
    "PercentOff",
    "Pick",
    "Price",
    "Redemption",
    "Shipping",
    "StoredValue",
    "Validity",
]

MAX_UNITS = 10_000
MAX_USES = 1_000_000

Pick: TypeAlias = Literal["cheapest", "dearest"]
"""Which units a benefit takes first, by their unit price."""


def _read_units(value: int) -> int:
    return read_whole(value, 1, MAX_UNITS)


declare(_read_units, whole_number_schema(1, MAX_UNITS))


@attrs.frozen(field_transformer=checked)
class PercentOff:
    """A percentage of the transaction, of the selected lines, or of `units` of them, at most `most`.

    `most_in_all` limits the sum of the discounts over all uses of one coupon.
    """

    type: ClassVar[str] = "percent_off"
    percent: Decimal = attrs.field(converter=read_non_negative)
    most: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    most_in_all: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    units: int | None = attrs.field(default=None, converter=optional(_read_units))
    pick: Pick = "cheapest"


@attrs.frozen(field_transformer=checked)
class AmountOff:
    """An amount of the program's money off the transaction, off the selected lines, or off `units` of them."""

    type: ClassVar[str] = "amount_off"
    amount: Decimal = attrs.field(converter=read_non_negative)
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    units: int | None = attrs.field(default=None, converter=optional(_read_units))
    pick: Pick = "cheapest"


WORTH: Any = Union[tuple(each for each in get_args(BaseValue) if each is not Awarded)]  # noqa: UP007

"""The union of the bases that a stored value may depend on: every one but `Awarded`."""


def _read_worth(value: Number | BaseValue) -> Decimal | BaseValue:
    if isinstance(value, Awarded):
        raise InvalidValueError(
            "", "not_a_choice", "a stored value can't be what earlier actions awarded: that is no money"
        )
    if getattr(value, "aggregate", "total") == "each_unit":
        raise InvalidValueError("aggregate", "misplaced", "each_unit is for the base of a proration")
    if isinstance(value, BaseValue):
        return value
    return read_non_negative(value)


declare(
    _read_worth,
    {
        "description": "An amount of money, or the base value that gives it when the coupon is issued.",
        "if": {"type": "object"},
        "then": {"$ref": WORTH},
        "else": {"$ref": read_non_negative},
    },
)


@attrs.frozen(field_transformer=checked)
class StoredValue:
    """An amount of the program's money, spent over several transactions until the rest is zero.

    If `amount` is a base value, the coupon is worth that base of the event that issued it.
    """

    type: ClassVar[str] = "stored_value"
    amount: Decimal | BaseValue = attrs.field(converter=_read_worth)
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))


@attrs.frozen(field_transformer=checked, kw_only=True)
class Price:
    """A fixed price for each unit of the selected lines, or for `units` of them: the excess is the discount."""

    type: ClassVar[str] = "price"
    price: Decimal = attrs.field(converter=read_non_negative)
    lines: Condition = attrs.field(converter=read_condition)
    units: int | None = attrs.field(default=None, converter=optional(_read_units))
    pick: Pick = "cheapest"


@attrs.frozen(field_transformer=checked)
class Shipping:
    """The shipping of the transaction, at most `most`."""

    type: ClassVar[str] = "shipping"
    most: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))


Benefit: TypeAlias = PercentOff | AmountOff | StoredValue | Price | Shipping


def _read_validity_expiry(value: Expiry) -> Expiry:
    if isinstance(value, Rolling):
        raise InvalidValueError("", "not_a_choice", "a coupon's expiry can't be rolling: a coupon is not extended")
    if not isinstance(value, Expiry):
        raise InvalidValueError("", "wrong_type", f"expected an expiry, found {describe(value)}")
    return value


COUPON_EXPIRY: Any = Union[tuple(each for each in get_args(Expiry) if each is not Rolling)]  # noqa: UP007
"""The union of the expiries that a coupon may have: every one but `Rolling`."""

declare(_read_validity_expiry, {"$ref": COUPON_EXPIRY})


@attrs.frozen(field_transformer=checked)
class Validity:
    """The start and the expiry of a coupon, both counted from the event date; `starts_after=None` means at once."""

    starts_after: Period | None = None
    expiry: Expiry = attrs.field(default=NEVER, converter=_read_validity_expiry)


def _read_together(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(value, str):
        if value in ("any", "none"):
            return value
        raise InvalidValueError(
            "", "not_a_choice", f"expected any, none or a list of coupon types; found {describe(value)}"
        )
    return read_list(value, read_id, "coupon types")


declare(_read_together, {"anyOf": [{"enum": ["any", "none"]}, list_schema({"$ref": read_id})]})


def _read_order(value: int) -> int:
    return read_whole(value, -(10**9), 10**9)


declare(_read_order, whole_number_schema(-(10**9), 10**9))


@attrs.frozen(field_transformer=checked)
class Redemption:
    """The stores, brands and condition under which a coupon may be redeemed; None means no restriction.

    Of several coupons redeemed at once those of a lower `order` come first. `together` names the coupon types with
    which the coupon may share a transaction, or is `any` or `none`.
    """

    when: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    stores: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    brands: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    holder_only: bool = False
    order: int = attrs.field(default=0, converter=_read_order)
    together: str | tuple[str, ...] = attrs.field(default="any", converter=_read_together)

    def allows(self, coupon_type: str) -> bool:
        """Return whether a coupon may share a transaction with one of another type, as far as its own terms say."""
        return self.together == "any" or (self.together != "none" and coupon_type in self.together)


def _read_uses(value: int) -> int:
    return read_whole(value, 1, MAX_USES)


declare(_read_uses, whole_number_schema(1, MAX_USES))


def _if_is(key: str, value: bool, then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


_NOT_ISSUED: dict[str, Any] = {
    "required": ["code"],
    "properties": {
        "code": {"not": {"type": "null"}},
        "serial_managed": {"enum": [False, None]},
        "benefit": {"not": {"type": "object", "properties": {"type": {"const": "stored_value"}}, "required": ["type"]}},
        "uses": {"enum": [1, None]},
        "redemption": {"properties": {"holder_only": {"enum": [False, None]}}},
        "validity": {"properties": {"starts_after": {"type": "null"}}},
    },
}


@schema_rules(
    {"allOf": [_if_is("serial_managed", False, given("code")), _if_is("public", True, _NOT_ISSUED)]},
)
@attrs.frozen(field_transformer=checked)
class CouponType:
    """One type of coupon. Coupons of a serial-managed type have a serial each, others share the `code`.

    `title` and `terms` are texts for the cashier and the customer. `till_message` is the template of the line that the
    till prints. Each is one text or a table by language.
    A `public` type is not issued: whoever presents its code redeems it. A coupon can be redeemed `uses` times; a
    stored value as often as something is left of it.
    """

    id: str = attrs.field(converter=read_id)
    public: bool = attrs.field(default=False, kw_only=True)
    serial_managed: bool = attrs.field(default=attrs.Factory(lambda self: not self.public, takes_self=True))
    code: str | None = attrs.field(default=None, converter=optional(read_name))
    benefit: Benefit | None = None
    validity: Validity = Validity()
    caps: CouponCaps = NO_COUPON_CAPS
    redemption: Redemption = Redemption()
    title: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))
    terms: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))
    till_message: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))
    uses: int = attrs.field(default=1, converter=_read_uses)

    def __attrs_post_init__(self) -> None:
        problems = [*self._problems()]
        if problems:
            first = problems[0]
            raise InvalidValueError(first.name, first.code, first.message, tuple(problems[1:]))

    def _problems(self) -> Iterator[InvalidValueError]:
        if not self.serial_managed and self.code is None:
            kind = "a public type" if self.public else "a type that is not serial-managed"
            yield InvalidValueError("code", "required", f"{kind} needs its shared code")
        if self.code is not None and not folded(self.code):
            yield InvalidValueError(
                "code", "not_a_code", f"a code needs more than blanks and hyphens, found {describe(self.code)}"
            )
        if self.public:
            yield from self._public_problems()

    def _public_problems(self) -> Iterator[InvalidValueError]:
        """Yield the problems of a code that anybody may present. Source: semantics 9 (public codes)."""
        why = "a public code is not issued before it is redeemed"
        if self.serial_managed:
            yield InvalidValueError("serial_managed", "misplaced", f"{why}: it has no serials")
        if isinstance(self.benefit, StoredValue):
            yield InvalidValueError("benefit", "misplaced", f"{why}: it can't store a value")
        if self.uses > 1:
            yield InvalidValueError("uses", "misplaced", f"{why}: limit its redemptions by caps")
        if self.redemption.holder_only:
            yield InvalidValueError("redemption.holder_only", "misplaced", f"{why}: it has no holder")
        if self.validity.starts_after is not None:
            yield InvalidValueError("validity.starts_after", "misplaced", f"{why}: it can't start later")
