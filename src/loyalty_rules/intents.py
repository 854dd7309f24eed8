"""Everything that the host can be asked to persist or do: the page that the author of a ledger reads.

An intent is a plain frozen value with a deterministic `key`: the same event under the same program gives the same
keys, so that a retry can be told from a new event. Amounts are Decimals of at most 6 decimals; `…_on` is a local
date in the program's zone, `…_at` an instant with the zone's offset then. Source: documents (evaluation).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

import attrs

from loyalty_rules.rules.conditions import Condition
from loyalty_rules.rules.skips import Reason

__all__ = [
    "AdvanceTracker",
    "CancelPromise",
    "Claim",
    "ExpireCoupon",
    "ExpireCurrency",
    "ExtendExpiry",
    "Intent",
    "IssueCoupon",
    "IssueCurrency",
    "LotDraw",
    "RedeemCoupon",
    "Release",
    "ReleasePromise",
    "ReverseCurrency",
    "SendMessage",
    "Share",
    "Skipped",
    "SpendCurrency",
    "UndoRedemption",
    "UndoSpend",
    "VoidCoupon",
    "till_message",
]


@attrs.frozen
class Claim:
    """A counter that an intent draws on: it may not pass `limit` once `amount` is added.

    The counter of a rolling window sums the days `from_date` to `to_date`, both included; other counters name their
    window themselves. Source: semantics 8, documents (claims).
    """

    counter: str
    limit: Decimal
    amount: Decimal
    from_date: date | None = None
    to_date: date | None = None


@attrs.frozen
class Share:
    """What of an issue came from one line. The shares of an issue sum to its amount exactly."""

    line: str
    amount: Decimal


@attrs.frozen
class Release:
    """What a promise waits for: the day it is due, a confirmation from outside, or an update that satisfies `when`."""

    type: Literal["delayed", "external", "transaction_update"]
    when: Condition | None = None


@attrs.frozen
class IssueCurrency:
    """Add a lot of a currency to the account of the member, or of the member's `group` where that is set.

    A promise (`state` is `promised`) is no balance: `release` says what it waits for, `due_at` when it is due if
    that is known. A lot is live while an instant is before `expires_at`; both expiry fields are None where it never
    expires, or where that hangs on a date not known yet.
    """

    type: ClassVar[str] = "issue_currency"
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


@attrs.frozen
class IssueCoupon:
    """Hand out one coupon: with its own `serial`, or with the shared `code` of its type.

    Valid while an instant is at or after `valid_from` and before `expires_at`. `till_message` is for the receipt.
    """

    type: ClassVar[str] = "issue_coupon"
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
    till_message: str
    claims: tuple[Claim, ...]


def till_message(code: str | None) -> str:
    """Give what the till prints of a coupon, by its serial or shared code. Source: semantics 9."""
    return f"Coupon issued: {code}"


@attrs.frozen
class SendMessage:
    """Send a message about what was issued on every one of `channels`; try `fallbacks` in order where one fails."""

    type: ClassVar[str] = "send_message"
    key: str
    about: tuple[str, ...]
    member: str
    template: str
    channels: tuple[str, ...]
    fallbacks: tuple[str, ...]


@attrs.frozen
class ExtendExpiry:
    """Move the expiry of the account's live lots of a currency to a later date; never shorten, never wake a lot."""

    type: ClassVar[str] = "extend_expiry"
    key: str
    member: str
    group: str | None
    currency: str
    scope: Literal["balance", "rolling_lots"]
    expires_on: date
    expires_at: datetime


@attrs.frozen
class AdvanceTracker:
    """Add `value` to a member's tracker in the window that holds the event; no window ends for a lifetime."""

    type: ClassVar[str] = "advance_tracker"
    key: str
    tracker: str
    member: str
    value: Decimal
    window_starts_at: datetime | None
    window_ends_at: datetime | None


# -- after the sale --------------------------------------------------------------------------------------------------


@attrs.frozen
class LotDraw:
    """So much taken from one lot: from what is promised or from what is available."""

    lot: str
    amount: Decimal
    taken_from: Literal["promised", "available"] = "available"


@attrs.frozen
class ReleasePromise:
    """Turn a promise into a live lot, once. `event` is what released it, None where it was simply due."""

    type: ClassVar[str] = "release_promise"
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


@attrs.frozen
class CancelPromise:
    """End a promise without an issue, once: cancelled by a confirmation, or lapsed since its expiry is past."""

    type: ClassVar[str] = "cancel_promise"
    key: str
    promise: str
    event: str | None
    outcome: Literal["cancelled", "lapsed"]
    amount: Decimal
    claims: tuple[Claim, ...]


@attrs.frozen
class ReverseCurrency:
    """Take back what an issue gave, from the lots named; `shortfall` is what could not be taken.

    `carried` says that the shortfall is a debt that the account's next issue pays first; else it is written off.
    The claims' amounts are negative: what is taken back no longer counts against a cap.
    """

    type: ClassVar[str] = "reverse_currency"
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
    """Write down that what was left of a lot has expired."""

    type: ClassVar[str] = "expire_currency"
    key: str
    lot: str
    amount: Decimal
    expired_at: datetime


@attrs.frozen
class SpendCurrency:
    """Spend an amount from the lots named, soonest expiry first; `value` is its worth in money, if there is a rate."""

    type: ClassVar[str] = "spend_currency"
    key: str
    event: str
    member: str
    group: str | None
    currency: str
    amount: Decimal
    value: Decimal | None
    draws: tuple[LotDraw, ...]


@attrs.frozen
class UndoSpend:
    """Give the lots of a spend their units back, with their own expiry; `expired` is what time has taken since."""

    type: ClassVar[str] = "undo_spend"
    key: str
    spend: str
    draws: tuple[LotDraw, ...]
    expired: tuple[LotDraw, ...]


@attrs.frozen
class RedeemCoupon:
    """Redeem a coupon in a transaction for a discount; `remaining` is what a stored value has left, else None."""

    type: ClassVar[str] = "redeem_coupon"
    key: str
    coupon: str
    event: str
    store: str | None
    discount: Decimal
    remaining: Decimal | None


@attrs.frozen
class UndoRedemption:
    """Reinstate what a redemption took, once, since its transaction was wholly cancelled."""

    type: ClassVar[str] = "undo_redemption"
    key: str
    redemption: str
    coupon: str
    discount: Decimal


@attrs.frozen
class VoidCoupon:
    """Take a coupon back that was not redeemed; claims' amounts are negative, as with `ReverseCurrency`."""

    type: ClassVar[str] = "void_coupon"
    key: str
    coupon: str
    event: str
    claims: tuple[Claim, ...]


@attrs.frozen
class ExpireCoupon:
    """Write down that a coupon has expired."""

    type: ClassVar[str] = "expire_coupon"
    key: str
    coupon: str
    expired_at: datetime


Intent: TypeAlias = (
    IssueCurrency
    | IssueCoupon
    | SendMessage
    | ExtendExpiry
    | AdvanceTracker
    | ReleasePromise
    | CancelPromise
    | ReverseCurrency
    | ExpireCurrency
    | SpendCurrency
    | UndoSpend
    | RedeemCoupon
    | UndoRedemption
    | VoidCoupon
    | ExpireCoupon
)


@attrs.frozen
class Skipped:
    """An action whose promotion fired and that issued nothing: the first reason that applies, in words too."""

    promotion: str
    action: str
    reason: Reason
    detail: str
