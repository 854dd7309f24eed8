"""A state machine that compares any ledger with a small model: all operations, in any order.

    TestMyLedger = ledger_state_machine(MyLedger).TestCase

After every step the ledger's balances, lots, promises and coupons equal those of the model, and
`check_invariants()` finds no violation. Each ledger has a class of its own, since tests with `@given` cannot be
inherited. The rules are in a module for each family of operations. Source: ledger 2.
"""

import contextlib
import os
from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.testing.ledgers.machine.accounts import AccountRules
from loyalty_rules.testing.ledgers.machine.coupons import CouponRules
from loyalty_rules.testing.ledgers.machine.state import SERIALS, loaded_programs, prices, stores

__all__ = ["ledger_state_machine"]

STEPS = 50
RUNS = 20


class Failed(Exception):
    """An error that the host raises within a transaction."""


class LedgerMachine(CouponRules, AccountRules):
    """The operations of a chain of shops, applied to a ledger and to the model."""

    # -- time --------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 24, 72]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(which=st.integers(0, 6), before=st.booleans())
    def wait_for_a_coming_instant(self, which: int, before: bool) -> None:
        """Wait until an expiry or a due date, or until a second before it."""
        points = self.model.coming_instants(self.now)
        if points:
            self.now = max(self.now, points[which % len(points)] - timedelta(seconds=before))

    @rule()
    def expire(self) -> None:
        self.sweep()

    # -- retries, conflicts, rollbacks ----------------------------------------------------------------------------

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 1000))
    def send_again(self, which: int) -> None:
        operation, first = self.done[which % len(self.done)]
        again = operation()
        changes: dict[str, Any] = {"undone": True} if getattr(again, "undone", False) else {}
        assert again == attrs.evolve(first, status="already_recorded", **changes)

    @precondition(lambda self: self.conflicts)
    @rule(which=st.integers(0, 1000))
    def send_with_another_amount(self, which: int) -> None:
        operation, field = self.conflicts[which % len(self.conflicts)]
        try:
            receipt = operation()
        except IdempotencyConflict as conflict:
            assert conflict.field == field  # noqa: PT017
        else:
            raise AssertionError(
                f"expected an IdempotencyConflict for another amount under the same id, found {receipt.status}"
            )

    @precondition(lambda self: self.transactions)
    @rule(price=prices, store=stores)
    def roll_back(self, price: int, store: str | None) -> None:
        """Roll back a transaction of a sale, a spend and a sweep: the ledger stays as it was."""
        bill, ledger = self.bill("anna", store, 1, price, self.now), self.ledger
        anna = Account("member", "anna")
        with contextlib.suppress(Failed), ledger.transaction() as tx:
            tx.process(loaded_programs()[0], self.event(bill), serials=SERIALS)
            tx.spend(loaded_programs()[1], anna, "anna", "stars", Decimal(1), event=bill.id, at=self.now)
            tx.settle(loaded_programs()[0], self.now)
            tx.expire(loaded_programs()[0], self.now)
            raise Failed

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 1000))
    def look_back(self, which: int) -> None:
        """Read the balances as of an earlier instant: they are the same as they were then."""
        at = [*self.answers][which % len(self.answers)]
        assert self.balances(at) == self.answers[at], f"as of {at}"


def ledger_state_machine(
    factory: Callable[[], Ledger], *, transactions: bool = True, without: Collection[str] = (), **changes: Any
) -> type[RuleBasedStateMachine]:
    """Return the class that compares a ledger with the model; pytest collects its `TestCase`.

    `factory` returns a new and empty ledger. `transactions=False` means that the ledger has no `transaction()`.
    `without` are the names of rules that are not drawn, such as `merge`.
    `changes` are settings of Hypothesis. The default is 20 runs of 50 steps, the same ones every time. A Hypothesis
    profile with more than 100 examples runs a fifth of them. The environment variable `LOYALTY_EXAMPLES` sets the
    number of runs.
    """
    wanted = os.environ.get("LOYALTY_EXAMPLES")
    runs = int(wanted) if wanted else max(RUNS, settings.default.max_examples // 5)  # type: ignore[union-attr]
    defaults: dict[str, Any] = {
        "max_examples": runs,
        "stateful_step_count": STEPS,
        "derandomize": runs == RUNS,
        "database": None,
        "deadline": None,
        "report_multiple_bugs": False,
        "suppress_health_check": list(HealthCheck),
    }
    body = {"factory": staticmethod(factory), "transactions": transactions, **dict.fromkeys(without)}
    machine: type[RuleBasedStateMachine] = type("LedgerMachine", (LedgerMachine,), body)
    machine.TestCase.settings = settings(**{**defaults, **changes})
    return machine
