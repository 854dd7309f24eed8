"""Laws on histories: no cap and no budget is exceeded.

Issues are counted again from the recorded intents, by receipt, member, store and day. The counters of the engine are
not used. Source: semantics 8.
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
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search
from loyalty_rules.testing.laws.totals import LedgerTotals, RecordedEvent, name_of
from loyalty_rules.testing.strategies.histories import histories
from loyalty_rules.testing.strategies.words import words_of
from loyalty_rules.values.amounts import MICRO, micros, micros_text

__all__ = ["budgets", "caps"]

Issue: TypeAlias = IssueCurrency | IssueCoupon


@attrs.frozen
class _Ceiling:
    """A maximum of the issues that `counts` selects, in a window, for each group that `of` names, like a member."""

    path: str
    most: int
    counts: Callable[[Issue], bool]
    of: Callable[[RecordedEvent, Issue], str | None]
    window: Window = LIFETIME
    times: bool = False


def caps(program: Program, _expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Check that no receipt, member, store or program gets more than a cap or limit allows, in any history.

    The engine does not apply a limit per store to receipts without a store. This law counts them as one store.
    """
    ceilings = list(_ceilings(program))
    return _search(program, "caps", ceilings, effort) if ceilings else None


def budgets(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Check that no history issues more than `expectations.budgets`, after returns."""
    ceilings = [
        _Ceiling(f"the budget of {name}", micros(most), _named(name), lambda _event, _issue: "")
        for name, most in expectations.budgets.items()
    ]
    return _search(program, "budgets", ceilings, effort) if ceilings else None


def _search(program: Program, law: str, ceilings: list[_Ceiling], effort: Effort) -> Counterexample | None:
    most = 20 * max(1000, *(ceiling.most // MICRO for ceiling in ceilings))
    words = words_of(program)
    strategy = histories(words, most_events=4, months=1, most=min(most, 10**9))

    def broken(history: list[dict[str, Any]]) -> Counterexample | None:
        totals = LedgerTotals.of(program, history)
        for ceiling in ceilings:
            over = _over(ceiling, totals)
            if over is not None:
                return Counterexample(law, over, totals.receipts(), totals.slips())
        return None

    return search(strategy, broken, effort)


# -- the count -------------------------------------------------------------------------------------------------------


def _over(ceiling: _Ceiling, totals: LedgerTotals) -> str | None:
    """Return a sentence about an exceeded ceiling, or None."""
    rest, counted = totals.kept(), dict[tuple[str, date | None], int]()
    issued = [(event, issue) for event in totals.events for issue in event.issues()]
    counted_issues = [(event, issue) for event, issue in issued if ceiling.counts(issue) and rest[issue.key] > 0]
    days = {totals.day_of(event.event) for event, _ in counted_issues}
    for event, issue in counted_issues:
        of = ceiling.of(event, issue)
        if of is not None:
            for window in _windows(ceiling.window, totals.day_of(event.event), days):
                amount = MICRO if ceiling.times else rest[issue.key]
                counted[of, window] = counted.get((of, window), 0) + amount
    for (of, _), amount in counted.items():
        if amount > ceiling.most:
            whom = f" for {of}" if of else ""
            return f"{micros_text(amount)} in total{whom}, but {ceiling.path} allows {micros_text(ceiling.most)}"
    return None


def _windows(window: Window, day: date, days: set[date]) -> list[date | None]:
    """Return the windows that a day counts in: the first day of each, or the last day of a rolling one."""
    if isinstance(window, Lifetime):
        return [None]
    if isinstance(window, RollingDays):
        return [end for end in days if 0 <= (end - day).days < window.days]
    first_and_last = window_days(window, day)
    assert first_and_last is not None
    return [first_and_last[0]]


# -- the ceilings of a program ---------------------------------------------------------------------------------------


def _ceilings(program: Program) -> Iterator[_Ceiling]:
    for path, limit in keyed("limits", program.limits_in_units):
        yield _Ceiling(f"{path}.amount", micros(limit.units), _named(limit.currency), _PER[limit.per], limit.window)
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
    """Return a predicate: the issue is of a currency, a coupon type, a promotion or an action of that name."""
    return lambda issue: (
        name in (name_of(issue).removeprefix("coupons "), issue.promotion, action_key(issue.promotion, issue.action))
    )


def _receipt(event: RecordedEvent, _issue: Issue) -> str:
    return f"the receipt {event.document['id']}"


def _member(_event: RecordedEvent, issue: Issue) -> str | None:
    return f"member {issue.member}" if issue.member is not None else None


def _group(event: RecordedEvent, issue: Issue) -> str | None:
    member = event.event.member
    if member is None or member.group is None or issue.member != member.id:
        return None
    return f"group {member.group}"


def _store(event: RecordedEvent, _issue: Issue) -> str:
    store = event.event.store
    return f"store {store}" if store is not None else "receipts without a store"


def _total(_event: RecordedEvent, _issue: Issue) -> str:
    return ""


_PER: dict[str, Callable[[RecordedEvent, Issue], str | None]] = {
    "event": _receipt,
    "member": _member,
    "member_group": _group,
    "store": _store,
    "total": _total,
}
_PER_COUPON = {"per_transaction": "event", "per_store": "store", "per_member": "member", "total": "total"}
