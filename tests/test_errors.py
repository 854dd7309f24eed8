"""Errors: their facts, and the messages that are derived from them."""

from __future__ import annotations

import pickle

import pytest

from loyalty_rules.errors import (
    DocumentError,
    InvalidValueError,
    LoyaltyError,
    MissingSerialsError,
    Problem,
    WrongEventError,
    describe,
    path_step,
    shorten,
)

PROBLEM = Problem("$.id", "required", "is missing")


def test_a_problem_is_written_with_its_path_and_code() -> None:
    assert str(PROBLEM) == "$.id: is missing [required]"


def test_a_document_error_lists_its_problems() -> None:
    assert str(DocumentError([PROBLEM], "event")) == "this event has a problem:\n  $.id: is missing [required]"
    assert str(DocumentError([PROBLEM, PROBLEM])).startswith("this document has 2 problems:\n")
    assert DocumentError(iter([PROBLEM])).problems == (PROBLEM,)


def test_an_invalid_value_names_its_argument() -> None:
    error = InvalidValueError("quantity", "out_of_range", "must be zero or more")
    assert str(error) == "quantity: must be zero or more [out_of_range]"
    assert str(InvalidValueError("", "float", "a float is not exact")) == "a float is not exact [float]"


@pytest.mark.parametrize(
    ("name", "under"), [("", "lines"), ("[3]", "lines[3]"), ("id", "lines.id"), ("[3].id", "lines[3].id")]
)
def test_the_name_of_a_nested_value_has_the_name_of_its_argument_in_front(name: str, under: str) -> None:
    other = InvalidValueError("[9]", "b", "")
    error = InvalidValueError(name, "a", "", (other,)).under("lines")
    assert error.name == under
    assert [each.name for each in error.others] == ["lines[9]"]


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (DocumentError([PROBLEM], "program"), ValueError),
        (InvalidValueError("a", "b", "c", (InvalidValueError("d", "e", "f"),)), ValueError),
        (MissingSerialsError("gift"), LoyaltyError),
        (WrongEventError("text"), TypeError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_an_error_is_a_loyalty_error_and_survives_pickling(error: LoyaltyError, builtin: type) -> None:
    assert isinstance(error, LoyaltyError)
    assert isinstance(error, builtin)
    copied = pickle.loads(pickle.dumps(error))
    assert str(copied) == str(error)
    assert copied.args[:2] == error.args[:2]


def test_missing_serials_name_the_coupon_type_and_the_remedy() -> None:
    error = MissingSerialsError("gift")
    assert error.coupon_type == "gift"
    assert str(error).startswith(
        "coupon type 'gift' is serial-managed and no serial generator was given: pass serials="
    )


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("id", ".id"),
        ("next-visit_2", ".next-visit_2"),
        ("a b", "['a b']"),
        ("", "['']"),
        ("é", r"['\xe9']"),
        ("a/b", "['a/b']"),
        ("x" * 129, "['" + "x" * 60 + "']"),
        (5, "[the number 5]"),
        (None, "[nothing]"),
    ],
)
def test_a_key_is_one_step_of_a_path(key: object, step: str) -> None:
    assert path_step(key) == step


def test_a_name_is_shortened_to_60_characters_in_ascii() -> None:
    assert shorten("é") == r"'\xe9'"
    assert shorten("x" * 60) == "'" + "x" * 60 + "'"
    assert shorten("x" * 61) == "'" + "x" * 60 + "'…"


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (5, "the number 5"),
        (-5, "the number -5"),
        (1 << 100_000, "a number of more than 30 digits"),
        ("a\n", r"the text 'a\n'"),
        ("x" * 61, "the text '" + "x" * 60 + "'…"),
        (1.5, "the float 1.5"),
        ({}, "an object"),
        ([], "a list"),
        ((), "a list"),
        (b"", "bytes"),
        (Odd(), "a value of type Odd"),
    ],
    ids=map(str, range(14)),
)
def test_a_value_is_described_by_its_kind_and_content(value: object, text: str) -> None:
    assert describe(value) == text
