"""What a ledger holds, as plain records: decisions are made of them. Source: ledger 2, semantics 5 and 11.

Amounts are Decimals of at most 6 decimals. A record says what is; whoever stores it may store it in any way.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import attrs

from loyalty_rules.events import Activity, Return, Snapshot, Transaction, Update
from loyalty_rules.intents import ExtendExpiry, IssueCoupon, IssueCurrency, SpendCurrency
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_name

__all__ = ["Account", "CouponRecord", "Lot", "Refusal", "Sale"]

ZERO = Decimal(0)


@attrs.frozen(field_transformer=checked)
class Account:
    """Whose balance it is: a member's, or a group's of members. Raises `InvalidValueError` for what is neither."""

    kind: Literal["member", "group"]
    id: str = attrs.field(converter=read_name)

    @classmethod
    def of(cls, intent: IssueCurrency | SpendCurrency | ExtendExpiry) -> "Account":
        """Give the account that an intent is about."""
        return cls("member", intent.member) if intent.group is None else cls("group", intent.group)


@attrs.frozen
class Lot:
    """What became of one issue: issued = promised + outstanding + spent + expired + reversed + voided, all ≥ 0.

    Live while an instant is before `expires_at` and something is outstanding. `order` is the order of issue,
    `rolling` whether it was issued with a rolling expiry. `taken_back` is what returns of its sale have claimed, from
    wherever it was taken, shortfalls included. A promise is a lot of which nothing but `promised` is left
    or taken.
    """

    issue: IssueCurrency
    order: int
    issued: Decimal
    rolling: bool = False
    promised: Decimal = ZERO
    outstanding: Decimal = ZERO
    spent: Decimal = ZERO
    expired: Decimal = ZERO
    reversed: Decimal = ZERO
    voided: Decimal = ZERO
    taken_back: Decimal = ZERO
    issue_on: date | None = None
    expires_on: date | None = None
    expires_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the issue that made the lot."""
        return self.issue.key

    @property
    def account(self) -> Account:
        return Account.of(self.issue)

    def is_live(self, at: datetime) -> bool:
        """Say whether something of the lot can be spent at an instant. Source: semantics 5."""
        return self.outstanding > 0 and (self.expires_at is None or at < self.expires_at)

    def is_whole(self) -> bool:
        """Say whether the lot's identity holds and nothing in it is below zero."""
        held = (self.promised, self.outstanding, self.spent, self.expired, self.reversed, self.voided)
        parts = [micros(part) for part in held]
        return sum(parts) == micros(self.issued) and min(parts) >= 0


@attrs.frozen
class CouponRecord:
    """One coupon, in one state. `remaining` is what a stored value has left, `redeemed_by` its redemption's key.

    Time expires a coupon at its issue's `expires_at`, whether a sweep has written that down or not.
    """

    issue: IssueCoupon
    state: Literal["issued", "redeemed", "expired", "voided"] = "issued"
    remaining: Decimal | None = None
    redeemed_by: str | None = None
    redeemed_at: datetime | None = None
    voided_at: datetime | None = None

    @property
    def key(self) -> str:
        """The key of the intent that issued the coupon."""
        return self.issue.key

    def state_at(self, at: datetime) -> Literal["issued", "redeemed", "expired", "voided"]:
        """Give the state at an instant, no earlier than the record: what is issued expires with time alone."""
        expires_at = self.issue.expires_at
        if self.state == "issued" and expires_at is not None and at >= expires_at:
            return "expired"
        return self.state


@attrs.frozen
class Sale:
    """The frozen terms of a sale: the program version, the event and the snapshot that it was decided under.

    `updates` and `returns` are those recorded so far, in their order. Source: semantics 11.
    """

    program: Program
    event: Transaction | Activity
    snapshot: Snapshot
    updates: tuple[Update, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def event_on(self) -> date:
        """The local date that the sale counts for. Source: semantics 5."""
        return self.program.plan.facts(self.event, self.snapshot).event_on

    def current(self) -> Transaction | Activity:
        """Give the event as its updates have left it: what is given replaces what was. Source: documents (event)."""
        event = self.event
        for change in self.updates:
            given = {
                name: getattr(change, name)
                for name in ("status", "custom_fields", "extended_fields")
                if getattr(change, name) is not None
            }
            event = attrs.evolve(event, **given)
        return event


@attrs.frozen
class Refusal:
    """Why nothing is done: every reason that applies, each a stable code, and what they mean here."""

    reasons: tuple[str, ...]
    detail: str
