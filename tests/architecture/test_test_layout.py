"""The tests are laid out as the modules are: one test file a module, of its name, in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from .source import ROOT, SOURCE

TESTS = ROOT / "tests"

WITHOUT_TESTS_OF_THEIR_NAME = {
    "ledger/storage.py": "a protocol; the ledgers that implement it are tested",
    "testing/ledgers/machine": "tests themselves; their class is tested as the state machine",
    "testing/ledgers/model": "parts of one class, which is tested as the reference model",
    "testing/ledgers/facts": "tests themselves, run against every ledger",
}
"""Modules and folders without a test file of their name, each with the reason."""


def modules_without_tests(source: Path, tests: Path) -> list[str]:
    """Return the modules of a package that have no test file of their name in the same folder of the tests."""
    modules = (path.relative_to(source) for path in sorted(source.rglob("*.py")) if path.stem.strip("_") == path.stem)
    return [str(path) for path in modules if not (tests / path.parent / f"test_{path.name}").is_file()]


def is_exempt(module: str) -> bool:
    return any(module == each or module.startswith(f"{each}/") for each in WITHOUT_TESTS_OF_THEIR_NAME)


def test_every_module_has_a_test_file_of_its_name() -> None:
    assert [each for each in modules_without_tests(SOURCE, TESTS) if not is_exempt(each)] == []


@pytest.mark.parametrize("exempt", WITHOUT_TESTS_OF_THEIR_NAME)
def test_every_exemption_is_of_a_module_that_exists(exempt: str) -> None:
    assert (SOURCE / exempt).exists()


def test_a_module_without_a_test_file_is_seen(tmp_path: Path) -> None:
    for name in ("src/a.py", "src/b/c.py", "src/b/__init__.py", "src/d.py", "tests/test_a.py", "tests/test_c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert modules_without_tests(tmp_path / "src", tmp_path / "tests") == ["b/c.py", "d.py"]
