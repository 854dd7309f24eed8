"""The tests of the ledger in a database find bugs: with each planted bug, the tests that it names fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from .servers import VARIABLE, Server
from .sql_bugs import SQL_BUGS, SQLBug

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

pytestmark = pytest.mark.slow


def failing(pytester: pytest.Pytester, tests: tuple[str, ...]) -> set[str]:
    """Run tests of this folder; return those of which at least one variant fails."""
    nodes = [str(HERE / each) for each in tests]
    run = pytester.inline_run(
        "-q", "-m", "", "-p", "no:cacheprovider", f"--rootdir={ROOT}", "-c", ROOT / "pyproject.toml", *nodes
    )
    _, skipped, failed = run.listoutcomes()
    assert not skipped
    return {(ROOT / report.nodeid.partition("[")[0]).relative_to(HERE).as_posix() for report in failed}


def test_every_bug_has_a_name_of_its_own() -> None:
    assert len({str(bug) for bug in SQL_BUGS}) == len(SQL_BUGS) >= 15


@pytest.mark.parametrize("bug", SQL_BUGS, ids=str)
def test_the_tests_that_a_bug_names_fail_with_it(
    bug: SQLBug, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, postgres: Server
) -> None:
    monkeypatch.setenv(VARIABLE, postgres.url)  # the inner session uses the server of this one
    bug.plant(monkeypatch)
    assert failing(pytester, bug.killed_by) == {*bug.killed_by}
