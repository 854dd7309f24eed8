"""A small model of a ledger, which any ledger can be compared with.

It shares no code with the library. Amounts are whole numbers of hundredths, a lot is a few of them, and a counter is
a number for each day. Every rule of the semantics is written out once more, in one module for each family of
operations.
"""

from loyalty_rules.testing.ledgers.model.accounts import Accounts

__all__ = ["Model"]


class Model(Accounts):
    """The state of a ledger, and its operations."""
