"""The storage of a ledger in memory: tables of plain records for one transaction at a time. Source: ledger 2."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar

import attrs

from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.keys import is_of_program
from loyalty_rules.ledger.coupon_serials import canonical_code
from loyalty_rules.ledger.errors import ConcurrentChangeError
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.kinds import PAYMENTS, Kind, RecordT
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.memory.lots import MemoryLots
from loyalty_rules.ledger.movements import movement_of, movements_of_coupon, origin_of
from loyalty_rules.ledger.personal import member_in, member_of, split, without_personal_parts
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.records import LotHistory
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Sale
from loyalty_rules.lifecycle.redemption import Left, in_order_of_redeeming, least_since
from loyalty_rules.reports.issuance import Movement

__all__ = ["MemoryStorage"]

K = TypeVar("K")
V = TypeVar("V")

E = TypeVar("E", bound=Event)


class MemoryStorage(MemoryLots):
    """The tables of a ledger in memory, for one transaction at a time: see `Storage`."""

    def __init__(self) -> None:
        super().__init__()
        self.sales: dict[tuple[str, str], Sale] = {}
        self.batches_of_member: dict[tuple[str, str], tuple[str, ...]] = {}  # those with personal parts
        self.coupons: dict[str, CouponRecord] = {}
        self.coupon_states: dict[str, tuple[tuple[datetime, CouponRecord], ...]] = {}  # with their instants
        self.coupons_of_event: dict[tuple[str, str], tuple[str, ...]] = {}
        self.codes: dict[tuple[str, str], tuple[str, ...]] = {}
        self.serials: dict[str, str] = {}  # the key of the coupon, by its serial
        self.counters: dict[tuple[str, str], int] = {}  # by program and name, in millionths
        self.daily_counters: dict[tuple[str, str], dict[date, int]] = {}  # values of rolling counters
        self.contributions_of: dict[tuple[str, str], dict[str, int]] = {}  # of a sale, by tracker
        self.versions: dict[tuple[str, str], tuple[tuple[datetime, Any], ...]] = {}  # by kind and key, with instants
        self.found: dict[tuple[str, str, str, str], tuple[str, ...]] = {}  # keys, by kind, program, look-up and value
        self._claimed: list[IdempotencyRecord] = []

    def lock(self, keys: Iterable[LockKey]) -> None:
        """Do nothing: only one transaction at a time uses the storage."""

    def batch_locks(self, batches: Iterable[str]) -> Iterable[LockKey]:  # noqa: ARG002
        """Return no lock: only one transaction at a time uses the storage."""
        return ()

    # -- batches and sales -------------------------------------------------------------------------------------------

    def claim_batch(self, identity: IdempotencyRecord, locks: Iterable[LockKey] = ()) -> Batch | None:  # noqa: ARG002
        """Claim a batch and return None; return the recorded batch if its key is taken."""
        recorded = self.batches.get(identity.key)
        if recorded is None:
            self._claimed.append(identity)
            self._extending = []
        return recorded

    def commit_batch(self, receipt: Receipt) -> None:
        """Write the receipt of the claimed batch."""
        identity = self._claimed.pop()
        self.commit_extensions()
        self.put(self.batches, identity.key, Batch(identity, receipt))
        member = member_in(identity.inputs)
        if member is None and identity.of is not None:
            member = member_of(self.sale(identity.program, identity.of))
        if member is not None and split(identity.inputs)[1]:
            self.append(self.batches_of_member, (identity.program, member), identity.key)

    def receipt(self, program: str, event: str, phase: str) -> Receipt | None:
        """Return the receipt of a recorded batch; None if there is no such batch."""
        batch = self.batches.get(IdempotencyRecord.key_of(program, event, phase))
        return batch.receipt if batch is not None else None

    def sale(self, program: str, event: str) -> Sale | None:
        """Return the frozen terms of a sale, with its updates and returns so far."""
        return self.sales.get((program, event))

    def save_sale(self, sale: Sale) -> None:
        """Save the terms of a new sale, or a sale with one more update or return, that of the claimed batch."""
        self.put(self.sales, (sale.program.id, sale.event.id), sale)

    def erase(self, program: str, members: Sequence[str]) -> None:
        """Erase the personal parts of the inputs of some members, and of the events of their sales."""
        for member in members:
            for key in self.batches_of_member.get((program, member), ()):
                batch = self.batches[key]
                public, _ = split(batch.identity.inputs)
                self.put(self.batches, key, Batch(attrs.evolve(batch.identity, inputs=public), batch.receipt, True))
                sale = self.sale(program, batch.identity.of) if batch.identity.of is not None else None
                if sale is not None:
                    self.save_sale(_without_personal_parts(sale, batch.identity.event))

    # -- coupons -----------------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord | None:
        """Return the current state of a coupon."""
        return self.coupons.get(key)

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Return the coupons of a sale, in the order of issue."""
        return [self.coupons[key] for key in self.coupons_of_event.get((program, event), ())]

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Return the coupon of a serial, in any spelling, or the first of a shared code."""
        return [self.coupons[key] for key in self.codes.get((program, canonical_code(code)), ())[:1]]

    def coupons_to_redeem(
        self, program: str, code: str, member: str | None, at: datetime, most: int
    ) -> Sequence[CouponRecord]:
        """Return the coupons of a member with a shared code, then those of nobody; those that can be redeemed first."""
        coupons = [self.coupons[key] for key in self.codes.get((program, canonical_code(code)), ())]
        return in_order_of_redeeming(coupons, member, at)[:most]

    def least_left(self, coupon: str, at: datetime) -> Left:
        """Return the least that was left of a coupon at an instant and at every later one, as far as it is known."""
        states = self.coupon_states.get(coupon, ())
        return least_since(
            [(since, Left(each.remaining, each.uses_left, each.left_in_all)) for since, each in states], at
        )

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:  # noqa: ARG002  (a hint)
        """Return coupons in the order of issue, among them all that have expired by an instant and are not swept."""
        return [each for key, each in self.coupons.items() if is_of_program(key, program)]

    def is_serial_taken(self, serial: str) -> bool:
        """Return whether a coupon of any program has this serial."""
        return canonical_code(serial) in self.serials

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:
        """Add a new coupon."""
        issue = coupon.issue
        self.update_coupon(coupon, at)
        if not coupon.is_public:
            self.append(self.coupons_of_event, (program, issue.event), issue.key)
        for code in filter(None, (issue.serial, issue.code)):
            self.append(self.codes, (program, canonical_code(code)), issue.key)
        if issue.serial is not None:
            self.put(self.serials, canonical_code(issue.serial), issue.key)

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Add a state of a coupon, which begins at an instant."""
        self.put(self.coupons, coupon.key, coupon)
        self.append(self.coupon_states, coupon.key, (at, coupon))

    # -- counters ----------------------------------------------------------------------------------------------------

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Do nothing: the counters are in memory."""

    def counter_value(self, program: str, window: Window) -> int:
        """Return the value of a counter, of a rolling counter the sum over its window."""
        name, first, last = window
        if first is None or last is None:
            return self.counters.get((program, name), 0)
        days = self.daily_counters.get((program, name), {})
        return sum(value for day, value in days.items() if first <= day <= last)

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, of a rolling counter to the value of a day.

        Raises `ConcurrentChangeError` if an addition would bring the value above `most`.
        """
        key = (program, name)
        if most is not None and amount > 0 and self.counters.get(key, 0) + amount > most:
            raise ConcurrentChangeError(f"the counter {name}")
        if day is None:
            self.put(self.counters, key, self.counters.get(key, 0) + amount)
        else:
            days = self.daily_counters.get(key, {})
            self.put(self.daily_counters, key, {**days, day: days.get(day, 0) + amount})

    def counters_named(self, program: str, part: str) -> Sequence[tuple[str, date | None, int]]:
        """Return counters with a part in their name: the name, the day of a rolling counter, and the value."""
        single = [(name, None, value) for (of, name), value in self.counters.items() if of == program]
        daily = [
            (name, day, value)
            for (of, name), days in self.daily_counters.items()
            if of == program
            for day, value in days.items()
        ]
        return sorted(
            (each for each in [*single, *daily] if part in each[0].split("/")), key=lambda each: (each[0], str(each[1]))
        )

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Return the contribution of a sale to each tracker, in millionths."""
        return self.contributions_of.get((program, event), {})

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:
        """Add to a tracker's counter, as a contribution of a sale; a return adds a negative one."""
        name, _, day = window
        self.add_to_counter(program, name, day, amount)
        so_far = self.contributions(program, event)
        self.put(self.contributions_of, (program, event), {**so_far, tracker: so_far.get(tracker, 0) + amount})

    # -- records of a kind -------------------------------------------------------------------------------------------

    def record(self, kind: Kind[RecordT], key: str) -> RecordT | None:
        """Return the current record of a kind by its key."""
        versions = self.versions.get((kind.name, key))
        return versions[-1][1] if versions else None

    def records(self, kind: Kind[RecordT], program: str, **found_by: str) -> Sequence[RecordT]:
        """Return the current records that one look-up of their kind finds, in the order of their first record."""
        return [self.versions[kind.name, key][-1][1] for key in self._found(kind, program, found_by)]

    def _found(self, kind: Kind[Any], program: str, found_by: Mapping[str, str]) -> Iterable[str]:
        ((name, value),) = found_by.items()
        return self.found.get((kind.name, program, name, value), ())

    def save_record(self, kind: Kind[RecordT], program: str, record: RecordT, at: datetime) -> None:
        """Save a new record, or the version of a record that begins at an instant."""
        before = self.record(kind, record.key)
        self.append(self.versions, (kind.name, record.key), (at, record))
        for name, value_of in kind.found_by.items():
            old, new = value_of(before) if before is not None else None, value_of(record)
            if old != new and old is not None:
                row = kind.name, program, name, old
                self.put(self.found, row, tuple(key for key in self.found[row] if key != record.key))
            if old != new and new is not None:
                self.append(self.found, (kind.name, program, name, new), record.key)

    # -- as of an instant --------------------------------------------------------------------------------------------

    def records_at(self, kind: Kind[RecordT], program: str, at: datetime, **found_by: str) -> Sequence[RecordT]:
        """Return the records that one look-up of their kind finds as of an instant, in the order of first record."""
        versions = (self.versions[kind.name, key] for key in self._found(kind, program, found_by))
        earlier = ([record for since, record in each if since <= at] for each in versions)
        return [each[-1] for each in earlier if each]

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        mine = [each for each in self.coupons.values() if each.member == member]
        return [each for each in mine if is_of_program(each.key, program)]

    def sale_events(self, program: str) -> Iterable[Transaction | Activity]:
        """Return the events of the sales, in the order of record."""
        return (sale.event for (of, _), sale in self.sales.items() if of == program)

    def movements(self, program: str, at: datetime, zone: tzinfo, fields: Container[str]) -> Iterable[Movement]:  # noqa: ARG002
        """Yield the recorded movements of units, and the issues and ends of coupons, up to an instant."""
        stores = self.paying_stores(program, (key for kind, key in self.versions if kind == PAYMENTS.name))
        for history in self.lot_histories(program):
            origin = origin_of(self._root(history), zone)
            for entry in history.entries:
                if entry.at <= at:
                    yield movement_of(entry, origin, stores, zone)
        for coupon in self.coupons_at(program, at):
            yield from movements_of_coupon(coupon, at, zone)

    def lots_with_units(self, program: str, at: datetime) -> Iterable[Lot]:
        """Yield every lot as of an instant."""
        lots = (history.lot(at) for history in self.lot_histories(program))
        return (lot for lot in lots if lot is not None)

    def unrecorded_ends(self, program: str, at: datetime) -> Iterable[tuple[LotHistory, LotHistory]]:  # noqa: ARG002
        """Yield every lot, with the lot of its issue."""
        return ((each, self._root(each)) for each in self.lot_histories(program))

    def _root(self, history: LotHistory) -> LotHistory:
        return self.history(history.origin or history.issue.key)

    def paying_stores(self, program: str, payments: Iterable[str]) -> Mapping[str, str]:  # noqa: ARG002
        """Return the stores in which some payments were made, by the keys of those that have one."""
        found = {key: self.record(PAYMENTS, key) for key in payments}
        return {key: each.store for key, each in found.items() if each is not None and each.store is not None}

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Yield the coupons as of an instant, in the order of issue."""
        for key in self.coupons:
            states = [coupon for since, coupon in self.coupon_states[key] if since <= at]
            if states and is_of_program(key, program):
                yield states[-1]


def _without_personal_parts(sale: Sale, event: str) -> Sale:
    """Return a sale after the personal parts of one of its events were erased."""

    def erased(events: Iterable[E]) -> tuple[E, ...]:
        return tuple(without_personal_parts(each) if each.id == event else each for each in events)

    (sold,) = erased([sale.event])
    return attrs.evolve(sale, event=sold, updates=erased(sale.updates), returns=erased(sale.returns))
