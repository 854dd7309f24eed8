"""The engine and a second, independent reading of the spec decide alike."""

from __future__ import annotations

from hypothesis import given

import loyalty_rules as lr
from reference import documents, interpreter
from shop import Serials

from .examples import examples

REASONED = ("promotion", "action", "reason")


def decided(evaluation: dict) -> dict:
    """Return the decision without the words of the reasons."""
    return {
        "event": evaluation["event"],
        "program": evaluation["program"],
        "intents": evaluation["intents"],
        "skipped": [{key: entry[key] for key in REASONED} for entry in evaluation["skipped"]],
    }


@examples(250)
@given(documents.cases())
def test_the_engine_and_the_reference_interpreter_decide_alike(case: tuple) -> None:
    program, event, snapshot = case
    known = lr.load_snapshot(snapshot) if snapshot is not None else None
    evaluation = lr.load_program(program).evaluate(lr.load_event(event), known, serials=Serials())
    expected = interpreter.evaluate(program, event, snapshot, lambda key: f"S:{key}")
    assert decided(lr.dump(evaluation)) == decided(expected)
