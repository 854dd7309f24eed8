"""Tests that say less than their author probably means: a milestone that comes once, lines without a field."""

import re
from collections import Counter
from collections.abc import Iterator

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import ActionPlace, Leaf, actions_of, conditions_of, leaves_of, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import LineBase, LineItemValue
from loyalty_rules.rules.conditions import Comparison, TrackerTest
from loyalty_rules.rules.line_predicates import line_subject
from loyalty_rules.rules.promotions import CouponAction, SpendAction
from loyalty_rules.rules.proration import Multiplier, Proportional
from loyalty_rules.rules.windows import Lifetime
from loyalty_rules.values.checked import nearest

__all__ = ["oversights"]

_USUAL = (
    *("registration", "profile_update", "check_in", "online_check_in", "visit", "birthday", "review"),
    *("product_review", "referral", "app_install", "newsletter", "survey"),
)
"""The activities of the examples, and other usual ones."""

_EVERY = re.compile(r"\bevery\b", re.IGNORECASE)


def oversights(program: Program) -> Iterator[Finding]:
    """Yield milestones that a title promises again and again, and line conditions that drop lines without a field."""
    yield from _once_only(program)
    yield from _lonely_triggers(program)
    for place in actions_of(program):
        yield from _parts_beside_lines(place)
        yield from _in_parts_for_nothing(place)
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


def _lonely_triggers(program: Program) -> Iterator[Finding]:
    """Yield triggers that only one promotion has and that are no usual name; a reward is asked for by its own name."""
    times = Counter(promotion.trigger for promotion in program.promotions)
    scheduled = {schedule.activity for schedule in program.schedules}
    for path, promotion in promotions_of(program):
        trigger = promotion.trigger
        is_reward = any(isinstance(action, SpendAction) for action in promotion.actions)
        if trigger in {"transaction", *_USUAL, *scheduled} or times[trigger] > 1 or is_reward:
            continue
        near = nearest(trigger, ["transaction", *_USUAL, *scheduled, *(each for each in times if each != trigger)])
        hint = f"; did you mean {near!r}?" if near else ""
        yield Finding(
            f"{path}.trigger",
            "lonely_trigger",
            f"no other promotion has the trigger {trigger!r}, and it is no usual name of an activity{hint}",
            "if your application sends the activity under another name, the promotion never fires",
            "compare it with the name that your application sends",
        )


def _parts_beside_lines(place: ActionPlace) -> Iterator[Finding]:
    base = place.base
    if not isinstance(base, LineItemValue):
        return
    for index, part in enumerate(base.less):
        if part in ("shipping", "tip"):
            yield Finding(
                f"{place.proration_path}.of.less[{index}]",
                "less_beside_lines",
                f"the {part} is spread over the lines and subtracted from their values",
                f"lines seldom contain the {part} of the bill: the goods then earn less than they are worth",
                f"remove it, unless your lines include the {part}",
            )


def _in_parts_for_nothing(place: ActionPlace) -> Iterator[Finding]:
    """Yield bases by line or by unit of which nothing is rounded: a percentage of the sum is the same."""
    base, proration = place.base, place.proration
    if not isinstance(base, LineBase) or base.aggregate == "total":
        return
    if not isinstance(proration, (Multiplier, Proportional)) or isinstance(place.action, CouponAction):
        return
    rounding = getattr(place.action, "rounding", None)
    if rounding is not None and rounding.value == rounding.currency == "actual":
        yield Finding(
            f"{place.proration_path}.of.aggregate",
            "parts_not_rounded",
            f"the base is computed by {base.aggregate}, and nothing is rounded",
            "a percentage of each part adds up to the percentage of the whole, but for lines below zero",
            "round the base or the amount, or leave the aggregate out",
        )
