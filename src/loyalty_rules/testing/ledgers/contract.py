"""The contract of a ledger, as tests that a host runs on its own ledger.

    class TestMyLedger(LedgerContract):
        @pytest.fixture
        def ledger(self):
            return MyLedger(...)

An attribute names a missing capability: `supports_transactions = False`. Each test states one fact, and after each
`check_invariants()` must find no violation. The module `state_machine` runs the same operations in random order
against a small model. Source: ledger, semantics 5, 6, 8, 9, 11, 12.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.testing.ledgers.facts.asking import QuestionFacts
from loyalty_rules.testing.ledgers.facts.by_hand import (
    AdjustFacts,
    CardFacts,
    HandFacts,
    MergeFacts,
    ReportFacts,
    TransferFacts,
)
from loyalty_rules.testing.ledgers.facts.coupons import CouponFacts, CouponStory, RedemptionFacts
from loyalty_rules.testing.ledgers.facts.expiring import ExpiryFacts, ExtensionFacts
from loyalty_rules.testing.ledgers.facts.forgetting import ForgetFacts
from loyalty_rules.testing.ledgers.facts.holding import HoldFacts
from loyalty_rules.testing.ledgers.facts.owing import ShortfallFacts
from loyalty_rules.testing.ledgers.facts.promising import PromiseFacts
from loyalty_rules.testing.ledgers.facts.recording import (
    CapFacts,
    RecordFacts,
    ReplayFacts,
    StatementFacts,
    TrackerFacts,
    TransactionFacts,
)
from loyalty_rules.testing.ledgers.facts.refunding import GiveBackFacts
from loyalty_rules.testing.ledgers.facts.remaining import RemainderFacts
from loyalty_rules.testing.ledgers.facts.reminding import MemberFacts, ReminderFacts
from loyalty_rules.testing.ledgers.facts.returning import CouponReturnFacts, ReturnFacts
from loyalty_rules.testing.ledgers.facts.spending import RedeemRateFacts, SpendFacts, UndoFacts
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
    RemainderFacts,
    CouponReturnFacts,
    ShortfallFacts,
    GiveBackFacts,
    HoldFacts,
    SpendFacts,
    RedeemRateFacts,
    UndoFacts,
    ExpiryFacts,
    ExtensionFacts,
    CouponFacts,
    RedemptionFacts,
    CouponStory,
    AdjustFacts,
    TransferFacts,
    HandFacts,
    CardFacts,
    ReportFacts,
    ForgetFacts,
    ReminderFacts,
    MemberFacts,
    MergeFacts,
    QuestionFacts,
):
    """The contract: a subclass provides the fixture `ledger`, a new and empty ledger for each test."""

    supports_transactions = True
    """True if `ledger.transaction()` makes several operations atomic."""

    supports_as_of = True
    """True if balances, lots, promises and statements can be read as of an earlier instant."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        """Return the ledger under test."""
        raise NotImplementedError("a subclass of LedgerContract provides the fixture `ledger`")

    @pytest.fixture
    def till(self, ledger: Ledger) -> Till:
        """Return a till with the ledger under test."""
        return Till(ledger)

    @pytest.fixture
    def transactions(self, ledger: Any) -> Callable[[], Any]:
        """Return the function that opens a transaction; skip the test if the ledger has none."""
        if not self.supports_transactions:
            pytest.skip("this ledger has no transactions")
        opener: Callable[[], Any] = ledger.transaction
        return opener

    @pytest.fixture
    def as_of(self) -> None:
        """Skip the test if the ledger cannot be read as of an earlier instant."""
        if not self.supports_as_of:
            pytest.skip("this ledger has no reads as of an earlier instant")

    @pytest.fixture(autouse=True)
    def _invariants_hold_afterwards(self, ledger: Ledger) -> Iterator[None]:
        yield
        check_invariants(ledger)


def check_invariants(ledger: Ledger) -> None:
    """Raise `AssertionError` with the violated invariants of a ledger, if there are any."""
    wrong = ledger.check_invariants()
    if wrong:
        raise AssertionError("\n".join(wrong))
