"""The state machine of a ledger: its helpers, its settings, and steps worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.machine.state import START, chosen, hundredths, loaded_programs, text
from loyalty_rules.testing.ledgers.reference_programs import FIRST
from loyalty_rules.testing.ledgers.state_machine import RUNS, STEPS, ledger_state_machine


@pytest.mark.parametrize(
    ("amount", "written"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1234, "12.34"), (-200, "-2.00")]
)
def test_hundredths_are_written_with_two_decimals(amount: int, written: str) -> None:
    assert text(amount) == written


@pytest.mark.parametrize(
    ("amount", "number"),
    [(None, None), (Decimal("12.34"), 1234), (Decimal(-2), -200), (Decimal("0.001"), Decimal("0.001"))],
)
def test_an_amount_finer_than_hundredths_stays_as_it_is(amount: Decimal | None, number: int | Decimal | None) -> None:
    assert hundredths(amount) == number


@pytest.mark.parametrize(("which", "value"), [(0, "c"), (1, "b"), (2, "a"), (3, "c")])
def test_small_numbers_choose_the_latest(which: int, value: str) -> None:
    assert chosen({"1": "a", "2": "b", "3": "c"}, which) == value


def test_both_versions_are_of_one_program() -> None:
    assert [program.id for program in loaded_programs()] == ["acme", "acme"]
    assert loaded_programs()[0].version != loaded_programs()[1].version


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.fixture
def usual_profile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Load a profile of 100 examples, and remove the number of runs from the environment."""
    monkeypatch.delenv("LOYALTY_EXAMPLES", raising=False)
    settings.register_profile("before", settings.default)
    settings.register_profile("usual", max_examples=100)
    settings.load_profile("usual")
    yield
    settings.load_profile("before")


@pytest.mark.usefixtures("usual_profile")
def test_the_default_is_20_runs_of_50_steps_the_same_every_time() -> None:
    chosen_settings = ledger_state_machine(MemoryLedger).TestCase.settings

    assert (RUNS, STEPS) == (20, 50)
    assert (chosen_settings.max_examples, chosen_settings.stateful_step_count) == (20, 50)
    assert chosen_settings.derandomize


@pytest.mark.usefixtures("usual_profile")
def test_a_profile_with_more_examples_runs_a_fifth_of_them() -> None:
    settings.register_profile("deep-search", max_examples=1000)
    settings.load_profile("deep-search")

    chosen_settings = ledger_state_machine(MemoryLedger).TestCase.settings

    assert (chosen_settings.max_examples, chosen_settings.derandomize) == (200, False)


def test_the_environment_sets_the_number_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_EXAMPLES", "7")

    assert ledger_state_machine(MemoryLedger).TestCase.settings.max_examples == 7


def test_given_settings_replace_the_defaults() -> None:
    machine = ledger_state_machine(MemoryLedger, max_examples=3, stateful_step_count=4)

    assert (machine.TestCase.settings.max_examples, machine.TestCase.settings.stateful_step_count) == (3, 4)


def test_each_ledger_has_a_class_of_its_own() -> None:
    one, other = (ledger_state_machine(MemoryLedger, transactions=flag) for flag in (True, False))

    assert one.TestCase is not other.TestCase
    assert (one.transactions, other.transactions) == (True, False)  # type: ignore[attr-defined]


# -- steps -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def machine() -> Any:
    machine: Any = ledger_state_machine(MemoryLedger)()
    machine.open_the_shop(pieces=1, price=4000)
    return machine


def check(machine: Any) -> None:
    """Check every invariant of the machine."""
    machine.balances_equal_those_of_the_model()
    machine.lots_equal_those_of_the_model()
    machine.coupons_equal_those_of_the_model()
    machine.no_invariant_is_violated()


def test_the_first_sale_earns_points_in_the_ledger_and_in_the_model(machine: Any) -> None:
    """A bill of 40 earns 4 points at once, 4 points in three days, and 1 point for its piece after a confirmation."""
    check(machine)

    assert machine.now == START
    assert machine.balances(START)[0] == (400, 500, 0, 0)


def test_a_balance_that_differs_from_the_model_is_found(machine: Any) -> None:
    machine.model.spend(FIRST, "P1", ("member", "anna"), "points", 400, machine.now)

    with pytest.raises(AssertionError):
        machine.balances_equal_those_of_the_model()


def test_every_operation_in_turn_agrees_with_the_model(machine: Any) -> None:
    machine.sell("ben", "S1", 2, 3000, 0)
    machine.take_back(0, 50, 1, None)
    machine.sell_at_two_tills("anna", "carl", "S2", 1, (3000, 4000), 1)
    machine.upload_a_late_sale("anna", "S1", 2000, 5)
    machine.redeem_a_live_coupon(0, 2000)
    machine.undo_redemption(0, 7, None)
    machine.spend_from_a_live_lot(0, 2, 0, False)
    machine.undo_spend(0, 0, 1)
    machine.hold(0, 1, 0, 30)
    machine.capture(0, 1, False)
    machine.hold(1, 2, 0, 30)
    machine.release_a_hold(0)
    machine.adjust(0, "points", 12, 0, "goodwill", 3)
    machine.adjust(0, "points", -3, 0, "goodwill", None)
    machine.adjust(0, "points", 16, 0, "goodwill", None)
    machine.confirm(0, "issue", None, "boss")
    machine.transfer(0, 2, "stars", 2, 0)
    machine.extend_a_lot(1, 12)
    machine.amend_the_bill(0, 40, True)
    machine.amend_the_bill(0, 2, False)
    machine.amend_the_member(0, "ben")
    machine.sell_for_a_set(0, 4000, 2, 0, 0)
    machine.top_up(0, 500)
    machine.reassign(0, "carl")
    machine.extend_a_coupon(0, 9)
    machine.merge(0)
    machine.compare_the_counters("anna", "S1", 0)
    machine.wait(72)
    machine.expire()
    machine.send_again(0)
    machine.send_with_another_amount(0)
    machine.roll_back(2000, "S1")
    check(machine)


def test_a_retry_with_another_receipt_is_found(machine: Any) -> None:
    operation, first = machine.done[0]
    machine.done[0] = operation, attrs.evolve(first, intents=())

    with pytest.raises(AssertionError):
        machine.send_again(0)


def test_an_answer_as_of_a_changed_instant_is_forgotten(machine: Any) -> None:
    check(machine)
    machine.wait(24)
    check(machine)
    assert [*machine.answers] == [START, START + timedelta(days=1)]

    machine.upload_a_late_sale("anna", "S1", 2000, 12)

    assert [*machine.answers] == [START]


@pytest.mark.slow
def test_the_machine_runs_on_a_ledger_without_transactions() -> None:
    machine = ledger_state_machine(MemoryLedger, transactions=False, max_examples=2, stateful_step_count=10)

    run_state_machine_as_test(machine, settings=machine.TestCase.settings)
