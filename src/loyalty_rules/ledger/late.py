"""Late events: decided on the state as of their own instant, as if no sweep had run since. Source: ledger 2.

Tills upload late. An event may use the units that a lot had at its instant and at every later one. So no answer as of
any instant is below zero. Units that a sweep has expired since count among them, as do those of a promise that was
released since.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import accumulate

import attrs

from loyalty_rules.ledger.records import Entry, LotHistory
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import BUCKETS, NEW_UNITS, Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "available_since",
    "came_back",
    "issued_after",
    "overdrawn",
    "swept_after",
    "usable_from",
    "usable_lots",
]

_SWEEPS = {("available", "expired"): 1, ("expired", "available"): -1}
"""The movements of sweeps, and those that a late event has taken back."""

_UNUSED = ("promised", "available")
_ASIDE = ("spent", "held")


def usable_lots(storage: Storage, lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return lots with the units that an event at an instant may use; none of those that did not exist by then."""
    lots = [*lots]
    changed = {each.issue.key: each for each in storage.changed_since(lots, at)}
    return [usable_from(changed[lot.key], lot, at) if lot.key in changed else lot for lot in lots]


def issued_after(storage: Storage, lot: Lot, at: datetime) -> datetime | None:
    """Return the instant of a lot's first entry if it is after an instant; None for an earlier lot."""
    for history in storage.changed_since([lot], at):
        if history.lot(at) is None:
            return min(each.at for each in history.entries)
    return None


def usable_from(history: LotHistory, now: Lot, at: datetime) -> Lot:
    """Return the current lot with the state that it had at an instant, and the units left of it ever since."""
    then = history.lot(at)
    if then is None:
        return attrs.evolve(now, promised=Decimal(0), outstanding=Decimal(0))
    swept = swept_after(history.entries, at)
    unswept = [each for each in history.entries if each.at <= at or (each.source, each.target) not in _SWEEPS]
    units = min(_unused(unswept, instant) for instant in _instants(unswept, at))
    was_promised = micros(then.promised) > 0
    return attrs.evolve(
        now,
        promised=decimal_of(units if was_promised else 0),
        outstanding=decimal_of(0 if was_promised else units),
        expired=decimal_of(micros(now.expired) - swept),
        issue_on=then.issue_on,
        expires_on=then.expires_on,
        expires_at=then.expires_at,
    )


def _instants(entries: Iterable[Entry], at: datetime) -> Iterator[datetime]:
    yield at
    yield from (each.at for each in entries if each.at > at)


def _unused(entries: Iterable[Entry], at: datetime) -> int:
    """Return the promised and the available units at an instant, in millionths."""
    return sum(
        micros(each.amount) * ((each.target in _UNUSED) - (each.source in _UNUSED)) for each in entries if each.at <= at
    )


def swept_after(entries: Iterable[Entry], at: datetime) -> int:
    """Return the units that sweeps after an instant have expired, in millionths."""
    return sum(micros(each.amount) * _SWEEPS.get((each.source, each.target), 0) for each in entries if each.at > at)


def available_since(history: LotHistory) -> datetime | None:
    """Return the instant since which a lot has had units to spend: of its issue, or of the release of a promise."""
    return next((each.at for each in history.entries if each.target == "available"), None)


def came_back(history: LotHistory, at: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield the units that were set aside at an instant and came back later, each with its instant, in millionths.

    Units of a spend came back when it was undone, those of a hold when it ended.
    """
    then = history.lot(at)
    aside = micros(then.spent) + micros(then.held) if then is not None else 0
    for each in sorted(history.entries, key=lambda entry: entry.at):
        if each.at > at and each.target == "available" and each.source in _ASIDE and aside > 0:
            back = min(micros(each.amount), aside)
            aside -= back
            yield each.at, back


def overdrawn(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield each bucket of a lot of which more was taken than there was, as of any instant. Source: ledger 2."""
    moves: dict[str, dict[datetime, int]] = {bucket: {} for bucket in BUCKETS}
    for each in entries:
        units = micros(each.amount)
        for bucket, moved in ((each.target, units), (each.source, -units)):
            if bucket in moves and not (bucket == each.source and bucket in NEW_UNITS):
                moves[bucket][each.at] = moves[bucket].get(each.at, 0) + moved
    for bucket, by_instant in moves.items():
        if min(accumulate(by_instant[at] for at in sorted(by_instant)), default=0) < 0:
            yield bucket
