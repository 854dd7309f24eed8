"""The undo journal of the storage in memory: what a rollback takes back."""

from __future__ import annotations

from contextlib import suppress

from loyalty_rules.ledger.memory.journal import Journal


def test_a_rollback_takes_back_all_writes_of_its_block_and_no_others() -> None:
    journal = Journal()
    single: dict[str, int] = {"a": 1, "b": 2}
    several: dict[str, tuple[int, ...]] = {"c": (1,)}
    with journal.atomic():
        journal.put(single, "a", 5)
        with suppress(ValueError), journal.atomic():
            journal.put(single, "a", 6)
            journal.put(single, "new", 7)
            journal.drop(single, "b")
            journal.append(several, "c", 2)
            raise ValueError
    assert single == {"a": 5, "b": 2}
    assert several == {"c": (1,)}
