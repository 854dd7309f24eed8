"""The levels that an event changes. Source: semantics 14, 17 and 18."""

from __future__ import annotations

from datetime import date

from .amounts import given
from .dates import LAST_YEAR, in_range, parsed_date
from .expiry import expiry_date
from .facts import Facts


def tier_changes(facts: Facts) -> list[tuple[str, str, str, date | None]]:
    """Return the tier, the level before, the level after and its last day, of each tier that changes.

    "It stands last, in the program's order of tiers".
    """
    changes = [changed(name, tier, facts) for name, tier in (facts.program.get("tiers") or {}).items()]
    return [change for change in changes if change is not None]


def changed(name: str, tier: dict, facts: Facts) -> tuple[str, str, str, date | None] | None:
    """Return the change of one tier, if any.

    "Only an event that contributes more than zero moves a level"; "the level becomes the highest whose from the
    tracker reaches, if that is higher than now"; "Reaching the present level again moves until later, never earlier."
    """
    contribution = facts.contributions[tier["by"]] or 0
    level = facts.level(name)
    if contribution <= 0 or level is None:
        return None
    value = facts.tracked_before(tier["by"]) + contribution
    levels = tier["levels"]
    reached = [each for each in levels if each in tier["from"] and value >= given(tier["from"][each])]
    if not reached or levels.index(reached[-1]) < levels.index(level):
        return None
    until = level_end(tier["lasts"], facts)
    if reached[-1] == level and not is_later(until, present_end(name, facts)):
        return None
    return name, level, reached[-1], until


def present_end(name: str, facts: Facts) -> date | None:
    held = (facts.snapshot.get("tiers") or {}).get(name) or {}
    return parsed_date(held.get("until"))


def is_later(until: date | None, present: date | None) -> bool:
    """Return whether a level lasts longer: "until null (never) is later than any date"."""
    return present is not None and (until is None or until > present)


def level_end(lasts: dict, facts: Facts) -> date | None:
    """Return until, "by lasts from the event date"; the spec is silent about one beyond 9998: the end of that year."""
    if lasts["type"] == "never":
        return None
    until = expiry_date(lasts, facts.event_date, facts)
    return until if in_range(until) else date(LAST_YEAR, 12, 31)
