"""The replay of a case on a ledger, step by step."""

from typing import Any

from loyalty_rules.testing.cases.files import Case
from loyalty_rules.testing.cases.ledger_state import state_differs
from loyalty_rules.testing.cases.operations import World
from loyalty_rules.testing.cases.receipts import result_differs

__all__ = ["differences"]


def differences(case: Case, ledger: Any, serials: Any = None) -> list[str]:
    """Replay a case on an empty ledger, and return the differences as sentences; an empty list means it holds.

    `serials` are those that the ledger was opened with, by default new ones of the case.
    """
    world = World(case, ledger, serials if serials is not None else case.serials())
    found: list[str] = []
    for place, step in enumerate([*case.steps, {"do": "check", **case.end}]):
        if "program" in step and step["do"] != "load":
            world.in_use = step["program"]
        wrong = state_differs(world, step) if step["do"] == "check" else result_differs(world, step)
        found += [f"steps[{place}] ({step['do']}): {each}" for each in wrong]
    return found
