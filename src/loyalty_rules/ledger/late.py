"""Late events: decided on the state as of their own instant, as if no sweep had run since. Source: ledger 2.

Tills upload late. An event may use the units that a lot had at its instant and at every later one. So no answer as of
any instant is below zero. Units that a sweep has expired since count among them, as do those of a promise that was
released since.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.ledger.records import Entry, LotHistory
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["available_since", "issued_lots", "usable_from", "usable_lots"]

_SWEEPS = {("available", "expired"): 1, ("expired", "available"): -1}
"""The movements of sweeps, and those that a late event has taken back."""

_UNUSED = ("promised", "available")


def usable_lots(storage: Storage, lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return lots with the units that an event at an instant may use; none of those that did not exist by then."""
    lots = [*lots]
    changed = {each.issue.key: each for each in storage.changed_since(lots, at)}
    return [usable_from(changed[lot.key], lot, at) if lot.key in changed else lot for lot in lots]


def issued_lots(storage: Storage, lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return those of some lots that were issued by an instant: neither later ones, nor promises of that time."""
    lots = [*lots]
    then = {each.issue.key: each.lot(at) for each in storage.changed_since(lots, at)}
    return [lot for lot in lots if lot.key not in then or _is_issued(then[lot.key])]


def _is_issued(lot: Lot | None) -> bool:
    return lot is not None and micros(lot.promised) == 0


def usable_from(history: LotHistory, now: Lot, at: datetime) -> Lot:
    """Return the current lot with the state that it had at an instant, and the units left of it ever since."""
    then = history.lot(at)
    if then is None:
        return attrs.evolve(now, promised=Decimal(0), outstanding=Decimal(0))
    swept = _swept_after(history.entries, at)
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


def _swept_after(entries: Iterable[Entry], at: datetime) -> int:
    """Return the units that sweeps after an instant have expired, in millionths."""
    return sum(micros(each.amount) * _SWEEPS.get((each.source, each.target), 0) for each in entries if each.at > at)


def available_since(history: LotHistory) -> datetime | None:
    """Return the instant since which a lot has had units to spend: of its issue, or of the release of a promise."""
    return next((each.at for each in history.entries if each.target == "available"), None)
