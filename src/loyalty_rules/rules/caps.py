"""Caps of an action, limits of a program, caps of a coupon type. Source: semantics 8.

The engine trims an award by the counters in the snapshot. The intent has a claim on each counter that it draws on, so
that a ledger can check the cap again, atomically, without the program.
"""

from decimal import Decimal
from typing import Literal

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.rules.windows import LIFETIME, Window
from loyalty_rules.values.amounts import decimal_of, micros, read_count, read_non_negative
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_id
from loyalty_rules.values.json_schema import one_of, schema_rules

__all__ = ["ActionCaps", "Cap", "CouponCaps", "Limit"]


@schema_rules(one_of("amount", "times"))
@attrs.frozen(field_transformer=checked)
class Cap:
    """The maximum amount (`amount`) or number of issues (`times`) within a window."""

    amount: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    times: int | None = attrs.field(default=None, converter=optional(read_count))
    window: Window = LIFETIME

    def __attrs_post_init__(self) -> None:
        if (self.amount is None) == (self.times is None):
            raise InvalidValueError("", "required", "a cap has either an amount or times")


@attrs.frozen(field_transformer=checked)
class ActionCaps:
    """The caps of a currency action: per event, per member, in total. None means no cap."""

    per_event: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    per_member: Cap | None = None
    total: Cap | None = None


@schema_rules(one_of("amount", "money"))
@attrs.frozen(field_transformer=checked)
class Limit:
    """The maximum of a currency per member, household, store or in total, over all promotions of the program.

    It is an `amount` of the currency, or the `money` that this many units are worth when they are spent.
    """

    id: str = attrs.field(converter=read_id)
    currency: str = attrs.field(converter=read_id)
    per: Literal["member", "member_group", "store", "total"]
    amount: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    window: Window = LIFETIME
    money: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))

    def __attrs_post_init__(self) -> None:
        if (self.amount is None) == (self.money is None):
            raise InvalidValueError("", "required", "a limit has either an amount or money")

    def in_units(self, points: Decimal, value: Decimal, decimals: int) -> "Limit":
        """Return the limit as an amount of the currency, of which `points` are worth `value`, rounded down.

        Source: semantics 8.
        """
        if self.money is None:
            return self
        unit = 10 ** (6 - decimals)
        units = micros(self.money) * micros(points) // (micros(value) * unit) * unit
        return attrs.evolve(self, amount=decimal_of(units), money=None)

    @property
    def units(self) -> Decimal:
        """The amount; a limit in money has one only `in_units`."""
        assert self.amount is not None
        return self.amount


@attrs.frozen(field_transformer=checked)
class CouponCaps:
    """The maximum number of coupons of a type: per transaction, per store, per member, in total. None means no cap."""

    per_transaction: int | None = attrs.field(default=None, converter=optional(read_count))
    per_store: int | None = attrs.field(default=None, converter=optional(read_count))
    per_member: int | None = attrs.field(default=None, converter=optional(read_count))
    total: int | None = attrs.field(default=None, converter=optional(read_count))


NO_CAPS = ActionCaps()
NO_COUPON_CAPS = CouponCaps()
