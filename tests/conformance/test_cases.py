"""Cases of several steps have their expected results, in memory and on SQLite.

A file in `cases` is a list of cases: a program, steps, and the state of the ledger at the end. Every step does one
operation of a ledger, with the arguments that the operation has, and may expect something of its receipt:

- `status` or `refusal` (the reasons, in any order); without them the step must be recorded;
- `intents`: each matches another intent of the receipt in all keys that it names;
- `counts` and `sums`: the number of intents of a type, and the sum of their amounts;
- `discount`, `value`, `remaining`, `shortfall`, `given_back`, `expired`: a sum over the intents, `remaining` the last;
- `shares`: the shares of all issues, by line;
- `skipped`: each matches another skip of an evaluation;
- `unrecovered`: each matches another entry of the receipt of a return; `[]` expects none.

The step `check` and `finally` expect `balances`, `lots`, `coupons`, `coupon_states`, `trackers` and `limits`. The
invariants must always hold. Amounts are compared as numbers; keys that are not named are not compared. `$KEY` is the
serial of the coupon with that key, `$NAME` the key of the intent of the step with `"as": NAME`.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from ledger.sql.empty_ledgers import SQLiteTemplate
from loyalty_rules.ledger import IdempotencyConflict, Ledger, MemoryLedger
from loyalty_rules.lifecycle import Account

CASES = [case for path in sorted(Path(__file__).parent.glob("cases/*.json")) for case in json.loads(path.read_text())]
BY_NAME = {case["name"]: case for case in CASES}
LONG_AFTER = datetime(9998, 12, 31, tzinfo=UTC)
SERIALS = lr.DerivedSerials.from_master(bytes(32))


# -- a difference ----------------------------------------------------------------------------------------------------


def number(value: Any) -> Any:
    """Return the number of a text; another value as it is."""
    try:
        return Decimal(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else value
    except ArithmeticError:
        return value


def matches(expected: Any, found: Any) -> bool:
    """Return whether a value is as expected: numbers by value, objects by the keys that are expected."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(matches(each, found.get(key)) for key, each in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(expected) == len(found) and all(map(matches, expected, found))
    return number(expected) == number(found)


def unmatched(expected: Iterable[Any], found: Iterable[Any]) -> Iterator[str]:
    """Yield each expected object for which no further object was found."""
    left = [*found]
    for each in expected:
        place = next((place for place, one in enumerate(left) if matches(each, one)), None)
        if place is None:
            yield f"expected {json.dumps(each)}, found {json.dumps(left, default=str)}"
        else:
            del left[place]


def unlike(name: str, expected: Any, found: Any) -> Iterator[str]:
    """Yield the difference of two values, if there is one."""
    if not matches(expected, found):
        yield f"{name}: expected {expected}, found {found}"


# -- steps -----------------------------------------------------------------------------------------------------------


class Replay:
    """One case on one ledger: its program, the serials and keys of its steps, and the differences."""

    def __init__(self, case: Mapping[str, Any], ledger: Ledger) -> None:
        self.program = lr.load_program(case["program"])
        self.ledger = ledger
        self.names: dict[str, str] = {}

    def argument(self, name: str, value: Any) -> Any:
        """Return an argument of an operation as Python has it."""
        if name in ("at", "until"):
            return datetime.fromisoformat(value)
        if name == "amount":
            return Decimal(value)
        if name in ("transaction", "bill"):
            return lr.load_event(value)
        if name == "codes":
            return [self.argument("code", each) for each in value]
        if name == "spends":
            return [(member(each), each["currency"], Decimal(each["amount"])) for each in value]
        return self.names[value[1:]] if value.startswith("$") else value

    def do(self, step: Mapping[str, Any]) -> Any:
        """Do the operation of a step, and return its receipt; those of a sweep as a list."""
        given = {name: step[name] for name in step if name not in ("do", "expect", "as", "snapshot")}
        if step["do"] == "process":
            event = dict(given["event"])
            if "promise" in event:
                event["promise"] = self.argument("promise", event["promise"])
            return self.ledger.process(self.program, lr.load_event(event), serials=SERIALS)
        if step["do"] == "evaluate":
            snapshot = lr.load_snapshot(step.get("snapshot", {}))
            return self.program.evaluate(lr.load_event(given["event"]), snapshot, serials=SERIALS)
        arguments = {name: self.argument(name, value) for name, value in given.items()}
        if step["do"] in ("redeem_all", "quote"):
            arguments.setdefault("spends", [])
        if step["do"] == "spend":
            arguments["account"] = Account("group", arguments.pop("group")) if "group" in given else member(step)
        return getattr(self.ledger, step["do"])(self.program, **arguments)

    def remember(self, step: Mapping[str, Any], intents: Iterable[Any]) -> None:
        """Keep the serials of coupons, and the key of the intent that a step names."""
        for each in intents:
            if each.type == "issue_coupon":
                self.names[each.key] = each.serial or each.code
            if "as" in step and (each.type in ("spend_currency", "redeem_coupon") or step["as"] not in self.names):
                self.names[step["as"]] = each.key


def member(named: Mapping[str, Any]) -> Account:
    return Account("group", named["group"]) if "group" in named else Account("member", named["member"])


def differences(case: Mapping[str, Any], ledger: Ledger) -> list[str]:
    """Replay a case on a ledger, and return the differences."""
    replay = Replay(case, ledger)
    found: list[str] = []
    for place, step in enumerate([*case["steps"], {"do": "check", **case.get("finally", {})}]):
        wrong = state_differs(replay, step) if step["do"] == "check" else receipt_differs(replay, step)
        found += [f"steps[{place}]: {each}" for each in wrong]
    return found


# -- receipts ----------------------------------------------------------------------------------------------------------


def receipt_differs(replay: Replay, step: Mapping[str, Any]) -> Iterator[str]:
    """Do a step, and yield the differences of its receipt."""
    expect = step.get("expect", {})
    try:
        done = replay.do(step)
    except IdempotencyConflict:
        yield from unlike("status", expect.get("status", "recorded"), "conflict")
        return
    receipts = [*done] if isinstance(done, (list, tuple)) else [done]
    refused = [reason for each in receipts if getattr(each, "refusal", None) for reason in each.refusal.reasons]
    recorded = "refused" if "refusal" in expect else "quoted" if step["do"] == "quote" else "recorded"
    for status in [getattr(each, "status", "recorded") for each in receipts]:
        yield from unlike("status", expect.get("status", recorded), status)
    intents = [intent for each in receipts for intent in each.intents]
    replay.remember(step, intents)
    documents = [lr.dump(each) for each in intents]
    for key, expected in expect.items():
        if key == "refusal":
            yield from unlike("refusal", sorted(expected), sorted(refused))
        elif key == "skipped":
            yield from unmatched(expected, [lr.dump(each) for each in receipts[0].skipped])
        elif key == "unrecovered":
            named = [lr.dump(each) for each in receipts[0].unrecovered]
            yield from unmatched(expected, named)
            yield from unlike("the number of unrecovered", len(expected), len(named))
        elif key != "status":
            yield from EXPECTED[key](documents, expected)


def amounts(documents: Iterable[Mapping[str, Any]], kind: str, field: str = "amount") -> list[Decimal]:
    """Return the amounts in a field of the intents of a type."""
    return [Decimal(each[field]) for each in documents if each["type"] == kind and each.get(field) is not None]


def drawn(documents: Iterable[Mapping[str, Any]], field: str) -> Decimal:
    """Return the sum of the draws of undone spends."""
    undone = [each for each in documents if each["type"] == "undo_spend"]
    return sum((Decimal(draw["amount"]) for each in undone for draw in each.get(field, ())), Decimal(0))


def counts_differ(documents: list[Any], expected: Mapping[str, int]) -> Iterator[str]:
    counts = Counter(each["type"] for each in documents)
    for kind, count in expected.items():
        yield from unlike(f"the number of {kind}", count, counts[kind])


def sums_differ(documents: list[Any], expected: Mapping[str, str]) -> Iterator[str]:
    for kind, amount in expected.items():
        yield from unlike(f"the sum of {kind}", amount, sum(amounts(documents, kind), Decimal(0)))


def shares_differ(documents: list[Any], expected: Mapping[str, str]) -> Iterator[str]:
    shares: dict[str, Decimal] = {}
    for each in documents:
        for share in each.get("shares") or ():
            shares[share["line"]] = shares.get(share["line"], Decimal(0)) + Decimal(share["amount"])
    yield from unlike("the lines of shares", sorted(expected), sorted(shares))
    yield from unlike("shares", expected, shares)


def sum_of(kind: str, field: str) -> Callable[[list[Any], str], Iterator[str]]:
    """Return the comparison of a sum over the intents of a type."""
    return lambda documents, expected: unlike(field, expected, sum(amounts(documents, kind, field), Decimal(0)))


EXPECTED: Mapping[str, Callable[[list[Any], Any], Iterator[str]]] = {
    "intents": lambda documents, expected: unmatched(expected, documents),
    "counts": counts_differ,
    "sums": sums_differ,
    "shares": shares_differ,
    "discount": sum_of("redeem_coupon", "discount"),
    "value": sum_of("spend_currency", "value"),
    "shortfall": sum_of("reverse_currency", "shortfall"),
    "remaining": lambda documents, expected: unlike(
        "remaining", expected, next(iter(amounts(documents, "redeem_coupon", "remaining")[-1:]), None)
    ),
    "given_back": lambda documents, expected: unlike("given_back", expected, drawn(documents, "draws")),
    "expired": lambda documents, expected: unlike("expired", expected, drawn(documents, "expired")),
}


# -- the state of a ledger ---------------------------------------------------------------------------------------------


def state_differs(replay: Replay, expected: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences of a ledger, and the invariants that it violates."""
    for key, rows in expected.items():
        if key not in ("do", "invariants"):
            for row in rows:
                yield from STATE[key](replay, row, datetime.fromisoformat(row["at"]))
    yield from replay.ledger.check_invariants()
    yield from impossible_instants(replay)


def impossible_instants(replay: Replay) -> Iterator[str]:
    """Yield the lots that have a bucket below zero as of the instant of an entry."""
    rows = replay.ledger.report_rows(replay.program.id, LONG_AFTER).lots
    for at in sorted({entry.at for row in rows for entry in row.entries}):
        for row in replay.ledger.report_rows(replay.program.id, at).lots:
            if not row.lot.is_whole():
                yield f"{row.lot.key} as of {at}: {row.lot.buckets}"


def balance_differs(replay: Replay, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    balance = replay.ledger.balance(replay.program.id, member(row), row["currency"], at)
    for name in ("available", "promised", "debt"):
        if name in row:
            yield from unlike(f"{name} of {member(row).id}", row[name], getattr(balance, name))


def lots_differ(replay: Replay, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    by_day: dict[str, Decimal] = {}
    for lot in replay.ledger.lots(replay.program.id, member(row), row["currency"], at):
        if lot.is_live(at):
            day = str(lot.expires_on or "never")
            by_day[day] = by_day.get(day, Decimal(0)) + lot.outstanding
    yield from unlike("the days of lots", sorted(row["by_day"]), sorted(by_day))
    yield from unlike("lots", row["by_day"], by_day)


def coupon_differs(replay: Replay, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    coupons = {each.key: each for each in replay.ledger.report_rows(replay.program.id, at).coupons}
    coupon = coupons[row["key"]]
    for name, expected in row.items():
        if name == "state":
            yield from unlike(f"state of {coupon.key}", expected, coupon.state_at(at))
        elif name not in ("key", "at"):
            holder = coupon if hasattr(coupon, name) else coupon.issue
            yield from unlike(f"{name} of {coupon.key}", expected, getattr(holder, name))


def coupon_states_differ(replay: Replay, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    coupons = replay.ledger.report_rows(replay.program.id, at).coupons
    states = Counter(each.state_at(at) for each in coupons if each.issue.coupon_type == row["coupon_type"])
    for state in ("issued", "redeemed", "expired", "voided"):
        if state in row:
            yield from unlike(f"{state} coupons", row[state], states[state])


def counter_differs(kind: str) -> Callable[[Replay, Mapping[str, Any], datetime], Iterator[str]]:
    """Return the comparison of a tracker or a limit in the window of an instant."""

    def differs(replay: Replay, row: Mapping[str, Any], _at: datetime) -> Iterator[str]:
        probe = {"type": "transaction", "id": "probe", "occurred_at": row["at"], "amount": "0"}
        event = lr.load_event({**probe, "member": {"id": row["member"]}, **row.get("event", {})})
        counters = getattr(replay.ledger.snapshot(replay.program, event), f"{kind}s")
        yield from unlike(f"{kind} {row[kind]}", row["value"], counters.get(row[kind], Decimal(0)))

    return differs


STATE: Mapping[str, Callable[[Replay, Mapping[str, Any], datetime], Iterator[str]]] = {
    "balances": balance_differs,
    "lots": lots_differ,
    "coupons": coupon_differs,
    "coupon_states": coupon_states_differ,
    "trackers": counter_differs("tracker"),
    "limits": counter_differs("limit"),
}


# -- the cases -------------------------------------------------------------------------------------------------------

OPEN: Mapping[str, Callable[[SQLiteTemplate], Ledger]] = {
    "memory": lambda _: MemoryLedger(SERIALS),
    "sqlite": SQLiteTemplate.new_ledger,
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteTemplate]:
    with closing(SQLiteTemplate(tmp_path_factory.mktemp("template"))) as template:
        yield template


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_has_its_expected_results(case: Mapping[str, Any], kind: str, template: SQLiteTemplate) -> None:
    assert differences(case, OPEN[kind](template)) == []


def test_every_case_has_a_name_of_its_own_and_its_calculation() -> None:
    assert len(BY_NAME) == len(CASES) >= 26
    assert all(case["why"] for case in CASES)


DAY = "2025-01-15T10:00:00Z"
SALE = {"type": "transaction", "id": "T1", "occurred_at": DAY, "amount": "100", "member": {"id": "anna"}}
EVERY_STEP = {
    "name": "every-step",
    "program": {
        "format": "loyalty-rules/1",
        "id": "shop",
        "time_zone": "UTC",
        "currencies": {"points": {"redeem": {"points": "10", "value": "1.00"}}},
        "coupon_types": {"gift": {"benefit": {"type": "stored_value", "amount": "30"}}},
        "promotions": [
            {
                "id": "p",
                "actions": [
                    {
                        "type": "issue_currency",
                        "id": "earn",
                        "currency": "points",
                        "proration": {
                            "type": "proportional",
                            "percent": "10",
                            "of": {"type": "line_item_value"},
                        },
                        "expiry": {"type": "fixed_period", "after": {"days": 5}},
                    },
                    {"type": "issue_coupon", "id": "give", "coupon_type": "gift", "quantity": 2},
                ],
            }
        ],
    },
    "steps": [
        {"do": "evaluate", "event": SALE, "expect": {"skipped": [{"action": "earn", "reason": "no_matching_lines"}]}},
        {
            "do": "process",
            "event": {**SALE, "lines": [{"id": "1", "quantity": "1", "value": "100"}]},
            "expect": {"shares": {"1": "10"}, "counts": {"issue_coupon": 2}},
        },
        {
            "do": "spend",
            "member": "anna",
            "currency": "points",
            "amount": "10",
            "event": "S1",
            "at": DAY,
            "expect": {"value": "1"},
            "as": "spend",
        },
        {
            "do": "redeem",
            "code": "$shop/T1/p/give/1",
            "transaction": {**SALE, "id": "T2", "amount": "20"},
            "expect": {"discount": "20", "remaining": "10"},
            "as": "redemption",
        },
        {"do": "void", "coupon": "shop/T1/p/give/2", "event": "V1", "at": DAY},
        {"do": "check", "coupon_states": [{"coupon_type": "gift", "at": DAY, "issued": 1, "voided": 1}]},
        {"do": "undo_redemption", "redemption": "$redemption", "event": "U1", "at": DAY},
        {
            "do": "undo_spend",
            "spend": "$spend",
            "event": "U2",
            "at": "2025-01-17T10:00:00Z",
            "expect": {"given_back": "10", "expired": "0"},
        },
        {"do": "settle", "at": "2025-01-18T10:00:00Z"},
        {
            "do": "check",
            "lots": [
                {"member": "anna", "currency": "points", "at": "2025-01-18T10:00:00Z", "by_day": {"2025-01-20": "10"}}
            ],
        },
        {"do": "expire", "at": "2025-01-25T10:00:00Z", "expect": {"sums": {"expire_currency": "10"}}},
    ],
    "finally": {
        "coupons": [{"key": "shop/T1/p/give/1", "at": "2025-01-25T10:00:00Z", "state": "issued", "remaining": "30"}],
        "balances": [
            {"member": "anna", "currency": "points", "at": "2025-01-25T10:00:00Z", "available": "0", "promised": "0"}
        ],
    },
}


@pytest.mark.parametrize("kind", OPEN)
def test_every_step_is_replayed(kind: str, template: SQLiteTemplate) -> None:
    assert differences(EVERY_STEP, OPEN[kind](template)) == []


# -- controls: differences are found ---------------------------------------------------------------------------------


def spoiled(name: str, *path: Any, value: Any) -> list[str]:
    """Return the differences of a case, on the ledger in memory, with another expectation at a path."""
    case = copy.deepcopy(BY_NAME[name])
    at = case
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return differences(case, MemoryLedger(SERIALS))


@pytest.mark.parametrize(
    ("name", "path", "value", "difference"),
    [
        (
            "two-rates-exclusive",
            ("steps", 1, "expect", "sums", "reverse_currency"),
            "149.999999",
            "steps[1]: the sum of reverse_currency: expected 149.999999, found 150",
        ),
        (
            "two-rates-exclusive",
            ("finally", "balances", 0, "available"),
            "91",
            "steps[2]: available of anna: expected 91, found 90",
        ),
        (
            "coupons-by-band",
            ("steps", 1, "expect", "counts", "void_coupon"),
            2,
            "steps[1]: the number of void_coupon: expected 2, found 1",
        ),
        (
            "coupons-by-band",
            ("finally", "coupons", 1, "state"),
            "issued",
            "steps[2]: state of shop/T1/big/give/2: expected issued, found voided",
        ),
        (
            "limit-shared-by-two-promotions",
            ("finally", "limits", 0, "value"),
            "100",
            "steps[2]: limit daily: expected 100, found 50",
        ),
        (
            "milestone-reached-by-this-sale",
            ("finally", "trackers", 0, "value"),
            "1050",
            "steps[3]: tracker spend: expected 1050, found 990",
        ),
        (
            "more-returned-than-bought",
            ("steps", 2, "expect", "refusal"),
            ["too_early"],
            "steps[2]: refusal: expected ['too_early'], found ['more_than_bought']",
        ),
        (
            "more-returned-than-bought",
            ("steps", 2, "expect"),
            {},
            "steps[2]: status: expected recorded, found refused",
        ),
        (
            "lapsed-units-count-as-taken",
            ("steps", 2, "expect", "shortfall"),
            "100",
            "steps[2]: shortfall: expected 100, found 0",
        ),
    ],
)
def test_a_wrong_expectation_is_found(name: str, path: tuple[Any, ...], value: Any, difference: str) -> None:
    assert spoiled(name, *path, value=value) == [difference]


def test_an_intent_matches_another_expected_object_each() -> None:
    one = {"type": "void_coupon"}
    assert spoiled("coupons-by-band", "steps", 1, "expect", value={"intents": [one]}) == []
    (difference,) = spoiled("coupons-by-band", "steps", 1, "expect", value={"intents": [one, one]})
    assert difference == 'steps[1]: expected {"type": "void_coupon"}, found []'
