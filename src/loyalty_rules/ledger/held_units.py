"""Posting of holds: the writes of a hold, of its capture and release, and of its end by time. Source: semantics 12."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import attrs

from loyalty_rules.intents import CaptureHold, HoldCurrency, ReleaseHold, Settlement
from loyalty_rules.ledger.kinds import HOLDS, SHORTFALLS, balance_name
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import holding
from loyalty_rules.lifecycle.records import Account, Hold, Lot
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros

__all__ = ["Batch", "before_its_end", "capture_hold", "end_holds", "hold_currency", "move_holds", "release_hold"]


class Batch(Protocol):
    """The parts of a posting that holds need."""

    storage: Storage
    program: Program
    at: datetime

    def move(
        self, lot: str, source: str, target: str, amount: Decimal, reason: str, at: datetime | None = None
    ) -> None:
        """Move units of a lot between two buckets."""
        ...

    def recall(self, key: str, bucket: str, amount: Decimal, reason: str) -> None:
        """Bring units back that a sweep has expired since the instant of the batch."""
        ...

    def lot(self, key: str) -> Lot:
        """Return the current state of a lot."""
        ...

    def settle_with(self, settled: Iterable[Settlement], at: datetime | None = None) -> None:
        """Record that units make good shortfalls."""
        ...


def hold_currency(posting: Batch, intent: HoldCurrency) -> HoldCurrency:
    """Set the units of a hold aside."""
    for part in intent.draws:
        posting.recall(part.lot, "available", part.amount, intent.key)
        posting.move(part.lot, "available", "held", part.amount, intent.key)
    hold = Hold(intent, Account.of(intent), posting.at)
    posting.storage.save_record(HOLDS, posting.program.id, hold, posting.at)
    return intent


def capture_hold(posting: Batch, intent: CaptureHold) -> CaptureHold:
    """End a hold; the spend of the capture moves its units."""
    _hold_again(posting, intent.hold, intent.key)
    _end(posting, intent.hold, posting.at)
    return intent


def release_hold(posting: Batch, intent: ReleaseHold) -> ReleaseHold:
    """Return held units to their lots, less those that settle shortfalls, and end the hold."""
    _hold_again(posting, intent.hold, intent.key)
    for lot, target, units in intent.moves():
        posting.move(lot, "held", target, units, intent.key, intent.released_at)
    posting.settle_with(intent.settled, intent.released_at)
    _end(posting, intent.hold, intent.released_at)
    return intent


def _hold_again(posting: Batch, key: str, reason: str) -> None:
    """Hold the units of a hold again that a sweep has let go, each at the instant when it did. Source: ledger 2."""
    hold = posting.storage.record(HOLDS, key)
    assert hold is not None
    if not hold.is_over_by_time or posting.at >= hold.intent.until:
        return
    for part in hold.intent.draws:
        lot = posting.lot(part.lot)
        source = "expired" if _ends_with(lot, hold) else "available"
        if source == "available":
            posting.recall(part.lot, source, part.amount, reason)
        posting.move(part.lot, source, "held", part.amount, reason, hold.intent.until)


def _ends_with(lot: Lot, hold: Hold) -> bool:
    """Return whether the held units of a lot have expired when the hold was over."""
    return lot.expires_at is not None and lot.expires_at <= hold.intent.until


def before_its_end(storage: Storage, hold: Hold, lots: Mapping[str, Lot]) -> tuple[Hold, Mapping[str, Lot]]:
    """Return a hold that time has ended as it was before, with its lots, if none of its units were used since.

    Otherwise, and if it has ended in another way, both are returned as they are.
    """
    if not hold.is_over_by_time:
        return hold, lots
    until, before = hold.intent.until, dict(lots)
    usable = {lot.key: lot for lot in usable_lots(storage, lots.values(), until)}
    for part in hold.intent.draws:
        lot = before[part.lot]
        source = "expired" if _ends_with(lot, hold) else "available"
        left = lot.expired if source == "expired" else usable[part.lot].outstanding
        if micros(left) < micros(part.amount):
            return hold, lots
        if source == "available":  # as the sweep of the lot would have found it
            lot = attrs.evolve(lot, outstanding=usable[part.lot].outstanding, expired=usable[part.lot].expired)
        before[part.lot] = lot.moved(source, "held", part.amount)
    return attrs.evolve(hold, ended_at=None), before


def _end(posting: Batch, key: str, at: datetime) -> None:
    held = posting.storage.record(HOLDS, key)
    assert held is not None
    posting.storage.save_record(HOLDS, posting.program.id, attrs.evolve(held, ended_at=at), at)


def end_holds(posting: Batch, account: Account, currency: str) -> bool:
    """End the holds of a balance that are over by the instant of the batch; return whether there are any.

    Their units have been available since, by time alone.
    """
    storage, program, balance = posting.storage, posting.program.id, balance_name(account, currency)
    holds = [each for each in storage.records(HOLDS, program, open_for=balance) if each.intent.until <= posting.at]
    for each in sorted(holds, key=lambda held: held.intent.until):
        lots = {part.lot: posting.lot(part.lot) for part in each.intent.draws}
        shortfalls = storage.records(SHORTFALLS, program, balance=balance)
        release_hold(posting, holding.end(each, lots, shortfalls))
    return bool(holds)


def move_holds(posting: Batch, old: Account, new: Account) -> None:
    """Move the open holds of an account to another one, under the same keys."""
    for currency in (each.id for each in posting.program.currencies):
        for each in posting.storage.records(HOLDS, posting.program.id, open_for=balance_name(old, currency)):
            posting.storage.save_record(HOLDS, posting.program.id, attrs.evolve(each, account=new), posting.at)
