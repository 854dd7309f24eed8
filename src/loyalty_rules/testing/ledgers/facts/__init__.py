"""The facts of the ledger contract, a file a concept; `LedgerContract` puts them together."""

import pytest

__all__ = ["FACTS"]

# An installed package has its assertions told in full only where pytest is asked to, before it is imported.
FACTS = ("coupons", "expiring", "promising", "recording", "returning", "spending")
pytest.register_assert_rewrite(*(f"{__name__}.{each}" for each in FACTS))
