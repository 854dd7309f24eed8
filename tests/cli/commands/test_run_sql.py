"""`run --ledger URL`: what a run records stays in a database, and is recorded once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main
from loyalty_rules.ledger import SQLLedger

from ..test_recording import PROGRAM, back, sale

Capture = pytest.CaptureFixture[str]
HIDE = "import sys; sys.modules['sqlalchemy'] = None; from loyalty_rules.cli import main; sys.exit(main(sys.argv[1:]))"
SERIAL_COUPON = {
    "id": "thanks",
    "actions": [{"type": "issue_coupon", "id": "coupon", "coupon_type": "thanks"}],
}
WITH_SERIALS = {
    **PROGRAM,
    "coupon_types": {"thanks": {"benefit": {"type": "amount_off", "amount": "5"}}},
    "promotions": [SERIAL_COUPON],
}
EVENTS = [
    sale(1, "2025-01-01T10:00:00", "100"),
    sale(2, "2025-01-02T10:00:00", "90"),
    back(1, "2025-01-20T10:00:00", 1, "40"),
]


def files(tmp_path: Path, events: list[dict[str, Any]], program: dict[str, Any] = PROGRAM) -> list[str]:
    (tmp_path / "program.json").write_text(json.dumps(program))
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return [str(tmp_path / "program.json"), str(tmp_path / "events.jsonl")]


def url_in(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


def untimed(tables: str) -> list[str]:
    return [line for line in tables.splitlines() if not line.startswith("a second")]


def test_a_run_into_a_database_decides_what_one_in_memory_decides(tmp_path: Path, capsys: Capture) -> None:
    names = files(tmp_path, EVENTS)

    assert main(["run", *names]) == 0
    in_memory = capsys.readouterr()
    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 0
    in_database = capsys.readouterr()

    assert in_database.out == in_memory.out
    assert len(in_database.out.splitlines()) > len(EVENTS)
    assert untimed(in_database.err) == untimed(in_memory.err)


def test_a_second_run_records_nothing(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["run", *files(tmp_path, EVENTS), "--ledger", url_in(tmp_path)]
    assert main(arguments) == 0
    capsys.readouterr()
    ledger = SQLLedger.open(url_in(tmp_path))
    ends = ledger.ends()

    assert main(arguments) == 0

    again = capsys.readouterr()
    rows = [line.split() for line in again.err.splitlines()]
    assert again.out == ""
    assert ["seen", "before", "3"] in rows
    assert ["evaluated", "0"] in rows
    assert not any(row[:1] == ["recorded:"] and row[-1] != "0" for row in rows)
    assert ledger.ends() == ends
    assert ledger.check_invariants() == []
    ledger.close()


def test_a_later_run_knows_what_an_earlier_one_recorded(tmp_path: Path, capsys: Capture) -> None:
    main(["run", *files(tmp_path, EVENTS[:2]), "--ledger", url_in(tmp_path)])
    capsys.readouterr()

    assert main(["run", *files(tmp_path, EVENTS[2:]), "--ledger", url_in(tmp_path), "--quiet"]) == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["type"] for each in told].count("reverse_currency") == 1
    assert [each["type"] for each in told].count("void_coupon") == 1


def test_an_amount_that_no_database_holds_is_told_and_the_run_goes_on(tmp_path: Path, capsys: Capture) -> None:
    names = files(tmp_path, [sale(1, "2025-01-01T10:00:00", "99999999999999"), sale(2, "2025-01-02T10:00:00", "90")])

    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 1
    told = capsys.readouterr()

    assert "event 'T1' can't be evaluated: an amount of shop/T1/" in told.err
    assert [json.loads(line)["event"] for line in told.out.splitlines() if '"issue_currency"' in line] == ["T2"]


def test_serials_are_kept_by_their_key_and_never_as_they_are(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "key").write_bytes(b"\x00\xff" * 16)
    arguments = ["run", *files(tmp_path, EVENTS[:1], WITH_SERIALS), "--ledger", url_in(tmp_path), "--quiet"]

    assert main([*arguments, "--key-file", str(tmp_path / "key")]) == 0

    serial = json.loads(capsys.readouterr().out.splitlines()[0])["serial"]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("shop.db*"))
    assert len(serial) == 20
    assert serial.encode() not in kept


def test_without_a_key_a_serial_is_asked_for_as_ever(tmp_path: Path, capsys: Capture) -> None:
    names = files(tmp_path, EVENTS[:1], WITH_SERIALS)

    assert main(["run", *names, "--ledger", url_in(tmp_path)]) == 2

    assert "give --key-file FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ("disk", "neither memory nor none, and expected the URL of a database, sqlite:///shop.db"),
        ("mysql://root:secret@localhost/shop", "found 'mysql://...'"),
        ("sqlite://", "expected the URL of a database in a file"),
        ("sqlite:///:memory:", "expected the URL of a database in a file"),
    ],
)
def test_what_is_no_ledger_is_refused(tmp_path: Path, capsys: Capture, ledger: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *files(tmp_path, EVENTS), "--ledger", ledger])

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in " ".join(told.split())
    assert "secret" not in told


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ("sqlite:////absent/folder/shop.db", "the database sqlite://... can't be used: unable to open database file"),
        ("postgresql+psycopg://me:secret@localhost:1/shop", "the database postgresql+psycopg://... can't be used: "),
        ("postgresql+nodriver://me:secret@localhost/shop", "the database postgresql+nodriver://... can't be used: "),
        ("postgresql+psycopg://me:secret@localhost:port/shop", "postgresql+psycopg://... is not the URL of a database"),
    ],
)
def test_a_database_that_can_not_be_used_ends_with_a_sentence(
    tmp_path: Path, capsys: Capture, ledger: str, said: str
) -> None:
    assert main(["run", *files(tmp_path, EVENTS), "--ledger", ledger]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith(f"loyalty-rules: {said}")
    assert "secret" not in told.err


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "shop.db").write_text("not a database, " * 100)

    assert main(["run", *files(tmp_path, EVENTS), "--ledger", url_in(tmp_path)]) == 2

    assert "file is not a database" in capsys.readouterr().err
    assert (tmp_path / "shop.db").read_text() == "not a database, " * 100


@pytest.mark.parametrize(("url", "extra"), [("sqlite:///shop.db", "sql"), ("postgresql+psycopg://h/shop", "postgres")])
def test_without_sqlalchemy_it_says_what_to_install(tmp_path: Path, url: str, extra: str) -> None:
    names = files(tmp_path, EVENTS)

    into_memory = subprocess.run([sys.executable, "-c", HIDE, "run", *names], capture_output=True)
    into_database = subprocess.run([sys.executable, "-c", HIDE, "run", *names, "--ledger", url], capture_output=True)
    reported = subprocess.run([sys.executable, "-c", HIDE, "report", url], capture_output=True)

    assert into_memory.returncode == 0
    for each in (into_database, reported):
        assert each.returncode == 2
        assert each.stderr.decode().splitlines() == [
            "loyalty-rules: a ledger in a database needs SQLAlchemy, which is not installed: "
            f"pip install 'loyalty-rules[{extra}]'"
        ]
