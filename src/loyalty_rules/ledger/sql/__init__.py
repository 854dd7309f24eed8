"""The ledger in a database; the only place that imports sqlalchemy. Installed with the extra `sql`."""

from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.tables import Tables

__all__ = ["SQLLedger", "Tables"]
