"""Histories of lots with the extensions of their accounts, merged in the order of record. Source: ledger 3.

A lot has only its own entries and changes. An extension is one record of an account. So the expiries of a lot are those
that its own batches set, and those that follow from the extensions between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account, Lot
from loyalty_rules.lifecycle.rolling_expiry import Extensions, extension_of

__all__ = ["AccountExtensions", "accounts_of_history", "with_extensions"]

AccountExtensions: TypeAlias = Mapping[tuple[Account, str], Extensions]
"""The extensions by account and currency."""


def accounts_of_history(history: LotHistory) -> Iterator[Account]:
    """Yield each account that has had a lot."""
    yield Account.of(history.issue)
    yield from (Account("member", member) for _, member in history.members)


def with_extensions(history: LotHistory, extensions: AccountExtensions, before: int | None = None) -> LotHistory:
    """Return the history of a lot with the expiries that follow from extensions, in the order of record.

    With `before`, only from those extensions that were recorded before that place.
    """
    of_accounts = [extensions.get((each, history.issue.currency)) for each in accounts_of_history(history)]
    if not any(of_accounts) or not history.entries:
        return history
    versions: list[ExpiryVersion] = []
    lot, writes = _unwritten(history), _writes(history)
    places = sorted(writes)
    for place, following in zip(places, [*places[1:], before], strict=True):
        for write in writes[place]:
            lot = _written(lot, write)
            versions += [write] if isinstance(write, ExpiryVersion) else []
        mine = extensions.get((lot.account, history.issue.currency), Extensions())
        for each in mine.between(place, following):
            moved = extension_of(lot, each)
            if moved is not None:
                versions.append(ExpiryVersion(moved.since, moved.expires_on, moved.expires_at))
                lot = attrs.evolve(lot, expires_on=moved.expires_on, expires_at=moved.expires_at)
    return attrs.evolve(history, expiry_versions=tuple(versions))


def _unwritten(history: LotHistory) -> Lot:
    """Return a lot without units and expiry, with all that never changes once it is issued."""
    current = history.lot()
    assert current is not None
    return Lot(
        history.issue,
        history.order,
        rolling=history.rolling,
        available_at=current.available_at,
        last_on=current.last_on,
        last_at=current.last_at,
    )


def _writes(history: LotHistory) -> Mapping[int, list[Entry | ExpiryVersion | str]]:
    """Return the writes of each batch by its place: entries, expiries, and the members to whom merges moved the lot."""
    writes: dict[int, list[Entry | ExpiryVersion | str]] = {}
    kinds: list[tuple[tuple[int, ...], Sequence[Entry | ExpiryVersion | str]]] = [
        (history.entry_places, history.entries),
        (history.expiry_places, history.expiry_versions),
        (history.member_places, [member for _, member in history.members]),
    ]
    for places, of_kind in kinds:
        for place, write in zip(places, of_kind, strict=True):
            writes.setdefault(place, []).append(write)
    return writes


def _written(lot: Lot, write: Entry | ExpiryVersion | str) -> Lot:
    if isinstance(write, Entry):
        return lot.moved(write.source, write.target, write.amount)
    if isinstance(write, ExpiryVersion):
        return attrs.evolve(lot, expires_on=write.expires_on, expires_at=write.expires_at)
    return attrs.evolve(lot, issue=attrs.evolve(lot.issue, member=write))
