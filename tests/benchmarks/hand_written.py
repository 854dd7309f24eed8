"""The same program written by hand in Python for this program alone: the measure of the engine.

It returns the same intents, of the same classes, for the same events. It calculates in integers of millionths, caches
ends of days, and has the terms of each promotion in its code. `straight_line` tests all promotions in turn. `indexed`
is the ideal: a function for each promotion, indexed by category and store, so that a sale calls only candidates.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from workload import ZONE, Rule

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency, Release, Share

__all__ = ["Evaluate", "indexed", "made_of", "straight_line"]

Evaluate: TypeAlias = Callable[[lr.Transaction], Sequence[Any]]

NEW_YORK = ZoneInfo(ZONE)
DELAYED = Release("delayed")
_CHUNK = 100

# -- shared by the promotions ------------------------------------------------------------------------------------------


def micros(value: Decimal) -> int:
    return int(value.scaleb(6))


def fixed(local: datetime) -> datetime:
    """Return an instant with a fixed offset."""
    return local.replace(tzinfo=timezone(local.utcoffset()))  # type: ignore[arg-type]


@functools.cache
def end_of(day: date) -> datetime:
    after = day + timedelta(days=1)
    return fixed(datetime(after.year, after.month, after.day, tzinfo=NEW_YORK))


@functools.cache
def months_after(day: date, months: int) -> date:
    later: date = day + relativedelta(months=months)
    return later


def due(local: datetime, days: int) -> datetime:
    return fixed((local + timedelta(days=days)).astimezone(UTC).astimezone(NEW_YORK))


def shares(points: int, ids: Sequence[str], weights: Sequence[int]) -> tuple[Share, ...]:
    """Split points over lines by largest remainder."""
    total = sum(weights)
    split = [points * weight // total for weight in weights]
    left = points - sum(split)
    if left:
        order = sorted(range(len(ids)), key=lambda i: (-(points * weights[i] % total), -weights[i], i))
        for i in order[:left]:
            split[i] += 1
    return tuple([Share(line, Decimal(part)) for line, part in zip(ids, split, strict=True)])


NAMES = {
    "Decimal": Decimal,
    "DELAYED": DELAYED,
    "IssueCurrency": IssueCurrency,
    "due": due,
    "end_of": end_of,
    "months_after": months_after,
    "shares": shares,
    "timedelta": timedelta,
}

# -- the promotions ----------------------------------------------------------------------------------------------------

_ARGUMENTS = "prefix, event, member, store, local, day, amount, categories, ids, values, add"


def _tests(rule: Rule) -> str:
    store = f"store == {rule.store!r} and " if rule.store is not None else ""
    return f"{store}amount >= {micros(Decimal(rule.at_least))} and {rule.category!r} in categories"


def _issue(rule: Rule, indent: str, given: str | None = None) -> str:
    """Return the code that issues the points of a matching promotion; `given` names points calculated elsewhere."""
    lines = rule.kind == "lines"
    base = [
        f"chosen = [i for i, each in enumerate(event.lines) if each.category == {rule.category!r}]",
        "weights = [values[i] for i in chosen]",
        "base = sum(weights)",
    ]
    key, state = f"/{rule.id}/earn", "promised" if rule.delay else "issued"
    body = [
        *(base if lines else ["base = amount"]),
        *(_rounded_base(rule) if given is None else ()),
        f"points = {_points(rule) if given is None else given}",
        "if points:",
        f"    issue_on = day + timedelta(days={rule.delay})" if rule.delay else "    issue_on = day",
        f"    expires_on = {_expiry(rule)}",
        f"    add(IssueCurrency(prefix + {key!r}, {rule.id!r}, 'earn', event.id, member, None, 'points',",
        f"        Decimal(points), {state!r}, issue_on,",
        f"        {f'due(local, {rule.delay}), DELAYED' if rule.delay else 'None, None'},",
        "        expires_on, end_of(expires_on),",
        f"        shares(points, {'[ids[i] for i in chosen], weights' if lines else 'ids, values'}), ()))",
    ]
    return "".join(f"{indent}{line}\n" for line in body)


def _rounded_base(rule: Rule) -> list[str]:
    if rule.value_rounding == "actual":
        return []
    more = " + 500000" if rule.value_rounding == "nearest" else ""
    return [f"base = (base{more}) // 1000000"]


def _points(rule: Rule) -> str:
    unit = 1 if rule.value_rounding != "actual" else 1_000_000
    if rule.kind == "steps":
        return f"base // {int(rule.rate) * unit}"
    top, bottom = int(Decimal(rule.rate) * 10), 1_000 * unit
    if rule.currency_rounding == "up":
        return f"-(-base * {top} // {bottom})"
    return f"(base * {2 * top} + {bottom}) // {2 * bottom}"


def _expiry(rule: Rule) -> str:
    return f"months_after(issue_on, {rule.months})" if rule.months else f"issue_on + timedelta(days={rule.days})"


# -- programs ----------------------------------------------------------------------------------------------------------


def straight_line(rules: Sequence[Rule]) -> Evaluate:
    """Build a function that tests one promotion after the other, a hundred in each compiled function."""
    functions = []
    for start in range(0, len(rules), _CHUNK):
        source = f"def promotions({_ARGUMENTS}):\n"
        for rule in rules[start : start + _CHUNK]:
            source += f"    if {_tests(rule)}:\n{_issue(rule, '        ')}"
        functions.append(_compiled(source))

    def evaluate(event: lr.Transaction) -> list[Any]:
        intents: list[Any] = []
        arguments = _seen(event, intents)
        for promotions in functions:
            promotions(*arguments)
        return intents

    return evaluate


def indexed(rules: Sequence[Rule]) -> Evaluate:
    """Build a function for each promotion, indexed by category and store; a sale calls its candidates in order."""
    by_category: dict[str, dict[str | None, list[tuple[int, int, Callable[..., None]]]]] = {}
    for place, rule in enumerate(rules):
        source = f"def promotion({_ARGUMENTS}):\n{_issue(rule, '    ')}"
        entry = place, micros(Decimal(rule.at_least)), _compiled(source)
        by_category.setdefault(rule.category, {}).setdefault(rule.store, []).append(entry)

    def evaluate(event: lr.Transaction) -> list[Any]:
        intents: list[Any] = []
        arguments = _seen(event, intents)
        amount, store, found = arguments[6], event.store, []
        for category in arguments[7]:
            stores = by_category.get(category)
            if stores is not None:
                found += [entry for entry in stores.get(store, ()) if amount >= entry[1]]
                if store is not None:
                    found += [entry for entry in stores.get(None, ()) if amount >= entry[1]]
        found.sort()
        for _, _, promotion in found:
            promotion(*arguments)
        return intents

    return evaluate


def made_of(rules: Sequence[Rule]) -> Callable[[lr.Transaction, Sequence[tuple[int, int]]], Sequence[Any]]:
    """Build a function that returns the intents for points calculated elsewhere, by the places of the promotions."""
    makers = [_compiled(f"def promotion({_ARGUMENTS}, given):\n{_issue(rule, '    ', 'given')}") for rule in rules]

    def make(event: lr.Transaction, decided: Sequence[tuple[int, int]]) -> list[Any]:
        intents: list[Any] = []
        arguments = _seen(event, intents)
        for place, points in decided:
            makers[place](*arguments, points)
        return intents

    return make


def _seen(event: lr.Transaction, intents: list[Any]) -> tuple[Any, ...]:
    local = event.occurred_at.astimezone(NEW_YORK)
    return (
        "chain/" + event.id,
        event,
        event.member.id if event.member is not None else None,
        event.store,
        local,
        local.date(),
        micros(event.amount),
        {line.category for line in event.lines},
        [line.id for line in event.lines],
        [micros(line.value) for line in event.lines if line.value is not None],
        intents.append,
    )


def _compiled(source: str) -> Callable[..., None]:
    scope: dict[str, Any] = dict(NAMES)
    exec(source, scope)
    function: Callable[..., None] = next(scope[name] for name in ("promotions", "promotion") if name in scope)
    return function
