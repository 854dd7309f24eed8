"""What README.md and the pages of docs/ show is what happens: every block and every marked table is run.

| in a page | what is done with it |
|---|---|
| `python` | runs in the page's namespace; what it prints is the `text` or `json` block right below it |
| `console` | each `$ ` line runs in a shell; what it prints stands below it |
| `toml`, `json` | is loaded as the program, event or snapshot that it is |
| `<!-- save as NAME -->` above it | … and kept in the page's folder, for what follows; `python` is kept, and not run |
| `<!-- expect as NAME -->` above it | … is read as what a program is meant to do, and kept, too |
| `<!-- fragment: PART -->` above it | is put into that part of a small document, which is loaded; each paragraph |
| `<!-- problems: CODE … -->` above it | is refused with exactly these problems |
| `bash` | is a command for a fresh machine: it runs without the part that installs; the test run is only read |
| `<!-- each row: EXPRESSION == EXPRESSION -->` | the table below holds, row by row: columns are names of texts |

In what is printed `…` stands for anything within a line. Anything else in a page (a language without a row here, an
output that nothing prints, a print that is not shown, a mark that belongs to nothing) fails.
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
from hypothesis import Phase, settings
from sybil import Document, Example, Region, Sybil

import loyalty_rules as lr
from loyalty_rules.testing.laws import Expectations

ROOT = Path(__file__).parent

# The same cases every time, unless somebody asks for more of them, or for others; and no test is timed by the clock.
ASKED = {"LOYALTY_EXAMPLES", "LOYALTY_SEED"} & {*os.environ}
settings.register_profile("repeatable", derandomize=not ASKED, deadline=None)
settings.load_profile("repeatable")
# A mutant is dead when a test fails; nobody reads the smallest example that killed it.
settings.register_profile("mutation", settings(), phases=[Phase.explicit, Phase.generate])
INSTALLS = "python3 -m pip install --quiet --upgrade --target build/uv uv && build/uv/bin/uv run "

# -- what is in a page -----------------------------------------------------------------------------------------------

_MARK = r"<!-- *(?P<mark>[a-z ]+)(?:: *|(?<=as) +)(?P<what>(?:(?!-->).)*?) *-->\n\s*"
_BLOCK = re.compile(
    rf"^(?:{_MARK})?(?P<fence>`{{3,}})(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL
)
_OUTPUT = re.compile(r"\s*^```(?:text|json)\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(rf"^{_MARK}(?P<rows>(?:\|[^\n]*\n)+)", re.MULTILINE)
_ANY_MARK = re.compile(r"<!--.*?-->", re.DOTALL)


@attrs.frozen
class Part:
    """One block or table of a page, from its mark to its end; `output` is what a block is said to print."""

    language: str
    text: str
    mark: str
    what: str
    line: int
    output: str | None = None


def parts_of(page: str) -> Iterator[tuple[int, int, Part]]:
    """Find the blocks and marked tables of a page, and marks that belong to neither."""
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
    """Give the parts of a page as what Sybil runs."""
    for start, end, part in sorted(parts_of(document.text), key=lambda found: found[0]):
        yield Region(start, end, parsed=part, evaluator=evaluate)


def evaluate(example: Example) -> str | None:
    """Run one part of a page; what is wrong with it comes back as text."""
    part: Part = example.parsed
    run = _RUNNERS.get(part.language)
    return run(part, example) if run is not None else f"{part.language or 'a bare fence'}: nothing says how to run this"


# -- code ------------------------------------------------------------------------------------------------------------


def run_python(part: Part, example: Example) -> str | None:
    if part.mark == "save as":
        (example.namespace["_folder"] / part.what).write_text(part.text)
        return None if part.output is None else "what is saved prints nothing here"
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
            return f"$ {command}\nends with {status}, which the page does not say"
    return None


def commands_of(text: str) -> Iterator[tuple[str, str]]:
    """Split a block into its commands, each with what it is said to print."""
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
    if "\n" in command or not command.startswith(INSTALLS):
        return f"a command for a fresh machine is one line and begins with: {INSTALLS}"
    rest = command.removeprefix(INSTALLS)
    if rest == "pytest":
        return None  # this is that run
    status, printed = shell(rest.removeprefix("--extra cli "), example)
    return None if status == 0 else f"{rest}\nends with {status}:\n{printed}"


def difference(shown: str, printed: str) -> str | None:
    """Say where what is shown is not what is printed; `…` stands for anything within a line."""
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in shown.rstrip().split("\n"))
    if re.fullmatch(pattern, printed.rstrip()):
        return None
    return "the page says:\n" + textwrap.indent(shown, "  ") + "\nwhat is:\n" + textwrap.indent(printed, "  ")


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
    """Read a text as the library does, so that fractions stay exact; what is no JSON or TOML raises."""
    return tomllib.loads(text, parse_float=Decimal) if language == "toml" else json.loads(text, parse_float=Decimal)


def load(document: Mapping[str, Any]) -> object:
    """Load a document as what it is, by its keys."""
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
    return "nothing is wrong with this document"


def paragraphs(text: str) -> list[str]:
    """Split fragments at empty lines; what only comments has nothing to load."""
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
    """Put a fragment where it belongs in a small document."""
    document: dict[str, Any] = _event() if name in ("event", "member", "line") else _program()
    place: Any = document
    for step in _PLACES[name]:
        place = place[step]
    merge(place, fragment)
    return document


def merge(place: dict[str, Any], fragment: Mapping[str, Any]) -> None:
    """Put the keys of a fragment into a document, over those that are there; tables of ids are joined."""
    for key, value in fragment.items():
        joined = key in ("currencies", "limits", "trackers", "coupon_types")
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
        return f"a table is checked by '<!-- each row: … == … -->', not by {part.mark!r}"
    left, _, right = part.what.rpartition(" == ")
    head, _, *rows = (cells_of(line) for line in part.text.splitlines())
    names = [re.sub(r"\W+", "_", each).strip("_") for each in head]
    wrong = []
    for row in rows:
        scope = {**example.namespace, **dict(zip(names, row, strict=True))}
        found, said = eval(left, scope), eval(right, scope)
        if found != said:
            wrong.append(f"| {' | '.join(row)} |\n  the table says {said!r}, what is: {found!r}")
    return "\n".join(wrong) or (None if rows else "a table without rows")


def cells_of(line: str) -> list[str]:
    """Give the texts of a row's cells; the words after a result in brackets are for the reader."""
    return [re.sub(r"`|\*\*", "", cell).strip() for cell in line.strip().strip("|").split("|")]


def no_output(part: Part, _example: Example) -> str | None:
    return f"nothing prints this:\n{part.text}"


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
    """Give the page a folder of its own to work in, in which the examples stand."""
    folder = tempfile.TemporaryDirectory()
    namespace.update(_folder=Path(folder.name), _left=Path.cwd(), _temporary=folder)
    (namespace["_folder"] / "build").mkdir()
    (namespace["_folder"] / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    os.chdir(folder.name)


def leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_left"])
    namespace["_temporary"].cleanup()


pytest_collect_file = Sybil(parsers=[parse], patterns=["README.md", "docs/*.md"], setup=enter, teardown=leave).pytest()
