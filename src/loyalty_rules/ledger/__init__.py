"""Ledgers: the store of what was decided, behind one protocol. Source: ledger."""

from loyalty_rules.ledger.memory import MemoryLedger
from loyalty_rules.ledger.protocol import (
    AsyncLedger,
    Balance,
    IdempotencyConflict,
    Ledger,
    LotHistory,
    Movement,
    Receipt,
    ReportRows,
    Trim,
)

__all__ = [
    "AsyncLedger",
    "Balance",
    "IdempotencyConflict",
    "Ledger",
    "LotHistory",
    "MemoryLedger",
    "Movement",
    "Receipt",
    "ReportRows",
    "Trim",
]
