"""Ledgers: the store of what was decided, behind one protocol. Source: ledger."""

from loyalty_rules.ledger.memory import MemoryLedger
from loyalty_rules.ledger.protocol import Balance, IdempotencyConflict, Ledger, Movement, Receipt, Trim

__all__ = ["Balance", "IdempotencyConflict", "Ledger", "MemoryLedger", "Movement", "Receipt", "Trim"]
