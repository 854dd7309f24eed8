"""The expectations of a step about its result: status, refusal, intents, counts and sums."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.errors import DocumentError
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.testing.cases.comparison import plain, unlike, unmatched
from loyalty_rules.testing.cases.operations import World, perform
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["result_differs"]

_SUCCESSES = ("recorded", "evaluated", "loaded", "quoted")


@attrs.frozen
class _Result:
    """The result of a step: its status, the reasons of a refusal, its intents as documents, its parts."""

    status: str
    reasons: Sequence[str] = ()
    intents: Sequence[Mapping[str, Any]] = ()
    problems: Sequence[Mapping[str, Any]] = ()
    parts: Sequence[Any] = ()


def result_differs(world: World, step: Mapping[str, Any]) -> Iterator[str]:
    """Do a step, and yield the differences of its result from the expected one."""
    expect = step.get("expect", {})
    result = _done(world, step)
    status = expect.get("status") or ("refused" if "refusal" in expect else None)
    if result.status != status if status else result.status not in _SUCCESSES:
        reasons = f" ({', '.join(result.reasons)})" if result.reasons else ""
        yield f"status: expected {status or 'recorded'}, found {result.status}{reasons}"
        return
    for key, expected in expect.items():
        if key in _EXPECTATIONS:
            yield from _EXPECTATIONS[key](result, expected)
        elif key in _FIGURES:
            yield from unlike(key, expected, _FIGURES[key](result.intents))
        elif key != "status":
            yield f"a step has no expectation {key!r}; expected one of {', '.join([*_EXPECTATIONS, *_FIGURES])}"


def _done(world: World, step: Mapping[str, Any]) -> _Result:
    try:
        made = perform(world, step)
    except DocumentError as error:
        return _Result("invalid", problems=[{"path": each.path, "code": each.code} for each in error.problems])
    except IdempotencyConflict:
        return _Result("conflict")
    if step["do"] == "load":
        return _Result("loaded")
    parts = [*made] if isinstance(made, (list, tuple)) else [made]
    intents = [intent for each in parts for intent in each.intents]
    world.remember(step, intents)
    reasons = [reason for each in parts if getattr(each, "refusal", None) for reason in each.refusal.reasons]
    statuses = [getattr(each, "status", "evaluated") for each in parts]
    status = next((each for each in statuses if each not in _SUCCESSES), statuses[0] if statuses else "recorded")
    return _Result(status, reasons, [plain(each) for each in intents], parts=parts)


# -- expectations ------------------------------------------------------------------------------------------------------


def _refusal_differs(result: _Result, expected: Sequence[str]) -> Iterator[str]:
    yield from unlike("refusal", sorted(expected), sorted(result.reasons))


def _counts_differ(result: _Result, expected: Mapping[str, int]) -> Iterator[str]:
    counts = Counter(each["type"] for each in result.intents)
    for kind, count in expected.items():
        yield from unlike(f"the number of {kind}", count, counts[kind])


def _sums_differ(result: _Result, expected: Mapping[str, str]) -> Iterator[str]:
    for kind, amount in expected.items():
        yield from unlike(f"the sum of {kind}", amount, _sum(result.intents, kind, "amount"))


def _shares_differ(result: _Result, expected: Mapping[str, str]) -> Iterator[str]:
    shares: dict[str, int] = {}
    for each in result.intents:
        for share in each.get("shares") or ():
            shares[share["line"]] = shares.get(share["line"], 0) + _micros(share["amount"])
    yield from unlike("the lines of shares", sorted(expected), sorted(map(str, shares)))
    yield from unlike("shares", expected, {line: decimal_of(amount) for line, amount in shares.items()})


def _noted(name: str) -> Callable[[_Result, Sequence[Any]], Iterator[str]]:
    """Return the comparison of a list that a receipt or an evaluation has; an empty one expects nothing."""

    def differs(result: _Result, expected: Sequence[Any]) -> Iterator[str]:
        found = [plain(each) for part in result.parts for each in getattr(part, name)]
        yield from unmatched(expected, found)
        if not expected and found:
            yield f"{name}: expected nothing, found {found}"

    return differs


def _problem_differs(result: _Result, expected: str) -> Iterator[str]:
    if not any(each["path"].startswith(expected) for each in result.problems):
        yield f"expected a problem at {expected}, found {[each['path'] for each in result.problems]}"


_EXPECTATIONS: Mapping[str, Callable[[_Result, Any], Iterator[str]]] = {
    "refusal": _refusal_differs,
    "intents": lambda result, expected: unmatched(expected, result.intents),
    "counts": _counts_differ,
    "sums": _sums_differ,
    "shares": _shares_differ,
    "skipped": _noted("skipped"),
    "unrecovered": _noted("unrecovered"),
    "trims": _noted("trims"),
    "problems": lambda result, expected: unmatched(expected, result.problems),
    "problem_at": _problem_differs,
}


# -- figures -----------------------------------------------------------------------------------------------------------


def _amounts(intents: Iterable[Mapping[str, Any]], kind: str, field: str) -> list[Decimal]:
    return [Decimal(each[field]) for each in intents if each["type"] == kind and each.get(field) is not None]


def _sum(intents: Iterable[Mapping[str, Any]], kind: str, field: str) -> Decimal:
    return decimal_of(sum(map(micros, _amounts(intents, kind, field))))


def _micros(amount: str) -> int:
    return micros(Decimal(amount))


def _drawn(intents: Iterable[Mapping[str, Any]], field: str) -> Decimal:
    undone = [each for each in intents if each["type"] == "undo_spend"]
    return decimal_of(sum(_micros(draw["amount"]) for each in undone for draw in each.get(field, ())))


_FIGURES: Mapping[str, Callable[[Sequence[Mapping[str, Any]]], Any]] = {
    "discount": lambda intents: _sum(intents, "redeem_coupon", "discount"),
    "value": lambda intents: _sum(intents, "spend_currency", "value"),
    "shortfall": lambda intents: _sum(intents, "reverse_currency", "shortfall"),
    "remaining": lambda intents: next(iter(_amounts(intents, "redeem_coupon", "remaining")[-1:]), None),
    "given_back": lambda intents: _drawn(intents, "draws"),
    "expired": lambda intents: _drawn(intents, "expired"),
}
