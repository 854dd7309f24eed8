"""One sale under programs of every size: in this library, in hand-written code, and in other engines if installed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hand_written
import workload
from measure import Turn, interleaved, shown, table

import loyalty_rules as lr

try:
    import peers
except ImportError:  # they are a dependency group of their own
    peers = None  # type: ignore[assignment]

__all__ = ["contestants", "report"]

OURS, STRAIGHT, INDEXED = "loyalty-rules", "hand-written, straight line", "hand-written, indexed"
FASTEST = "zen-engine, array of expressions"
WITH_INTENTS = "zen-engine, array, and the intents of its points by hand"
SIZES = (1, 10, 100, 1_000, 10_000, workload.ALL_MATCH)


def contestants(size: int, sales: Sequence[lr.Transaction], *, with_peers: bool = True) -> dict[str, Turn]:
    """Build the contestants for a program of a size; each is checked against this library on every sale."""
    rules = workload.rules_of(size)
    program = workload.program_of(rules)
    by_hand = {STRAIGHT: hand_written.straight_line(rules), INDEXED: hand_written.indexed(rules)}
    turns: dict[str, Turn] = {OURS: lambda piece: program.evaluate(sales[piece])}
    for name, evaluate in by_hand.items():
        for sale in sales:
            assert tuple(evaluate(sale)) == program.evaluate(sale).intents, (name, sale.id)
        turns[name] = functools.partial(_evaluate, evaluate, sales)
    if with_peers and peers is not None:
        turns.update(_peers(rules, program, sales))
    return turns


def _evaluate(evaluate: Callable[[lr.Transaction], Any], sales: Sequence[lr.Transaction], piece: int) -> object:
    return evaluate(sales[piece])


def _peers(
    rules: Sequence[workload.Rule], program: lr.Program, sales: Sequence[lr.Transaction]
) -> Iterator[tuple[str, Turn]]:
    seen = [peers.seen_by_peers(sale) for sale in sales]
    for name, make in peers.PEERS.items():
        awards = peers.awards_of(rules, make(rules))
        for sale, given in zip(sales[:10], seen[:10], strict=True):
            found = [(each.promotion, int(each.amount), each.expires_on) for each in program.evaluate(sale).intents]
            assert awards(sale, given) == found, (name, sale.id)
        yield name, functools.partial(_award, awards, sales, seen)
    decide, make = peers.PEERS[FASTEST](rules), hand_written.made_of(rules)
    for sale, given in zip(sales, seen, strict=True):
        assert tuple(make(sale, decide(sale, given))) == program.evaluate(sale).intents, (WITH_INTENTS, sale.id)
    yield WITH_INTENTS, lambda piece: make(sales[piece], decide(sales[piece], seen[piece]))


def _award(awards: Any, sales: Sequence[lr.Transaction], seen: Sequence[Any], piece: int) -> object:
    return awards(sales[piece], seen[piece])


def report() -> str:
    """Measure all contestants; return microseconds a sale, ratios and the errors of floats in Markdown."""
    measured, matched = {}, {}
    for size in SIZES:
        sales = workload.sales_of(size)
        measured[size] = interleaved(contestants(size, sales), len(sales))
        program = workload.program_of(workload.rules_of(size))
        matched[size] = sum(len(program.evaluate(sale).intents) for sale in sales) / len(sales)
    names = list(measured[1])
    head = ["µs a sale", *(_name(size) for size in SIZES)]
    rows = [["promotions that match", *(f"{matched[size]:.1f}" for size in SIZES)]]
    rows += [[name, *(_cell(measured[size].get(name)) for size in SIZES)] for name in names]
    parts = [table(head, rows), table(["ratio", *head[1:]], list(_ratios(measured)))]
    if peers is not None:
        wrong = [[name, *answers] for name, answers in peers.inexact().items()]
        parts.append(table(["", "0.7 + 0.1 >= 0.8", "1 % of 123456789012345.67"], wrong))
    return "\n\n".join(parts)


def _ratios(measured: dict[int, dict[str, float]]) -> Iterator[list[str]]:
    rivals = [STRAIGHT, INDEXED, "fastest peer", WITH_INTENTS]
    for rival in rivals:
        cells = []
        for size in SIZES:
            times = measured[size]
            others = [time for name, time in times.items() if name not in (OURS, STRAIGHT, INDEXED, WITH_INTENTS)]
            against = times.get(rival) or (min(others) if others and rival == "fastest peer" else None)
            cells.append(f"{times[OURS] / against:.2f}" if against else "–")
        named = "zen's array with the intents by hand" if rival == WITH_INTENTS else rival
        yield [f"{OURS} against {named}", *cells]
    growth = {name: measured[10_000][name] / measured[10][name] for name in (OURS, INDEXED)}
    for name, factor in growth.items():
        yield [f"{name}: 10,000 promotions against 10", *["–"] * (len(SIZES) - 2), f"{factor:.2f}", "–"]


def _name(size: int) -> str:
    return "10 that all match" if size == workload.ALL_MATCH else f"{size:,}"


def _cell(value: float | None) -> str:
    return shown(value) if value is not None else "–"
