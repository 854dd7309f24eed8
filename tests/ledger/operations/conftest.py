"""A ledger in memory for the tests of operations."""

from __future__ import annotations

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.service import LedgerService
from shop import Serials


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def service(storage: MemoryStorage) -> LedgerService:
    """Return the service over the storage of the test."""
    return LedgerService(storage, Serials())
