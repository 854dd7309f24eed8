"""`run`: what happens after the sale counts, and the run ends with what is outstanding and owed."""

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

PROGRAM = {
    "format": "loyalty-rules/1",
    "id": "shop",
    "time_zone": "UTC",
    "currencies": {"points": {"redeem": {"points": "100", "value": "1"}}},
    "coupon_types": {
        "tenner": {"serial_managed": False, "code": "TEN", "benefit": {"type": "amount_off", "amount": "10"}},
    },
    "promotions": [
        {
            "id": "stay",
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "points",
                    "currency": "points",
                    "proration": {"type": "multiplier", "percent": "100"},
                    "expiry": {"type": "fixed_period", "after": {"days": 90}},
                    "timing": {"type": "delayed", "days": 14},
                }
            ],
        },
        {
            "id": "big",
            "when": {"field": "amount", "at_least": "80"},
            "actions": [{"type": "issue_coupon", "id": "coupon", "coupon_type": "tenner"}],
        },
    ],
}  # fmt: skip


def sale(number: int, at: str, amount: str) -> dict[str, Any]:
    return {
        "type": "transaction",
        "id": f"T{number}",
        "occurred_at": f"{at}Z",
        "amount": amount,
        "member": {"id": "M1"},
    }


def back(number: int, at: str, of: int, amount: str) -> dict[str, Any]:
    return {
        "type": "return",
        "id": f"R{number}",
        "occurred_at": f"{at}Z",
        "of": f"T{of}",
        "amount": amount,
        "lines": [],
    }


def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str], *events: dict[str, Any]) -> tuple[int, list[Any], str]:
    (tmp_path / "program.json").write_text(json.dumps(PROGRAM))
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    status = main(["run", str(tmp_path / "program.json"), str(tmp_path / "events.jsonl")])
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    return status, [(each["type"], each.get("amount")) for each in told], err


def test_a_promise_is_released_when_time_has_come_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, _ = ran(tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "50"), sale(2, "2025-01-20T10:00:00", "20"))

    assert status == 0
    assert told == [("issue_currency", "50"), ("release_promise", "50"), ("issue_currency", "20")]


def test_a_return_at_the_instant_of_a_release_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told, _ = ran(tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "50"), back(1, "2025-01-15T10:00:00", 1, "30"))

    assert told == [("issue_currency", "50"), ("reverse_currency", "30"), ("release_promise", "20")]


def test_a_return_takes_points_and_coupon_back_and_the_tables_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told, tables = ran(
        tmp_path,
        capsys,
        sale(1, "2025-01-01T10:00:00", "100"),
        sale(2, "2025-01-02T10:00:00", "90"),
        back(1, "2025-01-20T10:00:00", 1, "40"),
    )

    assert status == 0
    assert [kind for kind, _ in told].count("void_coupon") == 1
    lines = [line.split() for line in tables.splitlines()]
    assert ["points", "190", "0", "0", "40", "0", "150"] in lines  # 100 + 90, 40 of it taken back
    assert ["tenner", "2", "0", "0", "0", "1", "1"] in lines
    assert ["points", "2025-04", "150", "0", "1.5"] in lines  # at 1.00 for 100
    assert ["tenner", "coupons", "1", "0", "10"] in lines


def test_an_unknown_sale_is_told_and_the_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, err = ran(
        tmp_path, capsys, back(1, "2025-01-01T10:00:00", 9, "1"), sale(1, "2025-01-02T10:00:00", "5")
    )

    assert status == 1
    assert told == [("issue_currency", "5")]
    assert "event 'R1' is refused: no sale T9 has been recorded" in err


def test_another_receipt_under_a_known_id_is_a_conflict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told, err = ran(tmp_path, capsys, sale(1, "2025-01-01T10:00:00", "5"), sale(1, "2025-01-01T10:00:00", "6"))

    assert status == 1
    assert told == [("issue_currency", "5")]
    assert "another event.amount: 5 was recorded, 6 is offered" in err
