"""Bulk loads: several operations share one transaction, and so one write to the disk. Source: ledger 2 (P5).

A transaction keeps all of its operations or none. If one of them is refused or raises, the transaction is rolled back,
and its operations are executed one by one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.receipts import Receipt, ReceiptT
from loyalty_rules.ledger.service import LedgerService

__all__ = ["NotTogetherError", "chunks", "execute_together"]

_CHUNK_SIZE = 50


class NotTogetherError(Exception):
    """An operation was refused, which would roll back the operations that share its transaction."""


def chunks(operations: Iterable[Operation[ReceiptT]]) -> Iterator[Sequence[Operation[ReceiptT]]]:
    """Yield the operations in groups, each for one transaction."""
    remaining = iter(operations)
    while chunk := [*islice(remaining, _CHUNK_SIZE)]:
        yield chunk


def execute_together(service: LedgerService, operations: Sequence[Operation[Any]]) -> list[Any]:
    """Execute operations in the transaction of a service. Raises `NotTogetherError` if one is refused.

    All locks that are known are taken first, in one order, so that two bulk loads do not wait for each other.
    """
    service.lock(operations)
    receipts: list[Receipt] = []
    for operation in operations:
        receipt = service.execute(operation)
        if receipt.status == "refused":
            raise NotTogetherError
        receipts.append(receipt)
    return receipts
