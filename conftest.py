"""Hypothesis profiles, and the runner of the pages.

| profile | examples | selected by |
|---|---|---|
| `quick` | a third of the number in each test | default: the inner loop |
| `ci` | the number in each test | `--hypothesis-profile=ci`, `LOYALTY_PROFILE=ci`, or `CI=true` |
| `deep` | 20 times that number; ten times the races and crashes | `LOYALTY_PROFILE=deep`, or `LOYALTY_DEEP=1` |

Every profile draws the same examples each time, unless `LOYALTY_SEED` or `LOYALTY_EXAMPLES` asks for others.
"""

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from docs.page_runner import pytest_collect_file
from hypothesis import Phase, settings
from sybil.integration.pytest import SybilItem

__all__ = ["pytest_collect_file"]

if sys.dont_write_bytecode:
    # The tests start many processes. Without bytecode, each of them compiles every module again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(Path(__file__).parent / "build" / "bytecode")
    sys.dont_write_bytecode = False

RANDOM = bool({"LOYALTY_EXAMPLES", "LOYALTY_SEED"} & {*os.environ})
for profile, examples in {"quick": 33, "ci": 100, "deep": 2_000}.items():
    settings.register_profile(profile, max_examples=examples, derandomize=not RANDOM, deadline=None)
# A mutant is dead when a test fails; nobody reads the smallest example that killed it.
settings.register_profile("mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])

SLOW_PAGES = {"own-ledger.md", "testing.md"}
"""The pages whose blocks start pytest or a search. The commands for a fresh machine (`bash`) are slow on any page."""


def selected_profile() -> str:
    """Return the profile that the environment selects."""
    wanted = os.environ.get("LOYALTY_PROFILE") or os.environ.get("HYPOTHESIS_PROFILE")
    if os.environ.get("LOYALTY_DEEP"):
        return "deep"
    return wanted or ("ci" if os.environ.get("CI") == "true" else "quick")


settings.load_profile(selected_profile())


def pytest_configure(config: pytest.Config) -> None:
    """Pass the profile `deep` on to the tests that count in another way than Hypothesis."""
    if (config.getoption("--hypothesis-profile", None) or selected_profile()) == "deep":
        os.environ["LOYALTY_DEEP"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow pages, and run slow tests first, so that no process is left alone with one at the end."""
    for item in items:
        if item.path.name in SLOW_PAGES or (isinstance(item, SybilItem) and item.example.parsed.language == "bash"):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Exempt what has been imported and collected from the garbage collection, which would visit it time and again."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Build a scheduler that passes on the slow tests, which are first, one by one, and the others in groups."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        groups: dict[str, str]

        def schedule(self) -> None:
            if self.collection is None:
                tests = next(iter(self.registered_collections.values()))
                self.groups = groups_of(tests, growing=config.option.markexpr != "not slow")
            super().schedule()

        def _split_scope(self, nodeid: str) -> str:
            return self.groups[nodeid]

    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


def groups_of(tests: Sequence[str], *, growing: bool) -> dict[str, str]:
    """Return the name of the group of each test. The tests of a group run in one process, one after the other.

    The blocks of a page are one group, because they share a namespace and a folder. Other groups are parts of a file,
    so that a process sets up few fixtures of modules. They have at most sixty tests. If the slow tests are first, the
    groups are growing, from one test to twenty.
    """
    groups: dict[str, str] = {}
    file, first, size = "", "", 0
    for position, test in enumerate(tests):
        before, file = file, test.partition("::")[0]
        if file.endswith(".md"):
            groups[test] = file
            continue
        if file != before or size >= (1 + position // 500 if growing else 60):
            first, size = test, 0
        groups[test] = first
        size += 1
    return groups
