"""The ledger for asyncio: each operation runs in a greenlet of SQLAlchemy, on the host's asynchronous engine."""

import asyncio
import functools
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

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
from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator, SerialKeys

__all__ = ["AsyncSQLLedger"]

T = TypeVar("T")


class AsyncSQLLedger:
    """A ledger in a database for asyncio: see `AsyncLedger` for its operations and `SQLLedger` for the arguments.

    `engine` has an asynchronous driver: `sqlite+aiosqlite:///shop.db`, `postgresql+psycopg://…`.
    """

    def __init__(self, engine: AsyncEngine, *, serials: SerialKeys | None = None, tables: Tables | None = None) -> None:
        self._ledger = SQLLedger(engine.sync_engine, serials=serials, tables=tables)
        self._engine = engine.execution_options(**self._ledger.options)

    @classmethod
    async def open(cls, url: str, *, serials: SerialKeys | None = None) -> Self:
        """Open the ledger at a URL, and create its missing tables."""
        ledger = cls(create_async_engine(url), serials=serials)
        await ledger.create_all()
        return ledger

    async def create_all(self) -> None:
        """Create the missing tables, with their triggers."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._ledger.create_all_on)

    async def close(self) -> None:
        """Close the connections of the engine."""
        await self._engine.dispose()

    async def join(self, connection: AsyncConnection, work: Callable[[LedgerService], T]) -> T:
        """Run `work` in the host's transaction on a connection; see `SQLLedger.transaction`."""

        def joined(on: Connection) -> T:
            with self._ledger.transaction(on) as service:
                return work(service)

        return await connection.run_sync(joined)

    async def _write(self, work: Callable[[LedgerService], T]) -> T:
        """Run one operation in a transaction, with the retries of `SQLLedger`."""

        def once(connection: Connection) -> T:
            with self._ledger.transaction_on(connection) as service:
                return work(service)

        for retries in itertools.count():
            try:
                async with self._engine.connect() as connection:
                    return await connection.run_sync(once)
            except DBAPIError as error:
                backoff = self._ledger.backoff_after(error, retries)
                if backoff is None:
                    raise
                await asyncio.sleep(backoff)
        raise AssertionError("the last attempt returns or raises")

    async def _read(self, query: Callable[[LedgerService], T]) -> T:
        """Run a read-only query."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(lambda on: query(self._ledger.reader_on(on)))

    # -- operations --------------------------------------------------------------------------------------------------

    async def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once."""
        return await self._write(lambda service: service.record(evaluation, recorded_at=recorded_at))

    async def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Evaluate and record any event."""
        return await self._write(
            lambda service: service.process(program, event, serials=serials, recorded_at=recorded_at)
        )

    async def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Release the delayed promises that are due by `at`, each in a transaction of its own."""
        due = await self._read(lambda service: service.due(program, at))
        receipts = [
            await self._write(functools.partial(LedgerService.settle_one, program=program, lot=lot, at=at))
            for lot in due
        ]
        return [each for each in receipts if each.status == "recorded"]

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
    ) -> SpendReceipt:
        """Spend from an account."""
        return await self._write(
            lambda service: service.spend(program, account, member, currency, amount, event=event, at=at)
        )

    async def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> UndoSpendReceipt:
        """Undo a spend, once."""
        return await self._write(lambda service: service.undo_spend(program, spend, event=event, at=at))

    async def redeem(self, program: Program, code: str, transaction: Transaction) -> RedeemReceipt:
        """Redeem a coupon."""
        return await self._write(lambda service: service.redeem(program, code, transaction))

    async def undo_redemption(
        self, program: Program, redemption: str, *, event: str, at: datetime
    ) -> UndoRedemptionReceipt:
        """Undo a redemption, once."""
        return await self._write(lambda service: service.undo_redemption(program, redemption, event=event, at=at))

    async def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> VoidReceipt:
        """Void a coupon that was not redeemed."""
        return await self._write(lambda service: service.void(program, coupon, event=event, at=at))

    async def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the lots and coupons that have expired by `at`, each in a transaction of its own."""
        expired = await self._read(lambda service: [*service.expired(program, at)])
        receipts = [
            await self._write(functools.partial(LedgerService.expire_one, program=program, what=each, at=at))
            for each in expired
        ]
        return [each for each in receipts if each.status == "recorded"]

    # -- queries -----------------------------------------------------------------------------------------------------

    async def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event."""
        return await self._read(lambda service: service.snapshot(program, event))

    async def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account at an instant."""
        return await self._read(lambda service: service.balance(program, account, currency, at))

    async def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return the lots of an account as of an instant."""
        return await self._read(lambda service: service.lots(program, account, currency, at))

    async def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant."""
        return await self._read(lambda service: service.promises(program, at))

    async def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return every entry of an account up to an instant, inclusive."""
        return await self._read(lambda service: service.statement(program, account, at))

    async def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Return the coupon with a serial, in any spelling, or the first with a shared code; None if there is none."""
        return await self._read(lambda service: service.coupon(program, code))

    async def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member."""
        return await self._read(lambda service: service.coupons(program, member))

    async def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Return the rows that the reports are computed from."""
        return await self._read(lambda service: service.report_rows(program, at))

    async def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants as sentences; an empty list means the ledger is consistent."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(self._ledger.violations_on)
