"""Files of cases: their parts, their names, and the serials of a case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.serials import SerialRequest
from loyalty_rules.testing.cases import load_cases
from loyalty_rules.testing.cases.files import PrintedSerials

CASE = {"name": "one", "why": "1 = 1", "program": {"id": "shop"}, "steps": [{"do": "check"}]}


def written(folder: Path, name: str, cases: list[Any]) -> Path:
    path = folder / name
    path.write_text(json.dumps(cases), encoding="utf-8")
    return path


def test_a_folder_has_the_cases_of_its_files(tmp_path: Path) -> None:
    written(tmp_path, "b.json", [{**CASE, "name": "two", "finally": {"balances": []}}])
    written(tmp_path, "a.json", [CASE])
    one, two = load_cases(tmp_path)
    assert (str(one), one.why, one.programs, one.steps, one.end) == (
        "one", "1 = 1", {"program": {"id": "shop"}}, [{"do": "check"}], {},
    )  # fmt: skip
    assert (str(two), two.end) == ("two", {"balances": []})


def test_a_case_without_its_parts_is_a_problem_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_cases(written(tmp_path, "a.json", [CASE, {"name": "two", "steps": []}]))
    assert [each.path for each in caught.value.problems] == ["$[1].why", "$[1].program"]


def test_two_cases_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="several cases have the name one"):
        load_cases(written(tmp_path, "a.json", [CASE, CASE]))


def request(ordinal: int) -> SerialRequest:
    return SerialRequest("shop", "gift", "T1", "p", "give", ordinal, 0)


def test_printed_serials_come_in_their_order_and_are_the_same_for_a_retry() -> None:
    serials = PrintedSerials(["AB-12", "Straße 7"])
    assert [serials.serial(request(each)) for each in (1, 2, 1)] == ["AB-12", "Straße 7", "AB-12"]
    assert serials.fingerprint("ab 12") == b"ab12"
    assert serials.fingerprint("STRASSE7") == b"strasse7"
    assert serials.fingerprint("ZZ-99") is None
