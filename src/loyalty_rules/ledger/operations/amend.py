"""Amend: a corrected sale issues or takes back the difference to the award of its new state."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from loyalty_rules.events import Activity, Amendment, Snapshot, Transaction
from loyalty_rules.intents import Claim, IssueCoupon, ReverseCurrency
from loyalty_rules.keys import counts_times, event_key
from loyalty_rules.ledger.coupon_serials import request_of, with_serial
from loyalty_rules.ledger.kinds import AMENDED_TERMS
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import LockKey, account_lock
from loyalty_rules.ledger.operations.arguments import read_serials
from loyalty_rules.ledger.operations.lookups import (
    accounts_of,
    counter_value,
    coupons_of_sale,
    discounts_of,
    locked_sale,
    lots_around_sale,
    open_event,
    open_sale,
    read_snapshot,
    sale_locks,
)
from loyalty_rules.ledger.operations.operation import Decision, EventOperation, Noted, unknown_sale
from loyalty_rules.ledger.receipts import AmendmentReceipt
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle import amendments
from loyalty_rules.lifecycle.records import AmendedTerms, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.taking import released_units
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import MICRO, decimal_of, micros
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Amend"]


@attrs.frozen(field_transformer=checked)
class Amend(EventOperation[AmendmentReceipt]):
    """An amendment, decided under the frozen terms of its sale."""

    program: Program
    event: Amendment
    recorded_at: datetime = attrs.field(converter=read_instant)
    serials: SerialGenerator | None = attrs.field(default=None, converter=attrs.converters.optional(read_serials))

    def receipt_class(self) -> type[AmendmentReceipt]:
        """Return the class of the receipt."""
        return AmendmentReceipt

    def with_serials(self, serials: SerialGenerator | None) -> "Amend":
        """Return the operation with a serial generator, unless it has one."""
        return self if self.serials is not None else attrs.evolve(self, serials=serials)

    def serial_generator(self) -> SerialGenerator | None:
        """Return the serial generator."""
        return self.serials

    def decide(self, storage: Storage) -> Decision:
        """Decide the award of the new state, and keep the amendment with the sale."""
        program, of = self.program.id, self.event.of
        change = open_event(storage, self.program, self.event)
        sale = open_sale(storage, self.program, self._locked_sale(storage, change))
        if sale is None:
            return unknown_sale(of)
        event = attrs.evolve(sale, updates=(*sale.updates, change)).current()
        own, coupons = storage.lots_of_sale(program, of), coupons_of_sale(storage, self.program, of)
        accounts = dict.fromkeys([*(lot.account for lot in own), *accounts_of(sale.program, event)])
        at, member = self.event.occurred_at, event.member.id if event.member is not None else None
        lots = lots_around_sale(storage, self.program, self.identity(storage), own, accounts, at, member)
        own = [lot for lot in lots.values() if lot.issue.event == of]
        decided = amendments.amend(
            sale,
            change,
            usable_lots(storage, lots.values(), at),
            coupons,
            {name: decimal_of(each) for name, each in storage.contributions(program, of).items()},
            _present(storage, sale, event, change, own, coupons),
            discounts_of(storage, self.program, coupons),
        )
        if isinstance(decided, Refusal):
            return decided
        reversals = [each for each in decided.intents if isinstance(each, ReverseCurrency)]
        storage.save_sale(attrs.evolve(decided.sale, reversals=(*sale.reversals, *reversals)))
        if decided.sale.snapshot != sale.snapshot:
            terms = AmendedTerms(event_key(program, of), dump(decided.sale.snapshot))
            storage.save_record(AMENDED_TERMS, program, terms, self.event.occurred_at)
        return Noted(
            tuple(self._named(each) if isinstance(each, IssueCoupon) else each for each in decided.intents),
            {"unrecovered": decided.unrecovered},
        )

    def _locked_sale(self, storage: Storage, change: Amendment) -> Sale | None:
        """Lock the sale with the accounts and the counters of both of its states."""

        def locks_of(sale: Sale) -> Iterator[LockKey]:
            after = attrs.evolve(sale, updates=(*sale.updates, change))
            for event in (sale.event, sale.current(), after.current()):
                yield from sale_locks(sale.program, event, sale.program.counters(event))
            for lot in storage.lots_of_sale(self.program.id, self.event.of):
                yield account_lock(self.program.id, lot.account)

        return locked_sale(storage, self.program, self.event.of, locks_of)

    def _named(self, coupon: IssueCoupon) -> IssueCoupon:
        """Return a coupon with its serial, if its type has one."""
        if coupon.serial is None or self.serials is None:
            return coupon
        return with_serial(coupon, self.serials.serial(request_of(self.program.id, coupon)))


def _present(
    storage: Storage,
    sale: Sale,
    event: Transaction | Activity,
    change: Amendment,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
) -> Snapshot:
    """Return the snapshot for the new state: the sale's own, with caps as they stand now, less its holdings.

    For another member it is that member's snapshot as it is now.
    """
    held = _held(sale, lots, coupons)
    counters = sale.program.counters(event)
    present = read_snapshot(storage, sale.program, event, counters)
    values = {window_of(each): counter_value(storage, sale.program, each) for each in counters}
    free = sale.program.snapshot(
        event, lambda each: decimal_of(max(values[window_of(each)] - held.get(each.name, 0), 0))
    )
    basis = present if amendments.is_new_member(sale, change) else sale.snapshot
    return attrs.evolve(basis, issued=free.issued, limits=free.limits, coupons=free.coupons)


def _held(sale: Sale, lots: Iterable[Lot], coupons: Iterable[CouponRecord]) -> Mapping[str, int]:
    """Return the holdings of a sale in each counter that its issues claimed, in millionths."""
    held: dict[str, int] = {}
    for lot in lots:
        left = max(micros(lot.issued) - released_units(sale, lot), 0)
        for claim in lot.issue.claims if lot.origin is None else ():
            held[claim.counter] = held.get(claim.counter, 0) + _claimed(claim, left)
    for coupon in coupons:
        for claim in coupon.issue.claims if not coupon.is_lost else ():
            held[claim.counter] = held.get(claim.counter, 0) + MICRO
    return held


def _claimed(claim: Claim, left: int) -> int:
    if counts_times(claim.counter):
        return MICRO if left else 0
    return left
