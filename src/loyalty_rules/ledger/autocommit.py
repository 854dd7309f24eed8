"""Autocommit: each operation of a ledger in a transaction of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.ledger.protocol import Balance, Entry, ReportRows
from loyalty_rules.ledger.receipts import (
    EventReceipt,
    ExpireReceipt,
    RedeemReceipt,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    VoidReceipt,
)
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["AutocommitLedger"]

T = TypeVar("T")


class AutocommitLedger(ABC):
    """The operations of `Ledger`, each in a transaction of its own; a subclass provides the transactions."""

    @abstractmethod
    def _write(self, work: Callable[[LedgerService], T]) -> T:
        """Run work in one transaction: all of its records are kept or, if it raises, none."""

    def _read(self, query: Callable[[LedgerService], T]) -> T:
        """Run a read-only query."""
        return self._write(query)

    # -- operations --------------------------------------------------------------------------------------------------

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once; claims over a cap at the time of recording are trimmed or refused."""
        return self._write(lambda service: service.record(evaluation, recorded_at=recorded_at))

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Decide and record any event: sale, activity, return, update, confirmation. A retry writes nothing."""
        return self._write(lambda service: service.process(program, event, serials=serials, recorded_at=recorded_at))

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the delayed promises that are due by `at`: release them, unless they have lapsed."""
        due = self._read(lambda service: service.due(program, at))
        receipts = [self._write(lambda service, lot=lot: service.settle_one(program, lot, at)) for lot in due]  # type: ignore[misc]
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
    ) -> SpendReceipt:
        """Spend from an account; a transaction, of the id `event`, can spend each currency once."""
        return self._write(
            lambda service: service.spend(program, account, member, currency, amount, event=event, at=at)
        )

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> UndoSpendReceipt:
        """Undo a spend, once; `spend` is its intent's key, `event` the id of the undoing event."""
        return self._write(lambda service: service.undo_spend(program, spend, event=event, at=at))

    def redeem(self, program: Program, code: str, transaction: Transaction) -> RedeemReceipt:
        """Redeem a coupon by its serial or shared code in a transaction."""
        return self._write(lambda service: service.redeem(program, code, transaction))

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> UndoRedemptionReceipt:
        """Undo a redemption, once; `redemption` is its intent's key, `event` the id of the undoing event."""
        return self._write(lambda service: service.undo_redemption(program, redemption, event=event, at=at))

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> VoidReceipt:
        """Void a coupon that was not redeemed; `coupon` is its intent's key, `event` the id of the voiding event."""
        return self._write(lambda service: service.void(program, coupon, event=event, at=at))

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiries up to `at`; results of queries as of any instant stay the same."""
        expired = self._read(lambda service: [*service.expired(program, at)])
        receipts = [self._write(lambda service, each=each: service.expire_one(program, each, at)) for each in expired]  # type: ignore[misc]
        return [each for each in receipts if each.status == "recorded"]

    # -- queries -----------------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event, in one batch."""
        return self._read(lambda service: service.snapshot(program, event))

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account as of an instant."""
        return self._read(lambda service: service.balance(program, account, currency, at))

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots of a currency as of an instant, in the order of issue."""
        return self._read(lambda service: service.lots(program, account, currency, at))

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        return self._read(lambda service: service.promises(program, at))

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        return self._read(lambda service: service.statement(program, account, at))

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Return the coupon of a serial, in any spelling, or the first with a shared code; None if there is none."""
        return self._read(lambda service: service.coupon(program, code))

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        return self._read(lambda service: service.coupons(program, member))

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Return the rows of the reports as of an instant: see `loyalty_rules.ledger.reports`."""
        return self._read(lambda service: service.report_rows(program, at))
