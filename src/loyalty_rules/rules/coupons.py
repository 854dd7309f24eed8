"""Coupon types: benefit, validity, caps and redemption of coupons.

Source: semantics 9, documents (program).
"""

from decimal import Decimal
from typing import Any, ClassVar, TypeAlias, Union, get_args

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.caps import NO_COUPON_CAPS, CouponCaps
from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.expiry import NEVER, Expiry, Rolling
from loyalty_rules.rules.texts import Text, read_text_by_language
from loyalty_rules.values.amounts import read_non_negative
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import Period
from loyalty_rules.values.identifiers import read_id, read_name, read_names
from loyalty_rules.values.json_schema import declare, given, schema_rules

__all__ = ["COUPON_EXPIRY", "AmountOff", "Benefit", "CouponType", "PercentOff", "Redemption", "StoredValue", "Validity"]


@attrs.frozen(field_transformer=checked)
class PercentOff:
    """A percentage of the transaction, or of the selected lines, at most `most`."""

    type: ClassVar[str] = "percent_off"
    percent: Decimal = attrs.field(converter=read_non_negative)
    most: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))


@attrs.frozen(field_transformer=checked)
class AmountOff:
    """An amount of the program's money off the transaction, or off the selected lines."""

    type: ClassVar[str] = "amount_off"
    amount: Decimal = attrs.field(converter=read_non_negative)
    lines: Condition | None = attrs.field(default=None, converter=optional(read_condition))


@attrs.frozen(field_transformer=checked)
class StoredValue:
    """An amount of the program's money, spent over several transactions until the rest is zero."""

    type: ClassVar[str] = "stored_value"
    amount: Decimal = attrs.field(converter=read_non_negative)


Benefit: TypeAlias = PercentOff | AmountOff | StoredValue


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


@attrs.frozen(field_transformer=checked)
class Redemption:
    """The stores, brands and condition under which a coupon may be redeemed; None means no restriction."""

    when: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    stores: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    brands: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    holder_only: bool = False


@schema_rules(
    {
        "if": {"properties": {"serial_managed": {"const": False}}, "required": ["serial_managed"]},
        "then": given("code"),
    }
)
@attrs.frozen(field_transformer=checked)
class CouponType:
    """One type of coupon. Coupons of a serial-managed type have a serial each, others share the `code`.

    `title` and `terms` are texts for the cashier and the customer. `till_message` is the template of the line that the
    till prints. Each is one text or a table by language.
    """

    id: str = attrs.field(converter=read_id)
    serial_managed: bool = True
    code: str | None = attrs.field(default=None, converter=optional(read_name))
    benefit: Benefit | None = None
    validity: Validity = Validity()
    caps: CouponCaps = NO_COUPON_CAPS
    redemption: Redemption = Redemption()
    title: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))
    terms: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))
    till_message: Text | None = attrs.field(default=None, converter=optional(read_text_by_language))

    def __attrs_post_init__(self) -> None:
        if not self.serial_managed and self.code is None:
            raise InvalidValueError("code", "required", "a type that is not serial-managed needs its shared code")
