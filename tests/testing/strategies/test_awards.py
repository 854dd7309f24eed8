"""The parts of an award are valid, and of the given kinds alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.testing import strategies as kit
from loyalty_rules.testing.strategies.awards import TRACKER_BASES
from properties.examples import drawn
from shop import earn, fixed, program

from .shrinking import shrunk

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}

PARTS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], dict]]] = {
    "prorations": (kit.prorations(), lambda part: program(earn(part))),
    "tracker bases": (
        kit.bases(["spend"], kinds=TRACKER_BASES),
        lambda part: program(earn({"type": "multiplier", "percent": "1", "of": part}), trackers=SPEND),
    ),
    "balances": (
        kit.bases(currencies=["points"], kinds=["balance"]),
        lambda part: program(earn({"type": "multiplier", "percent": "1", "of": part})),
    ),
    "awarded": (
        kit.bases([], ["p/a"], kinds=["awarded"]),
        lambda part: program(earn(fixed("1"), "a"), earn({"type": "proportional", "percent": "1", "of": part}, "b")),
    ),
    "roundings": (kit.roundings(), lambda part: program(earn(fixed("1"), rounding=part))),
    "expiries": (kit.expiries(), lambda part: program(earn(fixed("1"), expiry=part))),
    "timings": (kit.timings(["spend"]), lambda part: program(earn(fixed("1"), timing=part), trackers=SPEND)),
    "windows": (kit.windows(), lambda part: program(trackers={"spend": {**SPEND["spend"], "window": part}})),
    "caps": (kit.action_caps(), lambda part: program(earn(fixed("1"), caps=part))),
}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_valid_in_a_program(name: str) -> None:
    strategy, program_of = PARTS[name]

    for part in drawn(strategy, 60):
        lr.load_program(program_of(part))


@pytest.mark.parametrize(
    ("strategy", "kinds"),
    [
        (kit.bases, kit.BASES),
        (kit.prorations, kit.PRORATIONS),
        (kit.expiries, kit.EXPIRIES),
        (kit.timings, kit.TIMINGS),
    ],
)
def test_only_the_given_kind_is_drawn(strategy: Callable[..., st.SearchStrategy[Any]], kinds: tuple[str, ...]) -> None:
    possible = [kind for kind in kinds if kind not in (*TRACKER_BASES, "balance", "awarded")]

    for kind in possible:
        assert {part["type"] for part in drawn(strategy(kinds=[kind]), 10)} == {kind}


@pytest.mark.parametrize(
    ("strategy", "kinds"),
    [(kit.prorations(), kit.PRORATIONS), (kit.expiries(), kit.EXPIRIES), (kit.timings(), kit.TIMINGS)],
)
def test_every_kind_is_drawn_by_default(strategy: st.SearchStrategy[Any], kinds: tuple[str, ...]) -> None:
    assert {part["type"] for part in drawn(strategy, 200)} == set(kinds)


def test_without_trackers_and_earlier_actions_no_base_refers_to_one() -> None:
    kinds = {base["type"] for base in drawn(kit.bases(), 200)}

    assert kinds == set(kit.BASES) - {*TRACKER_BASES, "balance", "awarded"}


def test_a_rounding_without_actual_makes_the_amount_whole() -> None:
    modes = {rounding.get("currency") for rounding in drawn(kit.roundings(actual=False), 100)}

    assert None in modes
    assert "down" in modes
    assert "actual" not in modes


def test_a_cap_counts_either_an_amount_or_times() -> None:
    caps = [cap for caps in drawn(kit.action_caps(), 100) for key, cap in caps.items() if key != "per_event"]

    assert {frozenset(cap) - {"window"} for cap in caps} == {frozenset({"amount"}), frozenset({"times"})}


def test_an_unshipped_sale_is_the_usual_reason_to_wait() -> None:
    shipped = {"field": "status", "is": "Shipped"}

    assert shipped in [timing["when"] for timing in drawn(kit.timings(kinds=["transaction_update"]), 30)]


# -- the simplest ----------------------------------------------------------------------------------------------------


SIMPLEST: list[tuple[st.SearchStrategy[Any], Any]] = [
    (kit.prorations(), {"type": "fixed", "amount": "0"}),
    (kit.roundings(), {}),
    (kit.expiries(), {"type": "never"}),
    (kit.timings(), {"type": "immediate"}),
    (kit.windows(), {"type": "lifetime"}),
    (kit.action_caps(), {}),
]


@pytest.mark.parametrize(("strategy", "simplest"), SIMPLEST)
def test_the_simplest_example_is_short_and_early(strategy: st.SearchStrategy[Any], simplest: Any) -> None:
    assert shrunk(strategy) == simplest
