"""Vectors: cases made from receipts, with their expected results."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import loyalty_rules as lr
from loyalty_rules.testing import check, load_vectors, make_vector
from shop import earn, fixed, program, proportional, sale


def test_a_case_expects_all_intents_and_skips() -> None:
    document, event = program(earn(proportional("10")), earn(fixed("0"), "nothing")), sale("120.50")

    vector = make_vector("ten percent", document, event)

    evaluation = lr.dump(lr.load_program(document).evaluate(lr.load_event(event)))
    assert vector["expect"]["intents"] == evaluation["intents"]
    assert vector["expect"]["skipped"] == [{"promotion": "p", "action": "nothing", "reason": "zero_amount"}]
    assert list(vector) == ["name", "program", "event", "expect"]


def test_a_case_fails_when_the_program_issues_another_amount(tmp_path: Path) -> None:
    before, after = program(earn(proportional("10"))), program(earn(proportional("11")))
    file = tmp_path / "case.json"
    file.write_text(json.dumps([make_vector("ten percent", before, sale("50"))]))

    [vector] = load_vectors(file)

    assert check(vector) == []
    [amount, *_] = check(replace(vector, program=after))
    assert amount == 'intents[0] (issue_currency acme/T-1/p/earn): expected amount "5", found "5.5"'


def test_decimals_and_dates_are_written_as_texts() -> None:
    expiry = {"type": "fixed_date", "on": date(2025, 12, 31)}
    document = program(earn(proportional(Decimal("2.50")), expiry=expiry))

    vector = json.loads(json.dumps(make_vector("from TOML", document, sale(Decimal("10.5")))))

    [action] = vector["program"]["promotions"][0]["actions"]
    assert (action["proration"]["percent"], action["expiry"]["on"]) == ("2.5", "2025-12-31")
    assert vector["event"]["amount"] == "10.5"
    assert vector["expect"]["intents"][0]["amount"] == "0.2625"
