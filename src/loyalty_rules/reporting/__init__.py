"""The cost of a program: a history of events under one program, or under two that are compared."""

from loyalty_rules.reporting.backtest import Backtest, backtest
from loyalty_rules.reporting.diff import AccountChange, DiffRow, ProgramDiff, diff
from loyalty_rules.reporting.document_changes import document_changes
from loyalty_rules.reporting.figures import Figures
from loyalty_rules.reporting.largest import ReceiptChange
from loyalty_rules.reporting.sampling import Estimate

__all__ = [
    "AccountChange",
    "Backtest",
    "DiffRow",
    "Estimate",
    "Figures",
    "ProgramDiff",
    "ReceiptChange",
    "backtest",
    "diff",
    "document_changes",
]
