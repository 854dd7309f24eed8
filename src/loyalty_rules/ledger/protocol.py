"""The protocol of a ledger, which a host's own ledger implements.

Every operation is a pure decision of `lifecycle` (or of `Program.evaluate`) and its record. It is recorded once,
as a whole, and only while the rows of the decision are current: see the guarantees P1 to P8. Source: ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.intents import SendMessage
from loyalty_rules.ledger.methods import LedgerMethods
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.receipts import (
    AdjustReceipt,
    CaptureReceipt,
    EventReceipt,
    ExpireReceipt,
    ExtendReceipt,
    ForgetReceipt,
    HoldReceipt,
    MergeReceipt,
    Quote,
    ReassignReceipt,
    ReceiptT,
    RedeemAllReceipt,
    RedeemReceipt,
    ReleaseReceipt,
    ReviewReceipt,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    TopUpReceipt,
    TransferReceipt,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    VoidReceipt,
)
from loyalty_rules.ledger.records import Balance, Entry, KnownMember, ReportRows
from loyalty_rules.ledger.reports import Liability
from loyalty_rules.lifecycle.explaining import EventExplanation
from loyalty_rules.lifecycle.levels import TierStatus
from loyalty_rules.lifecycle.progress import Expiring, Progress
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Preview, Program
from loyalty_rules.reports.issuance import By, Issuance
from loyalty_rules.reports.journal import Accounts, JournalEntry, Period
from loyalty_rules.serials import SerialGenerator

__all__ = ["Ledger"]


class Ledger(Protocol):
    """A ledger: it records decisions. Every instant is an argument; `at` is the time of the event, not of a clock."""

    def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once, in one transaction, and return its receipt; the methods below build operations."""
        ...

    def transaction(self) -> AbstractContextManager[LedgerMethods]:
        """Open a transaction: all its operations are recorded or, if an error leaves the block, none."""
        ...

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event, in one batch."""
        ...

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once; claims over a cap at the time of recording are trimmed or refused."""
        ...

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Decide and record any event: sale, activity, return, update, confirmation. A retry writes nothing."""
        ...

    def record_many(
        self, program: Program, events: Iterable[Event], *, serials: SerialGenerator | None = None
    ) -> Sequence[EventReceipt]:
        """Decide and record many events in their order, as `process` does each of them, in fewer transactions."""
        ...

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the delayed promises that are due by `at`: release them, unless they have lapsed."""
        ...

    def spend(
        self,
        program: Program,
        account: Account,
        member: str,
        currency: str,
        amount: Decimal,
        *,
        event: str,
        at: datetime,
        bill: Transaction | None = None,
    ) -> SpendReceipt:
        """Spend from an account; a transaction, of the id `event`, can spend each currency once."""
        ...

    def undo_spend(
        self, program: Program, spend: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoSpendReceipt:
        """Undo a spend, or an `amount` of it; `spend` is its intent's key, `event` the id of the undoing event."""
        ...

    def hold(
        self,
        program: Program,
        account: Account,
        currency: str,
        amount: Decimal,
        until: datetime,
        *,
        event: str,
        at: datetime,
        member: str | None = None,
        bill: Transaction | None = None,
    ) -> HoldReceipt:
        """Set units of an account aside until an instant, for a payment that comes later."""
        ...

    def capture(
        self, program: Program, hold: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> CaptureReceipt:
        """Spend the units of a hold, or an `amount` of them, for the transaction `event`; the rest is released."""
        ...

    def release(self, program: Program, hold: str, *, event: str, at: datetime) -> ReleaseReceipt:
        """Release the units of a hold; `hold` is its intent's key, `event` the id of the releasing event."""
        ...

    def redeem(
        self, program: Program, code: str, transaction: Transaction, *, event: str | None = None
    ) -> RedeemReceipt:
        """Redeem a coupon by its serial, its shared code or its public code in a transaction.

        `event` is the id of another attempt within the same transaction, after the first was undone.
        """
        ...

    def redeem_all(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
        *,
        event: str | None = None,
    ) -> RedeemAllReceipt:
        """Redeem and spend a whole set in the right order, or nothing of it; a spend is (account, currency, amount)."""
        ...

    def quote(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
    ) -> Quote:
        """Return the answer that `redeem_all` would give now, for a cart; nothing is recorded."""
        ...

    def undo_redemption(
        self, program: Program, redemption: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoRedemptionReceipt:
        """Undo a redemption, once; `redemption` is its intent's key, `event` the id of the undoing event."""
        ...

    def void(
        self,
        program: Program,
        coupon: str,
        *,
        event: str,
        at: datetime,
        reason: str | None = None,
        by: str | None = None,
    ) -> VoidReceipt:
        """Void a coupon that was not redeemed; `coupon` is its intent's key, `event` the id of the voiding event."""
        ...

    def adjust(
        self,
        program: Program,
        account: Account,
        currency: str,
        amount: Decimal,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
        expires_on: date | None = None,
    ) -> AdjustReceipt:
        """Adjust a balance by a signed amount; `event` is the adjustment's own id, `by` the person who made it."""
        ...

    def extend(
        self,
        program: Program,
        expires_on: date,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
        lot: str | None = None,
        coupon: str | None = None,
    ) -> ExtendReceipt:
        """Move the last day of a lot or a coupon, by its key, to a later one; `event` is the extension's own id."""
        ...

    def reassign(
        self,
        program: Program,
        coupon: str,
        member: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> ReassignReceipt:
        """Move a coupon, by its intent's key, to another member; `event` is the id of this change."""
        ...

    def top_up(
        self,
        program: Program,
        coupon: str,
        amount: Decimal,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> TopUpReceipt:
        """Add to a stored value, by its intent's key; `event` is the id of the addition."""
        ...

    def transfer(
        self,
        program: Program,
        source: Account,
        target: Account,
        currency: str,
        amount: Decimal,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> TransferReceipt:
        """Move units of one account to another; `event` is the transfer's own id."""
        ...

    def merge(
        self,
        program: Program,
        from_: str,
        into: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> MergeReceipt:
        """Merge a member into another one, which it stands for from then on; `event` is the merge's own id."""
        ...

    def forget(
        self,
        program: Program,
        member: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> ForgetReceipt:
        """Close a member's account and erase all that is personal in its events; `event` is the id of this request."""
        ...

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiries up to `at`; results of queries as of any instant stay the same."""
        ...

    def review_tiers(self, program: Program, at: datetime) -> Sequence[ReviewReceipt]:
        """Review the levels whose period has passed by `at`, each period by itself."""
        ...

    def tier(self, program: Program, member: str, tier: str, at: datetime, *, group: str | None = None) -> TierStatus:
        """Return the level of a member in a tier as of an instant, and the way to the next level."""
        ...

    def balance(self, program: Program | str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account as of an instant."""
        ...

    def lots(self, program: Program | str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots of a currency as of an instant, in the order of issue."""
        ...

    def promises(self, program: Program | str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        ...

    def statement(self, program: Program | str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        ...

    def coupon(self, program: Program | str, code: str) -> CouponRecord | None:
        """Return the coupon of a serial, in any spelling, or the first with a shared code; None if there is none."""
        ...

    def coupons(self, program: Program | str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        ...

    def preview(self, program: Program, event: Event) -> Preview:
        """Return the result that a cart would have now, without serials; nothing is recorded."""
        ...

    def progress(self, program: Program, member: str, at: datetime, *, group: str | None = None) -> Progress:
        """Return the progress of a member towards the next milestones and levels, in the windows that contain `at`."""
        ...

    def expiring(
        self, program: Program | str, account: Account, currency: str, at: datetime, before: datetime | date
    ) -> Sequence[Expiring]:
        """Return the units of an account as of `at` that expire before an instant or a day, by their last day."""
        ...

    def explain(self, program: Program | str, event: str) -> EventExplanation | None:
        """Explain a recorded event: its decision, its record and the states since; None if it is unknown."""
        ...

    def reminders(self, program: Program, start: datetime, end: datetime) -> Sequence[SendMessage]:
        """Return the reminders of units that expire soon that are due in an interval; `end` is not part of it."""
        ...

    def members(self, program: Program) -> Sequence[KnownMember]:
        """Return the members of the recorded events, with their last events: the input of `program.due`."""
        ...

    def issuance(self, program: Program, at: datetime, by: Sequence[By] = ()) -> Sequence[Issuance]:
        """Report the issuance as of an instant, by dimensions: see `loyalty_rules.ledger.reports`."""
        ...

    def liability(self, program: Program, at: datetime, values: Mapping[str, Decimal] | None = None) -> Liability:
        """Report the liability as of an instant: see `loyalty_rules.ledger.reports`."""
        ...

    def journal(
        self,
        program: Program,
        at: datetime,
        *,
        period: Period = "month",
        values: Mapping[str, Decimal] | None = None,
        accounts: Accounts | None = None,
    ) -> Sequence[JournalEntry]:
        """Return the accounting journal of points up to an instant, by period."""
        ...

    def report_rows(self, program: Program | str, at: datetime) -> ReportRows:
        """Return the rows of the reports as of an instant: see `loyalty_rules.ledger.reports`."""
        ...

    def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants as sentences; an empty list means the ledger is consistent."""
        ...
