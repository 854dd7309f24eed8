"""The names that the package exports, and the modules that importing it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

import loyalty_rules as lr
from loyalty_rules import intents, ledger, lifecycle

LOADED = "import sys, loyalty_rules; print(*sorted(sys.modules))"
LOADED_BY_A_LOADER = "import sys, loyalty_rules; loyalty_rules.load_program; print(*sorted(sys.modules))"


def loaded_modules(script: str) -> set[str]:
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_importing_the_package_imports_no_other_module_and_no_dependency() -> None:
    loaded = loaded_modules(LOADED)
    assert {name for name in loaded if name.startswith("loyalty_rules")} == {"loyalty_rules"}
    assert loaded & {"attr", "attrs", "cattrs", "dateutil", "decimal", "json", "zoneinfo"} == set()


def test_a_loader_imports_no_ledger_and_no_optional_dependency() -> None:
    loaded = loaded_modules(LOADED_BY_A_LOADER)
    assert "loyalty_rules.engine.evaluation" in loaded
    unwanted = {"sqlalchemy", "rich", "hypothesis", "pytest", "importlib.metadata", "asyncio"}
    unwanted |= {"loyalty_rules.ledger", "loyalty_rules.lifecycle", "loyalty_rules.cli", "loyalty_rules.schema"}
    assert loaded & unwanted == set()


def test_every_exported_name_exists_and_is_listed() -> None:
    assert set(lr.__all__) <= set(dir(lr))
    for name in lr.__all__:
        assert getattr(lr, name) is not None


def test_every_intent_is_exported() -> None:
    names = set(intents.__all__)
    assert names <= set(lr.__all__)
    assert lr.IssueCurrency is intents.IssueCurrency


def test_accounts_and_receipts_are_imported_when_they_are_first_used() -> None:
    assert lr.Account is lifecycle.Account
    assert lr.Receipt is ledger.Receipt


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'loyalty_rules' has no attribute 'Acount'"):
        lr.Acount  # noqa: B018


def test_a_star_import_brings_every_exported_name() -> None:
    names: dict[str, object] = {}
    exec("from loyalty_rules import *", names)
    assert set(lr.__all__) <= set(names)


def test_the_version_has_three_numbers() -> None:
    assert [part.isdigit() for part in lr.__version__.split(".")] == [True, True, True]


def test_the_version_is_that_of_the_installed_distribution() -> None:
    from importlib.metadata import version

    assert version("loyalty-rules") == lr.__version__
