"""Records of a ledger as plain values, the inputs of decisions: accounts, lots, coupons, sales, refusals.

Amounts are Decimals of at most 6 decimals. A ledger may store a record in any form. Source: ledger 2, semantics 5, 11.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import attrs

from loyalty_rules.engine.plan import BoundCouponAction, BoundCurrencyAction
from loyalty_rules.events import Activity, Amendment, Return, Snapshot, Transaction, Update
from loyalty_rules.intents import (
    ChangeTier,
    ExtendExpiry,
    HoldCurrency,
    IssueCoupon,
    IssueCurrency,
    RedeemCoupon,
    ReverseCurrency,
    SpendCurrency,
)
from loyalty_rules.keys import PUBLIC_COUPONS, action_key
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_name

__all__ = [
    "BUCKETS",
    "NEW_UNITS",
    "Account",
    "Adjustment",
    "AmendedTerms",
    "Cause",
    "CouponRecord",
    "FurtherLot",
    "Hold",
    "LevelChange",
    "Lot",
    "Merger",
    "Payment",
    "Refusal",
    "Remark",
    "Sale",
    "Shortfall",
]

ZERO = Decimal(0)


@attrs.frozen(field_transformer=checked)
class Account:
    """The owner of a balance: a member or a group of members. Raises `InvalidValueError` for another kind or id."""

    kind: Literal["member", "group"]
    id: str = attrs.field(converter=read_name)

    @classmethod
    def of(cls, intent: IssueCurrency | SpendCurrency | HoldCurrency | ExtendExpiry | ChangeTier) -> "Account":
        """Return the account of an intent: its group's, or its member's if it has no group."""
        if intent.group is not None:
            return cls("group", intent.group)
        assert intent.member is not None
        return cls("member", intent.member)


@attrs.frozen
class Lot:
    """Units with one expiry, in buckets that add up to the units issued, all ≥ 0.

    A lot is live while an instant is before `expires_at` and units are outstanding. `order` is the order of issue;
    `rolling` lots were issued with a rolling expiry. `taken_back` are the units that returns of its sale have claimed,
    from any lot, shortfalls included. A promise is a lot with units promised and none outstanding. A lot with an
    `origin` has units that moved on from that lot. `store`, `tier` (the member's) and `channel` are
    those of the sale. If the account `is_closed`, which only a decision about returns is told, returns count its units
    as taken. `ended` are the voided units that a cancelled or lapsed promise had, which have released their claims; it
    is told them, too. `available_at` is the instant of the issue, or of the release of a promise. No extension moves
    the lot beyond `last_on`, which ends at `last_at`; both are None without a maximum.
    """

    issue: IssueCurrency
    order: int
    issued: Decimal = ZERO
    rolling: bool = False
    promised: Decimal = attrs.field(default=ZERO, metadata={"bucket": "promised"})
    outstanding: Decimal = attrs.field(default=ZERO, metadata={"bucket": "available"})
    held: Decimal = attrs.field(default=ZERO, metadata={"bucket": "held"})
    spent: Decimal = attrs.field(default=ZERO, metadata={"bucket": "spent"})
    expired: Decimal = attrs.field(default=ZERO, metadata={"bucket": "expired"})
    reversed: Decimal = attrs.field(default=ZERO, metadata={"bucket": "reversed"})
    voided: Decimal = attrs.field(default=ZERO, metadata={"bucket": "voided"})
    moved_on: Decimal = attrs.field(default=ZERO, metadata={"bucket": "moved"})
    taken_back: Decimal = ZERO
    issue_on: date | None = None
    expires_on: date | None = None
    expires_at: datetime | None = None
    origin: str | None = None
    store: str | None = None
    tier: str | None = None
    channel: str | None = None
    is_closed: bool = False
    ended: Decimal = ZERO
    available_at: datetime | None = None
    last_on: date | None = None
    last_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the issue that created the lot."""
        return self.issue.key

    @property
    def issue_key(self) -> str:
        """The key of the issue that its units come from: its own, or that of its origin."""
        return self.origin or self.issue.key

    @property
    def account(self) -> Account:
        """The account that the lot belongs to."""
        return Account.of(self.issue)

    @property
    def buckets(self) -> dict[str, Decimal]:
        """The units in each bucket, by the bucket's name in entries."""
        return {bucket: getattr(self, field) for bucket, field in BUCKETS.items()}

    def is_live(self, at: datetime) -> bool:
        """Return whether units of the lot can be spent at an instant. Source: semantics 5."""
        return self.outstanding > 0 and (self.expires_at is None or at < self.expires_at)

    def has_units(self) -> bool:
        """Return whether units are promised, outstanding or held."""
        return self.promised > 0 or self.outstanding > 0 or self.held > 0

    def is_whole(self) -> bool:
        """Return whether the buckets add up to the units issued and none of them is below zero."""
        units = [micros(each) for each in self.buckets.values()]
        return sum(units) == micros(self.issued) and min(units) >= 0

    def moved(self, source: str, target: str, units: Decimal) -> "Lot":
        """Return the lot after units have moved from one bucket to another, as an entry says. Source: ledger P7.

        Units from `issued`, which is not a bucket, are new; so are, for this lot, units from `moved`. Nothing is
        checked: see `is_whole`.
        """
        is_new = source in NEW_UNITS
        changes = {"issued": 1, BUCKETS[target]: 1} if is_new else {BUCKETS[source]: -1, BUCKETS[target]: 1}
        amount = micros(units)
        fields = {field: decimal_of(micros(getattr(self, field)) + sign * amount) for field, sign in changes.items()}
        return attrs.evolve(self, **fields)  # type: ignore[arg-type]


BUCKETS: Mapping[str, str] = {
    field.metadata["bucket"]: field.name for field in attrs.fields(Lot) if "bucket" in field.metadata
}
"""The buckets of a lot: the field of `Lot` for each bucket that an entry names. Source: ledger 2."""


NEW_UNITS = ("issued", "moved")
"""The sources of units that are new in a lot: an issue, or another lot from which they moved on."""


@attrs.frozen
class FurtherLot:
    """A lot that the batch of its sale did not issue. `issue` has its key, its units and its dates.

    `origin` is the lot that its units moved on from; None if they are new units.
    """

    issue: IssueCurrency
    origin: str | None
    store: str | None
    rolling: bool
    tier: str | None = None
    channel: str | None = None

    @property
    def key(self) -> str:
        """The key of the lot."""
        return self.issue.key


@attrs.frozen
class Adjustment:
    """An adjustment that waits for a confirmation: the key of its lot, the person who made it, and its instant."""

    key: str
    by: str
    at: datetime


@attrs.frozen
class Merger:
    """A member that stands for another one since a merge, or whose account is closed. `key` is that of the member.

    `into` is the other member; None if the account was closed by `forget`.
    """

    key: str
    member: str
    into: str | None
    at: datetime


@attrs.frozen
class NightlyRun:
    """The last nightly run of a program that has come to its end: everything due before `until` is recorded."""

    key: str
    until: datetime


@attrs.frozen
class Remark:
    """A line of an account's statement beside the entries of its lots, with the reason and the person of the host.

    `key` identifies the line. `about` is the key of a lot or a coupon: it was extended, given away, voided or topped
    up, or came to another account. `source`, `target` and `amount` are those of an entry; most lines move no units.
    """

    key: str
    account: Account
    currency: str | None
    about: str
    batch: str
    at: datetime
    recorded_at: datetime
    reason: str
    by: str
    source: str = ""
    target: str = ""
    amount: Decimal = ZERO


@attrs.frozen
class CouponRecord:
    """One coupon in one state.

    `remaining` is the rest of a stored value. Any other coupon has `uses_left`; `left_in_all` is the sum that
    these uses may still take off, and `most` the maximum of one. None means no maximum.
    `redeemed_by` is the id of the transaction that redeemed the coupon last, `redemption` the key of the intent.
    `taken` is the sum of the discounts that stand. `voided_at` is also the instant at which its sale has lost a card
    that keeps the sum added to it.

    `member` has the coupon, which may be another than the member to whom it was issued. An extension moves
    `expires_on` and `expires_at`, at which the coupon expires, whether or not a sweep has recorded that. `topped_up` is
    the sum that was added to a stored value. `tier` (the member's) and `channel` are those of the sale.
    """

    issue: IssueCoupon
    state: Literal["issued", "redeemed", "expired", "voided"] = "issued"
    remaining: Decimal | None = None
    redeemed_by: str | None = None
    redeemed_at: datetime | None = None
    voided_at: datetime | None = None
    member: str | None = attrs.field(default=attrs.Factory(lambda self: self.issue.member, takes_self=True))
    expires_on: date | None = attrs.field(default=attrs.Factory(lambda self: self.issue.expires_on, takes_self=True))
    expires_at: datetime | None = attrs.field(
        default=attrs.Factory(lambda self: self.issue.expires_at, takes_self=True)
    )
    topped_up: Decimal = ZERO
    tier: str | None = None
    channel: str | None = None
    redemption: str | None = None
    redeemed_by_member: str | None = None
    redeemed_at_store: str | None = None
    uses_left: int | None = None
    left_in_all: Decimal | None = None
    most: Decimal | None = None
    taken: Decimal = ZERO

    @property
    def key(self) -> str:
        """The key of the intent that issued the coupon."""
        return self.issue.key

    @property
    def is_lost(self) -> bool:
        """Whether it was voided, perhaps but for the sum added to its value: it counts against no cap any more."""
        return self.state == "voided" or self.voided_at is not None

    @property
    def is_public(self) -> bool:
        """Whether the coupon is the record of one redemption of a public code. Source: semantics 9 (public codes)."""
        return self.issue.promotion == PUBLIC_COUPONS

    @property
    def most_left(self) -> Decimal | None:
        """The maximum that the coupon can still cost; None if there is no maximum. It keeps the terms of its issue."""
        if self.remaining is not None:
            return self.remaining
        bounds = [micros(self.left_in_all)] if self.left_in_all is not None else []
        if self.most is not None:
            bounds.append(micros(self.most) * (self.uses_left if self.uses_left is not None else 1))
        return decimal_of(min(bounds)) if bounds else None

    def state_at(self, at: datetime) -> Literal["issued", "redeemed", "expired", "voided"]:
        """Return the state at an instant: an issued coupon may have expired by then, a swept one not yet.

        The instant is no earlier than the record, but for the record of an expiry.
        """
        if self.state not in ("issued", "expired") or self.expires_at is None:
            return self.state
        return "expired" if at >= self.expires_at else "issued"


@attrs.frozen
class Payment:
    """A spend or a redemption under the id of a transaction. `undone` are the units, or the discount, undone so far.

    `at` is the instant of the payment. It is wholly undone once `is_undone` is true. `bill` is the amount of the bill
    that was handed over with it, in the program's money; None if there was none. `store` is the store of that bill.
    """

    intent: SpendCurrency | RedeemCoupon
    at: datetime
    undone: Decimal = ZERO
    is_undone: bool = False
    bill: Decimal | None = None
    store: str | None = None

    @property
    def key(self) -> str:
        """The key of the intent."""
        return self.intent.key


@attrs.frozen
class LevelChange:
    """A level that an event gave an account in a tier, or that a review decided. `key` is that of the intent.

    `until` is the last day of the level, None without end.
    """

    key: str
    tier: str
    account: Account
    at: datetime
    level: str
    until: date | None
    is_review: bool = False


@attrs.frozen
class Hold:
    """Units of an account that are set aside since `at`; `ended_at` is the instant of a capture or of the release.

    A hold also ends by time alone, at its intent's `until`. Source: semantics 12.
    """

    intent: HoldCurrency
    account: Account
    at: datetime
    ended_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the intent."""
        return self.intent.key

    def is_open(self, at: datetime) -> bool:
        """Return whether the units can be captured at an instant."""
        return self.ended_at is None and at < self.intent.until

    @property
    def is_over_by_time(self) -> bool:
        """Whether the record of its end says that time alone has ended it: nobody captured or released it before."""
        return self.ended_at == self.intent.until


@attrs.frozen
class Shortfall:
    """The units that a return was due of a lot and could not take. `key` is that of the reversal, `at` its instant.

    `open` is the part that no later units have made good. A shortfall that is `carried` is a debt of the account;
    otherwise it is written off. Source: semantics 11.
    """

    key: str
    lot: str
    account: Account
    currency: str
    at: datetime
    amount: Decimal
    open: Decimal
    carried: bool

    @property
    def is_owed(self) -> bool:
        """Whether a part of it is a debt."""
        return self.carried and self.open > 0


@attrs.frozen
class Sale:
    """The frozen terms of a sale: the program, the event and the snapshot of its decision. Source: semantics 11.

    `updates` (with amendments) and `returns` are those recorded so far, in the order of record; `reversals` are those
    of both.
    """

    program: Program
    event: Transaction | Activity
    snapshot: Snapshot
    updates: tuple[Update | Amendment, ...] = ()
    returns: tuple[Return, ...] = ()
    reversals: tuple[ReverseCurrency, ...] = ()

    @property
    def event_on(self) -> date:
        """The local date that the sale counts for. Source: semantics 5."""
        return self.event.business_date or self.event.occurred_at.astimezone(self.program.plan.zone).date()

    def current(self) -> Transaction | Activity:
        """Return the event after its updates: each field of an update replaces the event's. Source: documents."""
        event = self.event
        for change in self.updates:
            known = attrs.fields_dict(type(event))  # an activity has no amount and no lines
            event = attrs.evolve(event, **{name: each for name, each in change.replaced().items() if name in known})
        return event

    def action_of(self, issue: IssueCurrency | IssueCoupon) -> BoundCurrencyAction | BoundCouponAction:
        """Return the action of the program that decided an issue; `LookupError` if the program has no such action."""
        action = self.program.plan.action(action_key(issue.promotion, issue.action))
        assert isinstance(action, (BoundCurrencyAction, BoundCouponAction))
        return action


@attrs.frozen
class Cause:
    """One reason to refuse a part of a set: `of` is the code of the coupon, as presented, or the currency."""

    reason: str
    of: str


@attrs.frozen
class AmendedTerms:
    """The document of the snapshot under which a sale was given to another member; `key` is the sale's event key."""

    key: str
    snapshot: Mapping[str, Any]


@attrs.frozen
class Refusal:
    """The reasons to do nothing: every code that applies, and the detail for a reader.

    If several coupons and spends are refused together, `causes` names the coupon or currency of each reason.
    """

    reasons: tuple[str, ...]
    detail: str
    causes: tuple[Cause, ...] = ()
