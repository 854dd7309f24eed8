"""The expectations about the state of a ledger: balances, lots, coupons, counters, levels, reports, statements."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty_rules.ledger.reports import issuance, liability
from loyalty_rules.loading import load_event
from loyalty_rules.testing.cases.comparison import matches, plain, unlike, unmatched
from loyalty_rules.testing.cases.operations import World, account_of
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["state_differs"]


def state_differs(world: World, expected: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences of a ledger from the expected state, and the invariants that it violates."""
    for key, rows in expected.items():
        if key in ("do", "invariants", "program"):
            continue
        if key not in _STATE:
            yield f"a state has no {key!r}; expected one of {', '.join(_STATE)}"
            continue
        for row in rows if isinstance(rows, list) else [rows]:
            yield from _STATE[key](world, row, datetime.fromisoformat(row["at"]))
    yield from unlike("invariants", expected.get("invariants", []), [*world.ledger.check_invariants()])
    if hasattr(world.ledger, "verify"):
        yield from unlike("verify", [], [*world.ledger.verify()])


def _balance_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    account = account_of(row)
    balance = world.ledger.balance(world.program().id, account, row["currency"], at)
    for name in row.keys() - {"member", "group", "currency", "at"}:
        yield from unlike(f"{name} of {account.id}", row[name], getattr(balance, name))


def _lots_differ(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    by_day: dict[str, int] = {}
    for lot in world.ledger.lots(world.program().id, account_of(row), row["currency"], at):
        if lot.is_live(at):
            day = str(lot.expires_on or "never")
            by_day[day] = by_day.get(day, 0) + micros(lot.outstanding)
    yield from unlike("the days of lots", sorted(row["by_day"]), sorted(by_day))
    yield from unlike("lots", row["by_day"], {day: decimal_of(units) for day, units in by_day.items()})


def _coupon_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    coupons = {each.key: each for each in world.ledger.report_rows(world.program().id, at).coupons}
    coupon = coupons.get(row["key"])
    if coupon is None:
        yield f"there is no coupon {row['key']}"
        return
    for name in row.keys() - {"key", "at"}:
        owner = coupon if hasattr(coupon, name) else coupon.issue
        found = coupon.state_at(at) if name == "state" else getattr(owner, name)
        yield from unlike(f"{name} of {coupon.key}", row[name], found)


def _coupon_states_differ(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    coupons = world.ledger.report_rows(world.program().id, at).coupons
    states = Counter(each.state_at(at) for each in coupons if each.issue.coupon_type == row["coupon_type"])
    for state in row.keys() - {"coupon_type", "at"}:
        yield from unlike(f"{state} coupons of {row['coupon_type']}", row[state], states[state])


def _counter_differs(kind: str) -> Callable[[World, Mapping[str, Any], datetime], Iterator[str]]:
    """Return the comparison of a tracker or a limit in the window of an instant."""

    def differs(world: World, row: Mapping[str, Any], _at: datetime) -> Iterator[str]:
        probe = {"type": "transaction", "id": "probe", "occurred_at": row["at"], "amount": "0"}
        event = load_event({**probe, "member": {"id": row["member"]}, **row.get("event", {})})
        counters = getattr(world.ledger.snapshot(world.program(), event), f"{kind}s")
        yield from unlike(f"{kind} {row[kind]}", row["value"], counters.get(row[kind], Decimal(0)))

    return differs


def _tier_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    status = world.ledger.tier(program=world.program(), member=row["member"], tier=row["tier"], at=at)
    for name in row.keys() - {"member", "tier", "at"}:
        yield from unlike(f"{name} of {row['member']} in {row['tier']}", row[name], getattr(status, name))


def _liability_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    program = world.program(row.get("program"))
    yield from unlike("liability", row["total"], liability(program, world.ledger.report_rows(program.id, at)).total)


def _issuance_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    program = world.program()
    rows = issuance(program, world.ledger.report_rows(program.id, at), by=row.get("by", ()))
    yield from unmatched(row["rows"], [plain(each) for each in rows])


def _statement_differs(world: World, row: Mapping[str, Any], at: datetime) -> Iterator[str]:
    entries = world.ledger.statement(world.program().id, account_of(row), at)
    found = [{name: plain(getattr(each, name, None)) for name in row["has"]} for each in entries]
    if not any(matches(row["has"], each) for each in found):
        yield f"expected an entry {row['has']} in the statement, found {found}"


_STATE: Mapping[str, Callable[[World, Mapping[str, Any], datetime], Iterator[str]]] = {
    "balances": _balance_differs,
    "lots": _lots_differ,
    "coupons": _coupon_differs,
    "coupon_states": _coupon_states_differ,
    "trackers": _counter_differs("tracker"),
    "limits": _counter_differs("limit"),
    "tiers": _tier_differs,
    "liability": _liability_differs,
    "issuance": _issuance_differs,
    "statement": _statement_differs,
}
