"""The checkout of a transaction: the look-ups of a set of redemptions and spends, for recording and for quoting.

Rows are locked before they are read; a query takes no locks. Source: semantics 9, 12, 17.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.events import Snapshot, Transaction
from loyalty_rules.intents import IssueCoupon, RedeemCoupon, SpendCurrency
from loyalty_rules.keys import public_coupon_key, redemption_key, redemption_phase, spend_key, spend_phase
from loyalty_rules.ledger.coupon_serials import canonical_code
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import LockKey, account_lock, code_lock, sale_lock
from loyalty_rules.ledger.operations.lookups import (
    check_open,
    current_event,
    named_account,
    payment_of,
    payments_of,
    read_lots,
    read_snapshot,
)
from loyalty_rules.ledger.receipts import SpendReceipt
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.public_codes import present_public, public_type
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal
from loyalty_rules.lifecycle.redemption import (
    Checkout,
    Offered,
    Presented,
    Standing,
    Terms,
    checkout_of,
    decide,
)
from loyalty_rules.program import Program
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.values.amounts import micros, text_of

__all__ = ["SpendOffer", "check_unspent", "decide_checkout", "name_of_code", "standing_of"]

SpendOffer: TypeAlias = tuple[Account, str, Decimal]
"""An account that pays, the currency, and the amount."""

_MAX_CANDIDATES = 50  # coupons with one shared code that are looked at


def decide_checkout(
    storage: Storage,
    program: Program,
    transaction: Transaction,
    codes: Sequence[str],
    spends: Sequence[SpendOffer] = (),
    *,
    event: str | None = None,
) -> tuple[IssueCoupon | RedeemCoupon | SpendCurrency, ...] | Refusal:
    """Decide the redemptions and spends of a transaction as a set; `event` is the id of the attempt."""
    transaction = current_event(storage, program, transaction)
    spends = [(named_account(storage, program, account), currency, amount) for account, currency, amount in spends]
    look = _LookUp(storage, program, transaction, event if event is not None else transaction.id)
    payers = [account for account, _, _ in spends]
    if transaction.member is not None:
        payers.append(Account("member", transaction.member.id))
    look.lock(codes, payers)
    for account in dict.fromkeys(payers):
        check_open(storage, program, account)
    presented = [look.present(code) for code in codes]
    offered = [look.offer(*each) for each in spends]
    return decide(look.checkout(presented), presented, offered)


def standing_of(storage: Storage, program: Program, transaction: str) -> list[Standing]:
    """Return the redemptions and spends of a transaction that stand, each redemption with its coupon's type."""
    standing = []
    for payment in payments_of(storage, program, transaction):
        if isinstance(payment.intent, SpendCurrency) and payment.intent.promotion is not None:
            continue  # the price of a reward that an action gives, which pays nothing of the bill
        coupon_type = None
        if isinstance(payment.intent, RedeemCoupon):
            coupon = storage.coupon(payment.intent.coupon)
            if coupon is not None:
                coupon_type = _type_in(_terms_of(storage, program, coupon), coupon.issue.coupon_type)
        standing.append(Standing(payment, coupon_type))
    return standing


def name_of_code(storage: Storage, program: Program, code: str) -> str | None:
    """Return the name of a code in a key: a coupon's key if it has a serial, else the shared code; None if unknown.

    A serial is a secret and never stands in a key.
    """
    coupon = next(iter(storage.coupons_by_code(program.id, code)), None)
    if coupon is not None and coupon.issue.serial is not None:
        return redemption_phase(coupon.key)
    if coupon is not None or public_type(program, code) is not None:
        return redemption_phase(code=canonical_code(code))
    return None


def check_unspent(storage: Storage, program: Program, event: str, currency: str, amount: Decimal) -> None:
    """Raise `IdempotencyConflict` if a spend of the currency is recorded under the id, as part of a set or alone."""
    made = payment_of(storage, program, spend_key(program.id, event, currency))
    if made is not None and not isinstance(made.intent, RedeemCoupon):
        key = IdempotencyRecord.key_of(program.id, event, spend_phase(currency))
        receipt = SpendReceipt("already_recorded", key, intents=(made.intent,))
        raise IdempotencyConflict(key, "spend", text_of(made.intent.amount), text_of(amount), receipt)


@attrs.frozen
class _LookUp:
    """The look-ups of one checkout. `used` are the keys of the coupons that are presented already.

    `chosen` are the shared codes of these coupons, `within` counts the public codes among them by coupon type.
    """

    storage: Storage
    program: Program
    transaction: Transaction
    event: str
    used: set[str] = attrs.field(factory=set)
    locked: set[LockKey] = attrs.field(factory=set)
    chosen: set[str] = attrs.field(factory=set)
    within: dict[str, int] = attrs.field(factory=dict)
    _standing: list[Standing] = attrs.field(factory=list)

    @property
    def member(self) -> str | None:
        return self.transaction.member.id if self.transaction.member is not None else None

    def lock(self, codes: Iterable[str], accounts: Iterable[Account]) -> None:
        """Lock the transaction, the sales of the coupons, the shared codes and the accounts, all at once."""
        program = self.program.id
        keys: list[LockKey] = [sale_lock(program, self.transaction.id)]
        named = Counter(codes)
        for code, times in named.items():
            coupons = self.storage.coupons_by_code(program, code)
            if coupons and coupons[0].issue.serial is None:
                keys += [code_lock(program, canonical_code(code), member) for member in (self.member, None)]
                coupons = self.candidates(code)[:times]  # those that will be redeemed, unless they change meanwhile
            keys += [sale_lock(program, each.issue.event) for each in coupons]
        self.locked.update(keys)
        self.storage.lock(sorted({*keys, *(account_lock(program, each) for each in accounts)}))
        self._standing.extend(standing_of(self.storage, self.program, self.transaction.id))

    def checkout(self, presented: Iterable[Presented] = ()) -> Checkout:
        """Return the checkout, after the redemptions and spends so far."""
        taken: list[str] = []
        for each in presented:
            if each.coupon is not None:
                taken += self._taken_keys(redemption_key(self.program.id, self.event, each.coupon.key))
        return checkout_of(self.program, self.transaction, self._standing, event=self.event, taken=taken)

    def _taken_keys(self, key: str) -> list[str]:
        taken: list[str] = []
        while payment_of(self.storage, self.program, key if not taken else f"{key}/{len(taken) + 1}") is not None:
            taken.append(key if not taken else f"{key}/{len(taken) + 1}")
        return taken

    # -- coupons -------------------------------------------------------------------------------------------------------

    def present(self, code: str) -> Presented:
        """Return the coupon of a code: that of a serial, one of those with a shared code, or a public code's own."""
        found = self.storage.coupons_by_code(self.program.id, code)
        if found and found[0].issue.serial is not None:
            return self.presented(code, found[0])
        public = public_type(self.program, code)
        if public is not None:
            return attrs.evolve(self.present_public(public), code=code)
        if all(each.is_public for each in found):
            return Presented(code, None, None)
        chosen = self.choose(code)
        if chosen is not None:
            return chosen
        # A code that is named more often than the member has coupons is as a serial that is named twice.
        is_used = canonical_code(code) in self.chosen
        return Presented(code, None, None, reasons=("already_redeemed" if is_used else "wrong_member",))

    def presented(self, code: str, coupon: CouponRecord) -> Presented:
        """Return a coupon with its terms: the type and the facts under the program version that issued it."""
        terms = _terms_of(self.storage, self.program, coupon)
        coupon_type = _type_in(terms, coupon.issue.coupon_type)
        if coupon_type is None:
            return Presented(code, None, None)
        snapshot = Snapshot()
        if coupon_type.redemption.when is not None:
            snapshot = read_snapshot(self.storage, terms, self.transaction, terms.counters(self.transaction))
        most = self.storage.least_left(coupon.key, self.transaction.occurred_at)
        facts = terms.plan.facts(self.transaction, snapshot)
        return Presented(code, coupon, Terms(coupon_type, facts), most=most)

    def candidates(self, code: str) -> list[CouponRecord]:
        """Return the coupons with a shared code that the transaction may redeem, without those presented already."""
        at, most = self.transaction.occurred_at, _MAX_CANDIDATES + len(self.used)
        coupons = self.storage.coupons_to_redeem(self.program.id, code, self.member, at, most)
        return [each for each in coupons if each.key not in self.used and not each.is_public]

    def choose(self, code: str) -> Presented | None:
        """Return the coupon of a shared code that the transaction redeems: the first that can be.

        If none can be it is the first for a later purchase and not used by this one, else the first.
        """
        checkout, first = self.checkout(), None
        for coupon in self.candidates(code):
            self.storage.lock({sale_lock(self.program.id, coupon.issue.event)} - self.locked)
            presented = self.presented(code, self.storage.coupon(coupon.key) or coupon)
            if not isinstance(decide(checkout, [presented]), Refusal):
                first = presented
                break
            if first is None or (self._is_of_this_sale(first) and not self._is_of_this_sale(presented)):
                first = presented
        if first is not None and first.coupon is not None:
            self.used.add(first.coupon.key)
            self.chosen.add(canonical_code(code))
        return first

    def _is_of_this_sale(self, presented: Presented) -> bool:
        """Return whether the transaction issued the coupon itself, or has redeemed it already."""
        coupon = presented.coupon
        if coupon is None or coupon.issue.event == self.transaction.id:
            return True
        redeemed = [each.payment.intent for each in self._standing if isinstance(each.payment.intent, RedeemCoupon)]
        return any(each.coupon == coupon.key for each in redeemed)

    def present_public(self, coupon_type: CouponType) -> Presented:
        """Return a public code, with the coupon that its redemption issues."""
        snapshot = Snapshot()
        if coupon_type.redemption.when is not None:
            snapshot = read_snapshot(
                self.storage, self.program, self.transaction, self.program.counters(self.transaction)
            )
        within = self.within.get(coupon_type.id, 0)
        ordinal = self._free_ordinal(coupon_type)
        self.within[coupon_type.id] = within + 1
        standing = [each for each in self._standing if each.coupon_type is not None]
        return present_public(
            self.program,
            coupon_type,
            self.program.plan.facts(self.transaction, snapshot),
            event=self.event,
            ordinal=ordinal,
            value_of=lambda counter: self.storage.counter_value(self.program.id, window_of(counter)),
            before=sum(each.coupon_type is not None and each.coupon_type.id == coupon_type.id for each in standing),
            within=within,
        )

    def _free_ordinal(self, coupon_type: CouponType) -> int:
        """Return the ordinal of the next coupon of a public code, which neither an earlier call nor this one has."""
        ordinal, is_free = 0, False
        while not is_free:
            ordinal += 1
            key = public_coupon_key(self.program.id, self.event, coupon_type.id, ordinal)
            is_free = key not in self.used and self.storage.coupon(key) is None
        self.used.add(key)
        return ordinal

    # -- spends --------------------------------------------------------------------------------------------------------

    def offer(self, account: Account, currency: str, amount: Decimal) -> Offered:
        """Return an amount that is offered from an account; the transaction's member pays."""
        check_unspent(self.storage, self.program, self.event, currency, amount)
        at = self.transaction.occurred_at
        lots: Sequence[Lot] = self.storage.lots_of(self.program.id, account, at)
        if any(micros(lot.held) for lot in lots):
            lots, _, _ = read_lots(self.storage, self.program.id, account, currency, at)
        lots = usable_lots(self.storage, lots, at)
        return Offered(account, self.member if self.member is not None else account.id, currency, amount, lots)


def _terms_of(storage: Storage, program: Program, coupon: CouponRecord) -> Program:
    """Return the program version that issued a coupon; of a public code, and if it is not known, the present one."""
    sale = storage.sale(program.id, coupon.issue.event) if not coupon.is_public else None
    return sale.program if sale is not None else program


def _type_in(program: Program, coupon_type: str) -> CouponType | None:
    return next((each for each in program.coupon_types if each.id == coupon_type), None)
