"""Conditions that no event can meet, and promotions that another of their exclusive group always displaces."""

import json
from collections.abc import Iterator, Sequence

from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.linting.finding import Finding
from loyalty_rules.linting.possibility import Leaf, can_hold, clash, implies
from loyalty_rules.paths import LINE, Circumstances, conditions_of, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.conditions import AllOf, AnyOf, Condition, LineTest, Not
from loyalty_rules.rules.promotions import Promotion

__all__ = ["contradictions", "shadowed"]

_MAX_RIVALS = 100
"""The maximum number of promotions before it that each promotion of a group is compared with."""


def contradictions(program: Program) -> Iterator[Finding]:
    """Yield conditions, and parts of conditions, that can't hold."""
    for path, condition, where in conditions_of(program):
        for at, part, around in _impossible(condition, path, where):
            yield Finding(
                at,
                "contradiction",
                f"this can't hold: {_explain(part, around)}",
                "the condition is never met (under a `not`: always met), for any event",
                "relax one side, put the alternatives under `any`, or remove it",
            )


def _impossible(
    condition: Condition, path: str, where: Circumstances
) -> Iterator[tuple[str, Condition, Circumstances]]:
    """Yield the smallest parts of a condition that can't hold, or the whole if each part alone can."""
    inner = [found for each, at, around in _parts(condition, path, where) for found in _impossible(each, at, around)]
    yield from inner
    if not inner and not can_hold(condition, where):
        yield path, condition, where


def _parts(condition: Condition, path: str, where: Circumstances) -> Iterator[tuple[Condition, str, Circumstances]]:
    match condition:
        case AllOf(parts):
            yield from ((part, f"{path}.all[{index}]", where) for index, part in enumerate(parts))
        case AnyOf(parts):
            yield from ((part, f"{path}.any[{index}]", where) for index, part in enumerate(parts))
        case Not(part):
            yield part, f"{path}.not", where
        case LineTest():
            yield condition.lines, f"{path}.lines", LINE
        case _:
            return


def _explain(condition: Condition, where: Circumstances) -> str:
    """Return which tests contradict each other, as the document writes them."""
    leaves = clash(condition, where)
    if len(leaves) == 1:
        return f"no possible value meets {_written(leaves[0])}"
    if leaves:
        return "no value meets " + " and ".join(map(_written, leaves))
    return "none of its alternatives can hold"


def _written(leaf: Leaf) -> str:
    document = json.dumps(unstructure(leaf.test), ensure_ascii=False)
    return document if leaf.holds else f'{{"not": {document}}}'


# -- exclusive groups ------------------------------------------------------------------------------------------------


def shadowed(program: Program) -> Iterator[Finding]:
    """Yield promotions that never issue, since another of their group fires for the same events and comes first."""
    groups: dict[tuple[str, str], list[tuple[str, Promotion]]] = {}
    by_amount = {group.id for group in program.groups if group.choose != "first" or group.keep > 1}
    for path, promotion in promotions_of(program):
        if promotion.exclusive is not None and promotion.exclusive not in by_amount:
            groups.setdefault((promotion.exclusive, promotion.trigger), []).append((path, promotion))
    for members in groups.values():
        ranked = sorted(members, key=lambda member: -member[1].priority)  # stable: then the document's order
        for rank, (path, promotion) in enumerate(ranked):
            winner = _always_before(promotion, [each for _, each in ranked[:rank]])
            if winner is not None:
                yield Finding(
                    path,
                    "shadowed",
                    f"whenever {promotion.id} fires, {winner.id} of the group {promotion.exclusive!r} fires and counts "
                    "instead",
                    f"{promotion.id} never issues anything: each of its actions is skipped with excluded_by",
                    f"raise the priority of {promotion.id}, make the condition of {winner.id} stricter, or remove "
                    f"{promotion.id}",
                )


def _always_before(promotion: Promotion, rivals: Sequence[Promotion]) -> Promotion | None:
    where = Circumstances(promotion.trigger)
    if promotion.when is not None and not can_hold(promotion.when, where):
        return None  # it never fires, which is a contradiction and a finding of its own
    simple_first = sorted(rivals, key=lambda rival: rival.when is not None)[:_MAX_RIVALS]
    for rival in simple_first:
        if _is_active_throughout(rival, promotion) and implies(promotion.when, rival.when, where):
            return rival
    return None


def _is_active_throughout(rival: Promotion, promotion: Promotion) -> bool:
    begins = rival.starts_at is None or (promotion.starts_at is not None and rival.starts_at <= promotion.starts_at)
    ends = rival.ends_at is None or (promotion.ends_at is not None and promotion.ends_at <= rival.ends_at)
    return begins and ends
