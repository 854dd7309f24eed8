"""Posting: the writes of each intent into a storage, one function for each, in one table. Source: ledger 2.

Claims are checked again here, in the transaction that writes them. Currency over a cap is trimmed to the remainder, a
coupon over its cap is refused. The message and the extension of a refused issue are dropped with it.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.engine.counters import tracker_counter
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.intents import (
    AdjustCurrency,
    AdvanceTracker,
    CancelPromise,
    CaptureHold,
    ChangeTier,
    ExpireCoupon,
    ExpireCurrency,
    ExtendCoupon,
    ExtendExpiry,
    ExtendLot,
    ForgetMember,
    HoldCurrency,
    Intent,
    IssueCoupon,
    IssueCurrency,
    MergeAccounts,
    ReassignCoupon,
    RedeemCoupon,
    ReleaseHold,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
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
    extended_issue,
    kind_of_phase,
)
from loyalty_rules.ledger import held_units
from loyalty_rules.ledger.account_posting import AccountPosting
from loyalty_rules.ledger.batch_writer import place_of
from loyalty_rules.ledger.coupon_serials import request_of, with_serial
from loyalty_rules.ledger.kinds import (
    LEVELS,
    PAYMENTS,
    SHORTFALLS,
)
from loyalty_rules.ledger.late import issued_after
from loyalty_rules.ledger.levels_lost import levels_taken_back
from loyalty_rules.ledger.purchases import Purchase, drawn, purchases_of
from loyalty_rules.ledger.receipts import Trim
from loyalty_rules.ledger.records import ExpiryVersion
from loyalty_rules.ledger.reviews_again import reviews_again
from loyalty_rules.ledger.storage import window_of
from loyalty_rules.lifecycle.claims import reduced
from loyalty_rules.lifecycle.promises import released_part
from loyalty_rules.lifecycle.records import (
    Account,
    LevelChange,
    Payment,
    Sale,
    Shortfall,
)
from loyalty_rules.lifecycle.redemption import new_coupon, redeemed, reinstated
from loyalty_rules.lifecycle.rolling_expiry import Extension, extension_of
from loyalty_rules.loading import load_event
from loyalty_rules.values.amounts import MICRO, decimal_of, micros

__all__ = ["Posting"]

_MAX_ATTEMPTS = 100


class Posting(AccountPosting):
    """One batch in the course of posting: each intent has one function that writes it."""

    def post(self, intents: Iterable[Intent]) -> None:
        """Post intents in their order."""
        intents = tuple(intents)
        self._short: list[Shortfall] = []
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
        for shortfall in self._short:  # after all reversals, so that no debt is paid with units that another draws
            self.settle_late(shortfall)
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
            self.set_last_day(issue.key)
        self.count(issue.claims)
        if not promised:
            self.pay_debt(issue.key)
        return issue

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
        decimals = self.program.decimals_of(intent.currency)
        return reduced(intent, amount, decimals)

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
        place = place_of(event) if event is not None else {"tier": None, "channel": None}
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
        expiry = ExpiryVersion(self.at, intent.expires_on, intent.expires_at)
        extension = Extension(0, intent.scope, self.at, intent.expires_on, intent.expires_at)
        for lot in self.storage.swept_lots_of(self.program.id, account, self.at):
            if lot.issue.currency == intent.currency and extension_of(lot, extension) is not None:
                self.recall_swept(lot.key, intent.key)
                self.pay_debt(lot.key)
        self.storage.extend(self.program.id, account, intent.currency, intent.scope, expiry)
        return intent

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
        promise = self.lot(key)
        at = issued_after(self.storage, promise, self.at) or self.at  # an amendment may have made it later
        if intent.lot is not None:
            self.move_on(promise, "promised", released_part(promise, intent), intent.key, at=at)
            self.pay_debt(intent.lot, at)
            return intent
        self.move(key, "promised", "available", intent.amount, intent.key, at)
        self.storage.set_released(key, at, intent.issue_on)
        self.set_last_day(key, at)
        extended = self.lot(key).expires_at
        if intent.expires_at is not None and (extended is None or extended < intent.expires_at):
            self.storage.set_expiry(key, ExpiryVersion(at, intent.expires_on, intent.expires_at))
        self.pay_debt(key, at)
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
            self._short.append(shortfall)
        self.count(intent.claims)
        return intent

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
        self.save_payment(intent)
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

    def save_payment(self, intent: SpendCurrency | RedeemCoupon) -> None:
        payment = Payment(intent, self.at, bill=self.bill, store=self.store)
        self.storage.save_record(PAYMENTS, self.program.id, payment, self.at)

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
        self.save_payment(intent)
        return intent

    def undo_redemption(self, intent: UndoRedemption) -> UndoRedemption:
        is_whole = self.mark_undone(intent.redemption, intent.discount)
        coupon = reinstated(self.coupon(intent.coupon), intent, self.at, is_whole=is_whole)
        self.storage.update_coupon(coupon, self.at)
        return intent

    def void_coupon(self, intent: VoidCoupon) -> VoidCoupon:
        coupon = self.coupon(intent.coupon)
        kept = min(micros(coupon.topped_up), micros(coupon.remaining)) if coupon.remaining is not None else 0
        if kept > 0 and kind_of_phase(self.identity.phase) not in ("void", "forget"):
            # A return takes the rest of the original value; additions stay. Source: semantics 17.
            lost_at = coupon.voided_at or self.at
            self.change_coupon(intent.coupon, state="issued", remaining=decimal_of(kept), voided_at=lost_at)
        else:
            self.change_coupon(intent.coupon, state="voided", voided_at=self.at)
        if intent.reason is not None and intent.by is not None:
            self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        self.count(intent.claims)
        return intent

    def expire_coupon(self, intent: ExpireCoupon) -> ExpireCoupon:
        self.change_coupon(intent.coupon, state="expired")
        return intent


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
    ForgetMember: Posting.forget_member,
}
