"""What Hypothesis runs when it is imported: `st.from_type` then knows the values that go into this library.

Named in the entry-point group `hypothesis`; nobody needs to import it. How they are drawn is looked up when one of
the types is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from loyalty_rules.events import Activity, Confirmation, Line, Member, Return, Snapshot, Transaction, Update
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, Promotion

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["TYPES", "register"]

TYPES: tuple[type, ...] = (
    *(Transaction, Activity, Return, Update, Confirmation, Member, Line, Snapshot),
    *(Program, Promotion, CurrencyAction, CouponAction),
)
"""The types that Hypothesis is told of."""


def register() -> None:
    """Tell Hypothesis of every type, for `st.from_type`."""
    from hypothesis import strategies as st

    for cls in TYPES:
        st.register_type_strategy(cls, _strategy_of)


def _strategy_of(cls: type) -> "SearchStrategy[Any]":
    values = importlib.import_module("loyalty_rules.testing.strategies.values")
    strategy: SearchStrategy[Any] = values.values_of(cls)
    return strategy
