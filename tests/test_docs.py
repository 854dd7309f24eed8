"""Tests of the page runner (docs/page_runner.py), and of the completeness of the documentation."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.documents.structuring import fields_of, tags_of
from loyalty_rules.events import EVENT_TYPES
from loyalty_rules.rules.conditions import OPERATORS
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.rules.skips import REASONS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

# -- a wrong block fails ---------------------------------------------------------------------------------------------

RIGHT = """
```python
print(1 + 1)
```

```text
2
```
"""

WRONG = {
    "another output": RIGHT.replace("2\n", "3\n"),
    "a missing output": RIGHT.replace("2\n", ""),
    "a print without its output": "```python\nprint(1)\n```\n",
    "an output without a print": "```text\n2\n```\n",
    "code that fails": "```python\n1 / 0\n```\n",
    "a language without a runner": "```ruby\nputs 1\n```\n",
    "a command that prints something else": "```console\n$ echo 1\n2\n```\n",
    "a command that fails": "```console\n$ false\n```\n",
    "a command for a fresh machine that fails": "```bash\n"
    "python3 -m pip install --quiet --upgrade --target build/uv uv && build/uv/bin/uv run false\n```\n",
    "a command for a fresh machine that fails in a folder of its own": "```bash\n"
    "python3 -m pip install --quiet --upgrade --target build/try '.[cli]' && PYTHONPATH=build/try false\n```\n",
    "a command for a fresh machine that installs in another way": "```bash\npip install uv && uv run pytest\n```\n",
    "a program that is not valid": '```toml\nformat = "loyalty-rules/1"\n```\n',
    "an event that is not valid": '```json\n{"type": "transaction", "id": "T"}\n```\n',
    "a document that cannot be read": "```json\n{]\n```\n",
    "a fragment that is not valid": '<!-- fragment: currency action -->\n```toml\nexpiry = { type = "soon" }\n```\n',
    "the second of two fragments": '<!-- fragment: promotion -->\n```toml\ntitle = "A"\n\ntitle = ""\n```\n',
    "a problem that does not occur": '<!-- problems: required -->\n```json\n{"trackers": {}}\n```\n',
    "another problem": '<!-- problems: float -->\n```json\n{"trackers": 1}\n```\n',
    "a row that does not hold": "<!-- each row: int(a) + 1 == int(b) -->\n| a | b |\n|---|---|\n| 1 | 2 |\n| 2 | 4 |\n",
    "a row that does not hold, before a marked block": "<!-- each row: a == b -->\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    '<!-- save as empty.json -->\n```json\n{"trackers": {}}\n```\n',
    "a table without rows": "<!-- each row: a == b -->\n| a | b |\n|---|---|\n",
    "a mark before no table": "<!-- each row: a == b -->\n\nNo table.\n",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Run a page for each wrong block, and one for the right block; return whether each failed."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "docs").mkdir()
    for name in ("conftest.py", "docs/page_runner.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "examples").mkdir()
    pages = {name: folder / "docs" / f"{number}.md" for number, name in enumerate(["right", *WRONG])}
    for name, page in pages.items():
        page.write_text(RIGHT if name == "right" else RIGHT + "\n" + WRONG[name])
    options = ["-q", "-rf", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", *options, "docs"]
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    failed = set(re.findall(r"^FAILED docs/(\d+)\.md", printed, re.MULTILINE))
    assert "passed" in printed, printed
    return {name: page.stem in failed for name, page in pages.items()}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.slow
def test_a_wrong_block_fails(outcomes: dict[str, bool], name: str) -> None:
    assert outcomes[name]


def test_a_right_block_passes(outcomes: dict[str, bool]) -> None:
    assert not outcomes["right"]


# -- completeness ----------------------------------------------------------------------------------------------------


def classes_of(annotation: Any) -> Iterator[type]:
    """Yield the attrs classes within an annotation, in any depth."""
    if attrs.has(annotation):
        yield annotation
    for each in get_args(annotation):
        yield from classes_of(each)


def reachable(*roots: type) -> set[type]:
    found: set[type] = set()
    waiting = list(roots)
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found.add(cls)
            for field in attrs.fields(attrs.resolve_types(cls)):
                waiting += classes_of(field.type)
    return found


DOCUMENTED = reachable(lr.Program, lr.Activity, lr.Snapshot, *EVENT_TYPES.values())
REFERENCE = (ROOT / "docs" / "program.md").read_text()


@pytest.mark.parametrize("cls", sorted(DOCUMENTED, key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
def test_the_reference_names_every_key(cls: type) -> None:
    missing = [key for key in fields_of(cls) if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", REFERENCE)]

    assert missing == []


@pytest.mark.parametrize("cls", sorted(DOCUMENTED, key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
def test_the_reference_names_every_type_of_a_union_and_every_choice(cls: type) -> None:
    words: set[str] = set()
    for field in attrs.fields(attrs.resolve_types(cls)):
        words |= set(tags_of(field.type)) if is_tagged(field.type) else set()
        words |= set(choices_of(field.type))

    assert [word for word in sorted(words) if f"`{word}`" not in REFERENCE and f'"{word}"' not in REFERENCE] == []


def choices_of(annotation: Any) -> Iterator[str]:
    """Yield the words of the `Literal`s in an annotation."""
    for each in get_args(annotation):
        yield from [each] if isinstance(each, str) else choices_of(each)


def is_tagged(annotation: Any) -> bool:
    members = [each for each in get_args(annotation) if attrs.has(each)]
    return bool(members) and all(isinstance(getattr(each, "type", None), str) for each in members)


def test_the_reference_names_every_operator_and_rounding_mode() -> None:
    assert [word for word in [*OPERATORS, *MODES] if f"`{word}`" not in REFERENCE] == []


def codes() -> set[str]:
    """Return the error codes of the source."""
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                name = getattr(node.func, "id", "")
                if name in ("InvalidValueError", "Problem", "_refusal"):
                    constants = [each for each in ast.walk(node.args[1]) if isinstance(each, ast.Constant)]
                    found |= {each.value for each in constants if isinstance(each.value, str)}
    return found


def table_under(heading: str, page: str) -> set[str]:
    """Return the words in backticks in the first column of the first table under a heading."""
    rows = page.split(heading, 1)[1].split("|---|", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


ERRORS = (ROOT / "docs" / "errors.md").read_text()


def test_the_page_of_errors_lists_exactly_the_codes_of_the_source() -> None:
    assert table_under("## Error codes", ERRORS) == codes()


def test_the_page_of_errors_lists_exactly_the_reasons_of_the_engine() -> None:
    assert table_under("## Reasons for skipped actions", ERRORS) == set(REASONS)


def test_every_result_in_the_truth_tables_is_asserted() -> None:
    page = (ROOT / "docs" / "truth-tables.md").read_text()
    marked = len(re.findall(r"<!-- each row: .* -->\n\|", page))

    assert marked == len(re.findall(r"^\|---", page, re.MULTILINE))


# -- links and commands ----------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_has_a_target(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        path, _, anchor = target.partition("#")
        if not path.startswith("https:"):
            there = page.parent / path if path else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()

    assert [
        page.name for page in (ROOT / "docs").glob("*.md") if page.name != "index.md" and page.name not in index
    ] == []


def test_the_readme_has_one_command_for_the_job_and_one_for_the_tests() -> None:
    commands = re.findall(r"^```bash\n(.*?)\n```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)

    assert len(commands) == 2
    assert "examples/programs/grocer.toml examples/data/grocery-receipts.jsonl.gz" in commands[0]
    assert "/uv run pytest " in commands[1]  # .ci/run executes it


# -- the site --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_has_each_public_name_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    pages = [page.read_text() for page in (tmp_path / "api").glob("*.html")]
    for name in set(lr.__all__) - {"__version__"}:
        assert sum(page.count(f'id="loyalty_rules.{name}"') for page in pages) == 1, name
