"""Exclusive groups: which of the promotions that fire count. Source: semantics 8."""

from collections.abc import Callable, Mapping, Sequence

from loyalty_rules.engine.plan import BoundPromotion
from loyalty_rules.rules.groups import Group
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import micros_text

__all__ = ["Exclusion"]

_FIRST = 1
"""The number of promotions that count in a group without an entry in the program."""


class Exclusion:
    """The exclusive groups of one evaluation: each chooses at its first promotion that fires.

    `award_of` returns the amount of a currency that a promotion would award at that moment.
    """

    def __init__(
        self,
        groups: Mapping[str, Group],
        fired: Sequence[BoundPromotion],
        award_of: Callable[[BoundPromotion, str | None], int],
    ) -> None:
        self.groups = groups
        self.award_of = award_of
        self.members: dict[str, list[BoundPromotion]] = {}
        self.chosen: dict[str, list[BoundPromotion]] = {}
        self.awards: dict[BoundPromotion, int] = {}  # in groups that choose by amount, in millionths
        for bound in fired:
            if bound.promotion.exclusive is not None:
                self.members.setdefault(bound.promotion.exclusive, []).append(bound)

    def reason(self, bound: BoundPromotion) -> Skip | None:
        """Return the reason for which a promotion does not count, or None if it does."""
        group = bound.promotion.exclusive
        if group is None:
            return None
        if group not in self.chosen:
            self.chosen[group] = self._choose(self.groups.get(group), self.members[group])
        chosen = self.chosen[group]
        if bound in chosen:
            return None
        names = ", ".join(each.promotion.id for each in chosen)
        counts = f"{names} {'counts' if len(chosen) == 1 else 'count'} in the group {group}"
        return Skip("excluded_by", counts + self._amounts(self.groups.get(group), chosen, bound))

    def _amounts(self, group: Group | None, chosen: list[BoundPromotion], bound: BoundPromotion) -> str:
        """Return the words for the amounts by which a group chose."""
        if group is None or bound not in self.awards:
            return ""
        amounts = ", ".join(micros_text(self.awards[each]) for each in chosen)
        own = micros_text(self.awards[bound])
        return f" with the {group.choose} {group.of}, {amounts}; this promotion would award {own}"

    def _choose(self, group: Group | None, promotions: list[BoundPromotion]) -> list[BoundPromotion]:
        """Return the promotions of a group that count; of equals, those of higher priority, then earlier ones."""
        by_priority = sorted(promotions, key=lambda bound: -bound.promotion.priority)
        if group is None:
            return by_priority[:_FIRST]
        if group.choose == "first":
            return by_priority[: group.keep]
        self.awards |= {bound: self.award_of(bound, group.of) for bound in promotions}
        return sorted(by_priority, key=self.awards.__getitem__, reverse=group.choose == "most")[: group.keep]
