"""The ledger in a database. It needs the extra `sql`, and is the only package that imports sqlalchemy.

`loyalty_rules.ledger.sql.asyncio.AsyncSQLLedger` is the ledger for asyncio. It needs SQLAlchemy's extra `asyncio`.
"""

from loyalty_rules.ledger.errors import AmountOutOfRangeError, ConcurrentChangeError
from loyalty_rules.ledger.sql.dialects import UnsupportedDatabaseError
from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.serials_at_rest import SerialKeysNeededError
from loyalty_rules.ledger.sql.tables import Tables

__all__ = [
    "AmountOutOfRangeError",
    "ConcurrentChangeError",
    "SQLLedger",
    "SerialKeysNeededError",
    "Tables",
    "UnsupportedDatabaseError",
]
