"""The speed of a ledger in a database, with every commit on the disk: rates, a million rows, a soak.

    uv run python tests/benchmarks/recording.py [rates] [million] [soak [SECONDS]]

The default is `rates` and `million`. Prints Markdown. A sale has five lines and a member, and earns points for 30 days.
A cap and a tracker count it, except in rows of "points alone". Rates depend on the machine and its disk, so the table
has the time of a synchronised write as well. Ratios compare sales that are recorded by turns in an empty ledger and in
one of a million rows.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, literal, select
from sqlalchemy import insert as insert_into

sys.path.insert(0, str(Path(__file__).parents[1]))

from ledger.sql.servers import Server, start_server
from loyalty_rules import load_event, load_program
from loyalty_rules.ledger import SQLLedger
from loyalty_rules.program import Program

__all__ = ["million", "rates", "soak"]

MEMBERS = 500
WARM_UP = 200
SALES = 3_000
ROWS = 1_000_000
BY_TURNS = 2_000
SOAK_SECONDS = 600


# -- the shop --------------------------------------------------------------------------------------------------------


def program(*, counted: bool = True) -> Program:
    """Load a program of 10 % in points that expire after 30 days; if `counted`, with a cap and a tracker."""
    earn: dict[str, Any] = {
        "type": "issue_currency",
        "id": "earn",
        "currency": "points",
        "proration": {"type": "proportional", "percent": "10", "of": {"type": "transaction_value"}},
        "expiry": {"type": "fixed_period", "after": {"days": 30}},
    }
    tracker = {"measure": {"type": "transaction_value"}, "target": "500"}
    if counted:
        earn["caps"] = {"per_member": {"amount": "1000000"}}
    return load_program(
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": "Europe/Lisbon",
            "currencies": {"points": {}},
            "trackers": {"spent": tracker} if counted else {},
            "promotions": [{"id": "base", "actions": [earn]}],
        }
    )


def sales(prefix: str) -> Iterator[Any]:
    """Yield sales to 500 members in turn, without an end."""
    lines = [{"id": str(number), "quantity": "1", "unit_price": "10.05"} for number in range(5)]
    for number in itertools.count():
        yield load_event(
            {
                "type": "transaction",
                "id": f"{prefix}{number}",
                "occurred_at": f"2025-01-{1 + number // 2_000 % 28:02}T10:00:00+00:00",
                "amount": "50.25",
                "member": {"id": f"m{number % MEMBERS}"},
                "lines": lines,
            }
        )


def seconds_each(ledger: SQLLedger, events: Sequence[Any], *, counted: bool = True) -> list[float]:
    """Record sales, and return the seconds of each."""
    running = program(counted=counted)
    taken = []
    for each in events:
        started = time.perf_counter()
        receipt = ledger.process(running, each)
        taken.append(time.perf_counter() - started)
        assert receipt.status == "recorded"
    return taken


def quantile(taken: Sequence[float], share: float) -> float:
    return sorted(taken)[int(len(taken) * share)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# -- rates -----------------------------------------------------------------------------------------------------------


def rates(folder: Path, server: Server) -> str:
    """Measure one writer on each database, four on a server, and a write to the disk; return a Markdown table."""
    rows = [row_of("a file, 4 kB appended and synchronised, alone", synchronised_writes(folder))]
    for name, new_url in (
        ("SQLite", lambda counted: f"sqlite:///{folder / f'{counted}.db'}"),
        ("PostgreSQL", lambda _: server.new_database()),
    ):
        for counted, what in ((True, "one writer"), (False, "one writer, points alone")):
            rows.append(row_of(f"{name}, {what}", recorded_at(new_url(counted), "T", counted)))
    url = server.new_database()
    with closing(SQLLedger.open(url)):
        pass
    with multiprocessing.get_context("spawn").Pool(4) as writers:
        four = writers.starmap(recorded_at, [(url, f"T{writer}-") for writer in range(4)], 1)
    rows.append(row_of("PostgreSQL, each of four writers", [each for taken in four for each in taken]))
    return table(["", "a second", "median ms", "99 % within ms"], rows)


def row_of(name: str, taken: Sequence[float]) -> list[str]:
    milliseconds = [f"{quantile(taken, share) * 1_000:.2f}" for share in (0.5, 0.99)]
    return [name, f"{len(taken) / sum(taken):,.0f}", *milliseconds]


def recorded_at(url: str, prefix: str, counted: bool = True) -> list[float]:
    with closing(SQLLedger.open(url)) as ledger:
        events = [*itertools.islice(sales(prefix), WARM_UP + SALES)]
        return seconds_each(ledger, events, counted=counted)[WARM_UP:]


def synchronised_writes(folder: Path) -> list[float]:
    taken = []
    with (folder / "appended").open("ab", buffering=0) as file:
        for _ in range(SALES):
            started = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return taken


# -- a million rows --------------------------------------------------------------------------------------------------


def million(folder: Path, server: Server) -> str:
    """Record sales by turns in an empty ledger and in one of a million rows; return the ratios in Markdown."""
    rows = []
    for name, new_url in (
        ("SQLite", lambda which: f"sqlite:///{folder / f'{which}.db'}"),
        ("PostgreSQL", lambda _: server.new_database()),
    ):
        urls: Callable[[str], str] = new_url
        url = urls("full")
        with closing(SQLLedger.open(urls("empty"))) as empty, closing(SQLLedger.open(url)) as full:
            filled = fill(full, url)
            seconds_each(empty, [*itertools.islice(sales("warm"), WARM_UP)])
            seconds_each(full, [*itertools.islice(sales("warm"), WARM_UP)])
            small, large = by_turns(empty, full)
        ratios = [f"{quantile(large, share) / quantile(small, share):.2f} ×" for share in (0.5, 0.99)]
        rows.append([name, f"{filled:,}", f"{quantile(small, 0.99) * 1_000:.2f}", *ratios])
    return table(["", "rows", "99 % within ms, empty", "median, full against empty", "99 %, full against empty"], rows)


def by_turns(*ledgers: SQLLedger) -> list[list[float]]:
    """Record the same sales in each ledger, one by one."""
    taken: list[list[float]] = [[] for _ in ledgers]
    for event in itertools.islice(sales("turn"), BY_TURNS):
        for ledger, times in zip(ledgers, taken, strict=True):
            times += seconds_each(ledger, [event])
    return taken


def fill(ledger: SQLLedger, url: str) -> int:
    """Record some sales, and copy their rows under other ids until there are a million; return their number."""
    some = 1_000
    seconds_each(ledger, [*itertools.islice(sales("fill"), some)])
    t = ledger.tables
    tables = [t.batches, t.receipts, t.entries, t.draws, t.lots, t.counters]
    engine = create_engine(url)
    with engine.begin() as connection:
        rows = sum(count(connection, table) for table in tables)
        for copy in range(1, 2 + ROWS // rows):
            for table in tables:
                connection.execute(copied(table, copy, some))
        filled = sum(count(connection, table) for table in tables)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return filled


def count(connection: Connection, table: Any) -> int:
    number: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return number


def copied(table: Any, copy: int, some: int) -> Any:
    """Build the statement that copies the recorded rows of a table under other ids, keys and members."""
    numbers = {"id": 1, "batch": 1, "number": 1, "position": 1}
    named = {"event", "of", "account", "key", "lot", "name"}
    shift = copy * 100 * some

    def other(column: Any) -> Any:
        if column.name in numbers:
            return (column + literal(shift)).label(column.name)
        if column.name in named:
            return (literal(f"copy{copy}/") + column).label(column.name)
        return column

    key = "id" if "id" in table.c else "number" if "number" in table.c else None
    recorded = select(*(other(each) for each in table.c))
    recorded = recorded.where(table.c[key] <= 100 * some) if key else recorded.where(~table.c.name.startswith("copy"))
    return insert_into(table).from_select([each.name for each in table.c], recorded)


# -- the soak --------------------------------------------------------------------------------------------------------


def soak(folder: Path, seconds: float = SOAK_SECONDS) -> str:
    """Record without a pause; return the rate and the memory of each tenth of the time, in Markdown."""
    rows = []
    with closing(SQLLedger.open(f"sqlite:///{folder / 'soak.db'}")) as ledger:
        running, events = program(), sales("S")
        began, recorded = time.monotonic(), 0
        for tenth in range(1, 11):
            taken: list[float] = []
            while time.monotonic() - began < seconds * tenth / 10:
                event = next(events)
                started = time.perf_counter()
                ledger.process(running, event)
                taken.append(time.perf_counter() - started)
            recorded += len(taken)
            rows.append(
                [f"{seconds * tenth / 10:,.0f} s", f"{recorded:,}", f"{resident():.1f}", *row_of("", taken)[1:]]
            )
    return table(["after", "recorded", "MB held", "a second", "median ms", "99 % within ms"], rows)


def resident() -> float:
    """Return the resident megabytes of this process, or their maximum if the system has no present value."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(chosen: Sequence[str]) -> None:
    names = [each for each in chosen if not each.isdigit()] or ["rates", "million"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in names:
            if part == "soak":
                seconds = next((float(each) for each in chosen if each.isdigit()), SOAK_SECONDS)
                text = soak(folder, seconds)
            else:
                with closing(start_server()) as server:
                    text = {"rates": rates, "million": million}[part](folder, server)
            print(f"### {part}\n\n{text}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
