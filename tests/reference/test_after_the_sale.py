"""Random histories come to the same on a ledger and on the second implementation, and a planted mistake is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger, SQLLedger

from .after_the_sale import AfterTheSale
from .drawn_histories import drawn

SERIALS = lr.DerivedSerials.from_master(bytes(range(32)))
IN_ORDER = range(100)
AMENDED = range(1000, 1080)
ON_SQLITE = range(2000, 2020)


class TakesTheFirstFirst(AfterTheSale):
    """A model with a mistake: of several lots the latest to expire gives first."""

    def live_lots(self, *asked: object) -> list[dict]:
        return [*reversed(super().live_lots(*asked))]


class ForgetsTheExpired(AfterTheSale):
    """A model with a mistake: units of the issue that have expired do not count as taken."""

    def take_own(self, *asked: object) -> object:
        issue = asked[0]
        left = super().take_own(*asked)
        counted, issue["counted"] = issue["counted"], 0  # type: ignore[index]
        return left + counted  # type: ignore[operator]


def found(seeds: range, features: set[str], model: type[AfterTheSale] = AfterTheSale) -> list[str]:
    """Return the first difference of each history in memory, with its seed."""
    histories = ((seed, drawn(seed, features, MemoryLedger(SERIALS), SERIALS, model)[2]) for seed in seeds)
    return [f"{seed}: {differences[0]}" for seed, differences in histories if differences]


@pytest.mark.slow
def test_histories_in_order_come_to_the_same() -> None:
    assert found(IN_ORDER, set()) == []


@pytest.mark.slow
def test_histories_with_holds_and_amendments_come_to_the_same() -> None:
    assert found(AMENDED, {"hold", "amend"}) == []


@pytest.mark.slow
def test_histories_come_to_the_same_on_sqlite(tmp_path: Path) -> None:
    differences = []
    for seed in ON_SQLITE:
        ledger = SQLLedger.open(f"sqlite:///{tmp_path}/{seed}.db", serials=SERIALS)
        try:
            differences += drawn(seed, {"hold", "amend"}, ledger, SERIALS)[2]
        finally:
            ledger.close()
    assert differences == []


@pytest.mark.parametrize("model", [TakesTheFirstFirst, ForgetsTheExpired])
@pytest.mark.slow
def test_a_planted_mistake_is_found(model: type[AfterTheSale]) -> None:
    assert found(IN_ORDER, set(), model) != []
