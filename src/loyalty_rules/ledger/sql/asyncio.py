"""The same ledger for asyncio: each operation runs in SQLAlchemy's greenlet on the host's async engine."""

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
from loyalty_rules.ledger.protocol import Balance, Entry, Receipt, ReportRows
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

    `engine` is of an asynchronous driver: `sqlite+aiosqlite:///shop.db`, `postgresql+psycopg://…`.
    """

    def __init__(self, engine: AsyncEngine, *, serials: SerialKeys | None = None, tables: Tables | None = None) -> None:
        self._ledger = SQLLedger(engine.sync_engine, serials=serials, tables=tables)
        self._engine = engine.execution_options(**self._ledger.options)

    @classmethod
    async def open(cls, url: str, *, serials: SerialKeys | None = None) -> Self:
        """Open the ledger at a URL; its tables are made if need be."""
        ledger = cls(create_async_engine(url), serials=serials)
        await ledger.create_all()
        return ledger

    async def create_all(self) -> None:
        """Make the tables that are not there, with their triggers."""
        async with self._engine.begin() as connection:
            await connection.run_sync(self._ledger.create_all_on)

    async def close(self) -> None:
        """Close the connections of the engine."""
        await self._engine.dispose()

    async def join(self, connection: AsyncConnection, work: Callable[[LedgerService], T]) -> T:
        """Do several operations as one in the host's transaction on a connection: `work` is given the operations."""

        def joined(on: Connection) -> T:
            with self._ledger.transaction(on) as operations:
                return work(operations)

        return await connection.run_sync(joined)

    async def _do(self, work: Callable[[LedgerService], T]) -> T:
        def once(connection: Connection) -> T:
            with self._ledger.on(connection) as operations:
                return work(operations)

        for tries in itertools.count():
            try:
                async with self._engine.connect() as connection:
                    return await connection.run_sync(once)
            except DBAPIError as error:
                pause = self._ledger.pause_after(error, tries)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, question: Callable[[LedgerService], T]) -> T:
        async with self._engine.connect() as connection:
            return await connection.run_sync(lambda on: question(self._ledger.read_only(on)))

    # -- what is recorded --------------------------------------------------------------------------------------------

    async def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once."""
        return await self._do(lambda to: to.record(evaluation, recorded_at=recorded_at))

    async def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event."""
        return await self._do(lambda to: to.process(program, event, serials=serials, recorded_at=recorded_at))

    async def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the delayed promises that are due by `at`, one by one."""
        due = await self._ask(lambda to: to.due(program, at))
        receipts = [
            await self._do(functools.partial(LedgerService.settle_one, program=program, lot=lot, at=at)) for lot in due
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
    ) -> Receipt:
        """Spend from an account."""
        return await self._do(lambda to: to.spend(program, account, member, currency, amount, event=event, at=at))

    async def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once."""
        return await self._do(lambda to: to.undo_spend(program, spend, event=event, at=at))

    async def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon."""
        return await self._do(lambda to: to.redeem(program, code, transaction))

    async def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt:
        """Undo a redemption, once."""
        return await self._do(lambda to: to.undo_redemption(program, redemption, event=event, at=at))

    async def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon that was not redeemed."""
        return await self._do(lambda to: to.void(program, coupon, event=event, at=at))

    async def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down what time has done by `at`, one by one."""
        gone = await self._ask(lambda to: [*to.expired(program, at)])
        receipts = [
            await self._do(functools.partial(LedgerService.expire_one, program=program, what=each, at=at))
            for each in gone
        ]
        return [each for each in receipts if each.status == "recorded"]

    # -- what is asked -----------------------------------------------------------------------------------------------

    async def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event."""
        return await self._ask(lambda to: to.snapshot(program, event))

    async def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has at an instant."""
        return await self._ask(lambda to: to.balance(program, account, currency, at))

    async def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give the account's lots as they stood at an instant."""
        return await self._ask(lambda to: to.lots(program, account, currency, at))

    async def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the promises that were open at an instant."""
        return await self._ask(lambda to: to.promises(program, at))

    async def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account up to an instant."""
        return await self._ask(lambda to: to.statement(program, account, at))

    async def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial, however it is written."""
        return await self._ask(lambda to: to.coupon(program, code))

    async def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member."""
        return await self._ask(lambda to: to.coupons(program, member))

    async def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of."""
        return await self._ask(lambda to: to.report_rows(program, at))

    async def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(self._ledger.broken_on)
