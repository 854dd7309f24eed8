"""The invariants of the storage in memory, checked after every operation by tests. Source: ledger 2 (P3, P4, P7)."""

from collections.abc import Iterator

from loyalty_rules.intents import AdvanceTracker, Claim, Intent, IssueCoupon, IssueCurrency
from loyalty_rules.keys import is_tracker_counter
from loyalty_rules.ledger.kinds import FURTHER_LOTS, HOLDS, KINDS, PAYMENTS, SHORTFALLS
from loyalty_rules.ledger.late import overdrawn
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.paid_bills import codes_of_two_types, overpaid
from loyalty_rules.ledger.rolling_caps import overfull
from loyalty_rules.lifecycle.records import Account, Lot, Payment
from loyalty_rules.lifecycle.spending import available
from loyalty_rules.values.amounts import micros, micros_text
from loyalty_rules.values.folding import folded

__all__ = ["violations"]


def violations(storage: MemoryStorage) -> Iterator[str]:
    """Yield the violated invariants, each as a sentence; nothing if the storage is consistent."""
    yield from _lots(storage)
    yield from _records(storage)
    yield from _debts(storage)
    yield from _holds(storage)
    yield from _entries(storage)
    yield from _instants(storage)
    yield from _conservation(storage)
    yield from _promises(storage)
    yield from _counters(storage)
    yield from _trackers(storage)
    yield from _coupons(storage)
    yield from _issues(storage)
    yield from overpaid(_payments(storage))
    yield from codes_of_two_types(_shared_codes(storage))


# -- units -----------------------------------------------------------------------------------------------------------


def _lots(storage: MemoryStorage) -> Iterator[str]:
    """Check each lot: issued = the sum of its buckets, all ≥ 0; a promise has no other units."""
    for key in storage.histories:
        lot = _lot(storage, key)
        if storage.lot(key) != lot:
            yield f"lot {key} is not what its history makes of it: {storage.lot(key)}"
        if not lot.is_whole():
            yield f"lot {key}: its buckets do not add up to the units issued, or one is below zero: {lot}"
        if micros(lot.issued) != micros(lot.issue.amount):
            yield f"lot {key}: {lot.issued} units were issued, {lot.issue.amount} decided"
        if micros(lot.promised) and any(micros(units) for units in (lot.outstanding, lot.held, lot.spent, lot.expired)):
            yield f"lot {key} is both promised and issued"
        if micros(lot.taken_back) > micros(lot.issued):
            yield f"lot {key}: returns claim {lot.taken_back} units of {lot.issued} issued"


def _records(storage: MemoryStorage) -> Iterator[str]:
    """Check each record of each kind: it is possible."""
    for kind in KINDS:
        for (name, key), versions in storage.versions.items():
            if name == kind.name and not kind.is_valid(versions[-1][1]):
                yield f"{name}: the record {key} is impossible: {versions[-1][1]}"


def _debts(storage: MemoryStorage) -> Iterator[str]:
    """Check each account that owes: as of its last change it has nothing available."""
    owed: dict[tuple[str, Account, str], int] = {}
    for (name, program, found_by, _), keys in storage.found.items():
        if (name, found_by) == (SHORTFALLS.name, "debtor"):
            for key in keys:
                short = storage.versions[name, key][-1][1]
                balance = program, short.account, short.currency
                owed[balance] = owed.get(balance, 0) + micros(short.open)
    for (program, account, currency), debt in owed.items():
        histories = [storage.histories[key] for key in storage.lots_of_account.get((program, account), ())]
        lots = [(history, _lot(storage, history.issue.key)) for history in histories]
        mine = [(history, lot) for history, lot in lots if (lot.issue.currency, lot.account) == (currency, account)]
        latest = max((history.latest for history, _ in mine), default=None)
        if latest is not None and (left := available((lot for _, lot in mine), latest)):
            yield f"{account.kind} {account.id} owes {micros_text(debt)} {currency}, and has {left} available"


def _holds(storage: MemoryStorage) -> Iterator[str]:
    """Check each lot: its held units are those of the holds that have not ended."""
    held: dict[str, int] = {}
    for (name, _), versions in storage.versions.items():
        if name == HOLDS.name and versions[-1][1].ended_at is None:
            for draw in versions[-1][1].intent.draws:
                held[draw.lot] = held.get(draw.lot, 0) + micros(draw.amount)
    for key in storage.histories:
        if micros(_lot(storage, key).held) != held.get(key, 0):
            yield f"lot {key} has {_lot(storage, key).held} units held, its holds {micros_text(held.get(key, 0))}"


def _entries(storage: MemoryStorage) -> Iterator[str]:
    """Check each entry: it moves more than 0 units and belongs to a recorded batch."""
    for entry in storage.entries():
        if micros(entry.amount) <= 0:
            yield f"an entry of lot {entry.lot} moves {entry.amount} units"
        if entry.batch not in storage.batches:
            yield f"an entry of lot {entry.lot} belongs to batch {entry.batch}, which does not exist"


def _instants(storage: MemoryStorage) -> Iterator[str]:
    """Check each lot as of each instant of its entries: no bucket is below zero."""
    for key, history in storage.histories.items():
        for bucket in overdrawn(history.entries):
            yield f"lot {key} has fewer than 0 units {bucket} as of an instant"


def _conservation(storage: MemoryStorage) -> Iterator[str]:
    """Check each program and currency: units issued = units in all buckets, those that moved on in their new lot."""
    issued: dict[tuple[str, str], int] = {}
    stored: dict[tuple[str, str], int] = {}
    for entry in storage.entries():
        if entry.source == "issued":
            of = entry.program, entry.currency
            issued[of] = issued.get(of, 0) + micros(entry.amount)
    for key, history in storage.histories.items():
        of = history.program, history.issue.currency
        stored[of] = stored.get(of, 0) + sum(
            micros(units) for bucket, units in _lot(storage, key).buckets.items() if bucket != "moved"
        )
    for of in issued:
        if issued[of] != stored.get(of, 0):
            yield f"{of}: {micros_text(issued[of])} units were issued, {micros_text(stored.get(of, 0))} are in buckets"


def _promises(storage: MemoryStorage) -> Iterator[str]:
    """Check the open promises: they are the lots with promised units."""
    promised = {key for key in storage.histories if micros(_lot(storage, key).promised)}
    if promised != set(storage.open_promises):
        yield f"the open promises {sorted(storage.open_promises)} differ from the promised lots {sorted(promised)}"


def _lot(storage: MemoryStorage, key: str) -> Lot:
    lot = storage.history(key).lot()
    assert lot is not None
    return lot


# -- counters --------------------------------------------------------------------------------------------------------


def _counters(storage: MemoryStorage) -> Iterator[str]:
    """Check each counter: it is the sum of the recorded claims, and between zero and its limit."""
    claimed: dict[tuple[str, str], int] = {}
    limits: dict[tuple[str, str], int] = {}
    for batch in storage.batches.values():
        program = batch.identity.program
        for intent in batch.receipt.intents:
            for claim in _claims(intent):
                name = program, claim.counter
                claimed[name] = claimed.get(name, 0) + micros(claim.amount)
                if claim.to_date is None:
                    limits[name] = max(limits.get(name, 0), micros(claim.limit))
    values = {**storage.counters, **{name: sum(days.values()) for name, days in storage.daily_counters.items()}}
    for name in values.keys() | claimed.keys():
        if is_tracker_counter(name[1]):
            continue
        value = values.get(name, 0)
        if value != claimed.get(name, 0):
            yield f"counter {name[1]} is {micros_text(value)}, its claims sum to {micros_text(claimed.get(name, 0))}"
        if value < 0:
            yield f"counter {name[1]} is below zero"
        if name in limits and value > limits[name]:
            yield f"counter {name[1]} is {micros_text(value)}, above its limit {micros_text(limits[name])}"
    yield from overfull((batch.identity.program, batch.receipt.intents) for batch in storage.batches.values())


def _claims(intent: Intent) -> tuple[Claim, ...]:
    claims: tuple[Claim, ...] = getattr(intent, "claims", ())
    return claims


def _trackers(storage: MemoryStorage) -> Iterator[str]:
    """Check trackers: their counters are the sum of the contributions of sales, none of which is below zero."""
    advanced = sum(
        micros(intent.value)
        for batch in storage.batches.values()
        for intent in batch.receipt.intents
        if isinstance(intent, AdvanceTracker)
    )
    contributed = sum(value for sums in storage.contributions_of.values() for value in sums.values())
    counted = sum(value for (_, name), value in storage.counters.items() if is_tracker_counter(name))
    counted += sum(sum(days.values()) for (_, name), days in storage.daily_counters.items() if is_tracker_counter(name))
    if not advanced == contributed == counted:
        yield f"trackers advanced by {advanced}, their counters are {counted}, contributions of sales {contributed}"
    for of, sums in storage.contributions_of.items():
        yield from (f"sale {of} contributes {value} to {name}" for name, value in sums.items() if value < 0)


# -- coupons and issues ----------------------------------------------------------------------------------------------


def _coupons(storage: MemoryStorage) -> Iterator[str]:
    """Check each coupon: it was issued, its state fits its redemption, its stored value is not below zero."""
    issued = {intent.key for intent in _recorded(storage) if isinstance(intent, IssueCoupon)}
    if issued != set(storage.coupons):
        yield f"{len(issued)} coupons were issued, {len(storage.coupons)} are stored"
    for coupon in storage.coupons.values():
        if coupon.remaining is not None and micros(coupon.remaining) < 0:
            yield f"coupon {coupon.key} has a remainder of {coupon.remaining}"
        if micros(coupon.taken) < 0:
            yield f"coupon {coupon.key} has taken {coupon.taken}"
        if coupon.left_in_all is not None and micros(coupon.left_in_all) < 0:
            yield f"coupon {coupon.key} has taken more than its maximum over all uses"
        if coupon.state == "redeemed" and coupon.redemption is None:
            yield f"coupon {coupon.key} is redeemed without a redemption"
    serials = [each.issue.serial for each in storage.coupons.values() if each.issue.serial is not None]
    if len(serials) != len(set(serials)):
        yield "two coupons have the same serial"


def _issues(storage: MemoryStorage) -> Iterator[str]:
    """Check the lots: there is one for each recorded issue."""
    issues = {intent.key for intent in _recorded(storage) if isinstance(intent, IssueCurrency)}
    issues |= {key for kind, key in storage.versions if kind == FURTHER_LOTS.name}
    if issues != set(storage.histories):
        yield f"{len(issues)} issues were recorded, {len(storage.histories)} lots are stored"


def _payments(storage: MemoryStorage) -> Iterator[tuple[str, Payment]]:
    """Yield the spends and redemptions in the order of record, each with its program."""
    for (name, program, found_by, _), keys in storage.found.items():
        if (name, found_by) == (PAYMENTS.name, "event"):
            yield from ((program, storage.versions[name, key][-1][1]) for key in keys)


def _shared_codes(storage: MemoryStorage) -> Iterator[tuple[str, str, str, str]]:
    """Yield the program, its version, the folded code and the type of each coupon of a sale with a shared code."""
    for (program, event), sale in storage.sales.items():
        for coupon in map(storage.coupons.get, storage.coupons_of_event.get((program, event), ())):
            if coupon is not None and coupon.issue.code is not None:
                yield program, sale.program.version, folded(coupon.issue.code), coupon.issue.coupon_type


def _recorded(storage: MemoryStorage) -> Iterator[Intent]:
    for batch in storage.batches.values():
        yield from batch.receipt.intents
