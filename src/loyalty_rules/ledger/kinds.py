"""Kinds of state: one description each, from which every ledger derives how it stores the records. Source: ledger 2.

A record of a kind is an immutable value with a key. Saving it again under its key replaces it, and the earlier version
stays in the log. The storage in memory, the tables of a database, their rebuild and their audit need no more than the
description here. Lots, coupons and counters have storage of their own: their sums and states are checked in SQL.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import attrs

from loyalty_rules.lifecycle.records import (
    Account,
    Adjustment,
    AmendedTerms,
    FurtherLot,
    Hold,
    LevelChange,
    Merger,
    NightlyRun,
    Payment,
    Remark,
    Shortfall,
)

__all__ = [
    "ADJUSTMENTS",
    "AMENDED_TERMS",
    "FURTHER_LOTS",
    "HOLDS",
    "KINDS",
    "LEVELS",
    "MERGERS",
    "NIGHTLY_RUNS",
    "PAYMENTS",
    "REMARKS",
    "SHORTFALLS",
    "Keyed",
    "Kind",
    "RecordT",
    "balance_name",
    "holder_name",
]


class Keyed(Protocol):
    """A record with a key that no other record of its kind has."""

    @property
    def key(self) -> str:
        """The key of the record."""
        ...


RecordT = TypeVar("RecordT", bound=Keyed)


@attrs.frozen(eq=False)
class Kind(Generic[RecordT]):
    """One kind of state: its name in tables, the class of its records, and the names by which records are found.

    `found_by` maps the name of a look-up to a function of a record; a record for which it returns None is not found by
    it. A look-up as of an instant needs a value that never changes. `is_valid` returns whether a record is possible.
    """

    name: str
    record: type[RecordT]
    found_by: Mapping[str, Callable[[RecordT], str | None]]
    is_valid: Callable[[RecordT], bool] = lambda _: True


def balance_name(account: Account, currency: str) -> str:
    """Return the name of a balance: of an account in a currency."""
    return f"{account.kind}/{account.id}/{currency}"


def holder_name(tier: str, account: Account) -> str:
    """Return the name of the holder of a level: an account in a tier."""
    return f"{tier}/{account.kind}/{account.id}"


PAYMENTS = Kind(
    "payments", Payment, {"event": lambda payment: payment.intent.paid, "store": lambda payment: payment.store}
)
"""Spends and redemptions, found by their transaction, or by the store in which they paid."""

SHORTFALLS = Kind(
    "shortfalls",
    Shortfall,
    {
        "balance": lambda shortfall: balance_name(shortfall.account, shortfall.currency),
        "debtor": lambda shortfall: balance_name(shortfall.account, shortfall.currency) if shortfall.is_owed else None,
    },
    lambda shortfall: 0 <= shortfall.open <= shortfall.amount,
)
"""Units that returns could not take, found by balance; by `debtor` only those that the account owes."""

HOLDS = Kind(
    "holds",
    Hold,
    {
        "balance": lambda hold: balance_name(hold.account, hold.intent.currency),
        "open_for": lambda hold: None if hold.ended_at else balance_name(hold.account, hold.intent.currency),
        "state": lambda hold: None if hold.ended_at else "open",
    },
)
"""Units that are set aside, found by balance; by `open_for` only those that were neither captured nor released."""

FURTHER_LOTS = Kind("further_lots", FurtherLot, {})
"""The issues of lots that are in no receipt of a sale."""

LEVELS = Kind(
    "levels",
    LevelChange,
    {
        "tier": lambda change: change.tier,
        "holder": lambda change: holder_name(change.tier, change.account),
    },
)
"""Changes of level, found by tier, and by tier and account."""

ADJUSTMENTS = Kind("adjustments", Adjustment, {})
"""The adjustments that wait, or waited, for a confirmation."""

REMARKS = Kind("remarks", Remark, {"account": lambda remark: f"{remark.account.kind}/{remark.account.id}"})
"""The lines of statements beside the entries of lots, found by account."""

AMENDED_TERMS = Kind("amended_terms", AmendedTerms, {})
"""The terms of sales that an amendment gave to another member."""

MERGERS = Kind("mergers", Merger, {"merged_into": lambda merger: merger.into})
"""The members that stand for others since a merge, found by these others, and those whose account is closed."""

NIGHTLY_RUNS = Kind("nightly_runs", NightlyRun, {})
"""The last nightly run of each program, under the key of the program."""

KINDS: tuple[Kind[Any], ...] = (
    PAYMENTS,
    SHORTFALLS,
    HOLDS,
    FURTHER_LOTS,
    LEVELS,
    ADJUSTMENTS,
    REMARKS,
    AMENDED_TERMS,
    MERGERS,
    NIGHTLY_RUNS,
)
"""Every kind of state with a description."""
