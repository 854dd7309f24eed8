"""What a ledger keeps, and the protocol of its storage: all that operations look up and write down. Source: ledger 2.

The policy is elsewhere: `lifecycle` decides, `operations` says what each operation looks up, `posting` what each
intent writes. Storage only find rows and keep them, in memory or in a database. Amounts here are whole millionths.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

import attrs

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import IssueCurrency, RedeemCoupon, SpendCurrency
from loyalty_rules.keys import batch_key, event_key
from loyalty_rules.ledger.protocol import Entry, Receipt
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.serials import MalformedSerialError, parse_serial
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "PARTS",
    "AmountOutOfRangeError",
    "Batch",
    "ConcurrentChangeError",
    "ExpiryVersion",
    "IdempotencyRecord",
    "LockKey",
    "LotHistory",
    "Storage",
    "Undoable",
    "Window",
    "account_lock",
    "canonical_code",
    "counter_lock",
    "sale_lock",
]

PARTS: Mapping[str, str] = {
    "promised": "promised",
    "available": "outstanding",
    "spent": "spent",
    "expired": "expired",
    "reversed": "reversed",
    "voided": "voided",
}
"""The part of a `Lot` that each bucket of a entry is. What is issued comes from none."""

LockKey: TypeAlias = tuple[int, str]
"""What a decision is about, and where it comes in the order in which scopes are held: sales, accounts, counters."""

Window: TypeAlias = tuple[str, date | None, date | None]
"""A counter's name and, of a rolling one, the first and the last day that it sums."""

Undoable: TypeAlias = SpendCurrency | RedeemCoupon
"""What a later operation can undo by its key."""


def sale_lock(program: str, event: str) -> LockKey:
    """Name a sale with its promises and the coupons that it gave."""
    return 0, event_key(program, event)


def account_lock(program: str, account: Account) -> LockKey:
    """Name an account: its lots and its debts."""
    return 1, f"{program}/{account.kind}/{account.id}"


def counter_lock(program: str, name: str) -> LockKey:
    """Name a counter."""
    return 2, f"{program}/{name}"


def canonical_code(code: str) -> str:
    """Give the form in which a coupon's code is looked up: a serial is read however it is written."""
    try:
        return parse_serial(code)
    except MalformedSerialError:
        return code


class AmountOutOfRangeError(LoyaltyError):
    """An amount, or a sum of amounts, that a ledger of 64-bit millionths can't hold: more than 9,223,372,036,854."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what} is beyond 9,223,372,036,854, which is the most that this ledger can hold"


class ConcurrentChangeError(LoyaltyError):
    """What a decision was made by was no longer so when it was written: `what` names it. Nothing is recorded.

    What is decided about is held first, so this tells of a writer that keeps to no ledger's rules. Source: ledger P4.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what} has changed since it was read; nothing of this is recorded"


@attrs.frozen
class IdempotencyRecord:
    """What a batch is recognised by: its key, and the inputs that a replay must have again.

    `of` is the sale that the batch is about, if any. A batch is of one program and one event, and each of the phases
    of what becomes of an event (`event` itself, `spend/points`, …) is recorded once. Source: ledger P2.
    """

    program: str
    event: str
    phase: str
    inputs: Mapping[str, Any]
    at: datetime
    recorded_at: datetime
    of: str | None = None

    @property
    def key(self) -> str:
        return self.key_of(self.program, self.event, self.phase)

    @staticmethod
    def key_of(program: str, event: str, phase: str) -> str:
        """Give the key of a batch."""
        return batch_key(program, event, phase)


@attrs.frozen
class Batch:
    """One recorded operation: what it is recognised by, and what came of it."""

    given: IdempotencyRecord
    receipt: Receipt


@attrs.frozen
class ExpiryVersion:
    """When a lot's expiry became what: known on issue or release, moved by an extension."""

    since: datetime
    expires_on: date | None
    expires_at: datetime | None


@attrs.frozen
class LotHistory:
    """Everything that happened to one lot, in the order of record."""

    issue: IssueCurrency
    program: str
    order: int
    rolling: bool
    entries: tuple[Entry, ...] = ()
    expiry_versions: tuple[ExpiryVersion, ...] = ()
    released: tuple[datetime, date] | None = None  # when, and the issue date that followed from it
    claimed: tuple[tuple[datetime, Decimal], ...] = ()  # by returns of its sale

    def lot(self, at: datetime | None = None) -> Lot | None:
        """Give the lot as it stood at an instant (None: now); None where it had not been issued yet."""
        if not self.entries:
            return None
        return self._current if at is None or at >= self.latest else self._lot(at)

    @functools.cached_property
    def _current(self) -> Lot | None:
        return self._lot(None)

    @functools.cached_property
    def latest(self) -> datetime:
        """The last instant at which anything happened to the lot."""
        instants = [*(each.at for each in self.entries), *(each.since for each in self.expiry_versions)]
        return max([*instants, *(since for since, _ in self.claimed), *([self.released[0]] if self.released else [])])

    def _lot(self, at: datetime | None) -> Lot | None:
        entries = [each for each in self.entries if at is None or each.at <= at]
        if not entries:
            return None
        sums = dict.fromkeys(PARTS, 0)
        issued = 0
        for each in entries:
            if each.source == "issued":
                issued += micros(each.amount)
            else:
                sums[each.source] -= micros(each.amount)
            sums[each.target] += micros(each.amount)
        terms = [term for term in self.expiry_versions if at is None or term.since <= at]
        term = terms[-1] if terms else ExpiryVersion(entries[0].at, None, None)
        released = self.released is not None and (at is None or self.released[0] <= at)
        claimed = sum(micros(amount) for since, amount in self.claimed if at is None or since <= at)
        return Lot(
            self.issue,
            self.order,
            decimal_of(issued),
            rolling=self.rolling,
            promised=decimal_of(sums["promised"]),
            outstanding=decimal_of(sums["available"]),
            spent=decimal_of(sums["spent"]),
            expired=decimal_of(sums["expired"]),
            reversed=decimal_of(sums["reversed"]),
            voided=decimal_of(sums["voided"]),
            taken_back=decimal_of(claimed),
            issue_on=self.released[1] if self.released is not None and released else self.issue.issue_on,
            expires_on=term.expires_on,
            expires_at=term.expires_at,
        )


class Storage(Protocol):
    """The storage of a ledger. What is written inside `whole` is there afterwards, or none of it is."""

    def atomic(self) -> AbstractContextManager[None]:
        """Keep everything that is written inside or, where an error leaves it, nothing. May be nested."""

    def lock(self, scopes: Iterable[LockKey]) -> None:
        """Let nobody else decide about these until the transaction ends; what is read afterwards stays true."""

    # -- batches and sales

    def claim_batch(self, given: IdempotencyRecord, about: Iterable[LockKey] = ()) -> Batch | None:
        """Claim a batch, first of all that is written; or give what was recorded under its key before.

        `about` is all that it is about, where that is known beforehand: it is held with the claim.
        """

    def commit_batch(self, receipt: Receipt) -> None:
        """Write down what came of the batch that is open."""

    def sale(self, program: str, event: str) -> Sale | None:
        """Give the frozen terms of a sale, with its updates and returns so far."""

    def save_sale(self, sale: Sale) -> None:
        """Keep a sale's terms, or the sale with one more update or return: the batch that is open."""

    # -- lots

    def lot(self, key: str) -> Lot | None:
        """Give a lot as it stands now."""

    def lots_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Give those of an account's lots of which anything is promised or outstanding, in the order of issue."""

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Give the lots that a sale issued, in the order of issue."""

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give promises with a due time, all that are due by an instant among them."""

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give lots in the order of issue, all that have expired by an instant and are not swept among them."""

    def add_lot(self, issue: IssueCurrency, entry: Entry, *, rolling: bool) -> None:
        """Begin a lot with the entry that brings its amount."""

    def add_entry(self, entry: Entry) -> None:
        """Move an amount between two buckets of a lot."""

    def set_expiry(self, lot: str, term: ExpiryVersion) -> None:
        """Say from when on a lot expires when."""

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Say that a promise became issued, and on which date."""

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Say what a return of its sale claims of a lot, from wherever it is taken."""

    # -- debts

    def debt(self, program: str, account: Account, currency: str) -> int:
        """Give what an account owes of a currency."""

    def add_debt(self, program: str, account: Account, currency: str, at: datetime, amount: int) -> None:
        """Add to what an account owes; what is paid is below zero."""

    # -- coupons

    def coupon(self, key: str) -> CouponRecord | None:
        """Give a coupon as it stands now."""

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Give the coupons that a sale issued, in the order of issue."""

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Give the coupon of a serial, however it is written, or those of a shared code, in the order of issue."""

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:
        """Give coupons in the order of issue, all that have expired by an instant and are not swept among them."""

    def is_serial_taken(self, serial: str) -> bool:
        """Say whether a coupon has this serial, of whatever program."""

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:
        """Keep a new coupon."""

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Say what a coupon is from an instant on."""

    # -- counters

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Read counters in one batch, so that `counted` need not."""

    def counter_value(self, program: str, window: Window) -> int:
        """Give what a counter holds: a rolling one over its days, both included."""

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, which may not hold more than `most` then; of a rolling one, to a day, without a limit."""

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Give what a sale contributes to each tracker."""

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:
        """Add to a tracker's counter what a sale contributes, or takes back."""

    # -- what can be undone

    def undoable(self, program: str, key: str) -> Undoable | None:
        """Give a spend or a redemption by its key."""

    def add_undoable(self, program: str, citable: Undoable) -> None:
        """Keep a spend or a redemption, so that it can be undone by its key."""

    def redemptions_in(self, program: str, event: str) -> Sequence[RedeemCoupon]:
        """Give the redemptions that a transaction made and that nothing has undone, in the order of record."""

    def is_undone(self, key: str) -> bool:
        """Say whether a spend or a redemption has been undone."""

    def mark_undone(self, key: str) -> None:
        """Say, once, that a spend or a redemption has been undone."""

    # -- as of an instant

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give an account's lots as they stood at an instant, in the order of issue."""

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant, in the order of issue."""

    def debt_at(self, program: str, account: Account, currency: str, at: datetime) -> int:
        """Give what an account owed at an instant."""

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant, in the order of record."""

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member, in the order of issue."""

    def lot_histories(self, program: str) -> Iterable[tuple[LotHistory, str | None]]:
        """Give everything that happened to each lot, and the store of its sale, in the order of issue."""

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Give every coupon as it stood at an instant, in the order of issue."""
