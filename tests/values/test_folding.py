"""The folded form of codes. Source: semantics 9 (codes)."""

from __future__ import annotations

import pytest

from loyalty_rules.values.folding import folded


@pytest.mark.parametrize(
    "code", ["DANKEFÜR100", "dankefür100", "danke für-100", "DANKEFU\u0308R100", " Danke\u00a0Für 1-0-0 "]
)
def test_one_code_however_it_is_typed(code: str) -> None:
    assert folded(code) == "dankefür100"


def test_codes_are_texts_and_no_numbers() -> None:
    assert {folded(each) for each in ("0", "007", "7")} == {"0", "007", "7"}


def test_blanks_and_hyphens_alone_are_no_code() -> None:
    assert folded(" - -") == ""


def test_a_letter_without_a_case_of_its_own_is_folded() -> None:
    assert folded("Straße") == folded("STRASSE") == "strasse"
