"""Tests that say less than their author probably means: a milestone that comes once, lines without a field."""

import re
from collections.abc import Iterator

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import Leaf, conditions_of, leaves_of, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.conditions import Comparison, TrackerTest
from loyalty_rules.rules.line_predicates import line_subject
from loyalty_rules.rules.windows import Lifetime

__all__ = ["oversights"]

_EVERY = re.compile(r"\bevery\b", re.IGNORECASE)


def oversights(program: Program) -> Iterator[Finding]:
    """Yield milestones that a title promises again and again, and line conditions that drop lines without a field."""
    yield from _once_only(program)
    for path, condition, where in conditions_of(program):
        for leaf in leaves_of(condition, path, where):
            if leaf.where.of_line:
                yield from _drops_lines(leaf)


def _once_only(program: Program) -> Iterator[Finding]:
    """Yield tests of a milestone that is reached once, under a title with "every"."""
    # In a calendar or rolling window a target can be crossed again without `repeats`.
    once = {each.id for each in program.trackers if not each.repeats and isinstance(each.window, Lifetime)}
    for path, promotion in promotions_of(program):
        if promotion.when is None or not _EVERY.search(promotion.title or ""):
            continue
        for leaf in leaves_of(promotion.when, f"{path}.when"):
            if isinstance(leaf.test, TrackerTest) and leaf.test.crossed and leaf.test.tracker in once:
                yield Finding(
                    leaf.path,
                    "crossed_once",
                    f'the title says "every", and the tracker {leaf.test.tracker} has no repeats',
                    "its target is crossed once, and never again: a member is rewarded for the first milestone alone",
                    f"add repeats: true to the tracker {leaf.test.tracker}, or change the title",
                )


def _drops_lines(leaf: Leaf) -> Iterator[Finding]:
    test = leaf.test
    if not isinstance(test, Comparison) or not leaf.wanted or test.exists is not None:
        return
    operator = "is_not" if test.is_not is not None else "not_in" if test.not_in is not None else None
    # A line always has its quantity and value; the other numbers are rarely compared by `is_not`.
    if operator is None or line_subject(test.field).kind not in ("text", "free"):
        return
    positive = {"is_not": "is", "not_in": "in"}[operator]
    yield Finding(
        f"{leaf.path}.{operator}",
        "drops_lines",
        f"a line without {test.field} does not match: a comparison on an absent field is false, {operator} included",
        f"lines without {test.field} are left out, though they have none of these values",
        f'write {{"not": {{"field": "{test.field}", "{positive}": …}}}} to count them, or add "exists": true',
    )
