"""Programs that keep or break a law, and the search for their counterexamples."""

from __future__ import annotations

import re
from typing import Any

import loyalty_rules as lr
from loyalty_rules.testing import laws
from loyalty_rules.testing.laws import LAWS, Counterexample, Expectations, prove
from properties.examples import SEED
from shop import earn, fixed, program, proportional

DOWN, UP = {"currency": "down"}, {"value": "up"}
SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
GIFT = {"gift": {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": "1"}}}
COUPON = {"type": "issue_coupon", "id": "c", "coupon_type": "gift"}

ROUNDED_UP = program(earn(proportional("100"), rounding=UP))
"""A program that breaks the law on splitting: two receipts of 0.01 earn 2 points, and one of 0.02 earns 1."""


def promoted(*promotions: dict, **parts: Any) -> dict:
    """Return a program of promotions p0, p1, …, each of which issues a point by default."""
    given = [{"id": f"p{number}", "actions": [earn(fixed("1"))], **each} for number, each in enumerate(promotions)]
    return program(promotions=given, **parts)


def when(field: str, **test: Any) -> dict:
    """Return a comparison of the value at a path."""
    return {"field": field, **test}


def limit(**parts: Any) -> dict:
    """Return the limit of a program: 50 points by default."""
    return {"limits": {"cap": {"currency": "points", "amount": "50", **parts}}}


def broken(document: dict, law: str, **expectations: Any) -> Counterexample:
    """Return the counterexample to a law, which must exist."""
    found = LAWS[law](lr.load_program(document), Expectations.of(expectations), laws.Effort(seed=SEED))
    assert found is not None
    return found


def assert_broken(law: str, document: dict, expectations: dict, sentence: str) -> None:
    """Check that a law is broken by at most two receipts, and that the sentence describes it.

    In the sentence, … stands for any amount; another seed than the default may end at other small amounts.
    """
    [(name, found)] = prove(lr.load_program(document), Expectations.of(expectations), laws=[law], seed=SEED)

    assert name == law
    assert found is not None
    shape = re.escape(sentence).replace("…", r"[\d.]+")
    assert re.search(re.sub(r"\d+(\\\.\d+)?", r"[\\d.]+", shape) if SEED else shape, found.sentence)
    assert 1 <= len(found.receipts) <= 2


def assert_kept(law: str, document: dict, expectations: dict) -> None:
    """Check that 80 examples contain no counterexample to a law."""
    proofs = prove(lr.load_program(document), Expectations.of(expectations), laws=[law], examples=80, seed=SEED)

    assert [*proofs] == [(law, None)]
