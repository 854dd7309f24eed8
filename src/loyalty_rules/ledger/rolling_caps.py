"""Rolling caps: they hold for every window of their days, in whatever order events come. Source: ledger 2.

The value of a rolling cap for an event is the fullest sum over the windows that contain the date of the event. A
rolling tracker is the window that ends on that date.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from loyalty_rules.intents import Claim, Intent, MergeAccounts
from loyalty_rules.ledger.storage import Storage, Window
from loyalty_rules.values.amounts import micros, micros_text

__all__ = ["capped_value", "overfull", "windows_to_read"]


def windows_to_read(windows: Iterable[Window]) -> Iterator[Window]:
    """Yield the windows that `capped_value` reads first: each one, and the days after a rolling one."""
    for window in windows:
        yield window
        later = _later(window)
        if later is not None:
            yield later


def capped_value(storage: Storage, program: str, window: Window) -> int:
    """Return the value of a counter in millionths; of a rolling one, the fullest sum over the windows of its last day.

    `window` ends on the date of the event.
    """
    value, later = storage.counter_value(program, window), _later(window)
    if later is None or storage.counter_value(program, later) == 0:
        return value
    windows = [*_windows_with_last_day(window)]
    storage.read_counters(program, windows)
    return max(storage.counter_value(program, each) for each in windows)


def _later(window: Window) -> Window | None:
    """Return the days after a window that share a window of its length with its last day; None if there are none."""
    name, first, last = window
    if first is None or last is None or first == last:
        return None
    return name, last + timedelta(1), last + (last - first)


def _windows_with_last_day(window: Window) -> Iterator[Window]:
    name, first, last = window
    if first is None or last is None:
        return
    for days in range((last - first).days + 1):
        yield name, first + timedelta(days), last + timedelta(days)


def overfull(batches: Iterable[tuple[str, Iterable[Intent]]]) -> Iterator[str]:
    """Yield a sentence for each rolling cap that one of its windows exceeds, by the recorded claims.

    `batches` are the intents of each batch with the id of its program. The counters of merged members are left out:
    two members may have more together than one.
    """
    sums: dict[tuple[str, str], dict[date, int]] = {}
    terms: dict[tuple[str, str], tuple[int, int]] = {}  # the greatest limit, the fewest days
    merged: set[tuple[str, str]] = set()
    for program, intents in batches:
        for intent in intents:
            claims: Iterable[Claim] = getattr(intent, "claims", ())
            for claim in claims:
                if claim.from_date is None or claim.to_date is None:
                    continue
                of = program, claim.counter
                if isinstance(intent, MergeAccounts):
                    merged.add(of)
                days = sums.setdefault(of, {})
                days[claim.to_date] = days.get(claim.to_date, 0) + micros(claim.amount)
                limit, length = micros(claim.limit), (claim.to_date - claim.from_date).days
                most, fewest = terms.get(of, (limit, length))
                terms[of] = max(most, limit), min(fewest, length)
    for of, days in sums.items():
        if of in merged:
            continue
        most, length = terms[of]
        fullest = max(sum(days.get(last - timedelta(each), 0) for each in range(length + 1)) for last in days)
        if fullest > most:
            yield f"counter {of[1]} is {micros_text(fullest)} in one window, above its limit {micros_text(most)}"
