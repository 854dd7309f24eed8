"""Posting: the writes of each intent into a storage, one function for each, in one table. Source: ledger 2.

Claims are checked again here, in the transaction that writes them. Currency over a cap is trimmed to the remainder, a
coupon over its cap is refused. The message and the extension of a refused issue are dropped with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.intents import (
    AdjustCurrency,
    AdvanceTracker,
    CancelPromise,
    CaptureHold,
    ChangeTier,
    Claim,
    ExpireCoupon,
    ExpireCurrency,
    ExtendCoupon,
    ExtendExpiry,
    ExtendLot,
    HoldCurrency,
    Intent,
    IssueCoupon,
    IssueCurrency,
    LotDraw,
    MergeAccounts,
    ReassignCoupon,
    RedeemCoupon,
    ReleaseHold,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    Settlement,
    SpendCurrency,
    TopUpCoupon,
    TransferCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.keys import (
    PUBLIC_COUPONS,
    counts_times,
    debt_payment_key,
    extended_issue,
    key_part,
    kind_of_phase,
    member_key,
)
from loyalty_rules.ledger import held_units
from loyalty_rules.ledger.coupon_serials import request_of, with_serial
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import (
    ADJUSTMENTS,
    FURTHER_LOTS,
    LEVELS,
    MERGERS,
    PAYMENTS,
    REMARKS,
    SHORTFALLS,
    balance_name,
)
from loyalty_rules.ledger.late import available_since
from loyalty_rules.ledger.levels_lost import levels_taken_back
from loyalty_rules.ledger.purchases import Purchase, drawn, purchases_of
from loyalty_rules.ledger.receipts import Trim
from loyalty_rules.ledger.records import Entry, ExpiryVersion
from loyalty_rules.ledger.reviews_again import reviews_again
from loyalty_rules.ledger.storage import Storage, Window, window_of
from loyalty_rules.lifecycle.adjusting import lot_of_adjustment
from loyalty_rules.lifecycle.claims import reduced
from loyalty_rules.lifecycle.extending import last_day_of
from loyalty_rules.lifecycle.promises import released_part
from loyalty_rules.lifecycle.records import (
    Account,
    Adjustment,
    CouponRecord,
    FurtherLot,
    LevelChange,
    Lot,
    Merger,
    Payment,
    Remark,
    Sale,
    Shortfall,
)
from loyalty_rules.lifecycle.redemption import new_coupon, redeemed, reinstated
from loyalty_rules.lifecycle.spending import in_order_of_spending
from loyalty_rules.lifecycle.sweep import extended_lots
from loyalty_rules.lifecycle.transferring import lot_of_transfer
from loyalty_rules.loading import load_event
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.amounts import MICRO, decimal_of, micros

__all__ = ["Posting", "windows_of"]

_MAX_ATTEMPTS = 100


def windows_of(intents: Iterable[Intent]) -> Iterator[Window]:
    """Yield the counter windows of the claims of intents."""
    for intent in intents:
        for claim in getattr(intent, "claims", ()):
            yield _window(claim)


def _window(claim: Claim) -> Window:
    return claim.counter, claim.from_date, claim.to_date


def _place_of(event: Transaction | Activity) -> dict[str, Any]:
    """Return the store, the member's tier and the channel of a sale, for the reports."""
    tier = event.member.tier if event.member is not None else None
    return {"store": event.store, "tier": tier, "channel": event.channel}


class Posting:
    """One batch in the course of posting: `recorded` are its intents after caps, `trims` the reductions by caps.

    `serials` generates the next serial of a coupon if its serial is taken.
    """

    def __init__(
        self, storage: Storage, program: Program, identity: IdempotencyRecord, serials: SerialGenerator | None = None
    ) -> None:
        self.storage = storage
        self.program = program
        self.identity = identity
        self.at = identity.at
        self.serials = serials
        self.recorded: list[Intent] = []
        self.trims: list[Trim] = []
        self._refused: set[str] = set()
        self._rolling: set[str] = set()

    def post(self, intents: Iterable[Intent]) -> None:
        """Post intents in their order."""
        intents = tuple(intents)
        self._rolling = {extended_issue(intent.key) for intent in intents if isinstance(intent, ExtendExpiry)}
        purchases = {purchase.first: purchase for purchase in purchases_of(intents)}
        for intent in intents:
            if intent.key in purchases:
                self.check_purchase(purchases[intent.key])
            if intent.key in self._refused:
                continue
            written = _POSTS[type(intent)](self, intent)
            if written is not None:
                self.recorded.append(written)
        if self.program.tiers and self.identity.of is not None:
            advances = [each for each in self.recorded if isinstance(each, AdvanceTracker) and micros(each.value) > 0]
            sale = self.storage.sale(self.program.id, self.identity.of) if advances else None
            if sale is not None:
                self.recorded += reviews_again(self.storage, self.identity, sale, advances)

    def refuse(self, intent: IssueCurrency | IssueCoupon | SpendCurrency, trim: Trim) -> None:
        """Refuse an issue of which a cap leaves nothing, or a purchase; intents about it are dropped."""
        self.trims.append(trim)
        self._refused.add(intent.key)

    # -- purchases ---------------------------------------------------------------------------------------------------

    def check_purchase(self, purchase: Purchase) -> None:
        """Refuse the spends of a purchase and all that depends on them if one of them would be trimmed or refused."""
        for account in dict.fromkeys(Account.of(each) for each in purchase.spends):
            self.end_holds_on(self.storage.lots_of(self.program.id, account))
        counter = purchase.short_counter(self.left_of) or purchase.short_balance(self.storage, self.program, self.at)
        if counter is None:
            return
        for intent in purchase.intents:
            asked = intent.amount if not isinstance(intent, IssueCoupon) else Decimal(1)
            self.refuse(intent, Trim(intent.key, counter, asked, Decimal(0)))
        self._refused |= purchase.extensions(self.program)

    # -- entries ---------------------------------------------------------------------------------------------------

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
            most = micros(claim.limit) if claim.to_date is None else None
            self.storage.add_to_counter(self.program.id, claim.counter, claim.to_date, micros(claim.amount), most)

    def left_of(self, claim: Claim) -> int:
        """Return the remainder of a counter below its limit, in millionths."""
        return micros(claim.limit) - self.storage.counter_value(self.program.id, _window(claim))

    # -- issues ------------------------------------------------------------------------------------------------------

    def issue_currency(self, intent: IssueCurrency) -> IssueCurrency | None:
        amount = self.within_claims(intent)
        if amount <= 0:
            return None
        issue = intent if amount == micros(intent.amount) else self.trimmed(intent, amount)
        promised = issue.state == "promised"
        target = "promised" if promised else "available"
        entry = self.entry(issue, "issued", target, issue.amount, issue.key)
        self.add_lot(issue, entry)
        if issue.expires_at is not None:
            self.storage.set_expiry(issue.key, ExpiryVersion(self.at, issue.expires_on, issue.expires_at))
        self.count(issue.claims)
        if not promised:
            self.pay_debt(issue.key)
        return issue

    def add_lot(self, issue: IssueCurrency, entry: Entry) -> None:
        """Add the lot of an issue; keep the issue of a lot that its sale did not issue itself."""
        sale = self.storage.sale(self.program.id, issue.event)
        place = _place_of(sale.event) if sale is not None else {}
        lot = Lot(issue, 0, rolling=issue.key in self._rolling, issue_on=issue.issue_on, **place)
        self.storage.add_lot(lot, entry)
        if issue.event != self.identity.event:
            self.keep_issue(lot)

    def keep_issue(self, lot: Lot) -> None:
        """Save the issue of a lot that is in no receipt of a sale."""
        further = FurtherLot(lot.issue, lot.origin, lot.store, lot.rolling, lot.tier, lot.channel)
        self.storage.save_record(FURTHER_LOTS, self.program.id, further, self.at)

    def move_on(self, lot: Lot, source: str, issue: IssueCurrency, reason: str, by: str | None = None) -> None:
        """Move units of a lot on to a new lot with the key, the amount and the dates of `issue`."""
        self.move(lot.key, source, "moved", issue.amount, reason, by=by)
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
        self.storage.add_lot(further, self.entry(issue, "moved", "available", issue.amount, reason, by=by))
        if issue.expires_at is not None:
            self.storage.set_expiry(issue.key, ExpiryVersion(self.at, issue.expires_on, issue.expires_at))
        self.keep_issue(further)

    def within_claims(self, intent: IssueCurrency) -> int:
        """Return the part of an issue that its caps allow, in millionths; record the trim of each cap that binds."""
        amount = micros(intent.amount)
        for claim in intent.claims:
            left = self.left_of(claim)
            allowed = left if not counts_times(claim.counter) else (amount if left >= MICRO else 0)
            if allowed < amount:
                amount = max(allowed, 0)
                trim = Trim(intent.key, claim.counter, intent.amount, decimal_of(amount))
                if amount == 0:
                    self.refuse(intent, trim)
                    return 0
                self.trims.append(trim)
        return amount

    def trimmed(self, intent: IssueCurrency, amount: int) -> IssueCurrency:
        """Return an issue reduced to an amount in millionths."""
        decimals = next(each.decimals for each in self.program.currencies if each.id == intent.currency)
        return reduced(intent, amount, decimals)

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

    def issue_coupon(self, intent: IssueCoupon) -> IssueCoupon | None:
        for claim in intent.claims:
            if self.left_of(claim) < MICRO:
                self.refuse(intent, Trim(intent.key, claim.counter, Decimal(1), Decimal(0)))
                return None
        issue = self.with_free_serial(intent)
        terms = self.program
        if issue.promotion == PUBLIC_COUPONS:  # issued by its redemption, whose transaction need not be recorded
            event: Any = load_event(self.identity.inputs["event"])
        else:
            sale = self.storage.sale(self.program.id, issue.event)
            event = sale.event if sale is not None else None
            terms = sale.program if sale is not None else terms  # an amendment issues under those of its sale
        coupon_type = next(each for each in terms.coupon_types if each.id == issue.coupon_type)
        place = _place_of(event) if event is not None else {"tier": None, "channel": None}
        coupon = attrs.evolve(new_coupon(issue, coupon_type), tier=place["tier"], channel=place["channel"])
        self.storage.add_coupon(self.program.id, coupon, self.at)
        self.count(issue.claims)
        return issue

    def with_free_serial(self, intent: IssueCoupon) -> IssueCoupon:
        """Return the coupon with a serial that no other coupon has, derived with further attempts. Source: ledger 5."""
        for attempt in range(1, _MAX_ATTEMPTS):
            if intent.serial is None or not self.storage.is_serial_taken(intent.serial):
                return intent
            if self.serials is None:
                raise MissingSerialsError(intent.coupon_type)
            intent = with_serial(intent, self.serials.serial(request_of(self.program.id, intent, attempt)))
        raise MissingSerialsError(intent.coupon_type)

    def send_message(self, intent: SendMessage) -> SendMessage | None:
        about = tuple(key for key in intent.about if key not in self._refused)
        return attrs.evolve(intent, about=about) if about else None

    def extend_expiry(self, intent: ExtendExpiry) -> ExtendExpiry | None:
        if extended_issue(intent.key) in self._refused:
            return None
        account = Account.of(intent)
        lots = [
            *self.storage.lots_of(self.program.id, account),
            *self.storage.spent_lots_of(self.program.id, account, self.at),
        ]
        for key in extended_lots(lots, intent, self.at):
            self.extend_lot(self.lot(key), intent)
        return intent

    def extend_lot(self, lot: Lot, intent: ExtendExpiry) -> None:
        """Move the expiry of a lot to the date of an extension, at most to its own last day."""
        expires_on, expires_at = intent.expires_on, intent.expires_at
        terms = self.storage.sale(self.program.id, lot.issue.event) if lot.issue.release is not None else None
        last = last_day_of(lot, terms)
        if last is not None and last < expires_on:
            expires_on, expires_at = last, self.program.plan.end_of(last)
            if expires_on == lot.expires_on:
                return
        self.storage.set_expiry(lot.key, ExpiryVersion(self.at, expires_on, expires_at))

    def change_tier(self, intent: ChangeTier) -> ChangeTier:
        account = Account.of(intent)
        is_review = kind_of_phase(self.identity.phase) == "review"
        change = LevelChange(intent.key, intent.tier, account, self.at, intent.to_level, intent.until, is_review)
        self.storage.save_record(LEVELS, self.program.id, change, self.at)
        return intent

    def advance_tracker(self, intent: AdvanceTracker) -> AdvanceTracker | None:
        of = self.identity.of
        assert of is not None
        sale = self.storage.sale(self.program.id, of)
        assert sale is not None
        tracker = next(each for each in sale.program.trackers if each.id == intent.tracker)
        if self.trims and micros(intent.value) > 0:
            intent = self.without_trims(intent, sale)
            if micros(intent.value) == 0:
                return None
        counter = tracker_counter(tracker, intent.group or intent.member, sale.event_on)
        self.storage.add_contribution(self.program.id, of, tracker.id, window_of(counter), micros(intent.value))
        if micros(intent.value) < 0 and sale.program.tiers:
            taken = levels_taken_back(self.storage, self.identity, sale, intent, window_of(counter))
            self.recorded += taken
        return intent

    def without_trims(self, intent: AdvanceTracker, sale: Sale) -> AdvanceTracker:
        """Return the advance of a tracker of awards by the issues of this batch after caps; any other unchanged."""
        plan = sale.program.plan
        awards = next((each for each in plan.award_trackers if each.id == intent.tracker), None)
        if awards is None:
            return intent
        issues = [(each, micros(each.amount)) for each in self.recorded if isinstance(each, IssueCurrency)]
        return attrs.evolve(intent, value=decimal_of(awards.total(plan.facts(sale.event, sale.snapshot), issues)))

    # -- promises ----------------------------------------------------------------------------------------------------

    def release_promise(self, intent: ReleasePromise) -> ReleasePromise:
        key = intent.promise
        if intent.lot is not None:
            promise = self.lot(key)
            self.move_on(promise, "promised", released_part(promise, intent), intent.key)
            self.pay_debt(intent.lot)
            return intent
        self.move(key, "promised", "available", intent.amount, intent.key)
        self.storage.set_released(key, self.at, intent.issue_on)
        extended = self.lot(key).expires_at
        if intent.expires_at is not None and (extended is None or extended < intent.expires_at):
            self.storage.set_expiry(key, ExpiryVersion(self.at, intent.expires_on, intent.expires_at))
        self.pay_debt(key)
        return intent

    def cancel_promise(self, intent: CancelPromise) -> CancelPromise:
        self.move(intent.promise, "promised", "voided", intent.amount, intent.key)
        self.count(intent.claims)
        return intent

    # -- taking back, expiring, spending -----------------------------------------------------------------------------

    def reverse_currency(self, intent: ReverseCurrency) -> ReverseCurrency:
        for part in intent.draws:
            self.recall(part.lot, part.taken_from, part.amount, intent.key)
            self.move(part.lot, part.taken_from, "reversed", part.amount, intent.key)
        self.storage.add_taken_back(intent.issue, self.at, micros(intent.amount))
        if micros(intent.shortfall):
            short = intent.shortfall
            account = self.lot(intent.issue).account
            shortfall = Shortfall(
                intent.key, intent.issue, account, intent.currency, self.at, short, short, intent.carried
            )
            self.storage.save_record(SHORTFALLS, self.program.id, shortfall, self.at)
            self.pay_late_debt(shortfall)
        self.count(intent.claims)
        return intent

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

    def pay_late_debt(self, shortfall: Shortfall) -> None:
        """Pay a debt that is recorded late from the lots that the account has had since, each at its first instant."""
        if not shortfall.carried:
            return
        lots = self.storage.lots_of(self.program.id, shortfall.account)
        for history in self.storage.changed_since(lots, self.at):
            begins_at = available_since(history)
            if history.issue.currency == shortfall.currency and begins_at is not None and begins_at > self.at:
                self.pay_debt(history.issue.key, begins_at)

    def expire_currency(self, intent: ExpireCurrency) -> ExpireCurrency:
        self.move(intent.lot, "available", "expired", intent.amount, intent.key, intent.expired_at)
        return intent

    def spend_currency(self, intent: SpendCurrency) -> SpendCurrency:
        if not intent.draws:
            intent = drawn(self.storage, self.program, intent, self.at)
        for part in intent.draws:
            if part.taken_from == "available":
                self.recall(part.lot, "available", part.amount, intent.key)
            self.move(part.lot, part.taken_from, "spent", part.amount, intent.key)
        self.storage.save_record(PAYMENTS, self.program.id, Payment(intent, self.at), self.at)
        return intent

    def undo_spend(self, intent: UndoSpend) -> UndoSpend:
        for part in intent.draws:
            self.move(part.lot, "spent", "available", part.amount, intent.key)
        for part in intent.expired:
            self.move(part.lot, "spent", "expired", part.amount, intent.key)
        for settled in intent.settled:
            self.move(settled.lot, "spent", "reversed", settled.amount, intent.key)
        self.settle_with(intent.settled)
        self.mark_undone(intent.spend, intent.amount)
        return intent

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

    def mark_undone(self, key: str, amount: Decimal | None = None) -> bool:
        """Record that an amount of a spend or a redemption has been undone, all of it if None.

        Return whether it is undone as a whole.
        """
        payment = self.storage.record(PAYMENTS, key)
        assert payment is not None
        made = payment.intent
        whole = made.amount if isinstance(made, SpendCurrency) else made.discount
        undone = decimal_of(micros(payment.undone) + micros(amount)) if amount is not None else whole
        is_whole = micros(undone) >= micros(whole)
        undo = attrs.evolve(payment, undone=undone, is_undone=is_whole)
        self.storage.save_record(PAYMENTS, self.program.id, undo, self.at)
        return is_whole

    # -- coupons -----------------------------------------------------------------------------------------------------

    def redeem_coupon(self, intent: RedeemCoupon) -> RedeemCoupon:
        self.storage.update_coupon(redeemed(self.coupon(intent.coupon), intent, self.at), self.at)
        self.storage.save_record(PAYMENTS, self.program.id, Payment(intent, self.at), self.at)
        return intent

    def undo_redemption(self, intent: UndoRedemption) -> UndoRedemption:
        is_whole = self.mark_undone(intent.redemption, intent.discount)
        coupon = reinstated(self.coupon(intent.coupon), intent, self.at, is_whole=is_whole)
        self.storage.update_coupon(coupon, self.at)
        return intent

    def void_coupon(self, intent: VoidCoupon) -> VoidCoupon:
        coupon = self.coupon(intent.coupon)
        kept = min(micros(coupon.topped_up), micros(coupon.remaining)) if coupon.remaining is not None else 0
        if kept > 0 and kind_of_phase(self.identity.phase) != "void":
            # A return takes the rest of the original value; additions stay. Source: semantics 17.
            self.change_coupon(intent.coupon, state="issued", remaining=decimal_of(kept))
        else:
            self.change_coupon(intent.coupon, state="voided", voided_at=self.at)
        if intent.reason is not None and intent.by is not None:
            self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        self.count(intent.claims)
        return intent

    def expire_coupon(self, intent: ExpireCoupon) -> ExpireCoupon:
        self.change_coupon(intent.coupon, state="expired")
        return intent

    def coupon(self, key: str) -> CouponRecord:
        coupon = self.storage.coupon(key)
        assert coupon is not None
        return coupon

    def change_coupon(self, key: str, **changes: Any) -> None:
        self.storage.update_coupon(attrs.evolve(self.coupon(key), **changes), self.at)

    # -- an account's life -------------------------------------------------------------------------------------------

    def adjust_currency(self, intent: AdjustCurrency) -> AdjustCurrency:
        self.void_units(intent.draws, intent)
        if micros(intent.amount) > 0:
            waits = intent.state == "promised"
            issue = lot_of_adjustment(intent)
            entry = self.entry(
                issue, "issued", "promised" if waits else "available", issue.amount, intent.reason, by=intent.by
            )
            lot = Lot(issue, 0, issue_on=issue.issue_on)
            self.storage.add_lot(lot, entry)
            self.keep_issue(lot)
            if issue.expires_at is not None:
                self.storage.set_expiry(issue.key, ExpiryVersion(self.at, issue.expires_on, issue.expires_at))
            if waits:
                self.storage.save_record(
                    ADJUSTMENTS, self.program.id, Adjustment(issue.key, intent.by, self.at), self.at
                )
            else:
                self.pay_debt(issue.key)
        return intent

    def void_units(self, draws: Iterable[LotDraw], intent: AdjustCurrency | TransferCurrency) -> None:
        """Void available units for the reason of a person."""
        for each in draws:
            self.recall(each.lot, "available", each.amount, intent.key)
            self.move(each.lot, "available", "voided", each.amount, intent.reason, by=intent.by)

    def transfer_currency(self, intent: TransferCurrency) -> TransferCurrency:
        self.count(intent.claims)
        moved = [(self.lot(each.lot), lot_of_transfer(intent, each, self.lot(each.lot))) for each in intent.draws]
        for source, issue in moved:
            self.recall(source.key, "available", issue.amount, intent.key)
            self.move_on(source, "available", issue, intent.reason, intent.by)
        self.void_units(intent.fee_draws, intent)
        for _, issue in moved:
            self.pay_debt(issue.key)
        return intent

    def merge_accounts(self, intent: MergeAccounts) -> MergeAccounts:
        self.count(intent.claims)
        program = self.program.id
        old, new = Account("member", intent.from_member), Account("member", intent.into_member)
        merger = Merger(member_key(program, old.id), old.id, new.id, self.at)
        self.storage.save_record(MERGERS, program, merger, self.at)
        self.end_holds_on(self.storage.lots_of(program, old))
        held_units.move_holds(self, old, new)
        lots = self.storage.every_lot_of(program, old)
        for number, lot in enumerate(lots, 1):
            self.remark_on_merge(intent, number, lot, old, new)
            self.storage.set_member(lot.key, self.at, new.id)
        if not lots:
            for account in (old, new):
                key = f"{intent.key}/{key_part(account.id)}"
                self.remark(key, account, None, intent.from_member, intent.reason, intent.by)
        for coupon in self.storage.coupons_of(program, old.id):
            self.change_coupon(coupon.key, member=new.id)
        self.move_shortfalls(intent, old, new)
        self.pay_debts(new)
        return intent

    def remark_on_merge(self, intent: MergeAccounts, number: int, lot: Lot, old: Account, new: Account) -> None:
        """Show in both statements which units of a lot went from one account to the other."""
        for bucket in ("promised", "available", "held"):
            units = lot.buckets[bucket]
            if not micros(units):
                continue
            for account, source, target in ((old, bucket, "moved"), (new, "moved", bucket)):
                key = f"{intent.key}/{number}/{bucket}/{key_part(account.id)}"
                currency, batch = lot.issue.currency, self.identity
                line = (intent.reason, intent.by, source, target, units)
                remark = Remark(key, account, currency, lot.key, batch.key, self.at, batch.recorded_at, *line)
                self.storage.save_record(REMARKS, self.program.id, remark, self.at)

    def move_shortfalls(self, intent: MergeAccounts, old: Account, new: Account) -> None:
        """Close the open shortfalls of an account, and open them again for another one, with their own instants."""
        for currency in (each.id for each in self.program.currencies):
            shortfalls = self.storage.records(SHORTFALLS, self.program.id, balance=balance_name(old, currency))
            for number, short in enumerate((each for each in shortfalls if micros(each.open)), 1):
                key = f"{intent.key}/{currency}/{number}"
                moved = attrs.evolve(short, key=key, account=new, amount=short.open)
                self.settle(short, micros(short.open))
                self.storage.save_record(SHORTFALLS, self.program.id, moved, self.at)

    def pay_debts(self, account: Account) -> None:
        """Pay the debts of an account from its live lots, soonest expiry first."""
        for lot in in_order_of_spending(self.storage.every_lot_of(self.program.id, account), self.at):
            self.pay_debt(lot.key)

    def extend_lot_by_hand(self, intent: ExtendLot) -> ExtendLot:
        lot = self.lot(intent.lot)
        self.storage.set_expiry(intent.lot, ExpiryVersion(self.at, intent.expires_on, intent.expires_at))
        self.remark(intent.key, lot.account, lot.issue.currency, intent.lot, intent.reason, intent.by)
        return intent

    def extend_coupon(self, intent: ExtendCoupon) -> ExtendCoupon:
        self.change_coupon(intent.coupon, expires_on=intent.expires_on, expires_at=intent.expires_at)
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        return intent

    def reassign_coupon(self, intent: ReassignCoupon) -> ReassignCoupon:
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        self.change_coupon(intent.coupon, member=intent.member)
        if intent.from_member != intent.member:
            received = f"{intent.key}/{key_part(intent.member)}"
            self.remark_on_coupon(received, intent.coupon, intent.reason, intent.by)
        return intent

    def top_up_coupon(self, intent: TopUpCoupon) -> TopUpCoupon:
        coupon = self.coupon(intent.coupon)
        added = decimal_of(micros(coupon.topped_up) + micros(intent.amount))
        self.change_coupon(intent.coupon, state="issued", remaining=intent.remaining, topped_up=added)
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        return intent

    def remark_on_coupon(self, key: str, coupon: str, reason: str, by: str) -> None:
        """Record an operation on a coupon for the statement of the member who has it."""
        member = self.coupon(coupon).member
        if member is not None:
            self.remark(key, Account("member", member), None, coupon, reason, by)

    def remark(self, key: str, account: Account, currency: str | None, about: str, reason: str, by: str) -> None:
        """Record an operation that moves no units for the statement of an account."""
        batch = self.identity
        remark = Remark(key, account, currency, about, batch.key, self.at, batch.recorded_at, reason, by)
        self.storage.save_record(REMARKS, self.program.id, remark, self.at)


_POSTS: Mapping[type, Callable[[Posting, Any], Intent | None]] = {
    IssueCurrency: Posting.issue_currency,
    IssueCoupon: Posting.issue_coupon,
    SendMessage: Posting.send_message,
    ExtendExpiry: Posting.extend_expiry,
    AdvanceTracker: Posting.advance_tracker,
    ChangeTier: Posting.change_tier,
    ReleasePromise: Posting.release_promise,
    CancelPromise: Posting.cancel_promise,
    ReverseCurrency: Posting.reverse_currency,
    ExpireCurrency: Posting.expire_currency,
    SpendCurrency: Posting.spend_currency,
    UndoSpend: Posting.undo_spend,
    HoldCurrency: held_units.hold_currency,
    CaptureHold: held_units.capture_hold,
    ReleaseHold: held_units.release_hold,
    RedeemCoupon: Posting.redeem_coupon,
    UndoRedemption: Posting.undo_redemption,
    VoidCoupon: Posting.void_coupon,
    ExpireCoupon: Posting.expire_coupon,
    AdjustCurrency: Posting.adjust_currency,
    ExtendLot: Posting.extend_lot_by_hand,
    ExtendCoupon: Posting.extend_coupon,
    ReassignCoupon: Posting.reassign_coupon,
    TopUpCoupon: Posting.top_up_coupon,
    TransferCurrency: Posting.transfer_currency,
    MergeAccounts: Posting.merge_accounts,
}
