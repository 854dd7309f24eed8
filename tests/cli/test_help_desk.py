"""The commands of the help desk on one recorded ledger: balance, statement, explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

from .recorded import PROGRAM, back, files, sale, url_in
from .running import Capture

TIERS: dict[str, Any] = {
    "levels": ["bronze", "silver"],
    "by": "spent",
    "from": {"silver": "500"},
    "lasts": {"type": "never"},
}
SHOP = {
    **PROGRAM,
    "money": "EUR",
    "trackers": {"spent": {"measure": {"type": "transaction_value"}, "target": "200"}},
    "tiers": {"status": TIERS},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a ledger with two sales, of which the second came back in part."""
    folder: Path = tmp_path_factory.mktemp("desk")
    events = [sale(1, "2025-01-01T10:00:00", "100"), sale(2, "2025-02-02T10:00:00", "90")]
    names = files(folder, [*events, back(1, "2025-02-10T10:00:00", 2, "40")], SHOP)
    arguments = [*names, "--output", str(folder / "intents"), "--ledger", url_in(folder), "--quiet"]
    assert main(["run", *arguments]) == 0
    return url_in(folder)


def printed(capsys: Capture, *arguments: str) -> list[list[str]]:
    """Return the lines of an answer, split into words."""
    assert main([*arguments]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def document(capsys: Capture, *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# -- balance -----------------------------------------------------------------------------------------------------------


def test_a_balance_has_its_worth_in_money_the_last_days_and_the_progress(url: str, capsys: Capture) -> None:
    lines = printed(capsys, "balance", url, "M1")
    assert lines[0] == ["shop:", "member", "M1", "as", "of", "2025-02-10T10:00:00+00:00"]
    # 100 points of the first sale, at 1.00 for 100; the 50 left of the second are pending until 16 February.
    assert ["points", "100", "50", "0", "0", "1", "EUR"] in lines
    assert ["2025-04-15", "points", "100", "0"] in lines  # 14 days of delay, then 90
    assert ["spent", "150", "200", "50", "-", "-"] in lines
    assert ["status", "bronze", "-", "silver", "350"] in lines


def test_a_balance_as_data(url: str, capsys: Capture) -> None:
    (answer,) = document(capsys, "balance", url, "M1", "--as-of", "2025-01-15")
    assert answer["as_of"] == "2025-01-15T23:59:59.999999+00:00"
    assert answer["balances"] == {"points": {"available": "100", "promised": "0", "debt": "0", "held": "0"}}
    assert answer["expiring"] == {"points": [{"expires_on": "2025-04-15", "available": "100", "held": "0"}]}


def test_a_group_has_no_progress(url: str, capsys: Capture) -> None:
    (answer,) = document(capsys, "balance", url, "household", "--group")
    assert answer["account"] == {"kind": "group", "id": "household"}
    assert answer["progress"] is None


# -- statement ---------------------------------------------------------------------------------------------------------


def test_a_statement_lists_every_movement_with_its_reason(url: str, capsys: Capture) -> None:
    lines = printed(capsys, "statement", url, "M1")
    assert lines[2] == ["at", "currency", "from", "to", "reason", "by", "amount"]
    assert [line[2:5] + line[-1:] for line in lines[3:]] == [
        ["points", "issued", "promised", "100"],
        ["points", "promised", "available", "100"],
        ["points", "issued", "promised", "90"],
        ["points", "promised", "reversed", "40"],
    ]


def test_a_statement_as_of_a_day_ends_with_that_day(url: str, capsys: Capture) -> None:
    (answer,) = document(capsys, "statement", url, "M1", "--as-of", "2025-01-01")
    assert [(each["source"], each["target"], each["amount"]) for each in answer["entries"]] == [
        ("issued", "promised", "100")
    ]


@pytest.mark.parametrize("arguments", [["statement", "M9"], ["explain", "T9"]])
def test_an_unknown_account_or_event_is_said_and_has_a_status_of_its_own(
    url: str, capsys: Capture, arguments: list[str]
) -> None:
    command, name = arguments
    assert main([command, url, name]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert name in err


# -- explain -----------------------------------------------------------------------------------------------------------


def test_a_sale_is_explained(url: str, capsys: Capture) -> None:
    assert main(["explain", url, "T2"]) == 0
    text = capsys.readouterr().out
    assert "100 % of 90 is 90" in text
    assert "return R1 at 2025-02-10T10:00:00+00:00" in text
    assert "shop/T2/stay/points: of 90 points 50 pending, 40 taken back" in text


def test_an_explanation_as_data(url: str, capsys: Capture) -> None:
    (answer,) = document(capsys, "explain", url, "R1")
    assert (answer["event"], answer["trace"]) == ("R1", None)
    assert answer["recorded"][0].endswith("40 points taken back of shop/T2/stay/points")


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_a_program_that_is_not_there_is_named(url: str, capsys: Capture) -> None:
    assert main(["balance", url, "M1", "--program", "cafe"]) == 2
    assert "no sale of the program cafe; it has: shop" in capsys.readouterr().err


def test_a_missing_database_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    assert main(["balance", url_in(tmp_path), "M1"]) == 2
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["balance", "statement", "explain"])
def test_an_id_that_no_event_can_have_is_refused(url: str, capsys: Capture, command: str) -> None:
    with pytest.raises(SystemExit):
        main([command, url, " M1"])
    assert "M1" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["balance", "statement", "explain"])
def test_the_help_has_a_description_and_an_example(capsys: Capture, command: str) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"example: loyalty-rules {command} sqlite:///shop.db" in capsys.readouterr().out
