"""The command `prove`: the smallest receipts that break a law, and the laws without a counterexample."""

from __future__ import annotations

import json
import sys

import pytest

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.testing.laws import LAWS
from shop import earn, fixed, points, program, proportional, sale

from ..running import EXAMPLES, Capture, Write

DOWN = program(earn(proportional("10"), rounding={"currency": "down"}))
NEAREST = program(earn(proportional("10"), rounding={"currency": "nearest"}))


def test_each_law_without_a_counterexample_has_a_line(capsys: Capture, write: Write) -> None:
    assert main(["prove", write("program.json", DOWN), "--examples", "30"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == list(LAWS)
    assert {line.split(": ")[1] for line in lines} == {
        "no counterexample found",
        "skipped, no expectation given",
    }


@pytest.mark.slow
def test_a_broken_law_is_shown_with_receipts_that_break_it(capsys: Capture, write: Write) -> None:
    assert main(["prove", write("program.json", NEAREST), "--law", "splitting"]) == 1

    out, err = capsys.readouterr()
    assert out.startswith(
        "splitting: two receipts of 5 earn 1 point more than one of 10\n\non two receipts:\n\nT1  sale  "
    )
    assert err == ""
    parts = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert sum(points(NEAREST, part) for part in parts) > points(NEAREST, sale("10"))


@pytest.mark.slow
def test_the_other_laws_are_checked_after_a_broken_one(capsys: Capture, write: Write) -> None:
    assert main(["prove", write("program.json", NEAREST), "--law", "splitting", "--law", "caps"]) == 1

    assert capsys.readouterr().out.splitlines()[-1] == "caps: no counterexample found"


@pytest.mark.slow
def test_expectations_are_read_from_a_file(capsys: Capture, write: Write) -> None:
    expectations = write("expectations.toml", 'apart_from = ["p/earn"]\nbudgets = { points = "5" }\n')
    arguments = ["prove", write("program.json", NEAREST), "--expect", expectations]

    assert main([*arguments, "--law", "splitting"]) == 0
    assert main([*arguments, "--law", "budgets"]) == 1

    assert "but the budget of points allows 5" in capsys.readouterr().out


@pytest.mark.slow
def test_a_search_can_be_limited_in_seconds(capsys: Capture, write: Write) -> None:
    assert main(["prove", write("program.json", NEAREST), "--law", "splitting", "--seconds", "5"]) == 1
    assert main(["prove", write("program.json", DOWN), "--law", "splitting", "--seconds", "0.2"]) == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--law", "mor"], "laws: expected one of splitting, more, "),
        (["--examples", "0"], "examples: expected 1 or more, found 0"),
        (["--seconds", "0"], "seconds: expected more than 0 and at most 86,400, found 0"),
        (["--seconds", "nan"], "seconds: expected more than 0 and at most 86,400, found nan"),
        (["--expect", "absent.toml"], "absent.toml: $: "),
    ],
)
def test_an_unusable_option_is_refused(capsys: Capture, write: Write, arguments: list[str], complaint: str) -> None:
    assert main(["prove", write("program.json", DOWN), *arguments]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(complaint)
    assert len(err.splitlines()) == 1


def test_an_unusable_expectation_is_refused(capsys: Capture, write: Write) -> None:
    expectations = write("expectations.json", {"together": [["p", "q"]]})

    assert main(["prove", write("program.json", DOWN), "--expect", expectations]) == 2
    assert main(["prove", write("program.json", DOWN), "--expect", write("expectations.json", {"togther": []})]) == 2

    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("together: expected a name of the program, found 'q'")
    assert second.startswith(f"{expectations}: expected one of apart_from, ")


def test_the_problems_of_an_invalid_program_are_reported(capsys: Capture, write: Write) -> None:
    assert main(["prove", write("program.json", {**DOWN, "time_zone": "Mars"})]) == 2

    assert "[unknown_time_zone]" in capsys.readouterr().err


def test_without_the_extra_the_message_names_it(capsys: Capture, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "loyalty_rules.testing.laws", None)

    assert main(["prove", write("program.json", DOWN)]) == 2

    assert capsys.readouterr().err == "prove needs the extra testing: pip install 'loyalty-rules[testing]'\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grocer", "hotel"])
def test_the_examples_keep_the_laws_on_baskets_and_returns(name: str) -> None:
    from loyalty_rules.testing.laws import assert_laws

    folder = EXAMPLES / "programs"
    laws = ["splitting", "more", "returning", "reachable"]
    assert_laws(lr.load_program(folder / f"{name}.toml"), laws=laws, examples=60)


def test_a_bonus_for_each_visit_is_not_a_gain_by_splitting(write: Write) -> None:
    assert main(["prove", write("program.json", program(earn(fixed("5")))), "--law", "splitting"]) == 0


def test_a_search_that_is_too_short_reports_no_unreachable_action(capsys: Capture, write: Write) -> None:
    """Each of them issues points, on one receipt of many."""
    rare = [
        {"id": f"p{number}", "when": {"field": "amount", "is": str(number)}, "actions": [earn(fixed("1"))]}
        for number in range(1, 30)
    ]
    name = write("program.json", program(promotions=rare))

    assert main(["prove", name, "--law", "reachable", "--seconds", "0.05"]) == 0
    assert capsys.readouterr().out == "reachable: no counterexample found\n"
