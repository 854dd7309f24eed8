"""Parts of a payload: exact amounts, instants of every form, and refusals with a path."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from loyalty_rules.adapters.payload import Payload, local_instant
from loyalty_rules.documents.sources import read_json
from loyalty_rules.errors import InvalidValueError

BERLIN = ZoneInfo("Europe/Berlin")
ENDS = ("9999-12-31T23:59:59Z", "9999-12-31 23:59:59", "0001-01-01 00:00:00")


def test_a_part_knows_its_path_and_a_missing_one_is_nothing() -> None:
    part = Payload({"lines": [{"sku": "A"}]})

    assert [line["sku"].path for line in part["lines"].items()] == ["$.lines[0].sku"]
    assert not part["a"]["b"]["c"]
    assert part.first("x", "lines").path == "$.lines"
    assert list(part["x"].items()) == []


@pytest.mark.parametrize(
    ("value", "amount"),
    [("12.50", 12_500_000), (" 3 ", 3_000_000), (7, 7_000_000), (Decimal("-0.01"), -10_000), ("", None), (None, None)],
)
def test_an_amount_is_read_exactly(value: object, amount: int | None) -> None:
    assert Payload(value).amount() == amount


@pytest.mark.parametrize("value", [1.5, True, "1,50", "NaN", {}.keys(), "1E5"])
def test_another_value_is_no_amount(value: object) -> None:
    with pytest.raises(InvalidValueError):
        Payload(value).amount()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("17.990000000000002", 17_990_000),
        ("0.30000000000000004", 300_000),
        ("-41.579999999999998", -41_580_000),
        ("12.5", 12_500_000),
        ("3", 3_000_000),
    ],
)
def test_binary_noise_of_a_written_float_is_dropped(text: str, amount: int) -> None:
    assert Payload(read_json(text, "document")).nearest_amount() == amount


@pytest.mark.parametrize("text", ["1.2345678", "0.33333333333333", "1e-7"])
def test_other_long_fractions_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        Payload(read_json(text, "document")).nearest_amount()


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-01-15T10:00:00Z", "2026-01-15T11:00:00+01:00"),
        ("2026-07-15T10:00:00.123-05:00", "2026-07-15T17:00:00.123000+02:00"),
        ("2026-01-15T10:00:00+0000", "2026-01-15T11:00:00+01:00"),
        ("2026-01-15 10:00:00", "2026-01-15T10:00:00+01:00"),
        ("2026-01-15T10:00", "2026-01-15T10:00:00+01:00"),
        (1_768_471_200, "2026-01-15T11:00:00+01:00"),
    ],
)
def test_an_instant_has_the_offset_of_the_zone(value: object, instant: str) -> None:
    assert Payload(value).required_instant(BERLIN).isoformat() == instant


def test_a_local_time_may_belong_to_another_zone() -> None:
    found = Payload("2026-01-15 10:00:00").required_instant(BERLIN, local=ZoneInfo("UTC"))

    assert found.isoformat() == "2026-01-15T11:00:00+01:00"


@pytest.mark.parametrize("value", ["2026-02-30T10:00:00", "yesterday", -5, 10**15, "2026-13-01T00:00:00Z", True, *ENDS])
def test_another_value_is_no_instant(value: object) -> None:
    with pytest.raises(InvalidValueError):
        Payload(value).required_instant(BERLIN)


def test_of_two_instants_of_one_local_time_the_first_is_taken_and_a_skipped_time_moves_forward() -> None:
    doubled, certain = local_instant(datetime(2026, 10, 25, 2, 30), BERLIN)
    assert (doubled.isoformat(), certain) == ("2026-10-25T02:30:00+02:00", False)

    skipped, certain = local_instant(datetime(2026, 3, 29, 2, 30), BERLIN)
    assert (skipped.isoformat(), certain) == ("2026-03-29T03:30:00+02:00", True)


def test_a_refusal_names_the_path_and_the_reason() -> None:
    with pytest.raises(InvalidValueError) as refused:
        Payload({"total": 1.5})["total"].required_amount()

    assert str(refused.value) == (
        "$.total: a float is not exact, found 1.5: pass the JSON text itself, or parse it "
        "with parse_float=decimal.Decimal [float]"
    )
    with pytest.raises(InvalidValueError, match=r"^\$\.total: is missing"):
        Payload({})["total"].required_amount()
