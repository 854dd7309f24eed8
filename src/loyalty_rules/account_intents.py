"""The intents of operations on an account: transfers, merges, closings, extensions by hand. Source: semantics 13."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

import attrs

from loyalty_rules.intent_parts import Claim, LotDraw, MovedUnits, WriteOff

__all__ = [
    "AdjustCurrency",
    "ExtendCoupon",
    "ExtendLot",
    "ForgetMember",
    "MergeAccounts",
    "ReassignCoupon",
    "TopUpCoupon",
    "TransferCurrency",
]


@attrs.frozen
class AdjustCurrency:
    """A correction of a balance by hand; `amount` is signed.

    Upward it adds a lot with the key of the intent. If `state` is `promised`, another person must confirm it. Downward
    `draws` are voided. Source: semantics 13.
    """

    type: ClassVar[Literal["adjust_currency"]] = "adjust_currency"
    key: str
    event: str
    member: str | None
    group: str | None
    currency: str
    amount: Decimal
    state: Literal["issued", "promised"]
    issue_on: date | None
    expires_on: date | None
    expires_at: datetime | None
    draws: tuple[LotDraw, ...]
    reason: str
    by: str


@attrs.frozen
class TransferCurrency:
    """A transfer of units from one account to another, lot by lot; they keep their issue and their expiry.

    The source is `member` or `group`, the target `to_member` or `to_group`. `fee_draws` are voided. Source: semantics
    13.
    """

    type: ClassVar[Literal["transfer_currency"]] = "transfer_currency"
    key: str
    event: str
    member: str | None
    group: str | None
    to_member: str | None
    to_group: str | None
    currency: str
    amount: Decimal
    fee: Decimal
    draws: tuple[MovedUnits, ...]
    fee_draws: tuple[LotDraw, ...]
    reason: str
    by: str
    claims: tuple[Claim, ...]


@attrs.frozen
class MergeAccounts:
    """A merge of two members: from now on `from_member` stands for `into_member` everywhere.

    `claims` move the values of the old member's counters to those of the new one; caps do not bind the sums. Source:
    semantics 13.
    """

    type: ClassVar[Literal["merge_accounts"]] = "merge_accounts"
    key: str
    event: str
    from_member: str
    into_member: str
    reason: str
    by: str
    claims: tuple[Claim, ...]


@attrs.frozen
class ForgetMember:
    """The closing of a member's account, and the erasure of all that is personal in the events of the member.

    `members` are the member and those that stood for it since a merge. `draws` are the units that are voided,
    `written_off` the debts. Source: semantics 13.
    """

    type: ClassVar[Literal["forget_member"]] = "forget_member"
    key: str
    event: str
    member: str
    members: tuple[str, ...]
    draws: tuple[LotDraw, ...]
    written_off: tuple[WriteOff, ...]
    reason: str
    by: str


@attrs.frozen
class ExtendLot:
    """An extension of one lot by hand to a later last day. Source: semantics 13."""

    type: ClassVar[Literal["extend_lot"]] = "extend_lot"
    key: str
    lot: str
    event: str
    expires_on: date
    expires_at: datetime
    reason: str
    by: str


@attrs.frozen
class ExtendCoupon:
    """An extension of one coupon by hand to a later last day. Source: semantics 13."""

    type: ClassVar[Literal["extend_coupon"]] = "extend_coupon"
    key: str
    coupon: str
    event: str
    expires_on: date
    expires_at: datetime
    reason: str
    by: str


@attrs.frozen
class ReassignCoupon:
    """A change of the member who has a coupon. Source: semantics 13."""

    type: ClassVar[Literal["reassign_coupon"]] = "reassign_coupon"
    key: str
    coupon: str
    event: str
    from_member: str | None
    member: str
    reason: str
    by: str


@attrs.frozen
class TopUpCoupon:
    """An addition to a stored value; `remaining` is its rest afterwards. Source: semantics 13."""

    type: ClassVar[Literal["top_up_coupon"]] = "top_up_coupon"
    key: str
    coupon: str
    event: str
    amount: Decimal
    remaining: Decimal
    reason: str
    by: str
