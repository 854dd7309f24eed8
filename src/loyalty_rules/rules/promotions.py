"""Promotions (trigger, active window, condition, actions) and the currencies that they issue.

Source: semantics 1, documents (program).
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.keys import RESERVED_PROMOTION_IDS
from loyalty_rules.rules.caps import NO_CAPS, ActionCaps
from loyalty_rules.rules.communication import Communication
from loyalty_rules.rules.conditions import Condition, read_condition
from loyalty_rules.rules.expiry import Expiry
from loyalty_rules.rules.proration import Proration
from loyalty_rules.rules.reminders import Reminder
from loyalty_rules.rules.rounding import ACTUAL, Mode, Rounding
from loyalty_rules.rules.timing import IMMEDIATE, Timing
from loyalty_rules.rules.transfers import Transfer
from loyalty_rules.rules.windows import Through
from loyalty_rules.values.amounts import Number, read_non_negative, read_positive, read_whole
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.dates import Period, read_instant
from loyalty_rules.values.identifiers import list_schema, read_id, read_list, read_name, read_text
from loyalty_rules.values.json_schema import at_most_items, declare, schema_rules, whole_number_schema

__all__ = [
    "MAX_COUPONS",
    "Action",
    "CouponAction",
    "CouponRounding",
    "Currency",
    "CurrencyAction",
    "ExtensionAction",
    "ExtensionOfSpend",
    "FieldRecipient",
    "Promotion",
    "RedeemRate",
    "SpendAction",
]

MAX_ACTIONS = 1_000


@attrs.frozen(field_transformer=checked)
class ExtensionOfSpend:
    """The extension that a spend causes: the units left after it expire a period after its date, or later."""

    after: Period
    scope: Literal["balance", "rolling_lots"] = "balance"
    through: Through | None = None


@attrs.frozen(field_transformer=checked)
class RedeemRate:
    """The value of a currency when it is spent: `points` of it are worth `value` of the program's money.

    One transaction spends at least `least`, at most `most`, and a multiple of `block`. Points pay at most
    `most_of_bill`, a percentage of the bill; nothing of the lines that match `not_for`; and no bill below `least_bill`.
    With `extends`, a spend counts as activity: it extends the units that are left. Source: semantics 5, 12.
    """

    points: Decimal = attrs.field(converter=read_positive)
    value: Decimal = attrs.field(converter=read_positive)
    least: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    block: Decimal | None = attrs.field(default=None, converter=optional(read_positive))
    most: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    extends: ExtensionOfSpend | None = None
    most_of_bill: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    not_for: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    least_bill: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))

    @property
    def needs_bill(self) -> bool:
        """Whether a spend has to name the bill that it pays."""
        return self.most_of_bill is not None or self.not_for is not None or self.least_bill is not None


def _read_decimals(value: int) -> int:
    return read_whole(value, 0, 6)


declare(_read_decimals, whole_number_schema(0, 6))


@attrs.frozen(field_transformer=checked)
class Currency:
    """A reward currency, with 0 to 6 decimals; without `transfer` it cannot be given away.

    `reminders` are messages about units that expire soon.
    """

    id: str = attrs.field(converter=read_id)
    title: str | None = attrs.field(default=None, converter=optional(read_name))
    decimals: int = attrs.field(default=0, converter=_read_decimals)
    redeem: RedeemRate | None = None
    transfer: Transfer | None = None
    reminders: tuple[Reminder, ...] = attrs.field(default=(), converter=TupleOf[Reminder])


@attrs.frozen(field_transformer=checked)
class FieldRecipient:
    """The member whose id a text field of the event has: `custom_fields.referred_by`."""

    field: str = attrs.field(converter=read_text)


_ACCOUNTS = ("member", "member_group")


def _read_recipient(value: str | FieldRecipient) -> str | FieldRecipient:
    if isinstance(value, FieldRecipient) or (isinstance(value, str) and value in _ACCOUNTS):
        return value
    raise InvalidValueError(
        "", "not_a_choice", f'expected one of {", ".join(_ACCOUNTS)}, or {{"field": …}}; found {describe(value)}'
    )


declare(
    _read_recipient,
    {
        "description": "The account of an issue: the member's, its group's, or that of a member whom a field names.",
        "type": ["string", "object"],
        "if": {"type": "object"},
        "then": {"$ref": FieldRecipient},
        "else": {"if": {"type": "string"}, "then": {"enum": [*_ACCOUNTS]}},
    },
)


@attrs.frozen(field_transformer=checked, kw_only=True)
class CurrencyAction:
    """An action that issues (or promises) a currency: base → round → prorate → round → caps.

    `recipient` is `member`, `member_group` or the field with the id of another member. Source: semantics 3, 13.
    """

    type: ClassVar[str] = "issue_currency"
    id: str = attrs.field(converter=read_id)
    currency: str = attrs.field(converter=read_id)
    recipient: str | FieldRecipient = attrs.field(default="member", converter=_read_recipient)
    proration: Proration
    rounding: Rounding = ACTUAL
    expiry: Expiry
    timing: Timing = IMMEDIATE
    caps: ActionCaps = NO_CAPS
    on_return: Literal["recompute", "proportional", "reverse", "keep"] = "recompute"
    communication: Communication | None = None


@attrs.frozen(field_transformer=checked)
class CouponRounding:
    """The rounding of the base and of the number of coupons. The number is whole; the default is `nearest`."""

    value: Mode = "actual"
    currency: Literal["up", "down", "nearest", "half_even", "half_down"] = "nearest"


TO_NEAREST = CouponRounding()
MAX_COUPONS = 10_000


def _read_quantity(value: int | Proration) -> int | Proration:
    if isinstance(value, Proration):
        return value
    return read_whole(value, 0, MAX_COUPONS)


declare(
    _read_quantity,
    {
        "description": "How many: a whole number, or a proration whose result is rounded to one.",
        "type": ["integer", "object"],
        "minimum": 0,
        "maximum": MAX_COUPONS,
        "if": {"type": "object"},
        "then": {"$ref": Proration},
    },
)


@attrs.frozen(field_transformer=checked, kw_only=True)
class CouponAction:
    """An action that issues `quantity` coupons of a type; the quantity is a whole number or a proration."""

    type: ClassVar[str] = "issue_coupon"
    id: str = attrs.field(converter=read_id)
    coupon_type: str = attrs.field(converter=read_id)
    quantity: int | Proration = attrs.field(default=1, converter=_read_quantity)
    rounding: CouponRounding = TO_NEAREST
    on_return: Literal["void_if_unredeemed", "reverse", "keep"] = "void_if_unredeemed"
    communication: Communication | None = None


@attrs.frozen(field_transformer=checked, kw_only=True)
class ExtensionAction:
    """An action that moves the expiry of the member's live lots of a currency to the event date plus a period.

    `scope` and `through` are as in a rolling expiry. It issues nothing. Source: semantics 5.
    """

    type: ClassVar[str] = "extend_expiry"
    id: str = attrs.field(converter=read_id)
    currency: str = attrs.field(converter=read_id)
    after: Period
    scope: Literal["balance", "rolling_lots"] = "balance"
    through: Through | None = None


def _read_spend_amount(value: Number | Proration) -> Decimal | Proration:
    return value if isinstance(value, Proration) else read_non_negative(value)


declare(
    _read_spend_amount,
    {
        "description": "How much: a number, or a proration.",
        "if": {"type": "object"},
        "then": {"$ref": Proration},
        "else": {"$ref": read_non_negative},
    },
)


def _read_action_ids(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return read_list(value, read_id, "ids of actions")


declare(_read_action_ids, list_schema({"$ref": read_id}))


@attrs.frozen(field_transformer=checked, kw_only=True)
class SpendAction:
    """An action that spends the member's units, as the price of other actions of its promotion.

    `for_` has the ids of the actions that it pays for; None means all others. If the account has less than the amount
    the whole promotion issues nothing. Source: semantics 12.
    """

    type: ClassVar[str] = "spend_currency"
    id: str = attrs.field(converter=read_id)
    currency: str = attrs.field(converter=read_id)
    amount: Decimal | Proration = attrs.field(converter=_read_spend_amount)
    rounding: Rounding = ACTUAL
    for_: tuple[str, ...] | None = attrs.field(default=None, converter=optional(_read_action_ids))


Action: TypeAlias = CurrencyAction | CouponAction | ExtensionAction | SpendAction


_LATER_EVENTS = ("return", "update", "confirmation")


def _read_promotion_id(value: str) -> str:
    if value in RESERVED_PROMOTION_IDS:
        raise InvalidValueError("", "reserved", f"{value!r} is reserved: keys and counters begin with it")
    return read_id(value)


declare(_read_promotion_id, {"$ref": read_id, "not": {"enum": [*RESERVED_PROMOTION_IDS]}})


def _read_trigger(value: str) -> str:
    name = read_name(value)
    if name in _LATER_EVENTS:
        raise InvalidValueError(
            "", "not_a_choice", f"a promotion is triggered by a transaction or an activity, not by {name}"
        )
    return name


declare(
    _read_trigger,
    {
        "$ref": read_name,
        "not": {"enum": [*_LATER_EVENTS]},
        "examples": ["transaction", "registration", "profile_update"],
    },
)


def _read_priority(value: int) -> int:
    return read_whole(value, -(10**9), 10**9)


declare(_read_priority, whole_number_schema(-(10**9), 10**9))


@schema_rules(at_most_items("actions", MAX_ACTIONS))
@attrs.frozen(field_transformer=checked, kw_only=True)
class Promotion:
    """A trigger, an active window, a condition and actions. The window is half open: starts_at ≤ t < ends_at."""

    id: str = attrs.field(converter=_read_promotion_id)
    title: str | None = attrs.field(default=None, converter=optional(read_name))
    trigger: str = attrs.field(default="transaction", converter=_read_trigger)
    starts_at: datetime | None = attrs.field(default=None, converter=optional(read_instant))
    ends_at: datetime | None = attrs.field(default=None, converter=optional(read_instant))
    when: Condition | None = attrs.field(default=None, converter=optional(read_condition))
    priority: int = attrs.field(default=0, converter=_read_priority)
    exclusive: str | None = attrs.field(default=None, converter=optional(read_name))
    actions: tuple[Action, ...] = attrs.field(converter=TupleOf[Action])

    def __attrs_post_init__(self) -> None:
        if len(self.actions) > MAX_ACTIONS:
            raise InvalidValueError(
                "actions",
                "out_of_range",
                f"a promotion has at most {MAX_ACTIONS:,} actions, found {len(self.actions):,}",
            )
