"""The command `run`: receipts in, intents and tables out, without a ledger, in memory and in a database."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main
from loyalty_rules.cli.commands import run
from loyalty_rules.ledger import SQLLedger

from .. import recorded
from ..documents import coupon, fixed, lines, program, sale
from ..recorded import files, url_in
from ..running import GROCER, RECEIPTS, Capture, Document, RunReceipts, Write

SERIAL_COUPON: Document = {
    "id": "thanks",
    "actions": [{"type": "issue_coupon", "id": "coupon", "coupon_type": "thanks"}],
}
WITH_SERIALS: Document = {
    **recorded.PROGRAM,
    "coupon_types": {"thanks": {"benefit": {"type": "amount_off", "amount": "5"}}},
    "promotions": [SERIAL_COUPON],
}
EVENTS = [
    recorded.sale(1, "2025-01-01T10:00:00", "100"),
    recorded.sale(2, "2025-01-02T10:00:00", "90"),
    recorded.back(1, "2025-01-20T10:00:00", 1, "40"),
]


# -- output ----------------------------------------------------------------------------------------------------------


def test_intents_are_compact_lines_in_the_form_of_the_documents(write: Write, capsys: Capture) -> None:
    names = [write("program.json", program(fixed("5"))), write("sales.jsonl", lines(sale(1, "01-01", "1")))]

    assert main(["run", *names, "--quiet"]) == 0

    assert capsys.readouterr() == (
        '{"type":"issue_currency","key":"shop/T1/earn/points","promotion":"earn","action":"points","event":"T1",'
        '"member":"M1","group":null,"currency":"points","amount":"5","state":"issued","issue_on":"2025-01-01",'
        '"due_at":null,"release":null,"expires_on":null,"expires_at":null,"shares":[],"claims":[],"expires_by":null,"depends_on":[]}\n',
        "",
    )


def test_the_output_file_has_the_same_bytes_as_standard_output(
    write: Write, run_receipts: RunReceipts, tmp_path: Path, capsys: Capture
) -> None:
    sales = write("some.jsonl", lines(sale(1, "01-01", "1"), sale(2, "01-02", "2", "Zoë")))
    output = tmp_path / "intents.jsonl"

    assert main(["run", write("program.json", program()), sales]) == 0
    printed = capsys.readouterr().out
    assert run_receipts(program(), sales, options=("--output", str(output))).intents == []

    assert output.read_text(encoding="ascii") == printed
    assert json.loads(printed.splitlines()[1])["member"] == "Zoë"


def test_a_run_without_receipts_succeeds(write: Write, run_receipts: RunReceipts) -> None:
    outcome = run_receipts(program(), write("empty.jsonl", ""), write("blank.jsonl", "\n  \r\n"))

    assert (outcome.status, outcome.intents) == (0, [])
    assert outcome.row("evaluated") == ["0"]


def test_a_quiet_run_still_prints_complaints(write: Write, run_receipts: RunReceipts) -> None:
    outcome = run_receipts(program(), write("bad.jsonl", "{\n"), sale(1, "01-01", "1"), options=("--quiet",))

    assert outcome.status == 1
    assert outcome.events == ["T1"]
    assert len(outcome.err) == 1


@pytest.mark.slow
def test_two_runs_write_the_same_bytes() -> None:
    command = [sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS, "--quiet"]
    runs = [
        subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]

    assert runs[0].stdout == runs[1].stdout


# -- errors ----------------------------------------------------------------------------------------------------------


def test_with_an_invalid_program_no_receipt_is_read(run_receipts: RunReceipts) -> None:
    outcome = run_receipts('{"format": "loyalty-rules/1"}', "absent.jsonl", options=("--key-file", "no-key"))

    assert (outcome.status, outcome.intents) == (2, [])
    assert len(outcome.err) == 5
    assert outcome.err[-1].startswith("no-key: can't be read: ")


def test_an_output_that_cannot_be_opened_ends_the_run(run_receipts: RunReceipts, tmp_path: Path) -> None:
    outcome = run_receipts(program(), sale(1, "01-01", "1"), options=("--output", str(tmp_path / "absent" / "out")))

    assert outcome.status == 2
    assert len(outcome.err) == 1
    assert outcome.err[0].startswith("loyalty-rules: ")


def test_coupons_with_serials_need_a_key(write: Write, run_receipts: RunReceipts) -> None:
    serials = program(coupon(), coupon_types={"thanks": {}})

    without = run_receipts(serials, sale(1, "01-01", "1"))
    outcome = run_receipts(serials, sale(1, "01-01", "1"), options=("--key-file", write("key", b"\x00\xff" * 16)))

    assert without.status == 2
    assert "--key-file" in without.err[0]
    assert outcome.status == 0
    assert len(outcome.intents[0]["serial"]) == 20


# -- a ledger in a database ------------------------------------------------------------------------------------------


def untimed(tables: str) -> list[str]:
    """Return the lines of the tables without the rate of events."""
    return [line for line in tables.splitlines() if not line.startswith("a second")]


def test_a_run_into_a_database_has_the_output_of_one_in_memory(tmp_path: Path, capsys: Capture) -> None:
    names = files(tmp_path, EVENTS)

    assert main(["run", *names]) == 0
    in_memory = capsys.readouterr()
    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 0
    in_database = capsys.readouterr()

    assert in_database.out == in_memory.out
    assert len(in_database.out.splitlines()) > len(EVENTS)
    assert untimed(in_database.err) == untimed(in_memory.err)


def test_a_second_run_records_nothing_and_prints_the_same_intents(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["run", *files(tmp_path, EVENTS), "--ledger", url_in(tmp_path)]
    assert main(arguments) == 0
    first = capsys.readouterr()
    ledger = SQLLedger.open(url_in(tmp_path))
    ends = ledger.ends()

    assert main(arguments) == 0

    again = capsys.readouterr()
    rows = [line.split() for line in again.err.splitlines()]
    assert sorted(again.out.splitlines()) == sorted(first.out.splitlines())
    assert ["seen", "before", "3"] in rows
    assert ["evaluated", "0"] in rows
    assert not any(row[:1] == ["recorded:"] and row[-1] != "0" for row in rows)
    assert ledger.ends() == ends
    assert ledger.check_invariants() == []
    ledger.close()


PROMISES = {
    **recorded.PROGRAM,
    "promotions": [
        {
            "id": "later",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "earn",
                    "currency": "points",
                    "expiry": {"type": "fixed_period", "after": {"days": 5}},
                    "timing": {"type": "delayed", "days": 2},
                    "proration": {"type": "fixed", "amount": "7"},
                }
            ],
        }
    ],
}
DAYS = [recorded.sale(number, f"2025-01-{number:02}T10:00:00", "10") for number in range(1, 20, 4)]


class Died(Exception):
    """The end of a run in its middle."""


@pytest.mark.parametrize("written", range(8))
def test_no_intent_of_a_run_that_died_is_lost(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """The first run dies after it has recorded an event and before it writes it, at each place."""
    names = files(tmp_path, DAYS, PROMISES)
    assert main(["run", *names, "--quiet"]) == 0
    whole = capsys.readouterr().out.splitlines()
    lines_so_far = 0
    write = run.write_intents

    def dying(output: Any, intents: Any) -> None:
        nonlocal lines_so_far
        lines_so_far += 1
        if lines_so_far > written:
            raise Died
        write(output, intents)

    arguments = ["run", *names, "--ledger", url_in(tmp_path), "--quiet"]
    with monkeypatch.context() as patch, contextlib.suppress(Died):
        patch.setattr(run, "write_intents", dying)
        main(arguments)
    printed = capsys.readouterr().out.splitlines()
    assert main(arguments) == 0
    again = capsys.readouterr().out.splitlines()
    assert {*printed, *again} == {*whole}
    assert len(again) == len(whole)  # each once in the second run


def test_a_later_run_returns_the_sales_of_an_earlier_one(tmp_path: Path, capsys: Capture) -> None:
    main(["run", *files(tmp_path, EVENTS[:2]), "--ledger", url_in(tmp_path)])
    capsys.readouterr()

    assert main(["run", *files(tmp_path, EVENTS[2:]), "--ledger", url_in(tmp_path), "--quiet"]) == 0

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["type"] for each in printed].count("reverse_currency") == 1
    assert [each["type"] for each in printed].count("void_coupon") == 1


def test_an_amount_too_large_for_a_database_is_reported_and_the_run_continues(tmp_path: Path, capsys: Capture) -> None:
    names = files(
        tmp_path,
        [recorded.sale(1, "2025-01-01T10:00:00", "99999999999999"), recorded.sale(2, "2025-01-02T10:00:00", "90")],
    )

    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 1
    printed = capsys.readouterr()

    assert "event 'T1' can't be evaluated: an amount of shop/T1/" in printed.err
    assert [json.loads(line)["event"] for line in printed.out.splitlines() if '"issue_currency"' in line] == ["T2"]


def test_no_serial_is_stored_in_plain_text(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "key").write_bytes(b"\x00\xff" * 16)
    arguments = ["run", *files(tmp_path, EVENTS[:1], WITH_SERIALS), "--ledger", url_in(tmp_path), "--quiet"]

    assert main([*arguments, "--key-file", str(tmp_path / "key")]) == 0

    serial = json.loads(capsys.readouterr().out.splitlines()[0])["serial"]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("shop.db*"))
    assert len(serial) == 20
    assert serial.encode() not in stored


def test_a_run_into_a_database_needs_the_key_too(tmp_path: Path, capsys: Capture) -> None:
    names = files(tmp_path, EVENTS[:1], WITH_SERIALS)

    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 2

    assert "give --key-file FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ledger", "message"),
    [
        ("disk", "neither memory nor none, and expected the URL of a database, sqlite:///shop.db"),
        ("mysql://root:secret@localhost/shop", "found 'mysql://...'"),
        ("sqlite://", "expected the URL of a database in a file"),
        ("sqlite:///:memory:", "expected the URL of a database in a file"),
    ],
)
def test_a_text_that_is_not_the_url_of_a_ledger_is_refused(
    tmp_path: Path, capsys: Capture, ledger: str, message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *files(tmp_path, EVENTS), "--ledger", ledger])

    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in " ".join(printed.split())
    assert "secret" not in printed
