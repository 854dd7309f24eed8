"""The command `report`: issuance, conversion and liability from a ledger alone."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

from ..recorded import PROGRAM, back, files, sale, url_in
from ..running import Capture, Document


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a ledger with two sales, of which one was returned in part, in two stores and two months."""
    events = [
        {**sale(1, "2025-01-01T10:00:00", "100"), "store": "S1"},
        {**sale(2, "2025-02-02T10:00:00", "90"), "store": "S2"},
        back(1, "2025-02-10T10:00:00", 2, "40"),
    ]
    return recorded(tmp_path, PROGRAM, *events)


def recorded(tmp_path: Path, program: Document, *events: Document) -> str:
    """Record events into the ledger of a folder, and return its URL."""
    names = [*files(tmp_path, list(events), program), "--output", str(tmp_path / "intents")]
    assert main(["run", *names, "--ledger", url_in(tmp_path), "--quiet"]) == 0
    return url_in(tmp_path)


def rows(capsys: Capture, *arguments: str) -> list[list[str]]:
    """Return the rows of a report's tables, split into words."""
    assert main(["report", *arguments]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def document(capsys: Capture, *arguments: str) -> Any:
    """Return a report as a document."""
    assert main(["report", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# -- tables ----------------------------------------------------------------------------------------------------------


def test_the_tables_show_issuance_conversion_and_liability(url: str, capsys: Capture) -> None:
    printed = rows(capsys, url)

    assert printed[0] == ["shop", "as", "of", "2025-02-10T10:00:00+00:00"]
    assert ["points", "units", "190", "0", "0", "40", "0", "150"] in printed
    assert ["tenner", "coupons", "2", "0", "0", "0", "1", "1"] in printed
    assert ["tenner", "2", "1", "0", "1", "0", "0", "0", "0"] in printed  # conversion: one counted, none redeemed
    assert ["points", "units", "2025-04", "100", "0", "1"] in printed
    assert ["points", "units", "2025-05", "0", "50", "0"] in printed  # pending points are not part of this column
    assert ["tenner", "coupons", "-", "1", "0", "10"] in printed
    assert printed[-3:] == [["available", "11"], ["promised", "0.5"], ["together", "11.5"]]


def test_a_currency_without_a_value_is_listed_as_not_known(tmp_path: Path, capsys: Capture) -> None:
    url = recorded(tmp_path, {**PROGRAM, "currencies": {"points": {}}}, sale(1, "2025-01-01T10:00:00", "100"))

    assert rows(capsys, url)[-2:] == [["together", "10"], ["not", "known:", "points", "-"]]


def test_a_report_is_as_of_an_instant(url: str, capsys: Capture) -> None:
    printed = rows(capsys, url, "--as-of", "2025-01-01T10:00:00Z")

    assert ["points", "units", "100", "0", "0", "0", "0", "100"] in printed
    assert ["tenner", "coupons", "1", "0", "0", "0", "0", "1"] in printed


def test_expired_points_are_not_outstanding(url: str, capsys: Capture) -> None:
    printed = rows(capsys, url, "--as-of", "2025-04-30T00:00:00Z")

    assert ["points", "units", "190", "0", "100", "40", "0", "50"] in printed


def test_issuance_and_conversion_are_split_by_dimensions(url: str, capsys: Capture) -> None:
    printed = rows(capsys, url, "--by", "program,store,month")

    assert ["of", "unit", "store", "month", "issued", "redeemed", "expired", "reversed", "voided"] in printed
    assert ["points", "units", "S1", "2025-01", "100", "0", "0", "0", "0"] in printed
    assert ["points", "units", "S2", "2025-02", "90", "0", "0", "40", "0"] in printed
    assert ["points", "units", "2025-01", "S1", "100", "100", "0", "0", "100", "0", "0"] in printed  # rates
    assert ["tenner", "2025-01", "S1", "1", "0", "0", "1", "0", "0", "0", "0"] in printed
    assert ["tenner", "2025-02", "S2", "1", "1", "0", "0", "0", "0", "-", "-"] in printed


def test_no_row_of_movements_has_a_balance(url: str, capsys: Capture) -> None:
    for period in ("day", "week", "month"):
        printed = document(capsys, url, "--by", f"promotion,{period}")
        assert {row["outstanding"] for row in printed["programs"][0]["issuance"]} == {None}
    printed = document(capsys, url, "--by", "promotion,issued_month")
    assert [row["outstanding"] for row in printed["programs"][0]["issuance"]] == ["1", "0", "100", "50"]


def test_a_report_as_of_a_date_counts_that_day(url: str, capsys: Capture) -> None:
    printed = document(capsys, url, "--as-of", "2025-02-02")
    assert printed["as_of"] == "2025-02-02T23:59:59.999999+00:00"
    assert [row["issued"] for row in printed["programs"][0]["issuance"]] == ["2", "190"]


def test_one_report_as_comma_separated_values(url: str, capsys: Capture) -> None:
    assert main(["report", url, "--by", "store", "--csv", "issuance"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "program,of,unit,store,issued,redeemed,expired,reversed,voided,outstanding",
        "shop,tenner,coupons,S1,1,0,0,0,0,1",
        "shop,tenner,coupons,S2,1,0,0,0,1,0",
        "shop,points,units,S1,100,0,0,0,0,100",
        "shop,points,units,S2,90,0,0,40,0,50",
    ]


# -- JSON ------------------------------------------------------------------------------------------------------------


def test_the_document_has_every_report_of_every_program(url: str, tmp_path: Path, capsys: Capture) -> None:
    recorded(tmp_path, {**PROGRAM, "id": "cafe"}, sale(9, "2025-03-01T10:00:00", "10"))

    printed = document(capsys, url, "--by", "promotion")

    assert printed["as_of"] == "2025-03-01T10:00:00+00:00"
    assert [each["program"] for each in printed["programs"]] == ["cafe", "shop"]
    cafe, shop = printed["programs"]
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


def test_a_named_program_is_reported_in_the_version_of_its_file(url: str, tmp_path: Path, capsys: Capture) -> None:
    recorded(tmp_path, {**PROGRAM, "id": "cafe"}, sale(9, "2025-03-01T10:00:00", "10"))
    dearer = {**PROGRAM, "currencies": {"points": {"redeem": {"points": "10", "value": "1"}}}}
    (tmp_path / "dearer.json").write_text(json.dumps(dearer))

    printed = document(capsys, url, "--program", str(tmp_path / "dearer.json"))

    assert [each["program"] for each in printed["programs"]] == ["shop"]
    assert printed["programs"][0]["liability"]["total"] == "25"  # 150 points at 1 for 10, and 10


# -- errors ----------------------------------------------------------------------------------------------------------


def test_the_report_of_an_empty_ledger_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    url = recorded(tmp_path, PROGRAM)

    assert main(["report", url]) == 0
    assert capsys.readouterr().out == "the ledger has recorded no sale\n"
    assert document(capsys, url) == {"as_of": None, "programs": []}


def test_a_program_without_recorded_sales_is_an_error(url: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "other.json").write_text(json.dumps({**PROGRAM, "id": "other"}))

    assert main(["report", url, "--program", str(tmp_path / "other.json")]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == ("loyalty-rules: the ledger has no sale of the program other; it has sales of shop\n")


def test_every_problem_of_an_invalid_program_is_reported(url: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.json").write_text('{"format": "loyalty-rules/1"}')

    assert main(["report", url, "--program", str(tmp_path / "bad.json")]) == 2
    assert len(capsys.readouterr().err.splitlines()) > 1


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path: Path, capsys: Capture) -> None:
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


def test_a_file_that_is_not_a_database_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "text.db").write_text("not a database, " * 100)

    assert main(["report", f"sqlite:///{tmp_path / 'text.db'}"]) == 2
    assert "text.db: can't be read as a database of SQLite: file is not a database" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "promotion,shoe"], "expected some of program,promotion,store,member,tier,channel,issued_in,"),
        (["--as-of", "2025-01-01T10:00:00"], "expected an instant such as"),
        (["--as-of", "noon"], "or a date such as 2025-01-31; found 'noon'"),
    ],
)
def test_an_unknown_dimension_or_instant_is_refused(
    url: str, capsys: Capture, options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", url, *options])

    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
