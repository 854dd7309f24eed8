"""Trackers in rules: milestones that no event crosses, or that are counted once, and bands over another measure.

Source: semantics 3 and 7a.
"""

from collections.abc import Iterator
from itertools import pairwise

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import actions_of, conditions_of, leaves_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import Crossings, EventValue, GapAfter, Surplus
from loyalty_rules.rules.conditions import TrackerTest
from loyalty_rules.rules.proration import Banded
from loyalty_rules.rules.trackers import AwardedCurrency
from loyalty_rules.rules.windows import Lifetime

__all__ = ["milestones"]


def milestones(program: Program) -> Iterator[Finding]:
    """Yield uses of a tracker that give less than they seem to."""
    yield from _never_crossed(program)
    yield from _crossings_once(program)
    yield from _bands(program)


def _never_crossed(program: Program) -> Iterator[Finding]:
    """Yield tests and bases of the contribution of an event to a tracker of awards: it is zero while rules read it."""
    of_awards = {each.id for each in program.trackers if isinstance(each.measure, AwardedCurrency)}
    paths = [
        (leaf.path, leaf.test.tracker)
        for path, condition, where in conditions_of(program)
        for leaf in leaves_of(condition, path, where)
        if isinstance(leaf.test, TrackerTest) and leaf.test.crossed is not None
    ]
    paths += [
        (f"{place.proration_path}.of", place.base.tracker)
        for place in actions_of(program)
        if isinstance(place.base, (Crossings, EventValue, GapAfter, Surplus))
    ]
    for path, tracker in paths:
        if tracker in of_awards:
            yield Finding(
                path,
                "never_crossed",
                f"the tracker {tracker} measures awards, which are known only after all actions",
                "the event's own contribution is zero here: no event crosses a milestone of it",
                "measure the bill, or let a tier by this tracker decide",
            )


def _crossings_once(program: Program) -> Iterator[Finding]:
    once = {each.id for each in program.trackers if not each.repeats and isinstance(each.window, Lifetime)}
    for place in actions_of(program):
        if isinstance(place.base, Crossings) and place.base.tracker in once:
            yield Finding(
                f"{place.proration_path}.of",
                "crossed_once",
                f"the number of crossings is counted, and the tracker {place.base.tracker} has no repeats",
                "its target is crossed once, and never again: the number is 1 for one event and 0 for all others",
                f"add repeats: true to the tracker {place.base.tracker}",
            )


def _bands(program: Program) -> Iterator[Finding]:
    """Yield bands over a tracker of something else, and neighbours of the same rate."""
    measures = {each.id: each.measure for each in program.trackers}
    for place in actions_of(program):
        proration = place.proration
        if not isinstance(proration, Banded):
            continue
        if proration.over is not None and measures[proration.over] != proration.of:
            yield Finding(
                f"{place.proration_path}.over",
                "bands_over_another_measure",
                f"the tracker {proration.over} measures something else than the base of the bands",
                "the base is laid on top of the tracker's value: both should count the same",
                "measure the base in the tracker, too",
            )
        for index, (band, following) in enumerate(pairwise(proration.bands)):
            if band.percent == following.percent:
                yield Finding(
                    f"{place.proration_path}.bands[{index}].percent",
                    "bands_alike",
                    "this band and the next have the same percentage",
                    "the end between them changes nothing",
                    "correct one of the percentages, or make the two bands one",
                )
