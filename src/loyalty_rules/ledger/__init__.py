"""Ledgers: the store of what was decided, behind one protocol. Source: ledger.

`SQLLedger` is here, too, where the extra `sql` is installed; nothing of it is imported before it is asked for.
"""

from typing import TYPE_CHECKING, Any

from loyalty_rules.ledger.memory import MemoryLedger
from loyalty_rules.ledger.protocol import (
    AsyncLedger,
    Balance,
    Entry,
    IdempotencyConflict,
    Ledger,
    Receipt,
    ReportLot,
    ReportRows,
    Trim,
)

if TYPE_CHECKING:
    from loyalty_rules.ledger.sql import SQLLedger as SQLLedger

__all__ = [
    "AsyncLedger",
    "Balance",
    "Entry",
    "IdempotencyConflict",
    "Ledger",
    "MemoryLedger",
    "Receipt",
    "ReportLot",
    "ReportRows",
    "Trim",
]


def __getattr__(name: str) -> Any:
    if name != "SQLLedger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from loyalty_rules.ledger.sql import SQLLedger

    return SQLLedger
