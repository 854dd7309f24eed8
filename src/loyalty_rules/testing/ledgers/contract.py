"""What every ledger must do, as tests that a host runs on its own.

A host's ledger is one when its class of tests passes:

    class TestMyLedger(LedgerContract):
        @pytest.fixture
        def ledger(self):
            return MyLedger(...)

What a ledger does not offer is said by a property: `supports_transactions = False`. Each test states one fact in
the domain's words, and after each `check_invariants()` says that nothing is wrong. The same operations in random
order, against a small model, are in `ledger_machine`. Source: ledger, semantics 5, 6, 8, 9, 11, 12.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.testing.ledgers.facts.coupons import CouponFacts, CouponStory, RedemptionFacts
from loyalty_rules.testing.ledgers.facts.expiring import ExpiryFacts, ExtensionFacts
from loyalty_rules.testing.ledgers.facts.promising import PromiseFacts
from loyalty_rules.testing.ledgers.facts.recording import (
    CapFacts,
    RecordFacts,
    ReplayFacts,
    StatementFacts,
    TrackerFacts,
    TransactionFacts,
)
from loyalty_rules.testing.ledgers.facts.returning import CouponReturnFacts, ReturnFacts, ShortfallFacts
from loyalty_rules.testing.ledgers.facts.spending import SpendFacts, UndoFacts, WalletFacts
from loyalty_rules.testing.ledgers.facts.till import Till

__all__ = ["LedgerContract"]


class LedgerContract(
    RecordFacts,
    ReplayFacts,
    CapFacts,
    TrackerFacts,
    StatementFacts,
    TransactionFacts,
    PromiseFacts,
    ReturnFacts,
    CouponReturnFacts,
    ShortfallFacts,
    SpendFacts,
    WalletFacts,
    UndoFacts,
    ExpiryFacts,
    ExtensionFacts,
    CouponFacts,
    RedemptionFacts,
    CouponStory,
):
    """The contract: a host gives the fixture `ledger`, a new and empty one for each test."""

    supports_transactions = True
    """Whether `ledger.transaction()` is there and makes several operations one."""

    supports_as_of = True
    """Whether balances, lots, promises and statements can be asked as of an instant that is past."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        """Give the ledger to be tested."""
        raise NotImplementedError("a subclass of LedgerContract gives a fixture `ledger`")

    @pytest.fixture
    def till(self, ledger: Ledger) -> Till:
        """Give the till at which things happen."""
        return Till(ledger)

    @pytest.fixture
    def transactions(self, ledger: Any) -> Callable[[], Any]:
        """Give what opens a transaction."""
        if not self.supports_transactions:
            pytest.skip("this ledger has no transactions")
        opener: Callable[[], Any] = ledger.transaction
        return opener

    @pytest.fixture
    def as_of(self) -> None:
        """Ask for what needs queries of the past."""
        if not self.supports_as_of:
            pytest.skip("this ledger does not tell what was")

    @pytest.fixture(autouse=True)
    def _nothing_is_wrong_afterwards(self, ledger: Ledger) -> Iterator[None]:
        yield
        check_that_nothing_is_wrong(ledger)


def check_that_nothing_is_wrong(ledger: Ledger) -> None:
    """Raise `AssertionError` with what does not hold in a ledger of all that must always hold."""
    wrong = ledger.check_invariants()
    if wrong:
        raise AssertionError("\n".join(wrong))
