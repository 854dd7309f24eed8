"""What a ledger does: the protocol that a host's own store implements, and what its operations answer. Source: ledger.

Every operation is a pure decision of `lifecycle` (or of `Program.evaluate`) and a record of it. It is recorded
once, whole, and only while it is still true: see the guarantees P1 to P8 in docs/rules-ledger.md.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import attrs

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import Receipt, Trim
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = [
    "AsyncLedger",
    "Balance",
    "Entry",
    "IdempotencyConflict",
    "Ledger",
    "Receipt",
    "ReportLot",
    "ReportRows",
    "Trim",
]


@attrs.frozen
class Balance:
    """What an account has of a currency at an instant: what can be spent, what is promised, what it owes."""

    available: Decimal
    promised: Decimal
    debt: Decimal


@attrs.frozen
class Entry:
    """One entry: an amount of a lot that went from one bucket to another; the two sides sum to zero.

    Buckets are `issued` (where units come from), `promised`, `available`, `spent`, `expired`, `reversed`, `voided`.
    `at` is the instant of the event, `recorded_at` that of the record, `reason` the key of the intent.
    """

    batch: str
    program: str
    account: Account
    currency: str
    lot: str
    source: str
    target: str
    amount: Decimal
    at: datetime
    recorded_at: datetime
    reason: str


@attrs.frozen
class ReportLot:
    """One lot as it stood at an instant, the store of its sale, and the entries that made it so."""

    lot: Lot
    store: str | None
    entries: tuple[Entry, ...]


@attrs.frozen
class ReportRows:
    """What the reports of a program are made of: every lot and every coupon as it stood at the instant `at`."""

    at: datetime
    lots: tuple[ReportLot, ...]
    coupons: tuple[CouponRecord, ...]


class Ledger(Protocol):
    """A store of what was decided. Every instant is an argument; an `at` is the event's time, never the clock's."""

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event, in one batch."""

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once; claims are checked again, and trimmed or refused, in the same transaction."""

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event: sale, activity, return, update, confirmation. A replay writes nothing."""

    def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the delayed promises that are due by `at`."""

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
    ) -> Receipt:
        """Spend from an account; `event` is the id of the spending transaction, once a currency."""

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once; `spend` is its intent's key, `event` what undoes it."""

    def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon by its serial or shared code in a transaction."""

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt:
        """Undo a redemption, once; `redemption` is its intent's key, `event` what undoes it."""

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon that was not redeemed; `coupon` is its intent's key, `event` what voids it."""

    def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down what time has done by `at`; it changes no answer as of any instant."""

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has at an instant."""

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give the account's lots as they stood at an instant, in the order of issue."""

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant, in the order of issue."""

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant, each with its reason, in order of record."""

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial, however it is written."""

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member, in the order of issue."""

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of, as it stood at an instant: see `loyalty_rules.ledger.reports`."""

    def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold; nothing is fine. Source: ledger 2."""


class AsyncLedger(Protocol):
    """The same store for asyncio: the operations of `Ledger`, each awaited."""

    async def snapshot(self, program: Program, event: Event) -> Snapshot: ...

    async def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt: ...

    async def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt: ...

    async def settle(self, program: Program, at: datetime) -> Sequence[Receipt]: ...

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
    ) -> Receipt: ...

    async def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt: ...

    async def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt: ...

    async def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt: ...

    async def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt: ...

    async def expire(self, program: Program, at: datetime) -> Sequence[Receipt]: ...

    async def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance: ...

    async def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]: ...

    async def promises(self, program: str, at: datetime) -> Sequence[Lot]: ...

    async def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]: ...

    async def coupon(self, program: str, code: str) -> CouponRecord | None: ...

    async def coupons(self, program: str, member: str) -> Sequence[CouponRecord]: ...

    async def report_rows(self, program: str, at: datetime) -> ReportRows: ...

    async def check_invariants(self) -> Sequence[str]: ...
