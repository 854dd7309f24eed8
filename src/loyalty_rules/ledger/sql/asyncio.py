"""The ledger for asyncio: each operation runs in a greenlet of SQLAlchemy, on the host's asynchronous engine."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.ledger.async_methods import AsyncLedgerMethods
from loyalty_rules.ledger.bulk import NotTogetherError, chunks, execute_together
from loyalty_rules.ledger.errors import ConcurrentChangeError
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.receipts import ReceiptT
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.ledger.sql.connections import is_in_memory
from loyalty_rules.ledger.sql.files import create_private_file
from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.tables import Tables
from loyalty_rules.serials import SerialKeys

__all__ = ["AsyncSQLLedger"]

T = TypeVar("T")


class AsyncSQLLedger(AsyncLedgerMethods):
    """A ledger in a database for asyncio: see `AsyncLedger` for its operations and `SQLLedger` for the arguments.

    `engine` has an asynchronous driver: `sqlite+aiosqlite:///shop.db`, `postgresql+psycopg://…`.
    """

    def __init__(self, engine: AsyncEngine, *, serials: SerialKeys | None = None, tables: Tables | None = None) -> None:
        self._ledger = SQLLedger(engine.sync_engine, serials=serials, tables=tables)
        self._engine = engine.execution_options(**self._ledger.options)
        self._turn = asyncio.Lock() if is_in_memory(engine.url) else None  # tasks share its one connection

    @classmethod
    async def open(cls, url: str, *, serials: SerialKeys | None = None) -> Self:
        """Open the ledger at a URL, and create its missing tables."""
        create_private_file(url)
        ledger = cls(create_async_engine(url, hide_parameters=True), serials=serials)
        await ledger.create_all()
        return ledger

    async def create_all(self) -> None:
        """Create the missing tables, with their triggers."""
        async with self._connect() as connection:
            await connection.run_sync(self._ledger.create_all_on)
            await connection.commit()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        async with self._turn or nullcontext(), self._engine.connect() as connection:
            yield connection

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
                async with self._connect() as connection:
                    return await connection.run_sync(once)
            except (DBAPIError, ConcurrentChangeError) as error:
                backoff = self._ledger.backoff_after(error, retries)
                if backoff is None:
                    raise
                await asyncio.sleep(backoff)
        raise AssertionError("the last attempt returns or raises")

    async def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        """Execute an operation once, in one transaction, and return its receipt."""
        return await self._write(lambda service: service.execute(operation))

    async def execute_many(self, operations: Iterable[Operation[ReceiptT]]) -> Sequence[ReceiptT]:
        """Execute operations in their order, several in one transaction if none of them is refused or raises."""
        receipts: list[ReceiptT] = []
        for chunk in chunks(operations):
            try:
                receipts += await self._write(partial(execute_together, operations=chunk))
            except (LoyaltyError, NotTogetherError):
                receipts += await super().execute_many(chunk)
        return receipts

    async def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""
        async with self._connect() as connection:
            return await connection.run_sync(lambda on: query(self._ledger.queries_on(on)))

    async def vacuum(self) -> None:
        """Remove the bytes of rows that `forget` has deleted: see `SQLLedger.vacuum`."""
        async with self._connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.run_sync(self._ledger.vacuum_on)

    async def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants as sentences; an empty list means the ledger is consistent."""
        async with self._connect() as connection:
            return await connection.run_sync(self._ledger.violations_on)
