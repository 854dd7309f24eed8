"""The writer of one batch: entries, lots, debts, counters, coupons and remarks, into a storage. Source: ledger 2."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.events import Activity, Transaction
from loyalty_rules.intents import (
    Claim,
    Intent,
    IssueCurrency,
    Settlement,
)
from loyalty_rules.keys import (
    debt_payment_key,
    is_tracker_counter,
)
from loyalty_rules.ledger import held_units
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import (
    FURTHER_LOTS,
    REMARKS,
    SHORTFALLS,
    balance_name,
)
from loyalty_rules.ledger.late import available_since, came_back, swept_after, usable_from
from loyalty_rules.ledger.receipts import Trim
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.ledger.rolling_caps import capped_value
from loyalty_rules.ledger.storage import Storage, Window
from loyalty_rules.lifecycle.extending import last_day_of
from loyalty_rules.lifecycle.records import (
    Account,
    CouponRecord,
    FurtherLot,
    Lot,
    Remark,
    Shortfall,
)
from loyalty_rules.lifecycle.spending import in_order_of_spending
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["BatchWriter", "place_of", "windows_of"]


def windows_of(intents: Iterable[Intent]) -> Iterator[Window]:
    """Yield the counter windows of the claims of intents."""
    for intent in intents:
        for claim in getattr(intent, "claims", ()):
            yield _window(claim)


def _window(claim: Claim) -> Window:
    return claim.counter, claim.from_date, claim.to_date


def place_of(event: Transaction | Activity) -> dict[str, Any]:
    """Return the store, the member's tier and the channel of a sale, for the reports."""
    tier = event.member.tier if event.member is not None else None
    return {"store": event.store, "tier": tier, "channel": event.channel}


class BatchWriter:
    """One batch in the course of posting, with the writes that several intents share.

    `recorded` are its intents after caps, `trims` the reductions by caps. `serials` generates the next serial of a
    coupon if its serial is taken. `bill` is the amount of the bill that its redemptions and spends pay, if it is known,
    and `store` its store.
    """

    def __init__(
        self,
        storage: Storage,
        program: Program,
        identity: IdempotencyRecord,
        serials: SerialGenerator | None = None,
        bill: Decimal | None = None,
        store: str | None = None,
    ) -> None:
        self.storage = storage
        self.program = program
        self.identity = identity
        self.at = identity.at
        self.serials = serials
        self.bill = bill
        self.store = store
        self.recorded: list[Intent] = []
        self.trims: list[Trim] = []
        self._refused: set[str] = set()
        self._rolling: set[str] = set()

    # -- entries and counters ----------------------------------------------------------------------------------------

    def move(
        self,
        lot: str,
        source: str,
        target: str,
        amount: Decimal,
        reason: str,
        at: datetime | None = None,
        by: str | None = None,
    ) -> None:
        """Move units of a lot between two buckets, with one entry; none if the amount is 0."""
        if source == "available" and micros(self.lot(lot).outstanding) < micros(amount):
            self.end_holds_on([self.lot(lot)])
        if micros(amount) != 0:
            self.storage.add_entry(self.entry(self.lot(lot).issue, source, target, amount, reason, at, by))

    def entry(
        self,
        issue: IssueCurrency,
        source: str,
        target: str,
        amount: Decimal,
        reason: str,
        at: datetime | None = None,
        by: str | None = None,
    ) -> Entry:
        """Build an entry of the batch; `reason` is the host's, or the key of its intent.

        `at` is by default the instant of the batch.
        """
        return Entry(
            self.identity.key,
            self.program.id,
            Account.of(issue),
            issue.currency,
            issue.key,
            source,
            target,
            amount,
            at if at is not None else self.at,
            self.identity.recorded_at,
            reason,
            by,
        )

    def lot(self, key: str) -> Lot:
        lot = self.storage.lot(key)
        assert lot is not None
        return lot

    def count(self, claims: Iterable[Claim]) -> None:
        """Add the claims of an intent to their counters, below the limit for a counter without days."""
        for claim in claims:
            has_limit = claim.to_date is None and not is_tracker_counter(claim.counter)  # a merge moves trackers, too
            most = micros(claim.limit) if has_limit else None
            self.storage.add_to_counter(self.program.id, claim.counter, claim.to_date, micros(claim.amount), most)

    def left_of(self, claim: Claim) -> int:
        """Return the remainder of a counter below its limit, in millionths."""
        return micros(claim.limit) - capped_value(self.storage, self.program.id, _window(claim))

    # -- lots and debts ----------------------------------------------------------------------------------------------

    def add_lot(self, issue: IssueCurrency, entry: Entry) -> None:
        """Add the lot of an issue; keep the issue of a lot that its sale did not issue itself."""
        sale = self.storage.sale(self.program.id, issue.event)
        place = place_of(sale.event) if sale is not None else {}
        lot = Lot(issue, 0, rolling=issue.key in self._rolling, issue_on=issue.issue_on, **place)
        self.storage.add_lot(lot, entry)
        if issue.event != self.identity.event:
            self.keep_issue(lot)

    def set_last_day(self, key: str, at: datetime | None = None) -> None:
        """Record the last day beyond which no extension moves a lot, if its terms have a maximum.

        `at` is by default the instant of the batch.
        """
        lot = self.lot(key)
        if not lot.rolling and lot.issue.expires_by is None:
            return
        terms = self.storage.sale(self.program.id, lot.issue.event) if lot.issue.release is not None else None
        last = last_day_of(lot, terms)
        if last is not None:
            self.storage.set_last_day(key, at or self.at, last, self.program.plan.end_of(last))

    def keep_issue(self, lot: Lot) -> None:
        """Save the issue of a lot that is in no receipt of a sale."""
        further = FurtherLot(lot.issue, lot.origin, lot.store, lot.rolling, lot.tier, lot.channel)
        self.storage.save_record(FURTHER_LOTS, self.program.id, further, self.at)

    def move_on(
        self,
        lot: Lot,
        source: str,
        issue: IssueCurrency,
        reason: str,
        by: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Move units of a lot on to a new lot with the key, the amount and the dates of `issue`.

        `at` is by default the instant of the batch.
        """
        at = at if at is not None else self.at
        self.move(lot.key, source, "moved", issue.amount, reason, at, by)
        further = Lot(
            issue,
            0,
            rolling=lot.rolling,
            issue_on=issue.issue_on,
            origin=lot.origin or lot.key,
            store=lot.store,
            tier=lot.tier,
            channel=lot.channel,
        )
        self.storage.add_lot(further, self.entry(issue, "moved", "available", issue.amount, reason, at, by))
        if issue.expires_at is not None:
            self.storage.set_expiry(issue.key, ExpiryVersion(at, issue.expires_on, issue.expires_at))
        self.set_last_day(issue.key, at)
        self.keep_issue(further)

    def pay_debt(self, key: str, at: datetime | None = None) -> None:
        """Pay the debts of the account from a lot, the oldest first. Source: semantics 11."""
        lot = self.lot(key)
        debtor = balance_name(lot.account, lot.issue.currency)
        units = micros(lot.outstanding)
        debts = self.storage.records(SHORTFALLS, self.program.id, debtor=debtor)
        if debts and held_units.end_holds(self, lot.account, lot.issue.currency):
            debts = self.storage.records(SHORTFALLS, self.program.id, debtor=debtor)
        for owed in sorted(debts, key=lambda each: each.at):
            paid = min(micros(owed.open), units)
            if paid > 0:
                units -= paid
                self.settle(owed, paid, at)
        paid_units = decimal_of(micros(lot.outstanding) - units)
        self.move(key, "available", "reversed", paid_units, debt_payment_key(key), at)

    def settle(self, shortfall: Shortfall, units: int, at: datetime | None = None) -> None:
        """Record that units, in millionths, make good a part of a shortfall; `at` is by default that of the batch."""
        settled = attrs.evolve(shortfall, open=decimal_of(micros(shortfall.open) - units))
        self.storage.save_record(SHORTFALLS, self.program.id, settled, at or self.at)

    def pay_debts(self, account: Account) -> None:
        """Pay the debts of an account from its live lots, soonest expiry first."""
        for lot in in_order_of_spending(self.storage.every_lot_of(self.program.id, account), self.at):
            self.pay_debt(lot.key)

    def recall(self, key: str, bucket: str, amount: Decimal, reason: str) -> None:
        """Bring units back that time has moved on since this batch's instant, each at the instant when it did.

        A sweep has expired them, or a promise was released. Source: ledger 2 (time out of order).
        """
        lot = self.lot(key)
        if bucket == "available" and micros(lot.outstanding) < micros(amount) and self.end_holds_on([lot]):
            lot = self.lot(key)
        promised = micros(amount) - micros(lot.promised) if bucket == "promised" else 0
        available = (promised if bucket == "promised" else micros(amount)) - micros(lot.outstanding)
        if available > 0:
            self.move(key, "expired", "available", decimal_of(available), reason, lot.expires_at)
        if promised > 0:
            (history,) = self.storage.changed_since([lot], self.at)
            released_at = history.released[0] if history.released is not None else self.at
            self.move(key, "available", "promised", decimal_of(promised), reason, released_at)

    def recall_swept(self, key: str, reason: str) -> None:
        """Bring all units back that sweeps have expired since this batch's instant: their last day becomes a later one.

        Source: ledger 2 (time out of order).
        """
        lot = self.lot(key)
        for history in self.storage.changed_since([lot], self.at) if micros(lot.expired) else ():
            swept = min(swept_after(history.entries, self.at), micros(lot.expired))
            if swept > 0:
                self.move(key, "expired", "available", decimal_of(swept), reason, lot.expires_at)

    def settle_late(self, shortfall: Shortfall) -> None:
        """Make good a shortfall that is recorded late with the units that have come since, each at its own instant.

        The units of a spend or of a hold that came back settle it. A debt is paid by lots that began since, too.
        Source: semantics 11, ledger 2 (time out of order).
        """
        lots = self.storage.lots_of(self.program.id, shortfall.account, self.at)
        histories = self.storage.changed_since(lots, self.at)
        mine = [each for each in histories if each.issue.currency == shortfall.currency]
        back = [(when, history, units) for history in mine for when, units in came_back(history, self.at)]
        for when, history, units in sorted(back, key=lambda each: each[0]):
            self.settle_with_returned(shortfall.key, history, units, when)
        if shortfall.carried:
            self.pay_late_debt(shortfall, mine)

    def settle_with_returned(self, key: str, history: LotHistory, units: int, at: datetime) -> None:
        """Settle a shortfall with units of a lot that came back at an instant and were not used since."""
        lot, shortfall = self.lot(history.issue.key), self.storage.record(SHORTFALLS, key)
        assert shortfall is not None
        unused = micros(usable_from(history, lot, at).outstanding)
        swept = min(swept_after(history.entries, at), micros(lot.expired))
        settled = min(units, unused, micros(lot.outstanding) + swept, micros(shortfall.open))
        if settled > 0:
            self.recall(lot.key, "available", decimal_of(settled), shortfall.key)
            self.move(lot.key, "available", "reversed", decimal_of(settled), shortfall.key, at)
            self.settle(shortfall, settled, at)

    def pay_late_debt(self, shortfall: Shortfall, histories: Iterable[LotHistory]) -> None:
        """Pay a debt that is recorded late from the lots that the account has had since, each at its first instant."""
        for history in histories:
            begins_at = available_since(history)
            if begins_at is None or begins_at <= self.at:
                continue
            lot, owed = self.lot(history.issue.key), self.storage.record(SHORTFALLS, shortfall.key)
            assert owed is not None
            unused = usable_from(history, lot, begins_at).outstanding
            self.recall(lot.key, "available", min(unused, owed.open), shortfall.key)  # a sweep may have expired it
            self.pay_debt(lot.key, begins_at)

    def settle_with(self, settled: Iterable[Settlement], at: datetime | None = None) -> None:
        """Record that units make good shortfalls."""
        for each in settled:
            shortfall = self.storage.record(SHORTFALLS, each.shortfall)
            assert shortfall is not None
            self.settle(shortfall, micros(each.amount), at)

    def end_holds_on(self, lots: Iterable[Lot]) -> bool:
        """End the holds on some lots that are over by the instant of the batch; return whether there are any.

        Lots and shortfalls must be read again if there are any.
        """
        balances = dict.fromkeys((lot.account, lot.issue.currency) for lot in lots if micros(lot.held))
        ended = [held_units.end_holds(self, account, currency) for account, currency in balances]
        return any(ended)

    # -- coupons and remarks ------------------------------------------------------------------------------------------

    def coupon(self, key: str) -> CouponRecord:
        coupon = self.storage.coupon(key)
        assert coupon is not None
        return coupon

    def change_coupon(self, key: str, **changes: Any) -> None:
        self.storage.update_coupon(attrs.evolve(self.coupon(key), **changes), self.at)

    def remark(self, key: str, account: Account, currency: str | None, about: str, reason: str, by: str) -> None:
        """Record an operation that moves no units for the statement of an account."""
        batch = self.identity
        remark = Remark(key, account, currency, about, batch.key, self.at, batch.recorded_at, reason, by)
        self.storage.save_record(REMARKS, self.program.id, remark, self.at)
