"""The facts of the ledger contract, one file for each concept; `LedgerContract` inherits from all of them."""

import pytest

__all__ = ["FACTS"]

# Pytest rewrites the assertions of an installed package only if it is registered before the import.
FACTS = (
    "by_hand",
    "coupons",
    "expiring",
    "forgetting",
    "holding",
    "owing",
    "promising",
    "recording",
    "refunding",
    "remaining",
    "reminding",
    "returning",
    "spending",
)
pytest.register_assert_rewrite(*(f"{__name__}.{each}" for each in FACTS))
