"""Intents: every change that the library asks a host to persist or carry out.

An intent is a frozen value with a deterministic `key`. The same event under the same program has the same keys, so
that a host recognises a retry. The attribute `type` identifies the class, for type checkers too.

Amounts are Decimals of at most 6 decimals. A name that ends in `_on` is a local date in the program's zone; one that
ends in `_at` is an instant with the zone's offset at that instant. Source: documents (evaluation).
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import attrs

from loyalty_rules.account_intents import (
    AdjustCurrency,
    ExtendCoupon,
    ExtendLot,
    ForgetMember,
    MergeAccounts,
    ReassignCoupon,
    TopUpCoupon,
    TransferCurrency,
)
from loyalty_rules.intent_parts import Claim, LotDraw, MovedUnits, Release, Settlement, Share, TakenUnits, WriteOff
from loyalty_rules.rules.skips import Reason
from loyalty_rules.rules.texts import Text
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "AdjustCurrency",
    "AdvanceTracker",
    "CancelPromise",
    "CaptureHold",
    "ChangeTier",
    "Claim",
    "ExpireCoupon",
    "ExpireCurrency",
    "ExtendCoupon",
    "ExtendExpiry",
    "ExtendLot",
    "ForgetMember",
    "HoldCurrency",
    "Intent",
    "IssueCoupon",
    "IssueCurrency",
    "LotDraw",
    "MergeAccounts",
    "MovedUnits",
    "ReassignCoupon",
    "RedeemCoupon",
    "Release",
    "ReleaseHold",
    "ReleasePromise",
    "ReverseCurrency",
    "SendMessage",
    "Settlement",
    "Share",
    "Skipped",
    "SpendCurrency",
    "TakenUnits",
    "TopUpCoupon",
    "TransferCurrency",
    "UndoRedemption",
    "UndoSpend",
    "VoidCoupon",
    "WriteOff",
]


@attrs.frozen
class IssueCurrency:
    """An issue of currency: add a lot to the account of the member, or of the member's `group` if that is set.

    If `state` is `promised` the lot is a promise, which is not part of the balance. Its `release` is the event that
    releases it; `due_at` is its due instant, if that is known. A lot is live before `expires_at`. Both expiry fields
    are None if the lot never expires, or if its expiry depends on a date that is not known yet.

    No extension moves the lot beyond `expires_by`. `depends_on` has the keys of the spends that pay for the issue: a
    ledger records all of them or none.
    """

    type: ClassVar[Literal["issue_currency"]] = "issue_currency"
    key: str
    promotion: str
    action: str
    event: str
    member: str
    group: str | None
    currency: str
    amount: Decimal
    state: Literal["issued", "promised"]
    issue_on: date | None
    due_at: datetime | None
    release: Release | None
    expires_on: date | None
    expires_at: datetime | None
    shares: tuple[Share, ...]
    claims: tuple[Claim, ...]
    expires_by: date | None = None
    depends_on: tuple[str, ...] = ()


@attrs.frozen
class IssueCoupon:
    """An issue of one coupon, either with its own `serial` or with the shared `code` of its type.

    The coupon is valid from `valid_from` on, and before `expires_at`. The till prints `till_message` on the receipt;
    `title` and `terms` are those of the coupon's type. `depends_on` is as in `IssueCurrency`.
    `worth` is the amount of a stored value that depends on the event, None for every other coupon.
    """

    type: ClassVar[Literal["issue_coupon"]] = "issue_coupon"
    key: str
    promotion: str
    action: str
    event: str
    member: str | None
    store: str | None
    coupon_type: str
    serial: str | None
    code: str | None
    issued_at: datetime
    valid_from: datetime
    expires_on: date | None
    expires_at: datetime | None
    till_message: Text
    claims: tuple[Claim, ...]
    title: Text | None = None
    terms: Text | None = None
    depends_on: tuple[str, ...] = ()
    worth: Decimal | None = None


@attrs.frozen
class SendMessage:
    """A message about issues: send it on every channel of `channels`; if one fails, try `fallbacks` in order."""

    type: ClassVar[Literal["send_message"]] = "send_message"
    key: str
    about: tuple[str, ...]
    member: str
    template: str
    channels: tuple[str, ...]
    fallbacks: tuple[str, ...]


@attrs.frozen
class ExtendExpiry:
    """An extension: move the expiry of the account's live lots of a currency to a later date.

    It never shortens a lot's validity, and never revives an expired lot.
    """

    type: ClassVar[Literal["extend_expiry"]] = "extend_expiry"
    key: str
    member: str
    group: str | None
    currency: str
    scope: Literal["balance", "rolling_lots"]
    expires_on: date
    expires_at: datetime


@attrs.frozen
class AdvanceTracker:
    """An addition of `value` to a tracker, in the window of the event; a lifetime has no start and no end.

    It is the tracker of the `member`, or of the member's `group` if that is set.
    """

    type: ClassVar[Literal["advance_tracker"]] = "advance_tracker"
    key: str
    tracker: str
    member: str
    value: Decimal
    window_starts_at: datetime | None
    window_ends_at: datetime | None
    group: str | None = None


@attrs.frozen
class ChangeTier:
    """A change of level in a tier, of a member or of a group; `until` is its last day, None without end.

    The levels are equal if only the last day changes. A review of a group's level names no member.
    """

    type: ClassVar[Literal["change_tier"]] = "change_tier"
    key: str
    tier: str
    member: str | None
    group: str | None
    from_level: str
    to_level: str
    on: date
    until: date | None


# -- after the sale --------------------------------------------------------------------------------------------------


@attrs.frozen
class ReleasePromise:
    """The release of a promise, or of a part of it, which becomes a live lot.

    `event` is the update or confirmation that released it, None if it was due. `lot` is the key of the lot that a part
    becomes; it is None for what remains of the promise, which becomes the promise's own lot.
    """

    type: ClassVar[Literal["release_promise"]] = "release_promise"
    key: str
    promise: str
    event: str | None
    member: str
    group: str | None
    currency: str
    amount: Decimal
    issue_on: date
    expires_on: date | None
    expires_at: datetime | None
    lot: str | None = None
    expires_by: date | None = None


@attrs.frozen
class CancelPromise:
    """The end of a promise without an issue, once.

    A confirmation cancels it; or it lapses because its expiry has passed when it would be released.
    """

    type: ClassVar[Literal["cancel_promise"]] = "cancel_promise"
    key: str
    promise: str
    event: str | None
    outcome: Literal["cancelled", "lapsed"]
    amount: Decimal
    claims: tuple[Claim, ...]


@attrs.frozen
class ReverseCurrency:
    """A reversal: take back `amount` of an issue from the lots in `draws`; `shortfall` is the missing rest.

    If `carried` is true the shortfall becomes a debt, which the account's next issue pays first. Otherwise it is
    written off. The amounts of the claims are negative: a reversed amount no longer counts against a cap.
    """

    type: ClassVar[Literal["reverse_currency"]] = "reverse_currency"
    key: str
    issue: str
    event: str
    member: str
    group: str | None
    currency: str
    amount: Decimal
    draws: tuple[LotDraw, ...]
    shortfall: Decimal
    carried: bool
    claims: tuple[Claim, ...]


@attrs.frozen
class ExpireCurrency:
    """The expiry of the outstanding rest of a lot."""

    type: ClassVar[Literal["expire_currency"]] = "expire_currency"
    key: str
    lot: str
    amount: Decimal
    expired_at: datetime


@attrs.frozen
class SpendCurrency:
    """A spend of an amount, from the lots that expire soonest; `value` is its worth in money, None without a rate.

    The spend of an action has its `promotion` and `action`; the ledger that records it decides `value` and `draws`.
    `bill` is the id of the transaction that it pays, if its bill was handed over, and `shares` are the parts of `value`
    by line. Otherwise `event` is that id.
    """

    type: ClassVar[Literal["spend_currency"]] = "spend_currency"
    key: str
    event: str
    member: str
    group: str | None
    currency: str
    amount: Decimal
    value: Decimal | None = None
    draws: tuple[LotDraw, ...] = ()
    promotion: str | None = None
    action: str | None = None
    bill: str | None = None
    shares: tuple[Share, ...] = ()

    @property
    def paid(self) -> str:
        """The id of the transaction that the spend pays."""
        return self.bill if self.bill is not None else self.event


@attrs.frozen
class UndoSpend:
    """The undoing of a spend, or of a part of it: return units to their lots, which keep their own expiry.

    `expired` are the draws on lots that have expired since the spend: listed, but not revived. The units in `settled`
    do not come back: they make good what returns could not take.
    """

    type: ClassVar[Literal["undo_spend"]] = "undo_spend"
    key: str
    spend: str
    draws: tuple[LotDraw, ...]
    expired: tuple[LotDraw, ...]
    settled: tuple[Settlement, ...] = ()

    @property
    def amount(self) -> Decimal:
        """The amount that is undone in all."""
        units = [each.amount for each in (*self.draws, *self.expired)] + [each.amount for each in self.settled]
        return decimal_of(sum(micros(each) for each in units))


@attrs.frozen
class HoldCurrency:
    """A hold of an amount, from the lots that expire soonest: its units are set aside until an instant."""

    type: ClassVar[Literal["hold_currency"]] = "hold_currency"
    key: str
    event: str
    member: str
    group: str | None
    currency: str
    amount: Decimal
    until: datetime
    draws: tuple[LotDraw, ...]


@attrs.frozen
class CaptureHold:
    """The capture of a hold: an amount of its units is spent, by the `SpendCurrency` of the same event."""

    type: ClassVar[Literal["capture_hold"]] = "capture_hold"
    key: str
    hold: str
    event: str
    amount: Decimal


@attrs.frozen
class ReleaseHold:
    """The release of held units, by the host or by time alone: return them to their lots.

    The fields are those of `UndoSpend`: `expired` are draws on lots that have expired, `settled` units that make good
    a shortfall.
    """

    type: ClassVar[Literal["release_hold"]] = "release_hold"
    key: str
    hold: str
    released_at: datetime
    draws: tuple[LotDraw, ...]
    expired: tuple[LotDraw, ...]
    settled: tuple[Settlement, ...]

    def moves(self) -> Iterator[tuple[str, str, Decimal]]:
        """Yield each movement of held units: the lot, the bucket in which they end, and the amount."""
        for target, rows in (("available", self.draws), ("expired", self.expired), ("reversed", self.settled)):
            for each in rows:
                yield each.lot, target, each.amount


@attrs.frozen
class RedeemCoupon:
    """A redemption of a coupon for a discount; `remaining` is the rest of a stored value, None for other coupons.

    `redeemed_by` is the id of the transaction; `event` is another id only for a second attempt within it. `shares` are
    the parts of the discount by line, `units` the units that a benefit with `units` has taken.
    """

    type: ClassVar[Literal["redeem_coupon"]] = "redeem_coupon"
    key: str
    coupon: str
    event: str
    store: str | None
    discount: Decimal
    remaining: Decimal | None
    redeemed_by: str | None = None
    redeemed_by_member: str | None = None
    redeemed_at_store: str | None = None
    shares: tuple[Share, ...] = ()
    units: tuple[TakenUnits, ...] = ()

    @property
    def paid(self) -> str:
        """The id of the transaction that the discount is taken off."""
        return self.redeemed_by if self.redeemed_by is not None else self.event


@attrs.frozen
class UndoRedemption:
    """The undoing of a redemption, or of a part of a stored value: reinstate the coupon or its value.

    `expired` is the part of `discount` that is not reinstated, since the coupon has ended meanwhile.
    """

    type: ClassVar[Literal["undo_redemption"]] = "undo_redemption"
    key: str
    redemption: str
    coupon: str
    discount: Decimal
    expired: Decimal = Decimal(0)


@attrs.frozen
class VoidCoupon:
    """The withdrawal of a coupon that was not redeemed; `reason` and `by` are those of a person, if one voided it.

    The amounts of its claims are negative, as those of `ReverseCurrency`.
    """

    type: ClassVar[Literal["void_coupon"]] = "void_coupon"
    key: str
    coupon: str
    event: str
    claims: tuple[Claim, ...]
    reason: str | None = None
    by: str | None = None


@attrs.frozen
class ExpireCoupon:
    """The expiry of a coupon."""

    type: ClassVar[Literal["expire_coupon"]] = "expire_coupon"
    key: str
    coupon: str
    expired_at: datetime


Intent: TypeAlias = (
    IssueCurrency
    | IssueCoupon
    | SendMessage
    | ExtendExpiry
    | AdvanceTracker
    | ChangeTier
    | ReleasePromise
    | CancelPromise
    | ReverseCurrency
    | ExpireCurrency
    | SpendCurrency
    | UndoSpend
    | HoldCurrency
    | CaptureHold
    | ReleaseHold
    | RedeemCoupon
    | UndoRedemption
    | VoidCoupon
    | ExpireCoupon
    | AdjustCurrency
    | TransferCurrency
    | MergeAccounts
    | ForgetMember
    | ExtendLot
    | ExtendCoupon
    | ReassignCoupon
    | TopUpCoupon
)


@attrs.frozen
class Skipped:
    """An action that issued nothing although its promotion fired: the first reason, as a code and in words."""

    promotion: str
    action: str
    reason: Reason
    detail: str
