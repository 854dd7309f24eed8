"""The ledger in memory, the reference for every other ledger."""

from loyalty_rules.ledger.memory.ledger import MemoryLedger

__all__ = ["MemoryLedger"]
