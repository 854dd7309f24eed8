"""Checked values: the arguments of constructors, for type checkers and at run time."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import attrs
import pytest
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.values.checked import (
    TupleOf,
    checked,
    named_reader_of,
    nearest,
    read_each,
    read_field,
    reader_of,
)

CONSTRUCTORS = Path(__file__).with_name("constructors.py")


@pytest.mark.slow
def test_a_type_checker_accepts_lists_and_numbers_and_refuses_other_types() -> None:
    # In a process of its own: mypy raises the recursion limit of the process that it runs in.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", CONSTRUCTORS]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CONSTRUCTORS.parents[2])
    lines = CONSTRUCTORS.read_text(encoding="utf-8").splitlines()
    refused = {number for number, line in enumerate(lines, start=1) if "# refused: " in line}
    reported = {int(line.split(":")[1]) for line in run.stdout.splitlines() if ": error: " in line}
    assert run.stderr == ""
    assert reported == refused, run.stdout


# -- constructors at run time ----------------------------------------------------------------------------------------


def _read_even(value: int) -> int:
    if value % 2:
        raise InvalidValueError("", "odd", f"expected an even number, found {value}")
    return value


@attrs.frozen(field_transformer=checked)
class Part:
    """A part."""

    name: Literal["wheel", "door"]


@attrs.frozen(field_transformer=checked)
class Whole:
    """A whole with parts."""

    parts: tuple[Part, ...] = attrs.field(default=(), converter=TupleOf[Part])
    best: Part | None = None
    count: int = attrs.field(default=0, converter=_read_even)
    other_count: int | None = attrs.field(default=None, converter=optional(_read_even))
    is_new: bool = False


WHEEL = Part("wheel")


@pytest.mark.parametrize("parts", [[WHEEL], (WHEEL,)])
def test_a_list_is_kept_as_a_plain_tuple(parts: Sequence[Part]) -> None:
    whole = Whole(parts)
    assert whole.parts == (WHEEL,)
    assert type(whole.parts) is tuple


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parts": "wheel"}, "parts: expected a list, found the text 'wheel' [not_a_list]"),
        ({"parts": [WHEEL, 5]}, "parts[1]: expected Part, found the number 5 [wrong_type]"),
        ({"best": 5}, "best: expected Part or nothing, found the number 5 [wrong_type]"),
        ({"count": 3}, "count: expected an even number, found 3 [odd]"),
        ({"other_count": 3}, "other_count: expected an even number, found 3 [odd]"),
        ({"is_new": 1}, "is_new: expected true or false, found the number 1 [not_a_boolean]"),
    ],
)
def test_an_invalid_argument_is_an_error_that_names_it(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Whole(**arguments)
    assert str(caught.value) == message


def test_an_error_in_a_list_keeps_the_errors_of_the_other_items() -> None:
    with pytest.raises(InvalidValueError) as caught:
        Whole([5, WHEEL, 6])  # type: ignore[list-item]
    assert [str(error) for error in (caught.value, *caught.value.others)] == [
        "parts[0]: expected Part, found the number 5 [wrong_type]",
        "parts[2]: expected Part, found the number 6 [wrong_type]",
    ]


def test_an_unknown_word_is_an_error_with_the_nearest_choice() -> None:
    with pytest.raises(InvalidValueError) as caught:
        Part("weel")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "name: expected one of wheel, door; found the text 'weel'; did you mean 'wheel'? [not_a_choice]"
    )


def test_at_most_100_errors_of_one_list_are_kept() -> None:
    with pytest.raises(InvalidValueError) as caught:
        Whole([5] * 500)  # type: ignore[list-item]
    assert len(caught.value.others) == 99


def test_a_field_is_read_by_its_reader_or_its_annotation() -> None:
    fields = attrs.fields_dict(Whole)
    assert named_reader_of(fields["parts"]) is None
    assert named_reader_of(fields["best"]) is None
    assert named_reader_of(fields["count"]) is _read_even
    assert named_reader_of(fields["other_count"]) is _read_even
    assert reader_of(fields["count"]) is _read_even
    assert read_field(fields["parts"], [WHEEL]) == (WHEEL,)


def test_a_field_of_an_unchecked_class_has_only_its_converter() -> None:
    @attrs.frozen
    class Unchecked:
        name: str
        count: int = attrs.field(converter=_read_even)

    assert named_reader_of(attrs.fields(Unchecked).name) is None
    assert named_reader_of(attrs.fields(Unchecked).count) is _read_even


def test_read_each_reads_every_item() -> None:
    assert read_each([("[0]", 2), ("[1]", 4)], _read_even) == [2, 4]


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("whn", ["when", "title"], "when"),
        ("WHEN", ["when"], "when"),
        ("colour", ["when", "title"], None),
        ("when", [], None),
        ("when" * 100, ["when"], None),
    ],
)
def test_the_nearest_word_is_the_most_similar_one(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected
