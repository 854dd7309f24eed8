"""What must hold of the storage after every operation. Source: ledger 2 (P3, P4, P7 and the invariants below them)."""

from collections.abc import Iterator

from loyalty_rules.intents import AdvanceTracker, Claim, Intent, IssueCoupon, IssueCurrency
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.lifecycle.records import Lot
from loyalty_rules.values.amounts import micros, micros_text

__all__ = ["broken_invariants"]


def broken_invariants(storage: MemoryStorage) -> Iterator[str]:
    """Say, each in a sentence, what does not hold."""
    yield from _lots(storage)
    yield from _conservation(storage)
    yield from _promises(storage)
    yield from _counters(storage)
    yield from _coupons(storage)


def _lots(storage: MemoryStorage) -> Iterator[str]:
    """For each lot, issued = promised + outstanding + spent + expired + reversed + voided, all of them ≥ 0."""
    for key in storage.lot_files:
        lot = _lot(storage, key)
        if not lot.is_whole():
            yield f"lot {key} does not add up: {lot}"
        if micros(lot.issued) != micros(lot.issue.amount):
            yield f"lot {key} was issued with {lot.issue.amount} and holds {lot.issued}"
        if micros(lot.promised) and any(micros(part) for part in (lot.outstanding, lot.spent, lot.expired)):
            yield f"lot {key} is promised and issued at once"
        if micros(lot.taken_back) > micros(lot.issued):
            yield f"returns claim {lot.taken_back} of lot {key}, which issued {lot.issued}"
    for owed in storage.debts:
        debt = storage.debt(*owed)
        if debt < 0:
            yield f"the debt of {owed} is below zero: {micros_text(debt)}"


def _lot(storage: MemoryStorage, key: str) -> Lot:
    lot = storage.lot(key)
    assert lot is not None
    return lot


def _conservation(storage: MemoryStorage) -> Iterator[str]:
    """Issued = available + promised + spent + expired + reversed + voided, per program and currency."""
    issued: dict[tuple[str, str], int] = {}
    held: dict[tuple[str, str], int] = {}
    for entry in storage.entries():
        of = entry.program, entry.currency
        amount = micros(entry.amount)
        if amount <= 0:
            yield f"a entry of {entry.amount} in batch {entry.batch}"
        if entry.source == "issued":
            issued[of] = issued.get(of, 0) + amount
        if entry.batch not in storage.batches:
            yield f"a entry of the batch {entry.batch}, which does not exist"
    for key, file in storage.lot_files.items():
        lot = _lot(storage, key)
        of = file.program, file.issue.currency
        held[of] = held.get(of, 0) + sum(micros(units) for units in lot.buckets.values())
    for of in issued:
        if issued[of] != held.get(of, 0):
            yield f"{of}: {micros_text(issued[of])} were issued and {micros_text(held.get(of, 0))} are accounted for"


def _promises(storage: MemoryStorage) -> Iterator[str]:
    """The open promises are the lots of which something is promised."""
    promised = {key for key in storage.lot_files if micros(_lot(storage, key).promised)}
    if promised != set(storage.open):
        yield f"open promises {sorted(storage.open)} are not the promised lots {sorted(promised)}"


def _counters(storage: MemoryStorage) -> Iterator[str]:
    """A counter equals what the recorded intents drew and gave back, is never below zero, and never over its limit."""
    drawn: dict[tuple[str, str], int] = {}
    limits: dict[tuple[str, str], int] = {}
    for batch in storage.batches.values():
        program = batch.given.program
        for intent in batch.receipt.intents:
            for claim in _claims(intent):
                name = program, claim.counter
                drawn[name] = drawn.get(name, 0) + micros(claim.amount)
                if claim.to_date is None:
                    limits[name] = max(limits.get(name, 0), micros(claim.limit))
    held = {**storage.counters, **{name: sum(days.values()) for name, days in storage.dated.items()}}
    for name in held.keys() | drawn.keys():
        if name[1].startswith("tracker/"):
            continue
        if held.get(name, 0) != drawn.get(name, 0):
            counted, claimed = micros_text(held.get(name, 0)), micros_text(drawn.get(name, 0))
            yield f"counter {name[1]} holds {counted}, its intents drew {claimed}"
        if held.get(name, 0) < 0:
            yield f"counter {name[1]} is below zero"
        if name in limits and held.get(name, 0) > limits[name]:
            yield f"counter {name[1]} holds {micros_text(held.get(name, 0))} of at most {micros_text(limits[name])}"
    yield from _trackers(storage)


def _claims(intent: Intent) -> tuple[Claim, ...]:
    claims: tuple[Claim, ...] = getattr(intent, "claims", ())
    return claims


def _trackers(storage: MemoryStorage) -> Iterator[str]:
    """What trackers hold is what sales contribute, and no sale contributes less than nothing."""
    advanced = sum(
        micros(intent.value)
        for batch in storage.batches.values()
        for intent in batch.receipt.intents
        if isinstance(intent, AdvanceTracker)
    )
    contributed = sum(value for sums in storage.contributed.values() for value in sums.values())
    held = sum(value for (_, name), value in storage.counters.items() if name.startswith("tracker/"))
    held += sum(sum(days.values()) for (_, name), days in storage.dated.items() if name.startswith("tracker/"))
    if not advanced == contributed == held:
        yield f"trackers advanced by {advanced}, hold {held}, of sales {contributed}"
    for of, sums in storage.contributed.items():
        yield from (f"sale {of} contributes {value} to {name}" for name, value in sums.items() if value < 0)


def _coupons(storage: MemoryStorage) -> Iterator[str]:
    """Every coupon issued is there in one state, a stored value between nothing and what it was; serials are unique."""
    issued = {
        intent.key
        for batch in storage.batches.values()
        for intent in batch.receipt.intents
        if isinstance(intent, IssueCoupon)
    }
    if issued != set(storage.coupons):
        yield f"coupons issued {len(issued)}, held {len(storage.coupons)}"
    for coupon in storage.coupons.values():
        if coupon.remaining is not None and micros(coupon.remaining) < 0:
            yield f"coupon {coupon.key} has {coupon.remaining} left"
        if (coupon.state == "redeemed") != (coupon.redeemed_by is not None) and coupon.remaining is None:
            yield f"coupon {coupon.key} is {coupon.state} and redeemed by {coupon.redeemed_by}"
    serials = [each.issue.serial for each in storage.coupons.values() if each.issue.serial is not None]
    if len(serials) != len(set(serials)):
        yield "two coupons have one serial"
    lots = {intent.key for batch in storage.batches.values() for intent in batch.receipt.intents
            if isinstance(intent, IssueCurrency)}  # fmt: skip
    if lots != set(storage.lot_files):
        yield f"issues recorded {len(lots)}, lots held {len(storage.lot_files)}"
