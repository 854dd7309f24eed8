"""Choices between promotions and members: groups, levels, samples. Source: semantics 3, 7, 8 and 14."""

from collections.abc import Iterator
from itertools import permutations

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import actions_of, conditions_of, keyed, leaves_of, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.conditions import Sample, TierTest
from loyalty_rules.rules.groups import Group
from loyalty_rules.rules.promotions import CurrencyAction, Promotion
from loyalty_rules.rules.proration import PercentBy, Proration
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.rules.windows import Lifetime
from loyalty_rules.values.amounts import text_of

__all__ = ["choices"]


def choices(program: Program) -> Iterator[Finding]:
    """Yield groups that choose nothing, levels that are not meant, and samples that overlap."""
    promotions: dict[str, list[Promotion]] = {}
    for _, promotion in promotions_of(program):
        promotions.setdefault(promotion.exclusive or "", []).append(promotion)
    for path, group in keyed("groups", program.groups):
        yield from _group(path, group, promotions.get(group.id, []))
    for path, tier in keyed("tiers", program.tiers):
        yield from _tier(path, tier, program)
    yield from _level_tests(program)
    yield from _percentages(program)
    yield from _samples(program)


# -- groups ----------------------------------------------------------------------------------------------------------


def _group(path: str, group: Group, promotions: list[Promotion]) -> Iterator[Finding]:
    if len(promotions) <= group.keep:
        yield Finding(
            path,
            "group_without_choice",
            f"{len(promotions)} of the promotions {'is' if len(promotions) == 1 else 'are'} in the group {group.id!r}, "
            f"which keeps {group.keep}",
            "it never excludes a promotion",
            f"write exclusive = {group.id!r} in the promotions to choose from, or remove the group",
        )
        return
    issued = {action.currency for each in promotions for action in each.actions if isinstance(action, CurrencyAction)}
    if group.choose != "first" and group.of not in issued:
        yield Finding(
            f"{path}.of",
            "group_without_choice",
            f"no promotion of the group {group.id!r} issues {group.of}",
            f"each awards zero {group.of}, so that the priority alone chooses",
            "name the currency that the promotions issue",
        )


# -- levels ----------------------------------------------------------------------------------------------------------


def _tier(path: str, tier: Tier, program: Program) -> Iterator[Finding]:
    for level, value in (tier.keep_from or {}).items():
        if value > tier.from_[level]:
            yield Finding(
                f"{path}.keep_from.{level}",
                "harder_to_keep",
                f"{level} is reached from {text_of(tier.from_[level])} and kept from {text_of(value)}",
                "a member who just reaches the level every time loses it in each review",
                "write a value of at most that of `from`",
            )
    by = next(each for each in program.trackers if each.id == tier.by)
    if tier.falls != "never" and isinstance(by.window, Lifetime) and tier.lasts.type != "never":
        yield Finding(
            f"{path}.lasts",
            "never_falls",
            f"the tracker {tier.by} counts over the whole lifetime, so that its value never begins anew",
            "a level that was reached once is kept in every review",
            f"give the tracker {tier.by} a window, or let the level last for ever",
        )


def _level_tests(program: Program) -> Iterator[Finding]:
    levels = {tier.id: tier.levels for tier in program.tiers}
    for path, condition, where in conditions_of(program):
        for leaf in leaves_of(condition, path, where):
            test = leaf.test
            if isinstance(test, TierTest):
                tests = [(compare, levels[test.tier].index(level)) for compare, level in test.tests()]
                met = [all(compare(rank, to) for compare, to in tests) for rank in range(len(levels[test.tier]))]
                if all(met) or not any(met):
                    yield Finding(
                        leaf.path,
                        "level_of_all" if all(met) else "contradiction",
                        f"{'each' if all(met) else 'no'} level of {test.tier} meets this",
                        "it holds for every member, and for no anonymous event"
                        if all(met)
                        else "the condition is never met (under a `not`: always met), for any event",
                        "compare with another level, or remove it",
                    )


def _percentages(program: Program) -> Iterator[Finding]:
    """Yield percentages by a level, without `else`, that leave levels out."""
    levels = {f"tiers.{tier.id}": tier.levels for tier in program.tiers}
    for place in actions_of(program):
        for path, percent in _by_text(place.proration, place.proration_path):
            left = [level for level in levels.get(percent.by, ()) if level not in percent.of]
            if left and percent.else_ is None:
                yield Finding(
                    path,
                    "level_without_percentage",
                    f"{', '.join(left)} of {percent.by} {'has' if len(left) == 1 else 'have'} no percentage, "
                    "and there is no else",
                    "members of that level are skipped with missing_field",
                    "add the level, or an else",
                )


def _by_text(proration: Proration | None, path: str) -> Iterator[tuple[str, PercentBy]]:
    percent = getattr(proration, "percent", None)
    if isinstance(percent, PercentBy):
        yield f"{path}.percent", percent
    for index, band in enumerate(getattr(proration, "bands", ())):
        if isinstance(band.percent, PercentBy):
            yield f"{path}.bands[{index}].percent", band.percent


# -- samples ---------------------------------------------------------------------------------------------------------


def _samples(program: Program) -> Iterator[Finding]:
    """Yield samples of nobody, and parts that would complete each other if they had one salt."""
    found = [
        (leaf.path, leaf.test)
        for path, condition, where in conditions_of(program)
        for leaf in leaves_of(condition, path, where)
        if isinstance(leaf.test, Sample)
    ]
    for path, sample in found:
        if sample.from_ >= sample.below:
            yield Finding(
                path,
                "contradiction",
                f"this can't hold: no number is at least {sample.from_} and below {sample.below}",
                "the condition is never met (under a `not`: always met), for any event",
                "`from` is the first number and `below` the first that is over",
            )
    told: set[str] = set()
    for (path, sample), (_, other) in permutations(found, 2):
        if _completes(sample, other) and path not in told:
            told.add(path)
            yield Finding(
                f"{path}.salt",
                "samples_of_two_salts",
                f"this sample begins at {sample.from_}, where another of {sample.sample} ends, with another salt",
                "each salt divides anew: some are in both samples, and some in none",
                "write the same salt for all parts of one division",
            )


def _completes(sample: Sample, other: Sample) -> bool:
    return (
        sample.sample == other.sample
        and sample.salt != other.salt
        and 0 < sample.from_ == other.below
        and other.from_ < other.below
    )
