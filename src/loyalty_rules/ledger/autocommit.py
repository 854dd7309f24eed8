"""Each operation by itself: in a transaction of its own. What a ledger is to a host that asks for nothing more."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.ledger.protocol import Balance, Entry, Receipt, ReportRows
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["AutocommitLedger"]

T = TypeVar("T")


class AutocommitLedger(ABC):
    """The operations of `Ledger`, each in a transaction of its own; a subclass says what a transaction is."""

    @abstractmethod
    def _do(self, work: Callable[[LedgerService], T]) -> T:
        """Do some work in one transaction: what it records is kept whole or, where an error leaves it, not at all."""

    def _ask(self, question: Callable[[LedgerService], T]) -> T:
        """Ask what writes nothing."""
        return self._do(question)

    # -- what is recorded --------------------------------------------------------------------------------------------

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once; claims are checked again, and trimmed or refused, in the same transaction."""
        return self._do(lambda to: to.record(evaluation, recorded_at=recorded_at))

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event: sale, activity, return, update, confirmation. A replay writes nothing."""
        return self._do(lambda to: to.process(program, event, serials=serials, recorded_at=recorded_at))

    def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the delayed promises that are due by `at`, in the order in which they are due, one by one."""
        due = self._ask(lambda to: to.due(program, at))
        receipts = [self._do(lambda to, lot=lot: to.settle_one(program, lot, at)) for lot in due]  # type: ignore[misc]
        return [each for each in receipts if each.status == "recorded"]  # others may have been settled elsewhere

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
        return self._do(lambda to: to.spend(program, account, member, currency, amount, event=event, at=at))

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once; `spend` is its intent's key, `event` what undoes it."""
        return self._do(lambda to: to.undo_spend(program, spend, event=event, at=at))

    def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon by its serial or shared code in a transaction."""
        return self._do(lambda to: to.redeem(program, code, transaction))

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt:
        """Undo a redemption, once; `redemption` is its intent's key, `event` what undoes it."""
        return self._do(lambda to: to.undo_redemption(program, redemption, event=event, at=at))

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon that was not redeemed; `coupon` is its intent's key, `event` what voids it."""
        return self._do(lambda to: to.void(program, coupon, event=event, at=at))

    def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down what time has done by `at`, one by one; it changes no answer as of any instant."""
        expired = self._ask(lambda to: [*to.expired(program, at)])
        receipts = [self._do(lambda to, each=each: to.expire_one(program, each, at)) for each in expired]  # type: ignore[misc]
        return [each for each in receipts if each.status == "recorded"]

    # -- what is asked -----------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event, in one batch."""
        return self._ask(lambda to: to.snapshot(program, event))

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has at an instant."""
        return self._ask(lambda to: to.balance(program, account, currency, at))

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give the account's lots as they stood at an instant, in the order of issue."""
        return self._ask(lambda to: to.lots(program, account, currency, at))

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant, in the order of issue."""
        return self._ask(lambda to: to.promises(program, at))

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant, each with its reason, in order of record."""
        return self._ask(lambda to: to.statement(program, account, at))

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial, however it is written, or the first with a shared code."""
        return self._ask(lambda to: to.coupon(program, code))

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member, in the order of issue."""
        return self._ask(lambda to: to.coupons(program, member))

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of, as it stood at an instant: see `loyalty_rules.ledger.reports`."""
        return self._ask(lambda to: to.report_rows(program, at))
