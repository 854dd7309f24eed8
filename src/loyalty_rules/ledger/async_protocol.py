"""The protocol of a ledger for asyncio: the operations of `protocol`, each awaited. Source: ledger."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.intents import SendMessage
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

__all__ = ["AsyncLedger"]


class AsyncLedger(Protocol):
    """A ledger for asyncio: the operations of `Ledger`, each awaited."""

    async def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once."""
        ...

    async def snapshot(self, program: Program, event: Event) -> Snapshot: ...

    async def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt: ...

    async def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt: ...

    async def record_many(
        self, program: Program, events: Iterable[Event], *, serials: SerialGenerator | None = None
    ) -> Sequence[EventReceipt]: ...

    async def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]: ...

    async def spend(
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
    ) -> SpendReceipt: ...

    async def undo_spend(
        self, program: Program, spend: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoSpendReceipt: ...

    async def hold(
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
    ) -> HoldReceipt: ...

    async def capture(
        self, program: Program, hold: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> CaptureReceipt: ...

    async def release(self, program: Program, hold: str, *, event: str, at: datetime) -> ReleaseReceipt: ...

    async def redeem(
        self, program: Program, code: str, transaction: Transaction, *, event: str | None = None
    ) -> RedeemReceipt: ...

    async def redeem_all(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
        *,
        event: str | None = None,
    ) -> RedeemAllReceipt: ...

    async def quote(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
    ) -> Quote: ...

    async def undo_redemption(
        self, program: Program, redemption: str, *, event: str, at: datetime, amount: Decimal | None = None
    ) -> UndoRedemptionReceipt: ...

    async def void(
        self,
        program: Program,
        coupon: str,
        *,
        event: str,
        at: datetime,
        reason: str | None = None,
        by: str | None = None,
    ) -> VoidReceipt: ...

    async def adjust(
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
    ) -> AdjustReceipt: ...

    async def extend(
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
    ) -> ExtendReceipt: ...

    async def reassign(
        self,
        program: Program,
        coupon: str,
        member: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> ReassignReceipt: ...

    async def top_up(
        self,
        program: Program,
        coupon: str,
        amount: Decimal,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> TopUpReceipt: ...

    async def transfer(
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
    ) -> TransferReceipt: ...

    async def merge(
        self,
        program: Program,
        from_: str,
        into: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> MergeReceipt: ...

    async def forget(
        self,
        program: Program,
        member: str,
        *,
        reason: str,
        by: str,
        event: str,
        at: datetime,
    ) -> ForgetReceipt: ...

    async def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]: ...

    async def review_tiers(self, program: Program, at: datetime) -> Sequence[ReviewReceipt]: ...

    async def tier(
        self, program: Program, member: str, tier: str, at: datetime, *, group: str | None = None
    ) -> TierStatus: ...

    async def balance(self, program: Program | str, account: Account, currency: str, at: datetime) -> Balance: ...

    async def lots(self, program: Program | str, account: Account, currency: str, at: datetime) -> Sequence[Lot]: ...

    async def promises(self, program: Program | str, at: datetime) -> Sequence[Lot]: ...

    async def statement(self, program: Program | str, account: Account, at: datetime) -> Sequence[Entry]: ...

    async def coupon(self, program: Program | str, code: str) -> CouponRecord | None: ...

    async def coupons(self, program: Program | str, member: str) -> Sequence[CouponRecord]: ...

    async def preview(self, program: Program, event: Event) -> Preview: ...

    async def progress(self, program: Program, member: str, at: datetime, *, group: str | None = None) -> Progress: ...

    async def expiring(
        self, program: Program | str, account: Account, currency: str, at: datetime, before: datetime | date
    ) -> Sequence[Expiring]: ...

    async def explain(self, program: Program | str, event: str) -> EventExplanation | None: ...

    async def reminders(self, program: Program, start: datetime, end: datetime) -> Sequence[SendMessage]: ...

    async def members(self, program: Program) -> Sequence[KnownMember]: ...

    async def issuance(self, program: Program, at: datetime, by: Sequence[By] = ()) -> Sequence[Issuance]: ...

    async def liability(
        self, program: Program, at: datetime, values: Mapping[str, Decimal] | None = None
    ) -> Liability: ...

    async def journal(
        self,
        program: Program,
        at: datetime,
        *,
        period: Period = "month",
        values: Mapping[str, Decimal] | None = None,
        accounts: Accounts | None = None,
    ) -> Sequence[JournalEntry]: ...

    async def report_rows(self, program: Program | str, at: datetime) -> ReportRows: ...

    async def check_invariants(self) -> Sequence[str]: ...
