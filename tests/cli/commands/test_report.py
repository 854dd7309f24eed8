"""`report`: from a ledger alone, what was issued, what came of it and what is owed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

from ..test_recording import PROGRAM, back, sale

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a ledger with two sales, of which one was returned in part, in two stores and two months."""
    events = [
        {**sale(1, "2025-01-01T10:00:00", "100"), "store": "S1"},
        {**sale(2, "2025-02-02T10:00:00", "90"), "store": "S2"},
        back(1, "2025-02-10T10:00:00", 2, "40"),
    ]
    return recorded(tmp_path, PROGRAM, *events)


def recorded(tmp_path: Path, program: dict[str, Any], *events: dict[str, Any]) -> str:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    (tmp_path / "program.json").write_text(json.dumps(program))
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    names = [str(tmp_path / "program.json"), str(tmp_path / "events.jsonl"), "--output", str(tmp_path / "intents")]
    assert main(["run", *names, "--ledger", url, "--quiet"]) == 0
    return url


def rows(capsys: Capture, *arguments: str) -> list[list[str]]:
    assert main(["report", *arguments]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def document(capsys: Capture, *arguments: str) -> Any:
    assert main(["report", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# -- tables ----------------------------------------------------------------------------------------------------------


def test_the_tables_tell_what_became_of_all_and_what_is_owed(url: str, capsys: Capture) -> None:
    told = rows(capsys, url)

    assert told[0] == ["shop", "as", "of", "2025-02-10T10:00:00+00:00"]
    assert ["points", "190", "0", "0", "40", "0", "150"] in told
    assert ["tenner", "2", "0", "0", "0", "1", "1"] in told
    assert ["tenner", "2", "1", "0", "1", "0", "0", "0", "0"] in told  # conversion: one counted, none redeemed
    assert ["points", "2025-04", "100", "0", "1"] in told
    assert ["points", "2025-05", "0", "50", "0"] in told  # what is promised is worth nothing yet in this column
    assert ["tenner", "coupons", "1", "0", "10"] in told
    assert told[-3:] == [["available", "11"], ["promised", "0.5"], ["together", "11.5"]]


def test_what_nobody_gives_a_worth_is_named(tmp_path: Path, capsys: Capture) -> None:
    url = recorded(tmp_path, {**PROGRAM, "currencies": {"points": {}}}, sale(1, "2025-01-01T10:00:00", "100"))

    assert rows(capsys, url)[-2:] == [["together", "10"], ["not", "known:", "points", "-"]]


def test_it_reports_as_of_an_instant(url: str, capsys: Capture) -> None:
    told = rows(capsys, url, "--as-of", "2025-01-01T10:00:00Z")

    assert ["points", "100", "0", "0", "0", "0", "100"] in told
    assert ["tenner", "1", "0", "0", "0", "0", "1"] in told


def test_what_has_expired_since_is_owed_no_more(url: str, capsys: Capture) -> None:
    told = rows(capsys, url, "--as-of", "2025-04-30T00:00:00Z")

    assert ["points", "190", "0", "100", "40", "0", "50"] in told


def test_it_splits_by_what_is_asked_for(url: str, capsys: Capture) -> None:
    told = rows(capsys, url, "--by", "program,store,month")

    assert ["of", "store", "month", "issued", "redeemed", "expired", "reversed", "voided", "outstanding"] in told
    assert ["points", "S1", "2025-01", "100", "0", "0", "0", "0", "100"] in told
    assert ["points", "S2", "2025-02", "90", "0", "0", "40", "0", "50"] in told
    assert ["tenner", "2025-01", "S1", "1", "0", "0", "1", "0", "0", "0", "0"] in told
    assert ["tenner", "2025-02", "S2", "1", "1", "0", "0", "0", "0", "-", "-"] in told


# -- JSON ------------------------------------------------------------------------------------------------------------


def test_the_document_holds_every_report_of_every_program(url: str, tmp_path: Path, capsys: Capture) -> None:
    recorded(tmp_path, {**PROGRAM, "id": "cafe"}, sale(9, "2025-03-01T10:00:00", "10"))

    told = document(capsys, url, "--by", "promotion")

    assert told["as_of"] == "2025-03-01T10:00:00+00:00"
    assert [each["program"] for each in told["programs"]] == ["cafe", "shop"]
    cafe, shop = told["programs"]
    assert cafe["issuance"] == [
        {
            "kind": "currency",
            "of": "points",
            "group": {"promotion": "stay"},
            "issued": "10",
            "redeemed": "0",
            "expired": "0",
            "reversed": "0",
            "voided": "0",
            "outstanding": "10",
        }
    ]
    assert cafe["conversion"] == []
    assert [(row["coupon_type"], row["issued"], row["voided"]) for row in shop["conversion"]] == [("tenner", 2, 1)]
    assert shop["liability"]["coupons"] == [{"coupon_type": "tenner", "outstanding": 1, "most": "10"}]
    assert shop["liability"]["total"] == "11.5"


def test_a_program_alone_is_reported_as_its_file_has_it(url: str, tmp_path: Path, capsys: Capture) -> None:
    recorded(tmp_path, {**PROGRAM, "id": "cafe"}, sale(9, "2025-03-01T10:00:00", "10"))
    dearer = {**PROGRAM, "currencies": {"points": {"redeem": {"points": "10", "value": "1"}}}}
    (tmp_path / "dearer.json").write_text(json.dumps(dearer))

    told = document(capsys, url, "--program", str(tmp_path / "dearer.json"))

    assert [each["program"] for each in told["programs"]] == ["shop"]
    assert told["programs"][0]["liability"]["total"] == "25"  # 150 points at 1 for 10, and 10


# -- what can't be reported ------------------------------------------------------------------------------------------


def test_an_empty_ledger_says_so(tmp_path: Path, capsys: Capture) -> None:
    url = recorded(tmp_path, PROGRAM)

    assert main(["report", url]) == 0
    assert capsys.readouterr().out == "the ledger has recorded no sale\n"
    assert document(capsys, url) == {"as_of": None, "programs": []}


def test_a_program_that_is_not_recorded_is_an_error(url: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "other.json").write_text(json.dumps({**PROGRAM, "id": "other"}))

    assert main(["report", url, "--program", str(tmp_path / "other.json")]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == ("loyalty-rules: the ledger has no sale of the program other; it has sales of shop\n")


def test_a_program_that_is_not_valid_is_told_in_full(url: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.json").write_text('{"format": "loyalty-rules/1"}')

    assert main(["report", url, "--program", str(tmp_path / "bad.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) > 1


def test_a_file_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path, capsys: Capture) -> None:
    assert main(["report", f"sqlite:///{tmp_path / 'absent.db'}"]) == 2

    assert "absent.db: there is no such file" in capsys.readouterr().err
    assert not (tmp_path / "absent.db").exists()


def test_a_database_without_a_ledger_is_an_error_and_is_not_changed(tmp_path: Path, capsys: Capture) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE things (id INTEGER)")
    before = (tmp_path / "other.db").read_bytes()

    assert main(["report", f"sqlite:///{tmp_path / 'other.db'}"]) == 2

    assert "other.db: is a database without a ledger" in capsys.readouterr().err
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "text.db").write_text("not a database, " * 100)

    assert main(["report", f"sqlite:///{tmp_path / 'text.db'}"]) == 2
    assert "text.db: can't be read as a database of SQLite: file is not a database" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "promotion,shoe"], "expected some of program,promotion,store,issued_in,month; found 'shoe'"),
        (["--as-of", "2025-01-01T10:00:00"], "expected an instant with its offset"),
        (["--as-of", "noon"], "[not_an_instant]"),
    ],
)
def test_options_that_make_no_sense_are_told(url: str, capsys: Capture, options: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", url, *options])

    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())
