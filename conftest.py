"""Hypothesis profiles, and the runner of the pages.

| profile | examples | selected by |
|---|---|---|
| `quick` | a third of the number in each test | default: the inner loop |
| `ci` | the number in each test | `--hypothesis-profile=ci`, `LOYALTY_PROFILE=ci`, or `CI=true` |
| `deep` | 20 times that number; ten times the races and crashes | `LOYALTY_PROFILE=deep`, or `LOYALTY_DEEP=1` |

Every profile draws the same examples each time, unless `LOYALTY_SEED` or `LOYALTY_EXAMPLES` asks for others.
"""

import os
from typing import Any

import pytest
from docs.page_runner import pytest_collect_file
from hypothesis import Phase, settings
from sybil.integration.pytest import SybilItem

__all__ = ["pytest_collect_file"]

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Build a scheduler that keeps the blocks of a page in one process: they share a namespace and a folder."""
    from xdist.scheduler import LoadScopeScheduling

    class PageScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            page, separator, _ = nodeid.partition(".md::")
            return page if separator else nodeid

    return PageScheduling(config, log)
