"""The difference of two programs over the same history of events, in units and in money."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from loyalty_rules.reporting.document_changes import document_changes
from loyalty_rules.reporting.figures import (
    ZERO,
    Dimension,
    Figures,
    Issued,
    deciles_of,
    dimensions,
    figures_by,
    figures_of,
    values_by_account,
)
from loyalty_rules.reporting.history import History, in_order
from loyalty_rules.reporting.largest import LargestChanges, ReceiptChange
from loyalty_rules.reporting.sampling import Estimate, estimated, read_percent, sampled
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["AccountChange", "DiffRow", "ProgramDiff", "diff"]


@attrs.frozen
class DiffRow:
    """The figures of a currency or a coupon type (`kind`, `of`) under both programs.

    `group` is the value of the dimension: None if there is none, and in a row of the totals.
    """

    kind: str
    of: str
    group: str | None
    old: Figures
    new: Figures

    @property
    def change(self) -> Figures:
        """The figures under the new program less those under the old one."""
        return self.new - self.old


@attrs.frozen
class AccountChange:
    """An account whose units have another value under the new program, in money."""

    account: Account
    old: Decimal
    new: Decimal

    @property
    def change(self) -> Decimal:
        """The value under the new program less that under the old one."""
        return decimal_of(micros(self.new) - micros(self.old))


@attrs.frozen
class ProgramDiff:
    """The difference of two programs over a history of events, as of the last one.

    `documents` has the differences of the two documents, in words. `totals` has a row for each currency and coupon
    type; `by` has the same for each value of a dimension: `promotion`, `month` of issue, `store`, `tier`, and `decile`
    of the member by turnover (01 has those who bought most). `gains` and `losses` are the accounts with more and with
    less, the largest change first. `receipts` are the ten receipts that differ most.

    `old_cost` and `new_cost` are the money of the units that were issued and neither reversed nor voided, at each
    program's own redeem rate. A currency without a rate has no cost: `unvalued`. If only a part of the members was
    drawn, every figure is that of the part; `estimate` has the change of the cost for all. `not_counted` has
    the numbers of events that changed nothing, by the reason.
    """

    at: datetime | None
    documents: tuple[str, ...]
    totals: tuple[DiffRow, ...]
    by: Mapping[str, tuple[DiffRow, ...]]
    gains: tuple[AccountChange, ...]
    losses: tuple[AccountChange, ...]
    receipts: tuple[ReceiptChange, ...]
    old_cost: Decimal
    new_cost: Decimal
    unvalued: tuple[str, ...]
    estimate: Estimate | None
    not_counted: Mapping[str, int]

    @property
    def cost_change(self) -> Decimal:
        """The cost under the new program less that under the old one."""
        return decimal_of(micros(self.new_cost) - micros(self.old_cost))


def diff(
    old: Program,
    new: Program,
    events: Iterable[Event],
    *,
    members: Decimal | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> ProgramDiff:
    """Record the same events under two programs, each in a ledger of its own in memory, and compare the results.

    Events are taken in the order of (instant, id). Returns, caps, trackers and tiers count, due promises are settled,
    and units expire by time. With `members`, only that percentage of the members is drawn, each with all receipts.
    `advance` is called with 1 after each event, for a progress bar.
    Raises `InvalidValueError` for a percentage that is not above 0 and at most 100.
    """
    events = in_order(events)
    if members is not None:
        events = [*sampled(events, read_percent(members))]
    before, after = History(old), History(new)
    turnovers: dict[str, int] = {}
    largest = LargestChanges(before, after)
    for event in events:
        largest.add(event, before.record(event), after.record(event))
        advance(1)
        if isinstance(event, (Transaction, Activity)) and event.member is not None:
            bought = micros(event.amount) if isinstance(event, Transaction) else 0
            turnovers[event.member.id] = turnovers.get(event.member.id, 0) + bought

    sides = _Sides(figures_of(old, before.rows()), figures_of(new, after.rows()))
    totals = sides.rows(lambda _: None)
    changes = sorted(sides.changes(), key=lambda each: (-abs(each.change), each.account.kind, each.account.id))
    return ProgramDiff(
        at=before.at,
        documents=document_changes(old, new),
        totals=totals,
        by={name: sides.rows(each) for name, each in dimensions(old.plan.zone, deciles_of(turnovers)).items()},
        gains=tuple(each for each in changes if each.change > 0),
        losses=tuple(each for each in changes if each.change < 0),
        receipts=largest.receipts(),
        old_cost=_sum(row.old.value for row in totals),
        new_cost=_sum(row.new.value for row in totals),
        unvalued=tuple(row.of for row in totals if row.kind == "currency" and row.change.value is None),
        estimate=estimated((each.change for each in changes), members) if members is not None else None,
        not_counted=dict(before.not_counted | after.not_counted),
    )


@attrs.frozen
class _Sides:
    """The lots and coupons of both ledgers at the end of the history, with their figures."""

    old: Sequence[tuple[Issued, Figures]]
    new: Sequence[tuple[Issued, Figures]]

    def rows(self, dimension: Dimension) -> tuple[DiffRow, ...]:
        """Return a row for each currency or coupon type and each value of a dimension under either program."""
        before, after = figures_by(self.old, dimension), figures_by(self.new, dimension)
        keys = sorted({*before, *after}, key=lambda key: (*key[:2], key[2] is None, key[2] or ""))
        return tuple(DiffRow(*key, before.get(key, Figures()), after.get(key, Figures())) for key in keys)

    def changes(self) -> Iterator[AccountChange]:
        """Yield the accounts whose units have another value."""
        before, after = values_by_account(self.old), values_by_account(self.new)
        for account in {*before, *after}:
            change = AccountChange(account, before.get(account, ZERO), after.get(account, ZERO))
            if change.change:
                yield change


def _sum(values: Iterable[Decimal | None]) -> Decimal:
    return decimal_of(sum(micros(value) for value in values if value is not None))
