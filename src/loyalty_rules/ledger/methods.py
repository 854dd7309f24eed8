"""The named methods of a ledger: each builds an operation and executes it, or runs a query.

A ledger inherits them and provides `execute` and `read`. `LedgerMethods` is for threads, `AsyncLedgerMethods` for
asyncio.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.intents import SendMessage
from loyalty_rules.ledger.operations import (
    Adjust,
    Capture,
    Expire,
    Extend,
    Forget,
    HoldUnits,
    Merge,
    Operation,
    Reassign,
    Record,
    Redeem,
    RedeemAll,
    Release,
    Review,
    Settle,
    Spend,
    TopUp,
    Transfer,
    UndoRedemptionOf,
    UndoSpendOf,
    Void,
    event_operation,
)
from loyalty_rules.ledger.operations.arguments import read_instance, recording_instant
from loyalty_rules.ledger.queries import Queries
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
from loyalty_rules.lifecycle.records import Account, CouponRecord, Hold, Lot
from loyalty_rules.program import Evaluation, Preview, Program
from loyalty_rules.reports.issuance import By, Issuance
from loyalty_rules.reports.journal import Accounts, JournalEntry, Period
from loyalty_rules.serials import SerialGenerator

__all__ = ["LedgerMethods", "T"]

T = TypeVar("T")


class LedgerMethods(ABC):
    """The methods of `Ledger`, over `execute` and `read`."""

    @abstractmethod
    def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once, in one transaction, and return its receipt."""

    @abstractmethod
    def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""

    # -- operations --------------------------------------------------------------------------------------------------

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once; claims over a cap at the time of recording are trimmed or refused."""
        event = read_instance(Evaluation, "evaluation", evaluation).basis.event
        return self.execute(Record(evaluation, recording_instant(event, recorded_at)))

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Decide and record any event, once: sale, activity, return, update, amendment or confirmation."""
        return self.execute(event_operation(program, event, serials, recording_instant(event, recorded_at)))

    def record_many(
        self, program: Program, events: Iterable[Event], *, serials: SerialGenerator | None = None
    ) -> Sequence[EventReceipt]:
        """Decide and record many events in their order, and return their receipts, as `process` for each of them.

        If one of them raises, those before it are recorded, so that the call can be repeated.
        """
        return self.execute_many(
            event_operation(program, each, serials, recording_instant(each, None)) for each in events
        )

    def execute_many(self, operations: Iterable[Operation[ReceiptT]]) -> Sequence[ReceiptT]:
        """Execute operations in their order, and return their receipts."""
        return [self.execute(each) for each in operations]

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the delayed promises that are due by `at`: release them, unless they have lapsed."""
        due = self.read(lambda queries: queries.due(program, at))
        receipts = [self.execute(Settle(program, lot, at)) for lot in due]
        return [each for each in receipts if each.status == "recorded"]  # another process may have settled the others

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
        """Spend from an account; a transaction, of the id `event`, can spend each currency once.

        With its `bill` the spend is at most the remainder after the transaction's redemptions and spends.
        """
        return self.execute(Spend(program, account, member, currency, amount, event, at, bill))

    def undo_spend(
        self, program: Program, spend: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoSpendReceipt:
        """Undo a spend, or an `amount` of it; `spend` is its intent's key, `event` the id of the undoing event."""
        return self.execute(UndoSpendOf(program, spend, event, at, amount))

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
        return self.execute(HoldUnits(program, account, currency, amount, until, event, at, member, bill))

    def capture(
        self, program: Program, hold: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> CaptureReceipt:
        """Spend the units of a hold, or an `amount` of them, for the transaction `event`; the rest is released."""
        return self.execute(Capture(program, hold, event, at, amount))

    def release(self, program: Program, hold: str, *, event: str, at: datetime) -> ReleaseReceipt:
        """Release the units of a hold; `hold` is the key of its intent, `event` the id of the releasing event."""
        return self.execute(Release(program, hold, event, at))

    def redeem(
        self, program: Program, code: str, transaction: Transaction, *, event: str | None = None
    ) -> RedeemReceipt:
        """Redeem a coupon by its serial, its shared code or its public code in a transaction.

        `event` is the id of another attempt within the same transaction, after the first was undone.
        """
        return self.execute(Redeem(program, code, transaction, event))

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
        return self.execute(RedeemAll(program, codes, spends, transaction, event))

    def undo_redemption(
        self, program: Program, redemption: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoRedemptionReceipt:
        """Undo a redemption, once; `redemption` is the key of its intent, `event` the id of the undoing event.

        With an `amount` only that part of a stored value is given back.
        """
        return self.execute(UndoRedemptionOf(program, redemption, event, at, amount))

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
        return self.execute(Void(program, coupon, event, at, reason, by))

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
        return self.execute(Adjust(program, account, currency, amount, reason, by, event, at, expires_on))

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
        return self.execute(Extend(program, expires_on, reason, by, event, at, lot, coupon))

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
        return self.execute(Reassign(program, coupon, member, reason, by, event, at))

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
        return self.execute(TopUp(program, coupon, amount, reason, by, event, at))

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
        return self.execute(Transfer(program, source, target, currency, amount, reason, by, event, at))

    def review_tiers(self, program: Program, at: datetime) -> Sequence[ReviewReceipt]:
        """Review the levels whose period has passed by `at`, each period by itself. Source: semantics 14."""
        receipts: list[ReviewReceipt] = []
        while due := self.read(lambda queries: queries.reviewable(program, at)):
            done = [self.execute(Review(program, tier, account, until, at)) for tier, account, until in due]
            recorded = [each for each in done if each.status == "recorded"]
            if not recorded:
                break  # the last day of a level does not move any more
            receipts += recorded
        return receipts

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
        return self.execute(Merge(program, from_, into, reason, by, event, at))

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
        return self.execute(Forget(program, member, reason, by, event, at))

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiries up to `at`; this changes no balance as of any instant."""
        expired = self.read(lambda queries: queries.expired(program, at))
        receipts = [self.execute(Expire(program, each, at)) for each in expired]
        if any(isinstance(each, Hold) for each in expired):  # units that come back may have expired since
            expired = self.read(lambda queries: queries.expired(program, at))
            receipts += [self.execute(Expire(program, each, at)) for each in expired]
        return [each for each in receipts if each.status == "recorded"]

    # -- queries -----------------------------------------------------------------------------------------------------

    def quote(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
    ) -> Quote:
        """Return the answer that `redeem_all` would give now, for a cart; nothing is recorded."""
        return self.read(lambda queries: queries.quote(program, codes, spends, transaction))

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Return the snapshot of an event: its counters and trackers, read in one batch."""
        return self.read(lambda queries: queries.snapshot(program, event))

    def balance(self, program: Program | str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account as of an instant."""
        return self.read(lambda queries: queries.balance(program, account, currency, at))

    def lots(self, program: Program | str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots of a currency as of an instant, in the order of issue."""
        return self.read(lambda queries: queries.lots(program, account, currency, at))

    def promises(self, program: Program | str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        return self.read(lambda queries: queries.promises(program, at))

    def statement(self, program: Program | str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        return self.read(lambda queries: queries.statement(program, account, at))

    def coupon(self, program: Program | str, code: str) -> CouponRecord | None:
        """Return the coupon of a serial, in any spelling, or the first with a shared code; None if there is none."""
        return self.read(lambda queries: queries.coupon(program, code))

    def coupons(self, program: Program | str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        return self.read(lambda queries: queries.coupons(program, member))

    def tier(self, program: Program, member: str, tier: str, at: datetime, *, group: str | None = None) -> TierStatus:
        """Return the level of a member in a tier as of an instant, and the way to the next level.

        A level by a tracker of the group is that of `group`; without it, it is the first.
        """
        return self.read(lambda queries: queries.tier(program, member, tier, at, group))

    def preview(self, program: Program, event: Event) -> Preview:
        """Return the result that a cart would have now, without serials; nothing is recorded."""
        return self.read(lambda queries: queries.preview(program, event))

    def progress(self, program: Program, member: str, at: datetime, *, group: str | None = None) -> Progress:
        """Return the progress of a member towards the next milestones and levels, in the windows that contain `at`."""
        return self.read(lambda queries: queries.progress(program, member, at, group))

    def expiring(
        self, program: Program | str, account: Account, currency: str, at: datetime, before: datetime | date
    ) -> Sequence[Expiring]:
        """Return the units of an account as of `at` that expire before an instant or a day, by their last day."""
        return self.read(lambda queries: queries.expiring(program, account, currency, at, before))

    def explain(self, program: Program | str, event: str) -> EventExplanation | None:
        """Explain a recorded event: its decision, its record and the states since; None if it is unknown."""
        return self.read(lambda queries: queries.explain(program, event))

    def reminders(self, program: Program, start: datetime, end: datetime) -> Sequence[SendMessage]:
        """Return the reminders of units that expire soon that are due in an interval; `end` is not part of it."""
        return self.read(lambda queries: queries.reminders(program, start, end))

    def members(self, program: Program) -> Sequence[KnownMember]:
        """Return the members of the recorded events, with their last events: the input of `program.due`."""
        return self.read(lambda queries: queries.members(program))

    def issuance(self, program: Program, at: datetime, by: Sequence[By] = ()) -> Sequence[Issuance]:
        """Report the issuance as of an instant, by dimensions: see `loyalty_rules.ledger.reports`.

        A ledger in a database makes the sums there, so that a report needs memory for its own rows alone.
        """
        return self.read(lambda queries: queries.issuance(program, at, by))

    def liability(self, program: Program, at: datetime, values: Mapping[str, Decimal] | None = None) -> Liability:
        """Report the liability as of an instant: see `loyalty_rules.ledger.reports`."""
        return self.read(lambda queries: queries.liability(program, at, values))

    def journal(
        self,
        program: Program,
        at: datetime,
        *,
        period: Period = "month",
        values: Mapping[str, Decimal] | None = None,
        accounts: Accounts | None = None,
    ) -> Sequence[JournalEntry]:
        """Return the accounting journal of points up to an instant, by period: see `loyalty_rules.reports.journal`."""
        return self.read(lambda queries: queries.journal(program, at, period, values, accounts))

    def report_rows(self, program: Program | str, at: datetime) -> ReportRows:
        """Return the rows of the reports as of an instant: see `loyalty_rules.ledger.reports`."""
        return self.read(lambda queries: queries.report_rows(program, at))
