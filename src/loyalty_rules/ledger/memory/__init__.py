"""The ledger in memory: the reference, plain and obvious."""

from loyalty_rules.ledger.memory.ledger import MemoryLedger

__all__ = ["MemoryLedger"]
