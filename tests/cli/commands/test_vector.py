"""The command `vector`: a receipt and its present intents, as a test case."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from loyalty_rules.cli import main
from loyalty_rules.testing import check, load_vectors
from shop import earn, fixed, program, sale

from ..running import EXAMPLES, Capture, Write

EVENTS = sorted(
    path
    for path in (EXAMPLES / "events").glob("*.json")
    if not path.name.endswith((".snapshot.json", ".return.json", ".update.json", ".confirmation.json"))
)


def program_of(event: Path) -> Path:
    """Return the program whose name is the beginning of the event's."""
    return next(path for path in (EXAMPLES / "programs").glob("*.toml") if event.name.startswith(path.stem))


@pytest.mark.parametrize("event", EVENTS, ids=lambda path: path.stem)
def test_the_printed_case_passes(capsys: Capture, tmp_path: Path, event: Path) -> None:
    snapshot = event.with_name(f"{event.stem}.snapshot.json")
    known = ["--snapshot", str(snapshot)] if snapshot.exists() else []

    assert main(["vector", str(program_of(event)), str(event), *known]) == 0

    file = tmp_path / "case.json"
    file.write_text(capsys.readouterr().out)
    [vector] = load_vectors(file)
    assert check(vector) == []
    assert vector.expect["intents"] or vector.expect["skipped"]
    assert vector.event == json.loads(event.read_text(), parse_float=str)


@pytest.mark.parametrize(("options", "name"), [([], "acme: T-1"), (["--name", "a gift"], "a gift")])
def test_a_case_has_the_ids_or_the_given_text_as_its_name(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], name: str
) -> None:
    path = tmp_path / "program.json"
    path.write_text(json.dumps(program(earn(fixed("5")))))
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(sale())))

    assert main(["vector", str(path), "-", *options]) == 0

    assert json.loads(capsys.readouterr().out)[0]["name"] == name


def test_the_problems_of_all_documents_are_reported_with_their_files(capsys: Capture, write: Write) -> None:
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


def test_a_return_is_refused_with_the_method_that_takes_it(capsys: Capture, write: Write) -> None:
    back = {"type": "return", "id": "R", "occurred_at": "2025-01-15T10:00:00Z", "of": "T-1", "amount": "1"}

    assert main(["vector", write("program.json", program()), write("event.json", back)]) == 2

    assert "for a return call `process` of a ledger" in capsys.readouterr().err


def test_two_documents_cannot_be_read_from_standard_input(capsys: Capture) -> None:
    assert main(["vector", "program.json", "-", "--snapshot", "-"]) == 2

    assert capsys.readouterr().err == "standard input can't be both the event and the snapshot\n"
