"""Redemption of coupons: validity and discount, one by one or as a set; voids and undoing. Source: semantics 9, 17.

A coupon is checked at the redemption, not only when it is added to a basket, and under the terms that it was issued
with. Discounts are in the program's money: a transaction in foreign money needs an exchange rate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.events import Snapshot, Transaction
from loyalty_rules.intents import IssueCoupon, RedeemCoupon, SpendCurrency, UndoRedemption, VoidCoupon
from loyalty_rules.keys import redemption_key, undo_key, void_key
from loyalty_rules.lifecycle.benefits import BENEFIT_ORDER, taken_off
from loyalty_rules.lifecycle.bill import Bill, Taking, bill_of, taking_of
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.records import Account, Cause, CouponRecord, Lot, Payment, Refusal
from loyalty_rules.lifecycle.spending import spend
from loyalty_rules.program import Program
from loyalty_rules.rules.coupons import AmountOff, CouponType, PercentOff, Shipping, StoredValue
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.line_predicates import bind_line
from loyalty_rules.rules.predicates import bind
from loyalty_rules.values.amounts import decimal_of, micros, text_of
from loyalty_rules.values.money import cent_of

__all__ = [
    "Checkout",
    "Left",
    "Offered",
    "Presented",
    "Standing",
    "Terms",
    "checkout_of",
    "decide",
    "in_order_of_redeeming",
    "is_revived",
    "least_since",
    "new_coupon",
    "redeem",
    "redeemed",
    "reinstated",
    "undo_redemption",
    "valued",
    "void",
]


# -- presented coupons -------------------------------------------------------------------------------------------


@attrs.frozen
class Terms:
    """The type of a coupon as it was issued, and the facts of the redeeming transaction under that program version."""

    coupon_type: CouponType
    facts: Facts


@attrs.frozen
class Left:
    """The remainder of a coupon: of a stored value, or the uses and the sum over all of them. See `CouponRecord`."""

    remaining: Decimal | None = None
    uses_left: int | None = None
    left_in_all: Decimal | None = None


@attrs.frozen
class Presented:
    """A coupon that is presented by its code. `coupon` and `terms` are None if there is no such coupon.

    `most` is the least that was left of the coupon since the transaction, which may be recorded late.
    `issue` is the coupon's issue if it is that of a public code, recorded with the redemption. `reasons` are those that
    the look-up has found: `wrong_member`, `limit_reached`.
    """

    code: str
    coupon: CouponRecord | None
    terms: Terms | None
    issue: IssueCoupon | None = None
    reasons: tuple[str, ...] = ()
    most: Left | None = None


@attrs.frozen
class Offered:
    """An amount of a currency that is offered to pay, from the `lots` of an account; `member` pays."""

    account: Account
    member: str
    currency: str
    amount: Decimal
    lots: Sequence[Lot]


@attrs.frozen
class Standing:
    """An earlier redemption or spend of the transaction that is not wholly undone.

    `coupon_type` is the type of a redeemed coupon as it was issued; None for a spend.
    """

    payment: Payment
    coupon_type: CouponType | None = None


@attrs.frozen
class Checkout:
    """A transaction that redeems and pays, with the remainder of its bill after its earlier redemptions and spends.

    `bill` is None if the transaction is in foreign money and has no exchange rate. `event` is the id of this attempt,
    by default that of the transaction. `taken` are the keys of redemptions and spends that exist already.
    """

    program: Program
    transaction: Transaction
    event: str
    bill: Bill | None
    standing: tuple[Standing, ...] = ()
    taken: frozenset[str] = frozenset()

    @property
    def cent(self) -> int:
        """The smallest unit of the program's money, in millionths."""
        return cent_of(self.program.money)


def checkout_of(
    program: Program,
    transaction: Transaction,
    standing: Iterable[Standing] = (),
    *,
    event: str | None = None,
    taken: Iterable[str] = (),
) -> Checkout:
    """Return the checkout of a transaction after its earlier redemptions and spends, in the order of record."""
    facts = program.plan.facts(transaction, Snapshot())
    earlier = tuple(standing)
    bill = bill_of(facts) if facts.rate is not None else None
    if bill is not None:
        cent = cent_of(program.money)
        rates = {each.id: each.redeem for each in program.currencies}
        for each in earlier:
            made, of_type = each.payment.intent, each.coupon_type
            rate = rates.get(made.currency) if isinstance(made, SpendCurrency) else None
            of_shipping = of_type is not None and isinstance(of_type.benefit, Shipping)
            not_for = bind_line(rate.not_for) if rate is not None else None
            bill = bill.less(taking_of(each.payment, bill, of_shipping=of_shipping, not_for=not_for, cent=cent))
    return Checkout(program, transaction, event or transaction.id, bill, earlier, frozenset(taken))


def in_order_of_redeeming(coupons: Iterable[CouponRecord], member: str | None, at: datetime) -> list[CouponRecord]:
    """Return the coupons with one shared code that a member may redeem, the first to redeem first.

    The member's own come first, then those of nobody, never another member's; among them those that can be redeemed
    at an instant, the soonest to end first, then in the order of issue. Source: semantics 17 (shared codes).
    """
    candidates = [each for each in coupons if each.member is None or each.member == member]
    far = max((each.expires_at for each in candidates if each.expires_at is not None), default=at)

    def order(coupon: CouponRecord) -> tuple[bool, bool, bool, datetime]:
        usable = coupon.state_at(at) == "issued" and coupon.issue.valid_from <= at
        ends = coupon.expires_at
        return not usable, coupon.member is None, ends is None, ends if ends is not None else far

    return sorted(candidates, key=order)


# -- the decision ------------------------------------------------------------------------------------------------------


def redeem(
    program: Program,
    coupon: CouponRecord | None,
    transaction: Transaction,
    snapshot: Snapshot | None = None,
    *,
    terms: Program | None = None,
    standing: Iterable[Standing] = (),
) -> RedeemCoupon | Refusal:
    """Decide the redemption of one coupon by a transaction, with the discount in the program's money.

    `terms` is the version of the program that issued the coupon, by default the present one; `snapshot` has the
    counters of the transaction. `standing` are the transaction's earlier redemptions and spends. The refusal lists
    every reason: `unknown`, `voided`, `already_redeemed`, `expired`, `not_yet_valid`, `same_transaction`,
    `wrong_member`, `wrong_store`, `wrong_brand`, `condition_not_met`, `not_combinable`, `nothing_to_discount`.
    """
    version = terms if terms is not None else program
    coupon_type = _type_of(version, coupon)
    presented = Presented("", None, None)
    if coupon is not None and coupon_type is not None:
        facts = version.plan.facts(transaction, snapshot if snapshot is not None else Snapshot())
        presented = Presented("", coupon, Terms(coupon_type, facts))
    decided = decide(checkout_of(program, transaction, standing), [presented])
    if isinstance(decided, Refusal):
        return decided
    (redemption,) = decided
    assert isinstance(redemption, RedeemCoupon)
    return redemption


def _type_of(program: Program, coupon: CouponRecord | None) -> CouponType | None:
    if coupon is None:
        return None
    return next((each for each in program.coupon_types if each.id == coupon.issue.coupon_type), None)


def decide(
    checkout: Checkout, presented: Sequence[Presented], offered: Sequence[Offered] = ()
) -> tuple[IssueCoupon | RedeemCoupon | SpendCurrency, ...] | Refusal:
    """Decide a whole set of redemptions and spends: all of them, or the refusal with every reason of each.

    Coupons come first, by `redemption.order`, then by their benefit, then as given; spends as given. Each sees the
    remainder of the bill after those before it. Source: semantics 9 (several on one bill).
    """
    intents: list[IssueCoupon | RedeemCoupon | SpendCurrency] = []
    refusals: list[tuple[str, Refusal]] = []
    bill = checkout.bill
    types = [
        (made.coupon, each.coupon_type)
        for each in checkout.standing
        if isinstance(made := each.payment.intent, RedeemCoupon) and each.coupon_type is not None
    ]
    types += [(each.coupon.key, each.terms.coupon_type) for each in presented if each.coupon and each.terms]
    seen = {each.payment.intent.coupon for each in checkout.standing if isinstance(each.payment.intent, RedeemCoupon)}
    for each in sorted(presented, key=_order):
        if each.coupon is None or each.terms is None:
            reasons = each.reasons or ("unknown",)
            detail = "there is no such coupon" if reasons == ("unknown",) else _cannot("the coupon", reasons)
            refusals.append((each.code, Refusal(reasons, detail)))
            continue
        coupon = valued(each.coupon, each.terms.coupon_type)
        left = _at_most(coupon, each.most)
        taking = _taking(checkout, bill, left, each.terms)
        others = [of_type for key, of_type in types if key != coupon.key]
        reasons = tuple(dict.fromkeys(_reasons(checkout, each, left, each.terms, taking, seen, others)))
        seen.add(coupon.key)
        if reasons:
            refusals.append((each.code, Refusal(reasons, _cannot(f"coupon {coupon.issue.coupon_type}", reasons))))
        else:
            assert bill is not None
            assert taking is not None
            bill = bill.less(taking)
            intents += [each.issue] if each.issue is not None else []
            intents.append(_redemption(checkout, coupon, taking))
    for offer in offered:
        spent = _spend(checkout, bill, offer)
        if isinstance(spent, Refusal):
            refusals.append((offer.currency, spent))
        else:
            bill = bill.less(Taking(micros(spent.value or Decimal(0)), spent.shares)) if bill is not None else None
            intents.append(spent)
    if refusals and len(presented) + len(offered) == 1:
        return refusals[0][1]
    return _together(refusals) if refusals else tuple(intents)


def _at_most(coupon: CouponRecord, most: Left | None) -> CouponRecord:
    """Return a coupon with at most so much left of it, as it is for a transaction that is recorded late."""
    if most is None:
        return coupon
    left = _least([Left(coupon.remaining, coupon.uses_left, coupon.left_in_all), most])
    is_used_up = left.uses_left == 0 or (left.left_in_all is not None and micros(left.left_in_all) == 0)
    state = "redeemed" if coupon.state != "voided" and is_used_up else coupon.state
    return attrs.evolve(
        coupon, state=state, remaining=left.remaining, uses_left=left.uses_left, left_in_all=left.left_in_all
    )


def least_since(states: Sequence[tuple[datetime, Left]], at: datetime) -> Left:
    """Return the least that was left of a coupon at an instant and later; `states` are in the order of record.

    A late redemption may take at most the rest that was there at its instant and at every later one. Source: ledger 2.
    """
    before = [left for since, left in states if since <= at][-1:]
    return _least([*before, *(left for since, left in states if since > at)])


def _least(states: Sequence[Left]) -> Left:
    remaining = [micros(each.remaining) for each in states if each.remaining is not None]
    uses = [each.uses_left for each in states if each.uses_left is not None]
    in_all = [micros(each.left_in_all) for each in states if each.left_in_all is not None]
    return Left(
        decimal_of(min(remaining)) if remaining else None,
        min(uses, default=None),
        decimal_of(min(in_all)) if in_all else None,
    )


def _order(presented: Presented) -> tuple[int, int]:
    if presented.terms is None:
        return 0, 0
    of_type = presented.terms.coupon_type
    return of_type.redemption.order, BENEFIT_ORDER[type(of_type.benefit)]


def _together(refusals: Sequence[tuple[str, Refusal]]) -> Refusal:
    """Return the refusal of a set: its reasons, each once, and the coupon or currency of each."""
    causes = tuple(Cause(reason, of) for of, refusal in refusals for reason in refusal.reasons)
    reasons = tuple(dict.fromkeys(each.reason for each in causes))
    return Refusal(reasons, "; ".join(refusal.detail for _, refusal in refusals), causes)


def _cannot(what: str, reasons: Sequence[str]) -> str:
    return f"{what} cannot be redeemed: {', '.join(reasons)}"


# -- one coupon --------------------------------------------------------------------------------------------------------


def _taking(checkout: Checkout, bill: Bill | None, coupon: CouponRecord, terms: Terms) -> Taking | None:
    """Return the discount of a coupon; None if the bill is not known in the program's money."""
    return taken_off(bill, terms.coupon_type.benefit, coupon, checkout.cent) if bill is not None else None


def _reasons(
    checkout: Checkout,
    presented: Presented,
    coupon: CouponRecord,
    terms: Terms,
    taking: Taking | None,
    seen: Iterable[str],
    others: Sequence[CouponType],
) -> Iterator[str]:
    """Yield every reason to refuse a redemption; `seen` are the coupons that the transaction redeems already."""
    facts, redemption = terms.facts, terms.coupon_type.redemption
    at = facts.event.occurred_at
    used = coupon.state == "redeemed" or coupon.key in seen
    if coupon.state == "voided":
        yield "voided"
    if used:
        yield "already_redeemed"
    if coupon.state_at(at) == "expired" or (coupon.expires_at is not None and at >= coupon.expires_at):
        yield "expired"
    if at < coupon.issue.valid_from:
        yield "not_yet_valid"
    if presented.issue is None and coupon.issue.event == checkout.transaction.id and not coupon.is_public:
        yield "same_transaction"
    if redemption.holder_only and (facts.member is None or facts.member.id != coupon.member):
        yield "wrong_member"
    yield from presented.reasons
    if redemption.stores is not None and facts.event.store not in redemption.stores:
        yield "wrong_store"
    if redemption.brands is not None and facts.event.brand not in redemption.brands:
        yield "wrong_brand"
    if redemption.when is not None and not bind(redemption.when)(facts):
        yield "condition_not_met"
    elif taking is None:
        yield "condition_not_met"  # a discount in foreign money needs an exchange rate
    if not _may_meet(terms.coupon_type, others):
        yield "not_combinable"
    if taking is not None and taking.amount == 0 and terms.coupon_type.benefit is not None and not used:
        yield "nothing_to_discount"


def _may_meet(coupon_type: CouponType, others: Iterable[CouponType]) -> bool:
    """Return whether a coupon may share its transaction with the others, by its own terms and by theirs."""
    return all(coupon_type.redemption.allows(other.id) and other.redemption.allows(coupon_type.id) for other in others)


def _redemption(checkout: Checkout, coupon: CouponRecord, taking: Taking) -> RedeemCoupon:
    remaining = decimal_of(micros(coupon.remaining) - taking.amount) if coupon.remaining is not None else None
    transaction = checkout.transaction
    return RedeemCoupon(
        _free_key(checkout, redemption_key(checkout.program.id, checkout.event, coupon.key)),
        coupon.key,
        checkout.event,
        transaction.store,
        decimal_of(taking.amount),
        remaining,
        transaction.id,
        transaction.member.id if transaction.member is not None else None,
        transaction.store,
        taking.shares,
        taking.units,
    )


def _free_key(checkout: Checkout, key: str) -> str:
    """Return a key that no redemption has; one that was undone, within the same event, keeps its own."""
    ordinal, free = 1, key
    while free in checkout.taken:
        ordinal += 1
        free = f"{key}/{ordinal}"
    return free


# -- one spend ---------------------------------------------------------------------------------------------------------


def _spend(checkout: Checkout, bill: Bill | None, offer: Offered) -> SpendCurrency | Refusal:
    program, at = checkout.program, checkout.transaction.occurred_at
    return spend(
        program, offer.account, offer.member, offer.currency, checkout.event, offer.lots, offer.amount, at, bill,
        has_rate=bill is not None,
    )  # fmt: skip


# -- the record of a coupon --------------------------------------------------------------------------------------------


def new_coupon(issue: IssueCoupon, coupon_type: CouponType) -> CouponRecord:
    """Return the record of a coupon that is issued; it keeps the limits of its type."""
    benefit = coupon_type.benefit
    if isinstance(benefit, StoredValue):
        worth = issue.worth if not isinstance(benefit.amount, Decimal) else benefit.amount
        return CouponRecord(issue, remaining=worth if worth is not None else Decimal(0))
    left_in_all = benefit.most_in_all if isinstance(benefit, PercentOff) else None
    return CouponRecord(issue, uses_left=coupon_type.uses, left_in_all=left_in_all, most=_most(coupon_type))


def _most(coupon_type: CouponType) -> Decimal | None:
    """Return the maximum that one redemption can cost; None if there is no maximum."""
    match coupon_type.benefit:
        case AmountOff(amount):
            return amount
        case PercentOff(percent, most):
            return most if micros(percent) else Decimal(0)
        case Shipping(most):
            return most
        case _:
            return None


def valued(coupon: CouponRecord, coupon_type: CouponType) -> CouponRecord:
    """Return a record with the limits of its type, unless it has them already."""
    if coupon.remaining is not None or coupon.uses_left is not None:
        return coupon
    new = new_coupon(coupon.issue, coupon_type)
    return attrs.evolve(
        coupon, remaining=new.remaining, uses_left=new.uses_left, left_in_all=new.left_in_all, most=new.most
    )


def redeemed(coupon: CouponRecord, redemption: RedeemCoupon, at: datetime) -> CouponRecord:
    """Return the record of a coupon after a redemption: it stays issued while something is left of it."""
    uses_left, left_in_all = coupon.uses_left, coupon.left_in_all
    if redemption.remaining is not None:
        used_up = micros(redemption.remaining) == 0
    else:
        uses_left = (uses_left if uses_left is not None else 1) - 1
        if left_in_all is not None:
            left_in_all = decimal_of(micros(left_in_all) - micros(redemption.discount))
        used_up = uses_left == 0 or (left_in_all is not None and micros(left_in_all) == 0)
    return attrs.evolve(
        coupon,
        state="redeemed" if used_up else "issued",
        remaining=redemption.remaining,
        uses_left=uses_left,
        left_in_all=left_in_all,
        redeemed_by=redemption.paid,
        redeemed_at=at,
        redemption=redemption.key,
        redeemed_by_member=redemption.redeemed_by_member,
        redeemed_at_store=redemption.redeemed_at_store,
        taken=decimal_of(micros(coupon.taken) + micros(redemption.discount)),
    )


def reinstated(coupon: CouponRecord, undo: UndoRedemption, at: datetime, *, is_whole: bool) -> CouponRecord:
    """Return the record of a coupon after the undoing of a redemption, or of a part of it.

    A coupon that has ended meanwhile is not revived: a voided one stays voided, any other becomes expired.
    """
    back = micros(undo.discount) - micros(undo.expired)
    changes: dict[str, object] = {"taken": decimal_of(micros(coupon.taken) - micros(undo.discount))}
    if coupon.remaining is not None:
        changes["remaining"] = decimal_of(micros(coupon.remaining) + back)
    elif is_whole:
        changes["uses_left"] = (coupon.uses_left or 0) + 1
        if coupon.left_in_all is not None:
            changes["left_in_all"] = decimal_of(micros(coupon.left_in_all) + micros(undo.discount))
    if is_whole and coupon.redemption == undo.redemption:
        changes |= dict.fromkeys(
            ("redeemed_by", "redeemed_at", "redemption", "redeemed_by_member", "redeemed_at_store")
        )
    state = "issued" if coupon.state == "redeemed" else coupon.state
    changed = attrs.evolve(coupon, state=state, **changes)  # type: ignore[arg-type]
    return attrs.evolve(changed, state=changed.state_at(at))


# -- undo and void -----------------------------------------------------------------------------------------------------


def undo_redemption(
    redemption: RedeemCoupon,
    coupon: CouponRecord,
    at: datetime | None = None,
    *,
    amount: Decimal | None = None,
    undone: Decimal = Decimal(0),
    key: str | None = None,
) -> UndoRedemption | Refusal:
    """Undo a redemption, or an `amount` of a stored value, of which `undone` has been undone before.

    Refusals: `not_stored_value` for a part of any other coupon, `more_than_redeemed`. The part that would come back to
    a coupon that has ended by `at` is named as `expired`.
    """
    stands = micros(redemption.discount) - micros(undone)
    part = stands
    if amount is not None:
        part = micros(amount)
        if coupon.remaining is None:
            return Refusal(("not_stored_value",), f"{coupon.key} is no stored value: it is undone as a whole")
        if part > stands:
            return Refusal(
                ("more_than_redeemed",), f"{text_of(amount)} is more than the {text_of(decimal_of(stands))} redeemed"
            )
    gone = coupon.remaining is not None and at is not None and _has_ended(coupon, at)
    return UndoRedemption(
        key if key is not None else undo_key(redemption.key),
        redemption.key,
        coupon.key,
        decimal_of(part),
        decimal_of(part if gone else 0),
    )


def _has_ended(coupon: CouponRecord, at: datetime) -> bool:
    return coupon.state_at(at) in ("voided", "expired") or (coupon.expires_at is not None and at >= coupon.expires_at)


def is_revived(coupon: CouponRecord, at: datetime) -> bool:
    """Return whether undoing a redemption of the coupon at an instant makes it valid again.

    The coupon of a public code always would be: it is voided instead, and its caps get their counts back.
    """
    return coupon.is_public or not _has_ended(coupon, at)


def void(
    program: Program,
    coupon: CouponRecord | None,
    event: str,
    at: datetime,
    *,
    reason: str | None = None,
    by: str | None = None,
) -> VoidCoupon | Refusal:
    """Void a coupon that is not redeemed and has not expired by `at`; `event` is the id of the voiding event.

    Refusals: `unknown`, `already_redeemed`, `voided`, `expired`.
    """
    if coupon is None:
        return Refusal(("unknown",), "there is no such coupon")
    state = coupon.state_at(at)
    if state != "issued":
        return Refusal((_NOT_VOIDABLE[state],), f"{coupon.key} is {state}")
    key = void_key(program.id, event, coupon.key)
    return VoidCoupon(key, coupon.key, event, released_claims_of_coupon(coupon), reason, by)


_NOT_VOIDABLE: Mapping[str, str] = {"redeemed": "already_redeemed", "voided": "voided", "expired": "expired"}
