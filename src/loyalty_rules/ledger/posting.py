"""How each intent is written into the books: one function an intent, in one table. Source: ledger 2.

Claims are checked here, where they are written: currency over a cap is trimmed to what is left, a coupon over its
cap refused, and what hung on a refused issue (its message, its extension) goes with it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from loyalty_rules.amounts import MICRO, decimal_of, micros
from loyalty_rules.counters import tracker_counter
from loyalty_rules.intents import (
    AdvanceTracker,
    CancelPromise,
    Claim,
    ExpireCoupon,
    ExpireCurrency,
    ExtendExpiry,
    Intent,
    IssueCoupon,
    IssueCurrency,
    RedeemCoupon,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    Share,
    SpendCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.ledger.books import Books, LotFile, Term
from loyalty_rules.ledger.protocol import Movement, Trim
from loyalty_rules.lifecycle.records import Account, CouponRecord
from loyalty_rules.lifecycle.sweep import extended
from loyalty_rules.program import Program
from loyalty_rules.shares import split, unit_of

__all__ = ["Posting"]


class Posting:
    """One batch being written: what was recorded of its intents, and what caps took."""

    def __init__(
        self, books: Books, program: Program, batch: str, of: str | None, at: datetime, recorded_at: datetime
    ) -> None:
        self.books = books
        self.program = program
        self.batch = batch
        self.of = of  # the sale that the batch is about
        self.at = at
        self.recorded_at = recorded_at
        self.recorded: list[Intent] = []
        self.trims: list[Trim] = []
        self._refused: set[str] = set()

    def post(self, intents: Iterable[Intent]) -> None:
        """Write intents in their order."""
        rolling = {intent.key.removesuffix("/extend") for intent in intents if isinstance(intent, ExtendExpiry)}
        self._rolling = rolling
        for intent in intents:
            written = _POSTS[type(intent)](self, intent)
            if written is not None:
                self.recorded.append(written)

    def refuse(self, intent: IssueCurrency | IssueCoupon, trim: Trim) -> None:
        self.trims.append(trim)
        self._refused.add(intent.key)

    # -- movements ---------------------------------------------------------------------------------------------------

    def move(
        self, lot: str, source: str, target: str, amount: Decimal, reason: str, at: datetime | None = None
    ) -> None:
        if micros(amount) == 0:
            return
        file = self.books.files[lot]
        self.books.move(
            Movement(
                self.batch,
                file.program,
                Account.of(file.issue),
                file.issue.currency,
                lot,
                source,
                target,
                amount,
                at if at is not None else self.at,
                self.recorded_at,
                reason,
            )
        )

    def count(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.books.count(self.program.id, claim)

    def left_of(self, claim: Claim) -> int:
        """What a counter's limit leaves, in millionths."""
        return micros(claim.limit) - self.books.counted(self.program.id, claim.counter, claim.from_date, claim.to_date)

    # -- issues ------------------------------------------------------------------------------------------------------

    def issue_currency(self, intent: IssueCurrency) -> IssueCurrency | None:
        amount = self.within_claims(intent)
        if amount <= 0:
            return None
        issue = intent if amount == micros(intent.amount) else self.trimmed(intent, amount)
        books, account = self.books, Account.of(issue)
        file = LotFile(issue, self.program.id, len(books.files), rolling=issue.key in self._rolling)
        books.put(books.files, issue.key, file)
        books.append(books.of_account, (self.program.id, account), issue.key)
        books.append(books.of_sale, (self.program.id, issue.event), issue.key)
        promised = issue.state == "promised"
        self.move(issue.key, "issued", "promised" if promised else "available", issue.amount, issue.key)
        if issue.expires_at is not None:
            books.set_term(issue.key, Term(self.at, issue.expires_on, issue.expires_at))
        self.count(issue.claims)
        if promised:
            books.put(books.open, issue.key, None)
        else:
            self.pay_debt(issue.key)
        return issue

    def within_claims(self, intent: IssueCurrency) -> int:
        amount = micros(intent.amount)
        for claim in intent.claims:
            left = self.left_of(claim)
            allowed = left if not claim.counter.endswith("/times") else (amount if left >= MICRO else 0)
            if allowed < amount:
                amount = max(allowed, 0)
                trim = Trim(intent.key, claim.counter, intent.amount, decimal_of(amount))
                if amount == 0:
                    self.refuse(intent, trim)
                    return 0
                self.trims.append(trim)
        return amount

    def trimmed(self, intent: IssueCurrency, amount: int) -> IssueCurrency:
        """Make an issue one of less than was decided, in millionths: its shares keep their proportions."""
        decimals = next(each.decimals for each in self.program.currencies if each.id == intent.currency)
        unit = unit_of(amount, decimals)
        parts = split(amount // unit, [micros(share.amount) for share in intent.shares]) if intent.shares else []
        shares = [Share(each.line, decimal_of(part * unit)) for each, part in zip(intent.shares, parts, strict=True)]
        drawn = decimal_of(amount)
        claims = [
            claim if claim.counter.endswith("/times") else attrs.evolve(claim, amount=drawn) for claim in intent.claims
        ]
        return attrs.evolve(intent, amount=drawn, shares=tuple(shares), claims=tuple(claims))

    def pay_debt(self, lot: str) -> None:
        """A debt that a return left is paid by the account's next issue. Source: semantics 11."""
        file = self.books.files[lot]
        owed = (file.program, Account.of(file.issue), file.issue.currency)
        paid = min(self.books.debt(owed), micros(self.books.lot(lot).outstanding))
        if paid > 0:
            self.move(lot, "available", "reversed", decimal_of(paid), f"{lot}/debt")
            self.books.append(self.books.debts, owed, (self.at, -paid))

    def issue_coupon(self, intent: IssueCoupon) -> IssueCoupon | None:
        for claim in intent.claims:
            if self.left_of(claim) < MICRO:
                self.refuse(intent, Trim(intent.key, claim.counter, Decimal(1), Decimal(0)))
                return None
        books = self.books
        books.set_coupon(CouponRecord(intent), self.at)
        books.append(books.coupons_of_sale, (self.program.id, intent.event), intent.key)
        for code in filter(None, (intent.serial, intent.code)):
            books.append(books.codes, (self.program.id, books.canonical(code)), intent.key)
        self.count(intent.claims)
        return intent

    def send_message(self, intent: SendMessage) -> SendMessage | None:
        about = tuple(key for key in intent.about if key not in self._refused)
        return attrs.evolve(intent, about=about) if about else None

    def extend_expiry(self, intent: ExtendExpiry) -> ExtendExpiry | None:
        if intent.key.removesuffix("/extend") in self._refused:
            return None
        account = Account("member", intent.member) if intent.group is None else Account("group", intent.group)
        lots = self.books.lots_of(self.program.id, account)
        for key in extended(lots, intent, self.at):
            self.books.set_term(key, Term(self.at, intent.expires_on, intent.expires_at))
        return intent

    def advance_tracker(self, intent: AdvanceTracker) -> AdvanceTracker:
        assert self.of is not None
        books, of = self.books, (self.program.id, self.of)
        sale = books.sales[of]
        tracker = next(each for each in sale.program.trackers if each.id == intent.tracker)
        counter = tracker_counter(tracker, intent.member, sale.event_on)
        books.add_to_counter(self.program.id, counter.name, counter.to_date, micros(intent.value))
        so_far = books.tracked.get(of, {})
        books.put(books.tracked, of, {**so_far, tracker.id: so_far.get(tracker.id, 0) + micros(intent.value)})
        return intent

    # -- promises ----------------------------------------------------------------------------------------------------

    def release_promise(self, intent: ReleasePromise) -> ReleasePromise:
        books, lot = self.books, intent.promise
        self.move(lot, "promised", "available", intent.amount, intent.key)
        books.put(books.files, lot, attrs.evolve(books.files[lot], released=(self.at, intent.issue_on)))
        moved = books.lot(lot).expires_at
        if intent.expires_at is not None and (moved is None or moved < intent.expires_at):
            books.set_term(lot, Term(self.at, intent.expires_on, intent.expires_at))
        books.drop(books.open, lot)
        self.pay_debt(lot)
        return intent

    def cancel_promise(self, intent: CancelPromise) -> CancelPromise:
        self.move(intent.promise, "promised", "voided", intent.amount, intent.key)
        self.count(intent.claims)
        self.books.drop(self.books.open, intent.promise)
        return intent

    # -- taking back, expiring, spending -----------------------------------------------------------------------------

    def reverse_currency(self, intent: ReverseCurrency) -> ReverseCurrency:
        books = self.books
        for draw in intent.draws:
            self.move(draw.lot, draw.taken_from, "reversed", draw.amount, intent.key)
        file = books.files[intent.issue]
        claimed = (*file.claimed, (self.at, intent.amount))
        books.put(books.files, intent.issue, attrs.evolve(file, claimed=claimed))
        if micros(books.lot(intent.issue).promised) == 0:
            books.drop(books.open, intent.issue)
        if intent.carried and micros(intent.shortfall):
            owed = (self.program.id, Account.of(file.issue), intent.currency)
            books.append(books.debts, owed, (self.at, micros(intent.shortfall)))
        self.count(intent.claims)
        return intent

    def expire_currency(self, intent: ExpireCurrency) -> ExpireCurrency:
        self.move(intent.lot, "available", "expired", intent.amount, intent.key, intent.expired_at)
        return intent

    def spend_currency(self, intent: SpendCurrency) -> SpendCurrency:
        for draw in intent.draws:
            self.move(draw.lot, "available", "spent", draw.amount, intent.key)
        return intent

    def undo_spend(self, intent: UndoSpend) -> UndoSpend:
        for draw in intent.draws:
            self.move(draw.lot, "spent", "available", draw.amount, intent.key)
        for draw in intent.expired:
            self.move(draw.lot, "spent", "expired", draw.amount, intent.key)
        self.books.put(self.books.undone, intent.spend, None)
        return intent

    # -- coupons -----------------------------------------------------------------------------------------------------

    def redeem_coupon(self, intent: RedeemCoupon) -> RedeemCoupon:
        used_up = intent.remaining is None or micros(intent.remaining) == 0
        self.change_coupon(
            intent.coupon,
            state="redeemed" if used_up else "issued",
            remaining=intent.remaining,
            redeemed_by=intent.key,
            redeemed_at=self.at,
        )
        self.books.append(self.books.redeemed_in, (self.program.id, intent.event), intent.key)
        return intent

    def undo_redemption(self, intent: UndoRedemption) -> UndoRedemption:
        coupon = self.books.coupons[intent.coupon]
        remaining = coupon.remaining
        if remaining is not None:
            remaining = decimal_of(micros(remaining) + micros(intent.discount))
        # What was voided or has expired meanwhile is not revived, though a stored value gets its units back.
        state = "issued" if coupon.state == "redeemed" else coupon.state
        reinstated = attrs.evolve(coupon, state=state, remaining=remaining, redeemed_by=None, redeemed_at=None)
        self.books.set_coupon(attrs.evolve(reinstated, state=reinstated.state_at(self.at)), self.at)
        self.books.put(self.books.undone, intent.redemption, None)
        return intent

    def void_coupon(self, intent: VoidCoupon) -> VoidCoupon:
        self.change_coupon(intent.coupon, state="voided", voided_at=self.at)
        self.count(intent.claims)
        return intent

    def expire_coupon(self, intent: ExpireCoupon) -> ExpireCoupon:
        self.change_coupon(intent.coupon, state="expired")
        return intent

    def change_coupon(self, key: str, **changes: Any) -> None:
        self.books.set_coupon(attrs.evolve(self.books.coupons[key], **changes), self.at)


_POSTS: Mapping[type, Callable[[Posting, Any], Intent | None]] = {
    IssueCurrency: Posting.issue_currency,
    IssueCoupon: Posting.issue_coupon,
    SendMessage: Posting.send_message,
    ExtendExpiry: Posting.extend_expiry,
    AdvanceTracker: Posting.advance_tracker,
    ReleasePromise: Posting.release_promise,
    CancelPromise: Posting.cancel_promise,
    ReverseCurrency: Posting.reverse_currency,
    ExpireCurrency: Posting.expire_currency,
    SpendCurrency: Posting.spend_currency,
    UndoSpend: Posting.undo_spend,
    RedeemCoupon: Posting.redeem_coupon,
    UndoRedemption: Posting.undo_redemption,
    VoidCoupon: Posting.void_coupon,
    ExpireCoupon: Posting.expire_coupon,
}
