"""The runner of README.md and the pages of docs/: it executes every block and checks every marked table.

| in a page | the runner |
|---|---|
| `python` | executes it in the page's namespace; its output must be the `text` or `json` block right below |
| `console` | executes each `$ ` line in a shell; its output must be the lines below |
| `toml`, `json` | loads it as a program, an event or a snapshot, by its keys; of a list of cases, their programs |
| `<!-- save as NAME -->` above | also saves it in the page's folder; `python` is saved only |
| `<!-- expect as NAME -->` above | loads it as expectations of a program, and saves it |
| `<!-- fragment: PART -->` above | puts each paragraph into that part of a small document, and loads that |
| `<!-- problems: CODE … -->` above | loads it, and expects exactly these problems |
| `bash` | executes a command for a fresh machine, without the part that installs; skips the test run |
| `<!-- each row: EXPRESSION == EXPRESSION -->` | evaluates it for each row of the table below; the columns are texts |

In an output `…` stands for any text within a line. Everything else in a page fails: a language without a row here, an
output without a print, a print without an output, a mark above neither a block nor a table.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from sybil import Document, Example, Region, Sybil

import loyalty_rules as lr
from loyalty_rules.testing.laws import Expectations

__all__ = ["pytest_collect_file"]

ROOT = Path(__file__).parents[1]

INSTALLERS = (
    "python3 -m pip install --quiet --upgrade --target build/uv uv && build/uv/bin/uv run ",
    "python3 -m pip install --quiet --upgrade --target build/try '.[cli]' && PYTHONPATH=build/try ",
)
"""The ways to install on a fresh machine: the environment of the tests, and the library with one extra."""

# -- the parts of a page ----------------------------------------------------------------------------------------------

_MARK = r"<!-- *(?P<mark>[a-z ]+)(?:: *|(?<=as) +)(?P<what>(?:(?!-->).)*?) *-->\n\s*"
_BLOCK = re.compile(
    rf"^(?:{_MARK})?(?P<fence>`{{3,}})(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL
)
_OUTPUT = re.compile(r"\s*^```(?:text|json)\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(rf"^{_MARK}(?P<rows>(?:\|[^\n]*\n)+)", re.MULTILINE)
_ANY_MARK = re.compile(r"<!--.*?-->", re.DOTALL)


@attrs.frozen
class Part:
    """A block or table of a page, from its mark to its end; `output` is the expected output of a block."""

    language: str
    text: str
    mark: str
    what: str
    line: int
    output: str | None = None


def parts_of(page: str) -> Iterator[tuple[int, int, Part]]:
    """Yield the blocks and marked tables of a page, and the marks that belong to neither."""
    taken: list[tuple[int, int]] = []
    start = 0
    while match := _BLOCK.search(page, start):
        start, output = match.end(), None
        if match["language"] == "python" and (printed := _OUTPUT.match(page, start)):
            start, output = printed.end(), printed["text"]
        line = page.count("\n", 0, match.start("text")) + 1
        taken.append((match.start(), start))
        yield (
            match.start(),
            start,
            Part(match["language"], match["text"], match["mark"] or "", match["what"] or "", line, output),
        )
    for match in _TABLE.finditer(page):
        if not any(first <= match.start() < last for first, last in taken):
            taken.append(match.span())
            line = page.count("\n", 0, match.start("rows")) + 1
            yield *match.span(), Part("table", match["rows"], match["mark"], match["what"], line)
    for match in _ANY_MARK.finditer(page):
        if not any(first <= match.start() < last for first, last in taken):
            yield *match.span(), Part("mark", match[0], "", "", page.count("\n", 0, match.start()) + 1)


def parse(document: Document) -> Iterator[Region]:
    """Yield the parts of a page as regions for Sybil."""
    for start, end, part in sorted(parts_of(document.text), key=lambda found: found[0]):
        yield Region(start, end, parsed=part, evaluator=evaluate)


def evaluate(example: Example) -> str | None:
    """Run one part of a page. Return its failure as a text, or None."""
    part: Part = example.parsed
    run = _RUNNERS.get(part.language)
    return (
        run(part, example)
        if run is not None
        else f"{part.language or 'a bare fence'}: the runner has no row for this language"
    )


# -- code ------------------------------------------------------------------------------------------------------------


def run_python(part: Part, example: Example) -> str | None:
    if part.mark == "save as":
        (example.namespace["_folder"] / part.what).write_text(part.text)
        return None if part.output is None else "a block that is saved is not executed, and prints nothing"
    code = compile("\n" * (part.line - 1) + part.text, example.path, "exec", dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, example.namespace)
    return difference(part.output or "", printed.getvalue())


def run_console(part: Part, example: Example) -> str | None:
    status = 0
    for command, shown in commands_of(part.text):
        status, printed = shell(f"(exit {status}); {command}", example)
        if wrong := difference(shown, printed):
            return f"$ {command}\n{wrong}"
        if status and not part.text.rstrip().endswith(f"$ echo $?\n{status}"):
            return f"$ {command}\nends with {status}, but the page does not show that"
    return None


def commands_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block, each with its expected output."""
    before, *commands = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if before or not commands:
        raise ValueError("a console block begins with a command: $ …")
    for each in commands:
        command, shown = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", each, re.DOTALL).groups()  # type: ignore[union-attr]
        yield command.rstrip("\n"), shown


def shell(command: str, example: Example) -> tuple[int, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=example.namespace["_folder"],
        env={**os.environ, "PATH": path, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout


def run_bash(part: Part, example: Example) -> str | None:
    command = part.text.strip()
    installer = next((each for each in INSTALLERS if command.startswith(each)), None)
    if "\n" in command or installer is None:
        return "a command for a fresh machine is one line and begins with one of:\n" + "\n".join(INSTALLERS)
    rest = command.removeprefix(installer)
    if rest.startswith("pytest "):
        return None  # this is that run
    status, printed = shell(rest, example)
    return None if status == 0 else f"{rest}\nends with {status}:\n{printed}"


def difference(shown: str, printed: str) -> str | None:
    """Return both outputs if they differ, or None; `…` stands for any text within a line."""
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in shown.rstrip().split("\n"))
    if re.fullmatch(pattern, printed.rstrip()):
        return None
    return "expected by the page:\n" + textwrap.indent(shown, "  ") + "\nprinted:\n" + textwrap.indent(printed, "  ")


# -- documents -------------------------------------------------------------------------------------------------------


def run_document(part: Part, example: Example) -> str | None:
    match part.mark:
        case "fragment":
            return "\n".join(filter(None, (wrong_fragment(each, part) for each in paragraphs(part.text)))) or None
        case "problems":
            return wrong_problems(part)
        case "save as":
            (example.namespace["_folder"] / part.what).write_text(part.text)
        case "expect as":
            (example.namespace["_folder"] / part.what).write_text(part.text)
            Expectations.of(read(part.text, part.language))
            return None
    load(read(part.text, part.language))
    return None


def read(text: str, language: str) -> Any:
    """Parse a text as the library does, so that fractions stay exact. Raises if it is not JSON or TOML."""
    return tomllib.loads(text, parse_float=Decimal) if language == "toml" else json.loads(text, parse_float=Decimal)


def load(document: Mapping[str, Any] | list[Any]) -> object:
    """Load a document as a program, an event or a snapshot, by its keys; of a list of cases, their programs."""
    if isinstance(document, list):
        return [lr.load_program(case["program"]) for case in document]
    if "format" in document or "promotions" in document:
        return lr.load_program(document)
    if "type" in document:
        return lr.load_event(document)
    return lr.load_snapshot(document)


def wrong_problems(part: Part) -> str | None:
    try:
        load(read(part.text, part.language))
    except lr.DocumentError as error:
        codes = [problem.code for problem in error.problems]
        return None if sorted(codes) == sorted(part.what.split()) else f"the problems are {codes}:\n{error}"
    return "this document is valid"


def paragraphs(text: str) -> list[str]:
    """Split fragments at empty lines, without the paragraphs that only have comments."""
    parts = re.split(r"\n\s*\n", text.strip())
    return [each for each in parts if any(line and not line.startswith("#") for line in each.split("\n"))]


def wrong_fragment(text: str, part: Part) -> str | None:
    fragment = read(text if part.language == "toml" else text.rstrip(","), part.language)
    try:
        load(framed(part.what, fragment))
    except lr.DocumentError as error:
        return f"{text}\n{error}"
    return None


def framed(name: str, fragment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a small document with a fragment in the named part."""
    document: dict[str, Any] = _event() if name in ("event", "member", "line") else _program()
    place: Any = document
    for step in _PLACES[name]:
        place = place[step]
    merge(place, fragment)
    return document


def merge(place: dict[str, Any], fragment: Mapping[str, Any]) -> None:
    """Write the keys of a fragment over those of a document; tables of ids are joined."""
    for key, value in fragment.items():
        joined = key in ("currencies", "limits", "trackers", "coupon_types", "groups", "tiers")
        place[key] = {**place.get(key, {}), **value} if joined else value


_PLACES: Mapping[str, tuple[Any, ...]] = {
    "program": (),
    "promotion": ("promotions", 1),
    "currency action": ("promotions", 1, "actions", 0),
    "coupon action": ("promotions", 1, "actions", 1),
    "tracker": ("trackers", "yearly-spend"),
    "coupon type": ("coupon_types", "next-visit"),
    "event": (),
    "member": ("member",),
    "line": ("lines", 0),
}


def _program() -> dict[str, Any]:
    earn = {"type": "issue_currency", "id": "earn", "currency": "points", "expiry": {"type": "never"}}
    full = {**earn, "proration": {"type": "multiplier", "percent": "100"}}
    return {
        "format": "loyalty-rules/1",
        "id": "acme",
        "time_zone": "America/New_York",
        "money": "USD",
        "currencies": {"points": {}},
        "trackers": {"yearly-spend": {"measure": {"type": "transaction_value"}, "target": "1000"}},
        "coupon_types": {"next-visit": {"benefit": {"type": "percent_off", "percent": "15"}}},
        "promotions": [
            {"id": "base-earn", "actions": [full]},
            {
                "id": "bonus",
                "actions": [dict(full), {"type": "issue_coupon", "id": "thanks", "coupon_type": "next-visit"}],
            },
        ],
    }


def _event() -> dict[str, Any]:
    return {
        "type": "transaction",
        "id": "T-1001",
        "occurred_at": "2025-01-15T10:00:00-05:00",
        "amount": "50",
        "member": {"id": "M1"},
        "lines": [{"id": "1", "quantity": "1", "value": "50"}],
    }


# -- tables ----------------------------------------------------------------------------------------------------------


def run_table(part: Part, example: Example) -> str | None:
    if part.mark != "each row":
        return f"the mark of a table is '<!-- each row: … == … -->', not {part.mark!r}"
    left, _, right = part.what.rpartition(" == ")
    head, _, *rows = (cells_of(line) for line in part.text.splitlines())
    names = [re.sub(r"\W+", "_", each).strip("_") for each in head]
    wrong = []
    for row in rows:
        scope = {**example.namespace, **dict(zip(names, row, strict=True))}
        found, said = eval(left, scope), eval(right, scope)
        if found != said:
            wrong.append(f"| {' | '.join(row)} |\n  the table says {said!r}, found {found!r}")
    return "\n".join(wrong) or (None if rows else "a table without rows")


def cells_of(line: str) -> list[str]:
    """Return the texts of the cells of a row, without backticks and asterisks."""
    return [re.sub(r"`|\*\*", "", cell).strip() for cell in line.strip().strip("|").split("|")]


def no_output(part: Part, _example: Example) -> str | None:
    return f"no block above prints this:\n{part.text}"


def no_mark(part: Part, _example: Example) -> str | None:
    return f"this mark belongs to no block and no table: {part.text}"


_RUNNERS = {
    "python": run_python,
    "console": run_console,
    "bash": run_bash,
    "toml": run_document,
    "json": run_document,
    "table": run_table,
    "text": no_output,
    "mark": no_mark,
}


# -- a folder for each page ------------------------------------------------------------------------------------------


def enter(namespace: dict[str, Any]) -> None:
    """Create a folder for the page, with a link to the examples, and change to it."""
    folder = tempfile.TemporaryDirectory()
    namespace.update(_folder=Path(folder.name), _left=Path.cwd(), _temporary=folder)
    (namespace["_folder"] / "build").mkdir()
    (namespace["_folder"] / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    os.chdir(folder.name)


def leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_left"])
    namespace["_temporary"].cleanup()


pytest_collect_file = Sybil(
    parsers=[parse], path=str(ROOT), patterns=["README.md", "docs/*.md"], setup=enter, teardown=leave
).pytest()
