"""The linter: warnings about likely mistakes in a valid program.

It is fast and static: it evaluates no event and reads no clock. A program with findings is still valid and does what
it says. Some mistakes show only in sales, such as a split basket that earns more by rounding to the nearest. The laws
of the testing kit find those.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from loyalty_rules.linting.accounts import accounts
from loyalty_rules.linting.ceilings import ceilings
from loyalty_rules.linting.choices import choices
from loyalty_rules.linting.contradictions import contradictions, shadowed
from loyalty_rules.linting.coupon_terms import coupon_terms
from loyalty_rules.linting.earnings import coupons, earnings
from loyalty_rules.linting.finding import Finding
from loyalty_rules.linting.lifetimes import lifetimes, over, windows
from loyalty_rules.linting.milestones import milestones
from loyalty_rules.linting.oversights import oversights
from loyalty_rules.program import Program
from loyalty_rules.values.dates import read_instant

__all__ = ["CODES", "Finding", "lint"]

CODES = (
    *("contradiction", "shadowed", "empty_window", "ended", "expiry_past"),
    *("expires_before_issue", "outlives_expiry", "starts_after_expiry"),
    *("cap_of_zero", "cap_reached_at_once", "cap_out_of_reach", "limit_never_drawn"),
    *("percent_as_factor", "issues_nothing", "needs_a_sale", "mixed_currencies", "split_earns_more"),
    *("coupon_never_issued", "percent_off_over_100", "percent_off_as_fraction"),
    *("crossed_once", "never_crossed", "bands_over_another_measure", "bands_alike"),
    *("group_without_choice", "harder_to_keep", "never_falls", "level_of_all", "level_without_percentage"),
    *("samples_of_two_salts", "balance_not_spent", "pays_for_nothing", "never_extended", "nothing_to_extend"),
    *("channels_unused", "unknown_name", "language_missing", "one_sided", "card_of_every_line"),
    *("drops_lines", "lonely_trigger", "less_beside_lines", "parts_not_rounded"),
)
"""Every code that a finding can have."""

_CHECKS: tuple[Callable[[Program], Iterator[Finding]], ...] = (
    contradictions,
    shadowed,
    windows,
    lifetimes,
    ceilings,
    earnings,
    coupons,
    oversights,
    milestones,
    choices,
    accounts,
    coupon_terms,
)


def lint(program: Program, *, as_of: datetime | None = None) -> list[Finding]:
    """Return every finding about a program once, check by check, in the order of the document.

    With `as_of` (an aware instant; a naive one raises `InvalidValueError`), promotions and fixed dates that are over
    by then are findings too. Source: semantics 3 to 9.
    """
    found = [finding for check in _CHECKS for finding in check(program)]
    if as_of is not None:
        found += over(program, read_instant(as_of))
    return list(dict.fromkeys(found))
