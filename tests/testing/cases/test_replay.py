"""The replay: steps in their order, checks in between, and the program that a step names."""

from __future__ import annotations

import attrs

from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.cases import differences

from .small_cases import AT, SALE, SELL, SHOP, case, wrong

POOR = {"member": "anna", "currency": "points", "at": AT, "available": "0"}


def test_a_check_in_between_sees_the_state_so_far() -> None:
    assert wrong({"do": "check", "balances": [POOR]}, SELL) == []
    (difference,) = wrong(SELL, {"do": "check", "balances": [POOR]})
    assert difference == "steps[1] (check): available of anna: expected 0, found 100"


def test_a_step_may_name_another_program_which_stays_in_use() -> None:
    other = {**SHOP, "promotions": []}
    sell = {"do": "process", "event": {**SALE, "id": "T2"}, "expect": {"counts": {"issue_currency": 0}}}
    two = attrs.evolve(case(SELL, {**sell, "program": "other"}), programs={"program": SHOP, "other": other})
    serials = two.serials()
    assert differences(two, MemoryLedger(serials), serials) == []
