"""Plain English, as far as it can be counted: docstrings, comments, commit-time words and Markdown lines.

The manner is described in CONTRIBUTING.md. Each rule is a function from a text to its faults, with controls.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from .source import ROOT

MAX_WORDS = 25
MAX_COLUMNS = 100

PYTHON = sorted(path for folder in ("src", "examples", "tests") for path in (ROOT / folder).rglob("*.py"))
LIBRARY = [path for path in PYTHON if path.is_relative_to(ROOT / "src") or path.is_relative_to(ROOT / "examples")]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

each_library_file = pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
each_python_file = pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


# -- docstrings ------------------------------------------------------------------------------------------------------

FIRST_WORDS = {"Ask", "Give", "Gives", "Let", "Name", "Say", "Says", "Tell", "Tells", "What", "Whatever"}
CLAUSES = re.compile(
    r"\b(?:what|whatever) (?:is|are|was|were|has|have|had|it|an?|the|that|comes?|came)\b", re.IGNORECASE
)


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a source, each with its line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


def first_word_faults(text: str) -> list[str]:
    """Return the docstrings that begin with a vague verb or with a clause."""
    words = ((line, docstring.split()[0].strip(":,.")) for line, docstring in docstrings(text))
    return [f"line {line}: {word}…" for line, word in words if word in FIRST_WORDS]


def clause_faults(text: str) -> list[str]:
    """Return the docstrings with a clause such as "what is recorded" in place of a noun."""
    return [f"line {line}: {match[0]}" for line, docstring in docstrings(text) for match in CLAUSES.finditer(docstring)]


def sentences(prose: str) -> list[str]:
    """Split prose into sentences; code spans count as one word, and lists and blocks end a sentence."""
    prose = re.sub(r"`[^`\n]*`", "code", prose)
    prose = re.sub(r"\n\s*\n|\n\s*(?=[-*|>#\d] ?)", ".\n", prose)
    return [each.strip() for each in re.split(r"(?<=[.!?;:])\s+", prose) if each.strip()]


def length_faults(text: str) -> list[str]:
    """Return the sentences of docstrings that are longer than the maximum."""
    return [
        f"line {line}: {len(sentence.split())} words: {sentence[:60]}…"
        for line, docstring in docstrings(text)
        for sentence in sentences(docstring)
        if len(sentence.split()) > MAX_WORDS
    ]


@each_python_file
def test_no_docstring_begins_with_a_vague_word(path: Path) -> None:
    assert first_word_faults(path.read_text(encoding="utf-8")) == []


@each_library_file
def test_no_docstring_has_a_clause_in_place_of_a_noun(path: Path) -> None:
    assert clause_faults(path.read_text(encoding="utf-8")) == []


@each_library_file
def test_no_sentence_of_a_docstring_is_too_long(path: Path) -> None:
    assert length_faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("word", sorted(FIRST_WORDS))
def test_a_vague_first_word_is_seen(word: str) -> None:
    assert len(first_word_faults(f'def f():\n    """{word} the balance."""')) == 1
    assert len(first_word_faults(f'class A:\n    """{word}: the balance."""')) == 1


def test_a_clause_in_place_of_a_noun_is_seen() -> None:
    assert len(clause_faults('"""Return what is recorded."""')) == 1
    assert len(clause_faults('"""What has expired stays expired."""')) == 1


def test_a_long_sentence_is_seen() -> None:
    assert len(length_faults(f'"""Return {"very " * 30}long."""')) == 1
    assert length_faults(f'"""Return {"one. Two " * 30}."""') == []
    assert length_faults('"""Return `' + "a b " * 30 + '`."""') == []


def test_plain_docstrings_are_allowed() -> None:
    text = '"""The balance of an account."""\ndef f():\n    """Return the balance; None if there is no account."""'
    assert first_word_faults(text) == clause_faults(text) == length_faults(text) == []


# -- comments --------------------------------------------------------------------------------------------------------


def comment_faults(text: str) -> list[str]:
    """Return the comments with a clause in place of a noun."""
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    comments = ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    return [f"line {line}: {match[0]}" for line, comment in comments for match in CLAUSES.finditer(comment)]


@each_library_file
def test_no_comment_has_a_clause_in_place_of_a_noun(path: Path) -> None:
    assert comment_faults(path.read_text(encoding="utf-8")) == []


def test_a_comment_with_a_clause_is_seen() -> None:
    assert len(comment_faults("x = 1  # what is left of it\n")) == 1
    assert comment_faults("x = 1  # the rest\n") == []


# -- pages -----------------------------------------------------------------------------------------------------------


def long_lines(text: str) -> list[str]:
    """Return the lines of prose beyond the maximum width; tables, code, links alone and comments may be longer."""
    prose = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    return [
        line
        for line in prose.splitlines()
        if len(line) > MAX_COLUMNS and not line.lstrip().startswith(("|", "<!--", "[")) and " " in line.strip("-> ")
    ]


@each_page
def test_prose_is_wrapped(path: Path) -> None:
    assert long_lines(path.read_text(encoding="utf-8")) == []


def test_a_line_that_is_not_wrapped_is_seen() -> None:
    assert len(long_lines("word " * 30)) == 1
    assert long_lines("| " + "cell | " * 30) == long_lines("```text\n" + "word " * 30 + "\n```") == []
