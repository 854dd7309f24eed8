"""The command `convert`: events on standard output, the rest on standard error, and the exit status."""

from __future__ import annotations

import gzip
import io
import json
import sys

import pytest

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.cli.commands import convert as command

from ..running import Capture, Write

ORDER = {
    "id": 1001,
    "processed_at": "2026-01-15T15:00:00Z",
    "total_price": "10.00",
    "line_items": [{"id": 1, "quantity": 1, "price": "10.00"}],
}
REFUND = {
    "id": 5,
    "order_id": 1001,
    "processed_at": "2026-01-20T15:00:00Z",
    "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": "10.00"}],
}


def ids(out: str) -> list[str]:
    """Return the ids of the printed events; each line is an event that can be loaded."""
    return [lr.loads_event(line).id for line in out.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ORDER, REFUND]),
        json.dumps({"orders": [ORDER, REFUND]}, indent=2),
        f"\n{json.dumps(ORDER)}\n\n{json.dumps(REFUND)}\n",
        gzip.compress(json.dumps([ORDER, REFUND]).encode()),
    ],
)
def test_a_file_holds_one_document_or_one_a_line(capsys: Capture, write: Write, text: str | bytes) -> None:
    assert main(["convert", "shopify", write("orders.json", text)]) == 0

    out, err = capsys.readouterr()
    assert (ids(out), err) == (["shopify-1001", "shopify-refund-5"], "")


def test_a_refund_in_a_later_file_finds_its_sale(capsys: Capture, write: Write) -> None:
    refund = {
        **REFUND,
        "refund_line_items": [],
        "refund_shipping_lines": [{"subtotal_amount_set": {"shop_money": {"amount": "1.00"}}}],
    }
    files = [write("orders.json", json.dumps(ORDER)), write("refunds.json", json.dumps(refund))]

    assert main(["convert", "shopify", *files, "--zone", "Europe/Berlin"]) == 0

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["occurred_at"] == "2026-01-15T16:00:00+01:00"
    assert second["lines"][0]["id"] == "1"


def test_standard_input_is_read_and_missing_parts_are_listed(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.dumps({**ORDER, "total_price": "11.00"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(document)))

    assert main(["convert", "shopify", "-"]) == 1

    out, err = capsys.readouterr()
    assert ids(out) == ["shopify-1001"]
    assert err == (
        "<stdin>: $.total_price: found 11: the parts come to 10 and the bill to 11: "
        "a difference of 1 is in the amount alone\n"
    )


def test_prices_can_be_without_tax(capsys: Capture, write: Write) -> None:
    line = {"id": 1, "quantity": 1, "price": "12.00", "tax_lines": [{"price": "2.00"}]}
    order = {**ORDER, "taxes_included": True, "total_tax": "2.00", "total_price": "12.00", "line_items": [line]}
    name = write("orders.json", json.dumps(order))

    values = []
    for prices in ("as-shown", "without-tax"):
        assert main(["convert", "shopify", name, "--prices", prices]) == 0
        values.append(json.loads(capsys.readouterr().out)["lines"][0]["value"])
    assert values == ["12", "10"]


def test_a_till_has_local_times_and_needs_its_zone(capsys: Capture, write: Write) -> None:
    receipt = (
        "<POSLog><Transaction><RetailStoreID>1</RetailStoreID><WorkstationID>2</WorkstationID><SequenceNumber>3"
        "</SequenceNumber><BusinessDayDate>2026-01-15</BusinessDayDate><EndDateTime>2026-01-15T10:00:00</EndDateTime>"
        "<RetailTransaction><LineItem><SequenceNumber>1</SequenceNumber><Sale><ExtendedAmount>5.00</ExtendedAmount>"
        "</Sale></LineItem></RetailTransaction></Transaction></POSLog>"
    )
    name = write("log.xml", receipt)

    assert main(["convert", "poslog", name]) == 2
    assert capsys.readouterr() == ("", "poslog has local times: give --zone, such as --zone Europe/Berlin\n")

    assert main(["convert", "poslog", name, "--zone", "Asia/Tokyo"]) == 0
    assert json.loads(capsys.readouterr().out)["occurred_at"] == "2026-01-15T10:00:00+09:00"


@pytest.mark.parametrize(
    ("arguments", "text", "complaint"),
    [
        (["shopify"], "{", "the text is not JSON"),
        (["poslog", "--zone", "UTC"], "<r>", "the text is not acceptable XML"),
        (["shopify", "--zone", "Mars"], "{}", "--zone: expected an IANA time zone"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    capsys: Capture, write: Write, arguments: list[str], text: str, complaint: str
) -> None:
    system, *options = arguments

    assert main(["convert", system, write("orders", text), *options]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err


def test_a_line_that_is_not_json_does_not_stop_the_others(capsys: Capture, write: Write) -> None:
    text = f'{json.dumps(ORDER)}\n{{"id":\n{json.dumps(REFUND)}\n'

    assert main(["convert", "shopify", write("orders.jsonl", text)]) == 1

    out, err = capsys.readouterr()
    assert ids(out) == ["shopify-1001", "shopify-refund-5"]
    assert "the text is not JSON" in err


def test_a_file_that_is_not_there_and_one_beyond_the_limit_are_refused(
    capsys: Capture, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["convert", "shopify", "nowhere.json"]) == 2
    assert capsys.readouterr().err == "nowhere.json: can't be read: No such file or directory\n"

    monkeypatch.setattr(command, "MAX_BYTES", 20)
    monkeypatch.setattr("loyalty_rules.documents.sources.MAX_BYTES", 20)
    assert main(["convert", "shopify", write("orders.json", json.dumps(ORDER, indent=1))]) == 2
    assert "a JSON text is at most 20 bytes" in capsys.readouterr().err


def test_an_unknown_system_is_refused_with_the_known_ones(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["convert", "magento", "orders.json"])

    assert ended.value.code == 2
    assert "shopify" in capsys.readouterr().err
