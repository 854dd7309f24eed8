"""The command `journal`: the accounting journal from a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_rules.cli import main

from ..recorded import PROGRAM, back, files, sale, url_in
from ..running import Capture


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a ledger with a sale of 100 in January, one of 90 in February, and a return of 40."""
    folder: Path = tmp_path_factory.mktemp("journal")
    events = [sale(1, "2025-01-01T10:00:00", "100"), sale(2, "2025-02-02T10:00:00", "90")]
    names = files(folder, [*events, back(1, "2025-02-10T10:00:00", 2, "40")], {**PROGRAM, "money": "EUR"})
    assert main(["run", *names, "--output", str(folder / "i"), "--ledger", url_in(folder), "--quiet"]) == 0
    return url_in(folder)


def printed(capsys: Capture, *arguments: str) -> list[str]:
    assert main(["journal", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_rows_are_by_month_at_the_redeem_rate(url: str, capsys: Capture) -> None:
    assert [row.split(",")[0] + " " + ",".join(row.rsplit(",", 5)[1:]) for row in printed(capsys, url)[1:]] == [
        "2025-01-31 Income:Loyalty:Deferred,1,EUR,100,points",
        "2025-01-31 Liabilities:Loyalty:Points,-1,EUR,-100,points",
        "2025-02-28 Income:Loyalty:Deferred,0.5,EUR,50,points",
        "2025-02-28 Liabilities:Loyalty:Points,-0.5,EUR,-50,points",
    ]


def test_units_that_expire_are_breakage_at_the_value_of_the_host(url: str, capsys: Capture) -> None:
    text = printed(capsys, url, "--as-of", "2025-04-30", "--value", "points=0.02", "--format", "beancount")
    assert (
        text[-4:-1]
        == [
            '2025-04-30 * "shop" "points expired unused"',
            "  Income:Loyalty:Breakage     -2 EUR",
            "  Liabilities:Loyalty:Points  2 EUR",
        ]
        or "  Liabilities:Loyalty:Points  2 EUR" in text
    )


def test_a_period_can_be_a_year(url: str, capsys: Capture) -> None:
    assert {row[:10] for row in printed(capsys, url, "--period", "year")[1:]} == {"2025-12-31"}


@pytest.mark.parametrize(("options", "message"), [
    (["--value", "points"], "expected a currency and the value of a unit"),
    (["--value", "points=-1"], "expected a currency and the value of a unit"),
    (["--period", "decade"], "invalid choice"),
])  # fmt: skip
def test_an_argument_that_cannot_be_read_is_refused(
    url: str, capsys: Capture, options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(["journal", url, *options])
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("options", "message"), [
    (["--value", "miles=1"], "expected a currency of the program: points"),
    (["--program", "cafe"], "it has: shop"),
])  # fmt: skip
def test_an_unknown_currency_or_program_is_refused(url: str, capsys: Capture, options: list[str], message: str) -> None:
    assert main(["journal", url, *options]) == 2
    assert message in capsys.readouterr().err


def test_the_help_has_a_description_and_an_example(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["journal", "--help"])
    assert "example: loyalty-rules journal sqlite:///shop.db" in " ".join(capsys.readouterr().out.split())
