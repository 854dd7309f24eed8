"""The command `evaluate`: the intents of one event, or the reasons for them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

import loyalty_rules as lr
from loyalty_rules.cli import main

from ..running import EXAMPLES, GROCER, Capture, Write, run_command
from .test_check import NO_ID

COFFEE = str(EXAMPLES / "programs" / "coffee-coupons.toml")
MILESTONE = str(EXAMPLES / "events" / "grocer-milestone.json")
MILESTONE_SNAPSHOT = str(EXAMPLES / "events" / "grocer-milestone.snapshot.json")
RETURN = str(EXAMPLES / "events" / "grocer-big-sunday.return.json")
COUPONS = str(EXAMPLES / "events" / "coffee-coupons-office-round.json")


def test_the_evaluation_is_printed_as_a_document(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE, "--snapshot", MILESTONE_SNAPSHOT]) == 0

    out, err = capsys.readouterr()
    evaluation = lr.load_program(Path(GROCER)).evaluate(
        lr.load_event(Path(MILESTONE)), lr.load_snapshot(Path(MILESTONE_SNAPSHOT))
    )
    assert (out, err) == (json.dumps(lr.dump(evaluation), indent=2) + "\n", "")
    assert [each["amount"] for each in json.loads(out)["intents"] if each["type"] == "issue_currency"] == [
        "6",
        "2",
        "3",
        "150",
    ]


def test_without_a_snapshot_no_tracker_is_crossed(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE]) == 0

    issues = [each for each in json.loads(capsys.readouterr().out)["intents"] if each["type"] == "issue_currency"]
    assert "monthly-milestone" not in [each["promotion"] for each in issues]


def test_the_explanation_is_printed_in_place_of_the_document(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE, "--snapshot", MILESTONE_SNAPSHOT, "--explain"]) == 0

    event, snapshot = lr.load_event(Path(MILESTONE)), lr.load_snapshot(Path(MILESTONE_SNAPSHOT))
    explanation = lr.load_program(Path(GROCER)).evaluate(event, snapshot).explain()
    assert capsys.readouterr() == (f"{explanation}\n", "")


@pytest.mark.parametrize("buffered", [True, False])
def test_the_event_is_read_from_standard_input(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, buffered: bool
) -> None:
    text = Path(MILESTONE).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)) if buffered else io.StringIO(text.decode()))

    assert main(["evaluate", GROCER, "-"]) == 0

    assert json.loads(capsys.readouterr().out)["event"] == "34204540022"


def test_the_snapshot_is_read_from_standard_input() -> None:
    stdin = Path(MILESTONE_SNAPSHOT).read_bytes()

    done = run_command("evaluate", GROCER, MILESTONE, "--snapshot", "-", stdin=stdin)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"monthly-milestone" in done.stdout


def test_two_documents_cannot_be_read_from_standard_input(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, "-", "--snapshot", "-"]) == 2

    assert capsys.readouterr() == ("", "standard input can't be both the event and the snapshot\n")


def test_the_problems_of_all_documents_are_reported_together(capsys: Capture, write: Write) -> None:
    name = write("program.json", NO_ID)
    event = write("event.json", {"type": "transaction", "id": "T", "occurred_at": "noon"})
    snapshot = write("snapshot.json", {"trackers": []})
    key = write("key", "short")

    assert main(["evaluate", name, event, "--snapshot", snapshot, "--key-file", key]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[:2] for line in err.splitlines()[:-1]] == [
        [name, "$.id"],
        [name, "$.time_zone"],
        [event, "$.occurred_at"],
        [event, "$.amount"],
        [snapshot, "$.trackers"],
    ]
    assert err.splitlines()[-1] == f"{key}: a master key has at least 32 bytes; this one has 5"


def test_a_return_is_refused_with_the_method_that_takes_it(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, RETURN]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "for a return call `process` of a ledger" in err


def test_the_missing_key_of_a_coupon_is_reported_with_its_option(capsys: Capture) -> None:
    assert main(["evaluate", COFFEE, COUPONS]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "'next-visit-15'" in err
    assert "--key-file FILE, a file of at least 32 random bytes" in err


@pytest.mark.parametrize("explain", [[], ["--explain"]])
def test_serials_are_derived_from_the_key(capsys: Capture, write: Write, explain: list[str]) -> None:
    key = "k" * 32

    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("key", key), *explain]) == 0
    first = capsys.readouterr().out
    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("key", key), *explain]) == 0
    again = capsys.readouterr().out
    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("other", "K" * 32), *explain]) == 0
    other = capsys.readouterr().out

    assert first == again
    assert first != other or explain
    assert key not in first


def test_a_document_is_printed_in_ascii(write: Write) -> None:
    event = json.loads(Path(MILESTONE).read_text())

    as_json = run_command("evaluate", GROCER, write("event.json", {**event, "id": "→"}))

    assert as_json.stdout.isascii()
