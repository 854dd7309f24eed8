"""The end of a nightly run: its identity, and that it never moves back."""

from __future__ import annotations

from datetime import timedelta

from loyalty_rules.ledger.kinds import NIGHTLY_RUNS
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import EndNight
from loyalty_rules.ledger.service import LedgerService

from .steps import AT, SHOP

NIGHT = EndNight(SHOP, AT)


def test_the_identity_is_the_end_of_the_run(storage: MemoryStorage) -> None:
    identity = NIGHT.identity(storage)

    assert identity.key == "acme/nightly%2F2025-01-20T12:00:00+00:00#nightly"
    assert identity.inputs == {"until": "2025-01-20T12:00:00+00:00"}


def test_the_end_moves_forward_only(service: LedgerService, storage: MemoryStorage) -> None:
    statuses = [service.execute(EndNight(SHOP, AT + timedelta(days=days))).status for days in (0, 1, 0, 1)]
    earlier = service.execute(EndNight(SHOP, AT - timedelta(days=1)))

    last = storage.record(NIGHTLY_RUNS, "acme/nightly")
    assert last is not None
    assert last.until == AT + timedelta(days=1)
    assert statuses == ["recorded", "recorded", "already_recorded", "already_recorded"]
    assert earlier.refusal is not None
    assert earlier.refusal.reasons == ("too_early",)
