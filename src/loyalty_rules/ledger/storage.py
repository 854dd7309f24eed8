"""The storage protocol: the look-ups and writes of a ledger's operations, in memory or in a database. Source: ledger 2.

Policy is elsewhere: `lifecycle` decides, `service` has the look-ups of each operation, `posting` the writes of each
intent. A storage finds rows and keeps them. Integer amounts are whole millionths.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol, TypeAlias

from loyalty_rules.intents import IssueCurrency, RedeemCoupon
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.protocol import Entry
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.records import ExpiryVersion, LotHistory, Undoable
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale

__all__ = ["Storage", "Window"]

Window: TypeAlias = tuple[str, date | None, date | None]
"""A counter's name and, of a rolling counter, the first and the last day of its window, both included."""


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
