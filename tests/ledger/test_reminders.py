"""The reminders of a ledger: an interval without a reminder reads nothing. `ReminderFacts` has the rest."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.reminders import reminders
from loyalty_rules.testing.ledgers.facts.till import moment, shop

SOON: dict[str, Any] = {"before": {"days": 7}, "communication": {"template": "soon"}}


class NoLots(MemoryStorage):
    """A storage whose lots must not be read."""

    def lot_histories(self, program: str) -> Any:
        raise AssertionError(program)


@pytest.mark.parametrize(
    ("terms", "last"), [({}, moment(30)), ({"reminders": [SOON]}, moment(0, 23)), ({"reminders": []}, moment(30))]
)
def test_nothing_is_read_if_nothing_can_be_due(terms: Any, last: Any) -> None:
    assert [*reminders(NoLots(), shop(currencies={"points": terms}), moment(0), last)] == []


def test_an_interval_that_ends_before_it_begins_is_empty() -> None:
    program = shop(currencies={"points": {"reminders": [SOON]}})
    assert [*reminders(NoLots(), program, moment(3), moment(1))] == []


def test_lots_are_read_once_for_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    program, days = shop(currencies={"points": {"reminders": [SOON]}}), []
    monkeypatch.setattr(MemoryStorage, "lot_histories", lambda _, name: days.append(name) or [])
    assert [*reminders(MemoryStorage(), program, moment(0), moment(3))] == []
    assert days == ["acme"] * 3
