"""The storage protocol: the look-ups and writes of a ledger's operations, in memory or in a database. Source: ledger 2.

Policy is elsewhere: `lifecycle` decides, `operations` have the look-ups, `posting` the writes of each intent. A
storage finds rows and keeps them. Integer amounts are whole millionths.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, tzinfo
from typing import Protocol, TypeAlias

from loyalty_rules.engine.counters import Counter
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.ledger.idempotency import Batch, IdempotencyRecord
from loyalty_rules.ledger.kinds import Kind, RecordT
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Sale
from loyalty_rules.lifecycle.redemption import Left
from loyalty_rules.reports.issuance import Movement

__all__ = ["Storage", "Window", "window_of"]

Window: TypeAlias = tuple[str, date | None, date | None]
"""A counter's name and, of a rolling counter, the first and the last day of its window, both included."""


def window_of(counter: Counter) -> Window:
    """Return the window of a counter."""
    return counter.name, counter.from_date, counter.to_date


class Storage(Protocol):
    """The storage of a ledger on one connection. Writes inside `atomic` are all kept, or none of them."""

    def atomic(self) -> AbstractContextManager[None]:
        """Keep all writes of the block; an error that leaves the block rolls them back. Blocks may be nested."""
        ...

    def lock(self, keys: Iterable[LockKey]) -> None:
        """Lock these keys until the transaction ends, so that rows read afterwards stay current."""
        ...

    def batch_locks(self, batches: Iterable[str]) -> Iterable[LockKey]:
        """Return the locks that the commits of batches take, by the keys of the batches."""
        ...

    # -- batches and sales

    def claim_batch(self, identity: IdempotencyRecord, locks: Iterable[LockKey] = ()) -> Batch | None:
        """Claim a batch before any other write and return None; return the recorded batch if its key is taken.

        `locks` are the locks that are known beforehand; they are taken together with the claim.
        """
        ...

    def commit_batch(self, receipt: Receipt) -> None:
        """Write the receipt of the claimed batch."""
        ...

    def receipt(self, program: str, event: str, phase: str) -> Receipt | None:
        """Return the receipt of a recorded batch; None if there is no such batch."""
        ...

    def sale(self, program: str, event: str) -> Sale | None:
        """Return the frozen terms of a sale, with its updates and returns so far."""
        ...

    def save_sale(self, sale: Sale) -> None:
        """Save the terms of a new sale, or a sale with one more update or return, that of the claimed batch."""
        ...

    def erase(self, program: str, members: Sequence[str]) -> None:
        """Erase the personal parts of the inputs of all batches of some members. Source: semantics 13."""
        ...

    # -- lots

    def lot(self, key: str) -> Lot | None:
        """Return the current state of a lot."""
        ...

    def lots_of(self, program: str, account: Account, at: datetime | None = None) -> Sequence[Lot]:
        """Return the account's lots with units promised, outstanding or held, in the order of issue.

        With `at` also those that were still live at this instant, and of which a sweep has recorded the expiry since.
        """
        ...

    def swept_lots_of(self, program: str, account: Account, at: datetime) -> Sequence[Lot]:
        """Return the account's lots that were still live at an instant, and of which a sweep has recorded the expiry.

        The lots have no units promised, outstanding or held.
        """
        ...

    def changed_since(self, lots: Iterable[Lot], at: datetime) -> Sequence[LotHistory]:
        """Return the histories of those lots that have changed after an instant; the lots are current."""
        ...

    def every_lot_of(self, program: str, account: Account) -> Sequence[Lot]:
        """Return all lots of an account, in the order of issue."""
        ...

    def set_member(self, lot: str, at: datetime, member: str) -> None:
        """Move a lot to another member."""
        ...

    def lots_of_sale(self, program: str, event: str) -> Sequence[Lot]:
        """Return the lots of a sale, in the order of issue."""
        ...

    def due_promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return open promises with a due time, among them all that are due by an instant."""
        ...

    def expiring_lots(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return lots in the order of issue, among them all that have expired by an instant and are not swept."""
        ...

    def add_lot(self, lot: Lot, entry: Entry) -> None:
        """Add a lot without units, and its first entry, which brings them."""
        ...

    def add_entry(self, entry: Entry) -> None:
        """Add an entry to a lot: it moves units between two buckets."""
        ...

    def set_expiry(self, lot: str, expiry: ExpiryVersion) -> None:
        """Add a version of a lot's expiry."""
        ...

    def extend(self, program: str, account: Account, currency: str, scope: str, expiry: ExpiryVersion) -> None:
        """Extend the lots of an account in a currency, by one record, however many lots there are.

        It comes after all other writes of the batch. See `lifecycle.rolling_expiry` for the lots that it moves.
        """
        ...

    def set_last_day(self, lot: str, at: datetime, last_on: date, last_at: datetime) -> None:
        """Set the last day of a lot, and its end, beyond which no extension moves the lot."""
        ...

    def set_released(self, lot: str, at: datetime, issue_on: date) -> None:
        """Record the release of a promise and its issue date."""
        ...

    def add_taken_back(self, lot: str, at: datetime, amount: int) -> None:
        """Add millionths that a return claims of a lot, from whichever lots they are taken."""
        ...

    # -- coupons

    def coupon(self, key: str) -> CouponRecord | None:
        """Return the current state of a coupon."""
        ...

    def coupons_of_sale(self, program: str, event: str) -> Sequence[CouponRecord]:
        """Return the coupons of a sale, in the order of issue."""
        ...

    def coupons_by_code(self, program: str, code: str) -> Sequence[CouponRecord]:
        """Return the coupon of a serial, in any spelling, or the first of a shared code; else none."""
        ...

    def coupons_to_redeem(
        self, program: str, code: str, member: str | None, at: datetime, most: int
    ) -> Sequence[CouponRecord]:
        """Return the coupons of a member with a shared code, then those of nobody, at most `most` of each kind.

        First come those that can be redeemed at an instant, the soonest to end first, then in the order of issue.
        """
        ...

    def least_left(self, coupon: str, at: datetime) -> Left:
        """Return the least that was left of a coupon at an instant and at every later one, as far as it is known."""
        ...

    def expiring_coupons(self, program: str, at: datetime) -> Sequence[CouponRecord]:
        """Return coupons in the order of issue, among them all that have expired by an instant and are not swept."""
        ...

    def is_serial_taken(self, serial: str) -> bool:
        """Return whether a coupon of any program has this serial."""
        ...

    def add_coupon(self, program: str, coupon: CouponRecord, at: datetime) -> None:
        """Add a new coupon."""
        ...

    def update_coupon(self, coupon: CouponRecord, at: datetime) -> None:
        """Add a state of a coupon, which begins at an instant."""
        ...

    # -- counters

    def read_counters(self, program: str, windows: Iterable[Window]) -> None:
        """Read counters in one batch, ahead of `counter_value`."""
        ...

    def counter_value(self, program: str, window: Window) -> int:
        """Return the value of a counter, of a rolling counter the sum over its window."""
        ...

    def add_to_counter(self, program: str, name: str, day: date | None, amount: int, most: int | None = None) -> None:
        """Add to a counter, of a rolling counter to the value of a day.

        Raises `ConcurrentChangeError` if an addition would bring the value above `most`.
        """
        ...

    def counters_named(self, program: str, part: str) -> Sequence[tuple[str, date | None, int]]:
        """Return counters with a part in their name: the name, the day of a rolling counter, and the value."""
        ...

    def contributions(self, program: str, event: str) -> Mapping[str, int]:
        """Return the contribution of a sale to each tracker, in millionths."""
        ...

    def add_contribution(self, program: str, event: str, tracker: str, window: Window, amount: int) -> None:
        """Add to a tracker's counter, as a contribution of a sale; a return adds a negative one."""
        ...

    # -- records of a kind

    def record(self, kind: Kind[RecordT], key: str) -> RecordT | None:
        """Return the current record of a kind by its key."""
        ...

    def records(self, kind: Kind[RecordT], program: str, **found_by: str) -> Sequence[RecordT]:
        """Return the current records that one look-up of their kind finds, in the order of their first record."""
        ...

    def save_record(self, kind: Kind[RecordT], program: str, record: RecordT, at: datetime) -> None:
        """Save a new record, or the version of a record that begins at an instant."""
        ...

    # -- as of an instant

    def lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots as of an instant, in the order of issue."""
        ...

    def balance_lots_at(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots as of an instant, in the order of issue; those without units may be missing."""
        ...

    def promised_at(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        ...

    def records_at(self, kind: Kind[RecordT], program: str, at: datetime, **found_by: str) -> Sequence[RecordT]:
        """Return the records that one look-up of their kind finds as of an instant, in the order of first record."""
        ...

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record."""
        ...

    def coupons_of(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        ...

    def sale_events(self, program: str) -> Iterable[Transaction | Activity]:
        """Return the events of the sales, in the order of record, without their amendments."""
        ...

    def lot_histories(self, program: str) -> Iterable[LotHistory]:
        """Return the history of each lot, in the order of issue."""
        ...

    def movements(self, program: str, at: datetime, zone: tzinfo, fields: Container[str]) -> Iterable[Movement]:
        """Return the recorded movements of units, and the issues and ends of coupons, up to an instant.

        They are summed by the `fields` of movements that a report reads; other fields may be None.
        """
        ...

    def lots_with_units(self, program: str, at: datetime) -> Iterable[Lot]:
        """Return lots as of an instant, among them all with units promised, available or held."""
        ...

    def unrecorded_ends(self, program: str, at: datetime) -> Iterable[tuple[LotHistory, LotHistory]]:
        """Return lots with the lot of their issue, among them all with held units as of an instant.

        So are all that have expired by it and have no record of that as of it.
        """
        ...

    def paying_stores(self, program: str, payments: Iterable[str]) -> Mapping[str, str]:
        """Return the stores in which some payments were made, by the keys of those that have one."""
        ...

    def coupons_at(self, program: str, at: datetime) -> Iterable[CouponRecord]:
        """Return the coupons as of an instant, in the order of issue."""
        ...
