"""Dotted keys of a TOML text: counted outside of strings and comments."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from loyalty_rules.documents import sources
from loyalty_rules.documents.sources import read_source
from loyalty_rules.documents.toml_keys import MAX_PARTS, longest_dotted_key
from loyalty_rules.errors import DocumentError

LONG = ".".join("a" * 150)
QUOTED = ".".join(['"a b"'] * 150)


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"[{LONG}]",
        f"[[{LONG}]]",
        f"x = {{ {LONG} = 1 }}",
        f"x = [ {{ {LONG} = 1 }} ]",
        f"{QUOTED} = 1",
        f"{LONG.replace('.', ' . ')} = 1",
        f'x = {{ b = """a"""", {LONG} = 1 }}',  # a quote before the closing ones
        f"x = {{ b = '''a''', {LONG} = 1 }}",
        f'x = {{ b = "\\"", {LONG} = 1 }}',
        f"x = {{ b = '\\', {LONG} = 1 }}",
    ],
)
def test_a_long_key_is_counted_wherever_it_stands(text: str) -> None:
    tomllib.loads(text)

    assert longest_dotted_key(text) == 150


@pytest.mark.parametrize(
    "text",
    [
        f'x = "{LONG}"',
        f"x = '{LONG}'",
        f'x = """\n{LONG} = 1\n"""',
        f"x = '''\n{LONG} = 1\n'''",
        f'x = """\\"""{LONG}"""',
        f"x = 1 # {LONG} = 1",
        f'"{LONG}" = 1',
        "x = [" + "1.5, " * 200 + "]",
        "[a.b.c]\nd.e = 1\n" * 1,
    ],
)
def test_dots_of_texts_comments_and_numbers_make_no_key(text: str) -> None:
    tomllib.loads(text)

    assert longest_dotted_key(text) <= 2


def test_a_file_with_a_long_key_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(f"{LONG} = 1")
    read: list[str] = []
    monkeypatch.setattr(sources.tomllib, "loads", lambda text, **_: read.append(text))

    with pytest.raises(DocumentError) as caught:
        read_source(path, "program")
    assert [(each.code, each.message) for each in caught.value.problems] == [
        ("too_deep", f"expected keys of at most {MAX_PARTS} parts, found one of 150")
    ]
    assert read == []


def test_an_open_text_is_scanned_once() -> None:
    text = "a" + "." * 200 + '"""' + '\\"""' * 50_000  # each quote could begin another open text

    assert longest_dotted_key(text) == 201
