"""Hypothesis strategies for every document: programs and their parts, events, snapshots, the history of a shop.

    from loyalty_rules.testing import strategies as loyalty

    @given(loyalty.transactions(program))
    def test_nobody_earns_more_than_they_spend(sale): ...

They draw documents as a person writes them: defaults are left out, and ids are T1, M1, p1. Examples shrink towards
absent keys, whole numbers and early dates. `lr.load_program`, `load_event` and `load_snapshot` load them. Events for a
program have the fields that it reads, and amounts near its thresholds. `st.from_type` draws every public value
without an import of this package. Needs the extra `testing`.
"""

from loyalty_rules.testing.strategies.awards import (
    BASES,
    EXPIRIES,
    PRORATIONS,
    TIMINGS,
    action_caps,
    bases,
    expiries,
    prorations,
    roundings,
    timings,
    windows,
)
from loyalty_rules.testing.strategies.conditions import comparisons, conditions, line_conditions, line_tests
from loyalty_rules.testing.strategies.events import (
    activities,
    amendments,
    confirmations,
    events,
    lines,
    members,
    returns,
    snapshots,
    transactions,
    updates,
)
from loyalty_rules.testing.strategies.histories import histories
from loyalty_rules.testing.strategies.programs import (
    communications,
    coupon_actions,
    coupon_types,
    currency_actions,
    extension_actions,
    groups,
    limits,
    programs,
    promotions,
    public_types,
    spend_actions,
    tiers,
    trackers,
)
from loyalty_rules.testing.strategies.scalars import Document, amounts, counts, days, instants, periods
from loyalty_rules.testing.strategies.words import words_of

__all__ = [
    "BASES",
    "EXPIRIES",
    "PRORATIONS",
    "TIMINGS",
    "Document",
    "action_caps",
    "activities",
    "amendments",
    "amounts",
    "bases",
    "communications",
    "comparisons",
    "conditions",
    "confirmations",
    "counts",
    "coupon_actions",
    "coupon_types",
    "currency_actions",
    "days",
    "events",
    "expiries",
    "extension_actions",
    "groups",
    "histories",
    "instants",
    "limits",
    "line_conditions",
    "line_tests",
    "lines",
    "members",
    "periods",
    "programs",
    "promotions",
    "prorations",
    "public_types",
    "returns",
    "roundings",
    "snapshots",
    "spend_actions",
    "tiers",
    "timings",
    "trackers",
    "transactions",
    "updates",
    "windows",
    "words_of",
]
