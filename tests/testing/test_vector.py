"""The command `loyalty-rules vector`: a receipt and what it earns now, as a case that pins it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.testing import check, load_vectors, make_vector
from shop import earn, fixed, program, proportional, sale

EXAMPLES = Path(__file__).parents[2] / "examples"
EVENTS = sorted(
    path
    for path in (EXAMPLES / "events").glob("*.json")
    if not path.name.endswith((".snapshot.json", ".return.json", ".update.json", ".confirmation.json"))
)
Capture = pytest.CaptureFixture[str]


def program_of(event: Path) -> Path:
    """The program whose name the event's begins with."""
    return next(path for path in (EXAMPLES / "programs").glob("*.toml") if event.name.startswith(path.stem))


@pytest.mark.parametrize("event", EVENTS, ids=lambda path: path.stem)
def test_what_it_prints_passes_as_a_case(capsys: Capture, tmp_path: Path, event: Path) -> None:
    snapshot = event.with_name(f"{event.stem}.snapshot.json")
    known = ["--snapshot", str(snapshot)] if snapshot.exists() else []

    assert main(["vector", str(program_of(event)), str(event), *known]) == 0

    file = tmp_path / "case.json"
    file.write_text(capsys.readouterr().out)
    [vector] = load_vectors(file)
    assert check(vector) == []
    assert vector.expect["intents"] or vector.expect["skipped"]
    assert vector.event == json.loads(event.read_text(), parse_float=str)


def test_it_expects_everything_that_follows() -> None:
    document, event = program(earn(proportional("10")), earn(fixed("0"), "nothing")), sale("120.50")

    vector = make_vector("ten percent", document, event)

    evaluation = lr.dump(lr.load_program(document).evaluate(lr.load_event(event)))
    assert vector["expect"]["intents"] == evaluation["intents"]
    assert vector["expect"]["skipped"] == [{"promotion": "p", "action": "nothing", "reason": "zero_amount"}]
    assert list(vector) == ["name", "program", "event", "expect"]


def test_a_program_that_earns_something_else_no_longer_passes(tmp_path: Path) -> None:
    before, after = program(earn(proportional("10"))), program(earn(proportional("11")))
    file = tmp_path / "case.json"
    file.write_text(json.dumps([make_vector("ten percent", before, sale("50"))]))

    [vector] = load_vectors(file)

    assert check(vector) == []
    [amount, *_] = check(replace(vector, program=after))
    assert amount == 'intents[0] (issue_currency acme/T-1/p/earn): expected amount "5", found "5.5"'


def test_numbers_and_dates_that_json_does_not_have_become_texts() -> None:
    expiry = {"type": "fixed_date", "on": date(2025, 12, 31)}
    document = program(earn(proportional(Decimal("2.50")), expiry=expiry))

    vector = json.loads(json.dumps(make_vector("from TOML", document, sale(Decimal("10.5")))))

    [action] = vector["program"]["promotions"][0]["actions"]
    assert (action["proration"]["percent"], action["expiry"]["on"]) == ("2.5", "2025-12-31")
    assert vector["event"]["amount"] == "10.5"
    assert vector["expect"]["intents"][0]["amount"] == "0.2625"


@pytest.mark.parametrize(("options", "name"), [([], "acme: T-1"), (["--name", "a gift"], "a gift")])
def test_a_case_is_named(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], name: str
) -> None:
    path = tmp_path / "program.json"
    path.write_text(json.dumps(program(earn(fixed("5")))))
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(sale())))

    assert main(["vector", str(path), "-", *options]) == 0

    assert json.loads(capsys.readouterr().out)[0]["name"] == name


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], str]:
    """Write a JSON document to a file and give its name."""

    def write(name: str, document: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return str(path)

    return write


def test_the_problems_of_all_documents_are_told_by_their_files(
    capsys: Capture, write: Callable[[str, Any], str]
) -> None:
    name = write("program.json", {**program(), "time_zone": "Mars"})
    event = write("event.json", {**sale(), "amount": "ten"})

    assert main(["vector", name, event, "--snapshot", "absent.json"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        [name, "$.time_zone"],
        [event, "$.amount"],
        ["absent.json", "$"],
    ]


def test_a_return_is_no_case_of_it(capsys: Capture, write: Callable[[str, Any], str]) -> None:
    back = {"type": "return", "id": "R", "occurred_at": "2025-01-15T10:00:00Z", "of": "T-1", "amount": "1"}

    assert main(["vector", write("program.json", program()), write("event.json", back)]) == 2

    assert "for a return call `process` of a ledger" in capsys.readouterr().err


def test_standard_input_is_one_document(capsys: Capture) -> None:
    assert main(["vector", "program.json", "-", "--snapshot", "-"]) == 2

    assert capsys.readouterr().err == "standard input can't be both the event and the snapshot\n"
