"""The ledger in a database; the only place that imports sqlalchemy. Installed with the extra `sql`.

For asyncio: `loyalty_rules.ledger.sql.asyncio.AsyncSQLLedger`, which needs SQLAlchemy's own extra `asyncio`.
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
