"""Hypothesis draws every public value of the library by its type."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections import Counter
from types import ModuleType
from typing import Any, get_args

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules import events, intents, ledger, lifecycle
from loyalty_rules.lifecycle import Account, Lot
from loyalty_rules.testing.registration import TYPES
from loyalty_rules.values.amounts import micros
from properties.examples import drawn

NOT_DRAWN = {
    "AsyncLedger": "a protocol",
    "AsyncLedgerMethods": "an abstract class",
    "DerivedSerials": "it has the secret keys of a host",
    "DocumentError": "an error",
    "IdempotencyConflict": "an error",
    "InvalidValueError": "an error",
    "Ledger": "a protocol",
    "LoyaltyError": "an error",
    "AmountOutOfRangeError": "an error",
    "ConcurrentChangeError": "an error",
    "LedgerMethods": "an abstract class",
    "MemoryLedger": "a store: a test starts with an empty one",
    "MissingSerialsError": "an error",
    "Operation": "an abstract class",
    "Queries": "it reads the storage of a ledger",
    "SerialGenerator": "a protocol",
    "WrongEventError": "an error",
}


def public_classes(module: ModuleType) -> list[type]:
    """Return the classes among the public names of a module."""
    return [each for name in module.__all__ if inspect.isclass(each := getattr(module, name))]


PUBLIC = list(
    dict.fromkeys(each for module in (lr, events, intents, lifecycle, ledger) for each in public_classes(module))
)


DRAWN = [
    # Few histories have a promise that waits for a day: the strategy draws many of them.
    pytest.param(each, marks=pytest.mark.slow) if each is ledger.SettleReceipt else each
    for each in dict.fromkeys((*PUBLIC, *TYPES))
    if each.__name__ not in NOT_DRAWN
]


@pytest.mark.parametrize("cls", DRAWN, ids=lambda cls: cls.__name__)
@pytest.mark.slow
def test_each_public_class_is_drawn_by_its_type(cls: type) -> None:
    values = drawn(st.from_type(cls), 4)

    assert values
    assert all(isinstance(value, cls) for value in values)


def test_each_type_is_registered_once() -> None:
    assert [name for name, times in Counter(cls.__name__ for cls in TYPES).items() if times > 1] == []


def test_the_excluded_types_are_public_and_not_registered() -> None:
    assert set(NOT_DRAWN) <= {cls.__name__ for cls in PUBLIC}
    assert not {cls.__name__ for cls in TYPES} & set(NOT_DRAWN)


@pytest.mark.parametrize("union", [intents.Intent, events.Event], ids=["Intent", "Event"])
def test_a_union_is_drawn_by_its_members(union: Any) -> None:
    kinds = {type(value) for value in drawn(st.from_type(union), 30)}

    assert kinds <= set(get_args(union))
    assert len(kinds) > 1


# -- the values are valid ----------------------------------------------------------------------------------------------


def test_the_buckets_of_a_lot_sum_to_the_issued_amount() -> None:
    assert all(lot.is_whole() for lot in drawn(st.from_type(Lot), 20))


@pytest.mark.slow
def test_the_shares_of_an_issue_sum_to_its_amount() -> None:
    issues = [issue for issue in drawn(st.from_type(intents.IssueCurrency), 60) if issue.shares]

    assert issues
    assert all(sum(micros(share.amount) for share in issue.shares) == micros(issue.amount) for issue in issues)


def test_the_draws_of_a_spend_sum_to_its_amount() -> None:
    spends = drawn(st.from_type(intents.SpendCurrency), 20)

    assert all(sum(micros(each.amount) for each in spend.draws) == micros(spend.amount) for spend in spends)


def test_a_reversal_draws_and_misses_no_more_than_its_amount() -> None:
    """Units that have expired count as taken, and are neither drawn nor missing."""
    for reversal in drawn(st.from_type(intents.ReverseCurrency), 20):
        taken = sum(micros(each.amount) for each in reversal.draws)
        assert taken + micros(reversal.shortfall) <= micros(reversal.amount)


@pytest.mark.slow
def test_a_promise_and_an_issue_are_both_drawn() -> None:
    issues = drawn(st.from_type(intents.IssueCurrency), 60)

    assert {issue.state for issue in issues} == {"issued", "promised"}
    assert all((issue.state == "promised") == (issue.release is not None) for issue in issues)


def test_a_trim_leaves_less_than_the_decided_amount() -> None:
    assert all(0 <= trim.left < trim.asked for trim in drawn(st.from_type(ledger.Trim), 20))


def test_accounts_are_drawn_of_members_and_of_groups() -> None:
    assert {account.kind for account in drawn(st.from_type(Account), 20)} == {"member", "group"}


# -- without an import ------------------------------------------------------------------------------------------------


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
def test_hypothesis_draws_the_types_without_an_import_of_the_strategies() -> None:
    """The same code fails without plugins, since Hypothesis then guesses from the annotations."""
    code = (
        "from hypothesis import given, settings, strategies as st\n"
        "import loyalty_rules\n"
        "@settings(max_examples=5, database=None)\n"
        "@given(st.from_type(loyalty_rules.Transaction))\n"
        "def test(sale):\n"
        "    assert sale.id == 'T1'\n"
        "test()"
    )

    assert run_python(code).stderr == ""
    assert run_python(code, HYPOTHESIS_NO_PLUGINS="1").returncode != 0


def test_the_library_itself_imports_neither_hypothesis_nor_pytest() -> None:
    code = (
        "import sys, loyalty_rules, loyalty_rules.ledger, loyalty_rules.linting, loyalty_rules.cli, "
        "loyalty_rules.testing\nprint(sorted({'hypothesis', 'pytest'} & set(sys.modules)))"
    )

    assert run_python(code).stdout == "[]\n"
