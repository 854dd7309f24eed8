"""Ledgers: the records of decisions, behind one protocol. Source: ledger.

`SQLLedger` is here too if the extra `sql` is installed; it is imported on first access.
"""

from typing import TYPE_CHECKING, Any

from loyalty_rules.ledger.async_methods import AsyncLedgerMethods
from loyalty_rules.ledger.async_protocol import AsyncLedger
from loyalty_rules.ledger.errors import (
    AmountOutOfRangeError,
    ConcurrentChangeError,
    IdempotencyConflict,
    InMemoryDatabaseError,
    MissingProgramError,
    SchemaVersionError,
    UnsafeTransactionError,
    UpgradeError,
)
from loyalty_rules.ledger.memory import MemoryLedger
from loyalty_rules.ledger.methods import LedgerMethods
from loyalty_rules.ledger.operations import Operation
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.ledger.queries import Queries
from loyalty_rules.ledger.receipts import (
    AdjustReceipt,
    AmendmentReceipt,
    CaptureReceipt,
    ConfirmationReceipt,
    EventReceipt,
    ExpireReceipt,
    ExtendReceipt,
    ForgetReceipt,
    HoldReceipt,
    MergeReceipt,
    Quote,
    ReassignReceipt,
    Receipt,
    RedeemAllReceipt,
    RedeemReceipt,
    ReleaseReceipt,
    ReturnReceipt,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    TopUpReceipt,
    TransferReceipt,
    Trim,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    UpdateReceipt,
    VoidReceipt,
)
from loyalty_rules.ledger.records import Balance, Entry, ReportLot, ReportRows

if TYPE_CHECKING:
    from loyalty_rules.ledger.sql import SQLLedger as SQLLedger

__all__ = [
    "AdjustReceipt",
    "AmendmentReceipt",
    "AmountOutOfRangeError",
    "AsyncLedger",
    "AsyncLedgerMethods",
    "Balance",
    "CaptureReceipt",
    "ConcurrentChangeError",
    "ConfirmationReceipt",
    "Entry",
    "EventReceipt",
    "ExpireReceipt",
    "ExtendReceipt",
    "ForgetReceipt",
    "HoldReceipt",
    "IdempotencyConflict",
    "InMemoryDatabaseError",
    "Ledger",
    "LedgerMethods",
    "MemoryLedger",
    "MergeReceipt",
    "MissingProgramError",
    "Operation",
    "Queries",
    "Quote",
    "ReassignReceipt",
    "Receipt",
    "RedeemAllReceipt",
    "RedeemReceipt",
    "ReleaseReceipt",
    "ReportLot",
    "ReportRows",
    "ReturnReceipt",
    "SaleReceipt",
    "SchemaVersionError",
    "SettleReceipt",
    "SpendReceipt",
    "TopUpReceipt",
    "TransferReceipt",
    "Trim",
    "UndoRedemptionReceipt",
    "UndoSpendReceipt",
    "UnsafeTransactionError",
    "UpdateReceipt",
    "UpgradeError",
    "VoidReceipt",
]


def __getattr__(name: str) -> Any:
    if name != "SQLLedger":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from loyalty_rules.ledger.sql import SQLLedger

    return SQLLedger
