"""Rolling expiry: an extension is one value of an account, a currency and a scope. Source: semantics 5, ledger 3.

An extension is recorded once, however many lots it extends. A lot keeps the last day that it had when it was last
written. Its current last day follows from the extensions that were recorded since.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from operator import attrgetter

import attrs

from loyalty_rules.lifecycle.records import Lot

__all__ = ["Extension", "Extensions", "extension_of"]


@attrs.frozen
class Extension:
    """One extension of an account's lots of a currency, from the instant `since` on.

    `place` is the number of its batch in the order of record. It comes after all other writes of that batch.
    """

    place: int
    scope: str
    since: datetime
    expires_on: date
    expires_at: datetime


def extension_of(lot: Lot, extension: Extension) -> Extension | None:
    """Return the extension as it moves a lot, at most to the lot's own last day; None if it does not move the lot.

    The lot is of its account and currency, and as it was when the extension was recorded. It moves a lot of its scope
    that was issued by then, and whose last day has not passed. That is so also for a lot of which everything is spent:
    units that an undo gives back then have the later day. So have units that a sweep after the instant has expired.
    A lot is never shortened, and a lot without expiry is not extended. Source: semantics 5, ledger 2 (time out of
    order).
    """
    if not _can_move(lot) or (extension.scope != "balance" and not lot.rolling):
        return None
    assert lot.expires_at is not None
    assert lot.available_at is not None
    bounded = _bounded(lot, extension)
    return bounded if lot.available_at <= extension.since < lot.expires_at < bounded.expires_at else None


def _can_move(lot: Lot) -> bool:
    """Return whether an extension at some instant could move a lot: it has units, and a last day."""
    has_units = lot.outstanding > 0 or lot.held > 0 or ((lot.spent > 0 or lot.expired > 0) and lot.promised == 0)
    return has_units and lot.expires_at is not None and lot.available_at is not None


def _bounded(lot: Lot, extension: Extension) -> Extension:
    if lot.last_at is None or lot.last_on is None or extension.expires_at <= lot.last_at:
        return extension
    return attrs.evolve(extension, expires_on=lot.last_on, expires_at=lot.last_at)


class Extensions:
    """The extensions of one account in one currency, in the order of record.

    If neither their instants nor their last days go back, and all have one scope, they form chains: each but the first
    of a chain begins before the last day of the one before it. A lot that one of a chain extends follows to the end of
    the chain. So it is found by bisection. Otherwise each extension is tried in turn.
    """

    def __init__(self, extensions: Iterable[Extension] = ()) -> None:
        self._every: list[Extension] = []
        self._chains: list[int] = []  # the number of the chain of each extension
        self._ends: list[int] = []  # the index of the last extension of each chain
        self._is_plain = True
        for each in extensions:
            self.add(each)

    def __len__(self) -> int:
        return len(self._every)

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._every)

    def between(self, first: int, end: int | None) -> Sequence[Extension]:
        """Return the extensions from one place on, to the one before another place or to the last one."""
        place = attrgetter("place")
        start = bisect_left(self._every, first, key=place)
        return self._every[start : bisect_left(self._every, end, key=place) if end is not None else None]

    def add(self, extension: Extension) -> None:
        """Add an extension that was recorded after all others."""
        before = self._every[-1] if self._every else None
        if before is None or extension.since >= before.expires_at:
            self._ends.append(len(self._every))
        else:
            self._ends[-1] = len(self._every)
        if before is not None and (
            before.scope != extension.scope
            or extension.since < before.since
            or extension.expires_at < before.expires_at
        ):
            self._is_plain = False
        self._every.append(extension)
        self._chains.append(len(self._ends) - 1)

    def is_start_of(self, extensions: Sequence[Extension]) -> bool:
        """Return whether some extensions of the same account begin with these."""
        return not self._every or (len(self._every) <= len(extensions) and extensions[len(self) - 1] is self._every[-1])

    def last_move(self, lot: Lot, place: int, at: datetime | None = None) -> Extension | None:
        """Return the last extension that has moved a lot since its batch at a place, or None.

        The lot is as that batch wrote it, so that an extension of the same batch may move it. With `at`, return the
        last one by that instant. Its `since` is the latest instant of all that have moved the lot.
        """
        if not self._every or self._every[-1].place < place or not _can_move(lot):
            return None
        first = bisect_left(self._every, place, key=attrgetter("place"))
        return self._of_chain(lot, first, at) if self._is_plain else self._in_turn(lot, self._every[first:], at)

    def _of_chain(self, lot: Lot, first: int, at: datetime | None) -> Extension | None:
        every = self._every
        assert lot.expires_at is not None
        assert lot.available_at is not None
        if every[0].scope != "balance" and not lot.rolling:
            return None
        until = len(every) if at is None else bisect_right(every, at, first, key=lambda each: each.since)
        first = (
            bisect_left(every, lot.available_at, first, until, key=lambda each: each.since) if first < until else until
        )
        if first < until:
            first = bisect_right(every, lot.expires_at, first, until, key=lambda each: each.expires_at)
        if first >= until or every[first].since >= lot.expires_at:
            return None
        end = min(self._ends[self._chains[first]], until - 1)
        last = _bounded(lot, every[end])
        if last.expires_at <= lot.expires_at:
            return None
        # The first one that moves the lot so far: later ones to the same day move it no more.
        mover = bisect_left(every, last.expires_at, first, end + 1, key=lambda each: each.expires_at)
        return _bounded(lot, every[mover])

    @staticmethod
    def _in_turn(lot: Lot, extensions: Sequence[Extension], at: datetime | None) -> Extension | None:
        last = None
        for each in extensions:
            moved = extension_of(lot, each)
            if moved is not None:
                lot = attrs.evolve(lot, expires_on=moved.expires_on, expires_at=moved.expires_at)
                if at is None or moved.since <= at:
                    latest = max(moved.since, last.since) if last is not None else moved.since
                    last = attrs.evolve(moved, since=latest)
        return last
