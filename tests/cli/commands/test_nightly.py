"""The command `nightly`: the work of a night on a ledger in a file."""

import json
from pathlib import Path

import pytest

from loyalty_rules.cli import main

from ..recorded import PROGRAM, files, sale, url_in
from ..running import Capture

SOON = {"before": {"days": 7}, "communication": {"template": "soon"}}
BIRTHDAY = {"activity": "birthday", "on": {"anniversary": "member.registered_on"}}
NIGHT = {
    **PROGRAM,
    "currencies": {"points": {"redeem": {"points": "100", "value": "1"}, "reminders": [SOON]}},
    "schedules": {"birthday": BIRTHDAY},
    "promotions": [
        *PROGRAM["promotions"],  # type: ignore[misc]
        {
            "id": "gift",
            "trigger": "birthday",
            "actions": [{"type": "issue_coupon", "id": "c", "coupon_type": "tenner"}],
        },
    ],
}
UNTIL = "2025-01-20T04:00:00Z"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a ledger with one sale of 1 January, whose points are due two weeks later."""
    bought = sale(1, "2025-01-01T10:00:00", "100")
    bought["member"] = {"id": "M1", "registered_on": "2024-01-18"}
    names = [*files(tmp_path, [bought], NIGHT), "--output", str(tmp_path / "intents")]
    assert main(["run", *names, "--ledger", url_in(tmp_path), "--quiet"]) == 0
    return url_in(tmp_path)


def night(url: str, tmp_path: Path, *more: str) -> int:
    return main(["nightly", url, files(tmp_path, [], NIGHT)[0], "--until", UNTIL, *more])


def test_the_intents_are_printed_and_the_steps_are_a_table(url: str, tmp_path: Path, capsys: Capture) -> None:
    assert night(url, tmp_path, "--since", "2025-01-01T00:00:00Z") == 0

    printed = capsys.readouterr()
    assert [json.loads(each)["key"] for each in printed.out.splitlines()] == [
        "shop/T1/stay/points/release",
        "shop/birthday%2FM1%2F2025-01-18/gift/c/1",
    ]
    assert [line.split()[-2:] for line in printed.err.splitlines()[1:]] == [
        *(["1", "1"], ["0", "0"], ["0", "0"], ["1", "1"], ["0", "0"], ["0", "0"])
    ]


def test_a_second_night_prints_nothing(url: str, tmp_path: Path, capsys: Capture) -> None:
    night(url, tmp_path, "--quiet", "--output", str(tmp_path / "first"))

    assert night(url, tmp_path, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert len((tmp_path / "first").read_text().splitlines()) == 1  # the birthday was before the last day


def test_the_verification_can_be_left_out(url: str, tmp_path: Path, capsys: Capture) -> None:
    night(url, tmp_path, "--no-verify")

    assert "verify" not in capsys.readouterr().err


def test_a_coupon_with_a_serial_needs_the_key(tmp_path: Path, url: str, capsys: Capture) -> None:
    program = json.loads(json.dumps(NIGHT))
    program["coupon_types"]["tenner"] = {"benefit": {"type": "amount_off", "amount": "10"}}
    name = tmp_path / "serials.json"
    name.write_text(json.dumps(program))

    assert main(["nightly", url, str(name), "--until", UNTIL, "--since", "2025-01-01T00:00:00Z"]) == 2
    assert "give --key-file FILE" in capsys.readouterr().err


def test_a_ledger_that_is_not_there_is_a_complaint(tmp_path: Path, capsys: Capture) -> None:
    assert night(url_in(tmp_path), tmp_path) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_a_program_with_problems_is_a_complaint(url: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "broken.json").write_text("{}")

    assert main(["nightly", url, str(tmp_path / "broken.json"), "--until", UNTIL]) == 2
    assert "is missing" in capsys.readouterr().err


def test_an_instant_needs_an_offset(url: str, tmp_path: Path, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["nightly", url, "shop.json", "--until", "2025-01-20T04:00:00"])
    assert "with its offset" in capsys.readouterr().err


def test_the_help_describes_the_steps_and_has_an_example(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["nightly", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert "safe to run twice" in printed
    assert "example: loyalty-rules nightly sqlite:///shop.db shop.toml --until" in printed
