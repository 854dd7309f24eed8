"""The text of a difference."""

from __future__ import annotations

from decimal import Decimal

from loyalty_rules.cli.diff_tables import cost_text, diff_text
from loyalty_rules.reporting import diff
from reporting.histories import HISTORY, bought, version

TEN, TWENTY = version("10"), version("20")


def test_the_tables_have_a_row_for_each_value_that_differs() -> None:
    lines = diff_text(diff(TEN, TWENTY, HISTORY), "EUR").splitlines()
    assert [line.split() for line in lines if line.startswith("points  B")] == [
        ["points", "B", "5", "10", "+5", "5", "10", "+5", "0", "0", "0", "0.05", "0.1", "+0.05", "0.05", "0.1", "+0.05"]
    ]  # issued, outstanding, reversed, value, liability
    assert "who gains     EUR  then  change" in lines
    assert "all 2                     +0.12" in lines
    assert "member anna  0.07  0.14   +0.07" in lines
    assert not any(line.startswith("who loses") for line in lines)


def test_receipts_are_shown_side_by_side_and_the_lines_that_differ_are_marked() -> None:
    lines = diff_text(diff(TEN, TWENTY, HISTORY[:1]), None).splitlines()
    first = lines.index("receipt T-1 of member anna: 0.1 → 0.2") + 1
    pairs = [line.split("|") for line in lines[first:] if "|" in line]
    assert [[text.strip() for text in pair] for pair in pairs] == [
        ["earn: 10 points issued", "earn: 20 points issued"],
        ["10 % of 100 is 10", "20 % of 100 is 20"],
    ]


def test_the_cost_has_its_sign_its_percentage_and_its_money() -> None:
    assert cost_text(diff(TWENTY, TEN, HISTORY), "EUR") == "the cost changes by -0.12 EUR (-50.0 %)"
    assert cost_text(diff(TEN, TEN, HISTORY), "EUR") == "the cost changes by 0 EUR (+0.0 %)"


def test_a_cost_of_nothing_has_no_percentage() -> None:
    assert cost_text(diff(version("0"), TEN, HISTORY), None) == "the cost changes by +0.12"


def test_a_currency_without_a_rate_is_named() -> None:
    ten, twenty = (version(percent, currencies={"points": {}}) for percent in ("10", "20"))
    assert cost_text(diff(ten, twenty, HISTORY), None) == (
        "the cost changes by 0; without points, since a currency without a redeem rate has no cost"
    )


def test_a_sample_is_told_with_its_interval() -> None:
    events = [bought(1 + n % 28, f"M{n}", "10", month=1 + n // 28) for n in range(60)]
    text = cost_text(diff(TEN, TWENTY, events, members=Decimal(50)), "EUR")
    assert " in a sample of 50 % of the members; for all members by about +0." in text
    assert "(95 %: +0." in text


def test_events_that_changed_nothing_are_listed() -> None:
    text = diff_text(diff(TEN, TWENTY, [*HISTORY, HISTORY[0]]), None)
    assert "events that changed nothing:\n  already_recorded: 1" in text
