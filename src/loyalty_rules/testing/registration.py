"""Registration with Hypothesis: `st.from_type` draws the public values of this library.

Hypothesis calls `register` when it is imported, by the entry-point group `hypothesis`; no test needs to import it. The
strategies are imported when one of the types is first drawn.
"""

import importlib
from typing import TYPE_CHECKING, Any, get_args

from loyalty_rules.events import (
    Activity,
    Amendment,
    Confirmation,
    Contact,
    CouponCounts,
    DeliveredLine,
    Issued,
    IssuedCounts,
    Line,
    Member,
    RecipientCounts,
    Return,
    ReturnedLine,
    Snapshot,
    Tender,
    TierStanding,
    Transaction,
    Update,
)
from loyalty_rules.intents import Claim, Intent, LotDraw, Release, Share, Skipped
from loyalty_rules.ledger.receipts import RECEIPTS, Receipt, Trim
from loyalty_rules.ledger.records import Balance, Entry, ReportLot, ReportRows
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, Promotion

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["TYPES", "register"]

TYPES: tuple[type, ...] = (
    *(
        Transaction,
        Activity,
        Return,
        Update,
        Amendment,
        Confirmation,
        Member,
        Contact,
        Line,
        Tender,
        ReturnedLine,
        DeliveredLine,
    ),
    *(Snapshot, Issued, IssuedCounts, CouponCounts, RecipientCounts, TierStanding),
    *(Program, Promotion, CurrencyAction, CouponAction),
    *(Evaluation, Skipped, *get_args(Intent), Claim, Share, Release, LotDraw),
    *(Account, Lot, CouponRecord, Sale, Refusal),
    *(Receipt, Trim, Balance, Entry, ReportLot, ReportRows),
    *RECEIPTS,
)
"""The types that are registered with Hypothesis."""


def register() -> None:
    """Register every type with Hypothesis, for `st.from_type`."""
    from hypothesis import strategies as st

    for cls in TYPES:
        st.register_type_strategy(cls, _strategy_of)


def _strategy_of(cls: type) -> "SearchStrategy[Any]":
    values = importlib.import_module("loyalty_rules.testing.strategies.values")
    strategy: SearchStrategy[Any] = values.values_of(cls)
    return strategy
