"""The command `check`: the parts of a valid program, its findings, and the problems of an invalid one."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.cli import main
from shop import earn, fixed, program, sale

from ..running import GROCER, Capture, Write

NO_ID: dict[str, Any] = {
    "format": "loyalty-rules/1",
    "time_zone": "Mars/Olympus",
    "currencies": {},
    "promotions": [],
}


def test_a_valid_program_is_reported_with_the_number_of_its_parts(capsys: Capture) -> None:
    assert main(["check", GROCER]) == 0

    parts = "7 promotions, 1 currency, 1 limit, 1 tracker, 1 coupon type"
    assert capsys.readouterr() == (f"{GROCER}: {parts}: valid, no findings\n", "")


def test_each_problem_has_a_line_of_its_own(capsys: Capture, write: Write) -> None:
    path = write("program.json", NO_ID)

    assert main(["check", path]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [(*line.split(": ")[:2], line.rsplit(" ", 1)[1]) for line in err.splitlines()] == [
        (path, "$.id", "[required]"),
        (path, "$.time_zone", "[unknown_time_zone]"),
    ]


@pytest.mark.parametrize(("name", "text"), [("broken.toml", "id = [\n\n= ="), ("broken.json", "{"), ("absent", None)])
def test_an_unreadable_program_has_one_problem(capsys: Capture, write: Write, name: str, text: str | None) -> None:
    path = write(name, text) if text is not None else name

    assert main(["check", path]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(f"{path}: $: ")


def test_a_problem_in_toml_has_its_line(capsys: Capture, write: Write) -> None:
    path = write("program.toml", '\ufeffformat = "loyalty-rules/1"\nid = "shop"\ntime_zone = "Mars/Olympus"\n')

    assert main(["check", path]) == 2

    assert capsys.readouterr().err.startswith(f"{path}:3: $.time_zone: ")


def test_an_event_is_not_taken_for_a_program(capsys: Capture, write: Write) -> None:
    path = write("sale.json", sale("5"))

    assert main(["check", path]) == 2

    sentence = "this looks like an event, not a program: load it with load_event"
    assert capsys.readouterr().err == f"{path}: $: {sentence} [wrong_document]\n"


FACTOR = """\
$.promotions[0].actions[0].proration.percent (p/earn): a multiplier of 2 % issues 2 for each 100 [percent_as_factor]
  why: a multiplier is a percentage: 200 issues 2 times the base
  do: write 200; if you mean 2 %, use proportional
"""


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_a_likely_mistake_is_printed_and_fails_only_a_strict_check(
    capsys: Capture, write: Write, options: list[str], status: int
) -> None:
    path = write("program.json", program(earn({"type": "multiplier", "percent": "2"})))

    assert main(["check", path, *options]) == status

    parts = "1 promotion, 1 currency, 0 limits, 0 trackers, 0 coupon types"
    assert capsys.readouterr() == (f"{path}: {parts}: valid, with 1 finding\n{path}: {FACTOR}", "")


def test_a_strict_check_of_a_program_without_findings_succeeds() -> None:
    assert main(["check", GROCER, "--strict"]) == 0


@pytest.mark.parametrize(
    ("as_of", "status"),
    [("2025-12-31", 0), ("2026-01-01", 1), ("2026-01-01T04:59:59Z", 0), ("2026-01-01T05:00:00Z", 1)],
)
def test_a_date_stands_for_its_first_instant_in_the_zone_of_the_program(
    capsys: Capture, write: Write, as_of: str, status: int
) -> None:
    ended = {"id": "p", "ends_at": "2026-01-01T00:00:00-05:00", "actions": [earn(fixed("1"))]}
    path = write("program.json", program(time_zone="America/New_York", promotions=[ended]))

    assert main(["check", path, "--strict", "--as-of", as_of]) == status

    assert ("[ended]" in capsys.readouterr().out) is bool(status)


@pytest.mark.parametrize(
    "as_of", ["soon", "2026-02-30", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_text_that_is_neither_a_date_nor_an_instant_is_refused(capsys: Capture, as_of: str) -> None:
    assert main(["check", GROCER, "--as-of", as_of]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("--as-of: ")
    assert len(err.splitlines()) == 1
