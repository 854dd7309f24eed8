"""The sources of a document: mappings, JSON, TOML, files. Source: documents (Python names, scalars)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.documents.sources import MAX_BYTES, read_json, read_source
from loyalty_rules.errors import DocumentError
from loyalty_rules.values.amounts import UnreadNumber


def problems(source: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(DocumentError) as caught:
        read_source(source, "event")
    assert caught.value.kind == "event"
    return [(problem.path, problem.code, problem.message) for problem in caught.value.problems]


def test_a_mapping_is_its_own_document() -> None:
    document = {"id": "1"}
    assert read_source(document, "event") is document


@pytest.mark.parametrize(
    "source", ['{"a": 1.50}', b'{"a": 1.50}', bytearray(b'{"a": 1.50}'), '\ufeff{"a": 1.50}'.encode()]
)
def test_a_fraction_of_a_text_is_exact(source: Any) -> None:
    document = read_source(source, "event")
    assert document == {"a": Decimal("1.50")}
    assert str(document["a"]) == "1.50"


@pytest.mark.parametrize("number", ["1e5", "0.0000000000001", "1" * 1_001])
def test_a_number_outside_the_limits_is_kept_as_written(number: str) -> None:
    kept = read_source(f'{{"a": {number}}}', "event")["a"]
    assert isinstance(kept, UnreadNumber)
    assert kept.text == number


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (
            "{",
            "not_json",
            "the text is not JSON: Expecting property name enclosed in double quotes at line 1, column 2",
        ),
        ('{"a": NaN}', "not_json", "the text is not JSON: NaN is not a JSON value"),
        ('{"a": -Infinity}', "not_json", "the text is not JSON: -Infinity is not a JSON value"),
        (b'{"a": "\xff"}', "not_json", "expected UTF-8, found an invalid byte at position 7"),
        ("[1]", "not_an_object", "expected an object, found a list"),
        ("5", "not_an_object", "expected an object, found the number 5"),
        (5, "wrong_type", "expected a mapping, JSON text or bytes, or a path; found the number 5"),
        (None, "wrong_type", "expected a mapping, JSON text or bytes, or a path; found nothing"),
        ("[" * 100_000, "too_deep", "the document is nested too deeply"),
    ],
    ids=["open", "nan", "infinity", "latin", "list", "number", "integer", "none", "deep"],
)
def test_a_source_that_is_not_a_document_is_one_problem(source: Any, code: str, message: str) -> None:
    assert problems(source) == [("$", code, message)]


def test_a_text_of_more_than_8_mebibytes_is_refused() -> None:
    assert read_source("{}" + " " * (MAX_BYTES - 2), "event") == {}
    [(path, code, _)] = problems("{}" + " " * (MAX_BYTES - 1))
    assert (path, code) == ("$", "too_large")


def test_every_repeated_key_is_a_problem_with_the_path_of_its_object_and_outer_objects_come_first() -> None:
    text = '{"a": 1, "b": [{"c": 1, "c": 2, "c": 3}], "a": {"d": 1, "d": 2}}'
    assert problems(text) == [
        ("$", "duplicate_key", "the key 'a' occurs 2 times in one object"),
        ("$.a", "duplicate_key", "the key 'd' occurs 2 times in one object"),
        ("$.b[0]", "duplicate_key", "the key 'c' occurs 3 times in one object"),
    ]


def test_at_most_100_repeated_keys_are_reported() -> None:
    text = "[" + ", ".join(['{"a": 1, "a": 2}'] * 200) + "]"
    with pytest.raises(DocumentError) as caught:
        read_json(text, "receipts")
    assert len(caught.value.problems) == 100


# -- files -----------------------------------------------------------------------------------------------------------


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_json_file_is_read_by_its_path_or_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", b'{"a": 1.5}')
    assert read_source(path, "event") == read_source(str(path), "event") == {"a": Decimal("1.5")}


def test_the_fractions_of_a_toml_file_are_exact(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", b"a = 1_000.50\nb = +0.1\nc = 1e5\n")
    document = read_source(path, "program")
    assert (document["a"], document["b"]) == (Decimal("1000.50"), Decimal("0.1"))
    assert document["c"].text == "1e5"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.toml", b"a = ", "not_toml"),
        ("a.toml", b"a = '\xff'", "not_toml"),
        ("a.toml", b"a = 1\na = 2", "not_toml"),
        ("a.toml", b"a = " + b"9" * 5_000, "not_toml"),
        ("a.json", b"a = 1", "not_json"),
        ("a.toml", b"#" * (2 * 1024 * 1024 + 1), "too_large"),
    ],
    ids=["open", "latin", "repeated", "digits", "json", "large"],
)
def test_a_file_that_is_not_a_document_is_one_problem(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    [(path, found, _)] = problems(written(tmp_path, name, content))
    assert (path, found) == ("$", code)


@pytest.mark.parametrize("name", ["absent.json", "a\0.json", "."])
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path, name: str) -> None:
    [(path, code, message)] = problems(tmp_path / name)
    assert (path, code) == ("$", "unreadable")
    assert "cannot be read: " in message


def test_bytes_that_end_like_a_path_are_never_opened(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", b"{}")
    [(_, code, _)] = problems(str(path).encode())
    assert code == "not_json"
