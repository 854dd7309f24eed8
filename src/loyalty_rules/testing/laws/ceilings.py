"""Laws on histories: caps hold, and budgets end where they should.

What was issued is counted again from what the ledger recorded, by receipt, member, store and day, not by the
counters that the engine itself draws on. Source: semantics 8.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.keys import action_key
from loyalty_rules.paths import actions_of, keyed
from loyalty_rules.program import Program
from loyalty_rules.rules.caps import Cap
from loyalty_rules.rules.promotions import CurrencyAction
from loyalty_rules.rules.windows import LIFETIME, Lifetime, RollingDays, Window, window_days
from loyalty_rules.testing.laws.books import Books, Entry, name_of
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search
from loyalty_rules.testing.strategies.histories import histories
from loyalty_rules.testing.strategies.words import words_of
from loyalty_rules.values.amounts import MICRO, micros, micros_text

__all__ = ["budgets", "caps"]

Issue: TypeAlias = IssueCurrency | IssueCoupon


@attrs.frozen
class _Ceiling:
    """So much may be issued of what `holds` says, in a window, for each that `of` tells apart: members, stores…"""

    path: str
    most: int
    holds: Callable[[Issue], bool]
    of: Callable[[Entry, Issue], str | None]
    window: Window = LIFETIME
    times: bool = False


def caps(program: Program, _meant: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Caps hold over any history: no receipt, member, store or program gets more than a cap or limit allows.

    A limit per store does not bind a receipt without a store: all of these together count as one store here.
    """
    ceilings = list(_ceilings(program))
    return _search(program, "caps", ceilings, effort) if ceilings else None


def budgets(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Check that no history issues more than `expectations.budgets`, less what was taken back."""
    ceilings = [
        _Ceiling(f"the budget of {name}", micros(most), _named(name), lambda _entry, _issue: "")
        for name, most in expectations.budgets.items()
    ]
    return _search(program, "budgets", ceilings, effort) if ceilings else None


def _search(program: Program, law: str, ceilings: list[_Ceiling], effort: Effort) -> Counterexample | None:
    most = 20 * max(1000, *(ceiling.most // MICRO for ceiling in ceilings))
    words = words_of(program)
    strategy = histories(words, most_events=4, months=1, most=min(most, 10**9))

    def broken(history: list[dict[str, Any]]) -> Counterexample | None:
        books = Books.of(program, history)
        for ceiling in ceilings:
            over = _over(ceiling, books)
            if over is not None:
                return Counterexample(law, over, books.receipts(), books.slips())
        return None

    return search(strategy, broken, effort)


# -- counted again ---------------------------------------------------------------------------------------------------


def _over(ceiling: _Ceiling, books: Books) -> str | None:
    """Say what goes over a ceiling, in words."""
    left, counted = books.kept(), dict[tuple[str, date | None], int]()
    issued = [(entry, issue) for entry in books.entries for issue in entry.issues()]
    held = [(entry, issue) for entry, issue in issued if ceiling.holds(issue) and left[issue.key] > 0]
    days = {books.day_of(entry.event) for entry, _ in held}
    for entry, issue in held:
        of = ceiling.of(entry, issue)
        if of is not None:
            for window in _windows(ceiling.window, books.day_of(entry.event), days):
                amount = MICRO if ceiling.times else left[issue.key]
                counted[of, window] = counted.get((of, window), 0) + amount
    for (of, _), amount in counted.items():
        if amount > ceiling.most:
            whom = f" for {of}" if of else ""
            return f"{micros_text(amount)} in all{whom}, and {ceiling.path} allows {micros_text(ceiling.most)}"
    return None


def _windows(window: Window, day: date, days: set[date]) -> list[date | None]:
    """Name the windows that a day counts in: by their first day, or (rolling) by the day of an issue that ends them."""
    if isinstance(window, Lifetime):
        return [None]
    if isinstance(window, RollingDays):
        return [end for end in days if 0 <= (end - day).days < window.days]
    first_and_last = window_days(window, day)
    assert first_and_last is not None
    return [first_and_last[0]]


# -- what is capped --------------------------------------------------------------------------------------------------


def _ceilings(program: Program) -> Iterator[_Ceiling]:
    for path, limit in keyed("limits", program.limits):
        yield _Ceiling(f"{path}.amount", micros(limit.amount), _named(limit.currency), _PER[limit.per], limit.window)
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        for field, per in _PER_COUPON.items():
            cap = getattr(coupon_type.caps, field)
            if cap is not None:
                yield _Ceiling(f"{path}.caps.{field}", cap * MICRO, _named(coupon_type.id), _PER[per])
    for place in actions_of(program):
        if isinstance(place.action, CurrencyAction):
            caps = place.action.caps
            if caps.per_event is not None:
                most = micros(caps.per_event)
                yield _Ceiling(f"{place.path}.caps.per_event", most, _named(place.key), _PER["event"])
            if caps.per_member is not None:
                yield _of_cap(caps.per_member, f"{place.path}.caps.per_member", place.key, "member")
            if caps.total is not None:
                yield _of_cap(caps.total, f"{place.path}.caps.total", place.key, "total")


def _of_cap(cap: Cap, path: str, key: str, per: str) -> _Ceiling:
    if cap.times is not None:
        return _Ceiling(f"{path}.times", cap.times * MICRO, _named(key), _PER[per], cap.window, times=True)
    return _Ceiling(f"{path}.amount", micros(cap.amount or Decimal(0)), _named(key), _PER[per], cap.window)


def _named(name: str) -> Callable[[Issue], bool]:
    """Say of an issue whether it is of a currency, a coupon type, a promotion or an action of that name."""
    return lambda issue: (
        name in (name_of(issue).removeprefix("coupons "), issue.promotion, action_key(issue.promotion, issue.action))
    )


def _receipt(entry: Entry, _issue: Issue) -> str:
    return f"the receipt {entry.document['id']}"


def _member(_entry: Entry, issue: Issue) -> str | None:
    return f"member {issue.member}" if issue.member is not None else None


def _store(entry: Entry, _issue: Issue) -> str:
    store = entry.event.store
    return f"store {store}" if store is not None else "receipts without a store"


def _total(_entry: Entry, _issue: Issue) -> str:
    return ""


_PER: dict[str, Callable[[Entry, Issue], str | None]] = {
    "event": _receipt,
    "member": _member,
    "store": _store,
    "total": _total,
}
_PER_COUPON = {"per_transaction": "event", "per_store": "store", "per_member": "member", "total": "total"}
