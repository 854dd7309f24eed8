"""Returns: the units, coupons and contributions that a sale loses when goods come back. Source: semantics 11.

A sale is worth the award of its present state, under the terms of its day: program, snapshot and updates are frozen.
Over all `recompute` actions of an account and a currency, `issued − award of the remainder` is due, clamped between the
amount taken before and the amount issued. So a full return takes exactly the amount issued, no return raises a balance,
and the same goods are taken back once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.events import Return, Transaction
from loyalty_rules.intents import (
    AdvanceTracker,
    IssueCoupon,
    IssueCurrency,
    LotDraw,
    RedeemCoupon,
    ReverseCurrency,
    UndoRedemption,
    VoidCoupon,
)
from loyalty_rules.keys import action_key, event_key, ordinal_in, return_void_key, reversal_key, tracker_key
from loyalty_rules.lifecycle.claims import released_claims, released_claims_of_coupon
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.redemption import is_revived, undo_redemption
from loyalty_rules.lifecycle.remainder import remaining_sale, wrong_parts
from loyalty_rules.lifecycle.spending import draw, in_order_of_spending
from loyalty_rules.rules.windows import window_days
from loyalty_rules.serials import SerialRequest
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.apportionment import unit_of

__all__ = ["Redeemed", "ReturnIntent", "is_coupon_earned", "take_back"]

ReturnIntent: TypeAlias = ReverseCurrency | VoidCoupon | UndoRedemption | AdvanceTracker
"""The intents of a return."""


@attrs.frozen
class Redeemed:
    """A redemption that the returned transaction made, and its coupon; `is_earned` as `is_coupon_earned` returns it."""

    redemption: RedeemCoupon
    coupon: CouponRecord
    is_earned: bool


def take_back(
    sale: Sale,
    back: Return,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
    tracked: Mapping[str, Decimal],
    redeemed: Iterable[Redeemed] = (),
) -> tuple[ReturnIntent, ...] | Refusal:
    """Decide a return: the units to take back, the coupons to void, the redemptions to undo, the trackers to lower.

    `sale.returns` are the returns before this one. `lots` are all lots of the accounts of the sale, its own among them.
    `coupons` are the coupons that the sale issued, in the order of issue. `tracked` is the remaining contribution of
    the sale to each tracker. `redeemed` are its redemptions that are not undone: a full return reinstates their
    coupons, a partial return does not (semantics 9). The return of an activity is always a full one. Refusals:
    `unknown_line`, `more_than_bought`, `missing_amount`, `too_early`, all that apply.
    """
    if any(each.id == back.id for each in sale.returns):
        return ()  # a return that is recorded already takes nothing
    returns = (*sale.returns, back)
    refusal = _refusal(sale, returns)
    if refusal is not None:
        return refusal
    remainder = _Remainder(sale, returns)
    key = event_key(sale.program.id, back.id)
    reversals = _reversals(sale, back, key, remainder, list(lots))
    voids = _voids(back, key, remainder, list(coupons))
    reinstated = _reinstated(back, key, redeemed) if remainder.sale is None else ()
    return (*reversals, *voids, *reinstated, *_trackers(sale, key, remainder, tracked))


def _refusal(sale: Sale, returns: Sequence[Return]) -> Refusal | None:
    """Return the refusal of the last return, with every reason; None if it can be decided."""
    event = sale.current()
    reasons = wrong_parts(event, returns) if isinstance(event, Transaction) else {}
    if isinstance(event, Transaction) and returns[-1].amount is None:
        reasons["missing_amount"] = "the return of a transaction says which amount came back"
    if returns[-1].occurred_at < event.occurred_at:
        reasons["too_early"] = f"the return is dated before its sale {event.id!r}"
    return Refusal(tuple(reasons), "; ".join(reasons.values())) if reasons else None


# -- the remainder ---------------------------------------------------------------------------------------------------


class _Remainder:
    """The remainder of a sale, and the units, coupons and contributions that it would have had, evaluated once."""

    def __init__(self, sale: Sale, returns: Sequence[Return]) -> None:
        event = sale.current()
        self.terms = sale
        self.returned = sum(micros(each.amount) for each in returns if each.amount is not None)
        self.amount = 0
        self.sale: Transaction | None = None
        if isinstance(event, Transaction):
            self.amount = micros(event.amount)
            self.sale = remaining_sale(event, returns, sale.program.plan.line_fields)
        self.issues: list[IssueCurrency] = []
        self.coupons: list[IssueCoupon] = []
        self.tracked: dict[str, int] = {}
        if self.sale is not None:
            self._evaluate(self.sale)

    def _evaluate(self, remaining: Transaction) -> None:
        plan = self.terms.program.plan
        evaluator = Evaluator(plan, plan.facts(remaining, self.terms.snapshot), _Unnamed())
        evaluator.run()
        self.issues = [each for each in evaluator.intents if isinstance(each, IssueCurrency)]
        self.coupons = [each for each in evaluator.intents if isinstance(each, IssueCoupon)]
        advances = [each for each in evaluator.intents if isinstance(each, AdvanceTracker)]
        self.tracked = {each.tracker: micros(each.value) for each in advances}

    def policy(self, issue: IssueCurrency | IssueCoupon) -> str:
        """Return the policy `on_return` of the action of an issue."""
        return self.terms.action_of(issue).action.on_return


def _action(issue: IssueCurrency | IssueCoupon) -> str:
    return action_key(issue.promotion, issue.action)


class _Unnamed:
    """Serials for coupons that are only counted."""

    def serial(self, request: SerialRequest) -> str:  # noqa: ARG002
        return "0" * 18


# -- currency --------------------------------------------------------------------------------------------------------


def _reversals(
    sale: Sale, back: Return, key: str, remainder: _Remainder, lots: Sequence[Lot]
) -> Iterator[ReverseCurrency]:
    """Yield the reversal of each issue of the sale, in the order of issue.

    Every issue loses its own units before any takes those of other lots; no reversal draws units that another drew.
    """
    of_sale = (lot for lot in lots if lot.issue.event == sale.event.id and lot.origin is None)
    own = sorted(of_sale, key=lambda lot: lot.order)
    takings = [_Taking(sale, lot, units, back.occurred_at) for lot, units in _dues(remainder, own) if units > 0]
    current = {lot.key: lot for lot in lots}
    for taking in takings:
        taking.take_own(current)
    for taking in takings:
        taking.take_others(current)
    for taking in takings:
        yield taking.reversal(key, back)


def _dues(remainder: _Remainder, own: Sequence[Lot]) -> list[tuple[Lot, int]]:
    """Return the lots of the sale, each with the units that this return takes back of it, in millionths."""
    dues = {lot.key: _due_by_policy(remainder, lot) for lot in own if remainder.policy(lot.issue) != "recompute"}
    pools: dict[tuple[Account, str], list[Lot]] = {}
    for lot in own:
        if remainder.policy(lot.issue) == "recompute":
            pools.setdefault((lot.account, lot.issue.currency), []).append(lot)
    issued = {_action(lot.issue) for lot in own}
    for pool, members in pools.items():
        dues |= _due_by_recomputing(members, _awards(remainder, pool, issued))
    return [(lot, min(dues[lot.key], micros(lot.issued) - micros(lot.taken_back))) for lot in own]


def _awards(remainder: _Remainder, pool: tuple[Account, str], issued: set[str]) -> dict[str, int]:
    """Return the awards of the remainder to an account in a currency, by action, in millionths.

    Counted are the `recompute` actions and, whatever their policy, the actions that issued nothing at the sale.
    """
    return {
        _action(each): micros(each.amount)
        for each in remainder.issues
        if (Account.of(each), each.currency) == pool
        and (remainder.policy(each) == "recompute" or _action(each) not in issued)
    }


def _due_by_recomputing(members: Sequence[Lot], awards: Mapping[str, int]) -> dict[str, int]:
    """Return the units due of each lot of a pool: in all `issued − awards`, from the last action that loses units."""
    issued = sum(micros(lot.issued) for lot in members)
    taken = sum(micros(lot.taken_back) for lot in members)
    missing = min(max(issued - sum(awards.values()), taken), issued) - taken
    dues: dict[str, int] = {}
    for lot in reversed(members):
        loss = micros(lot.issued) - awards.get(_action(lot.issue), 0) - micros(lot.taken_back)
        dues[lot.key] = min(max(loss, 0), missing)
        missing -= dues[lot.key]
    return dues


def _due_by_policy(remainder: _Remainder, lot: Lot) -> int:
    """Return the units due of a lot whose action reverses, keeps, or takes a proportion, in millionths."""
    issued, taken, policy = micros(lot.issued), micros(lot.taken_back), remainder.policy(lot.issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return issued - taken
    if remainder.amount <= 0:
        return 0
    # Rounded down, cumulatively: no return takes more than its proportion, and the last takes the rest.
    unit = _unit(remainder.terms, lot)
    return issued * remainder.returned // (remainder.amount * unit) * unit - taken


def _unit(sale: Sale, lot: Lot) -> int:
    decimals = next(each.decimals for each in sale.program.currencies if each.id == lot.issue.currency)
    return unit_of(micros(lot.issued), decimals)


class _Taking:
    """The units that a return takes back of one issue: drawn from lots, counted as taken, or a shortfall.

    In this order: the promise and the live lot of the issue; its units that have expired, lapsed or been cancelled,
    which count as taken, once; the account's other live lots, soonest expiry first.
    """

    def __init__(self, sale: Sale, lot: Lot, due: int, at: datetime) -> None:
        self._sale = sale
        self._lot = lot
        self._due = self._missing = due
        self._at = at
        self._draws: list[LotDraw] = []
        self._counted = 0

    def take_own(self, lots: dict[str, Lot]) -> None:
        """Draw from the promise and the live lots of the issue, then count its units that are gone."""
        promised = min(self._missing, micros(self._lot.promised))
        if promised:
            self._draw(lots, [LotDraw(self._lot.key, decimal_of(promised), "promised")])
        self._draw_live(lots, [each for each in self._parts(lots) if each.account == self._lot.account])
        self._counted = min(self._missing, self._gone(lots))
        self._missing -= self._counted

    def _parts(self, lots: Mapping[str, Lot]) -> list[Lot]:
        """Return the lots with units of the issue: its own, and those that its units moved on to."""
        return [each for each in lots.values() if each.issue_key == self._lot.key]

    def _gone(self, lots: Mapping[str, Lot]) -> int:
        """Return the units of the issue that nobody has any more, less those that earlier returns counted."""
        gone = sum(
            micros(each.expired) + micros(each.voided) + (0 if each.is_live(self._at) else micros(each.outstanding))
            for each in self._parts(lots)
        )
        earlier = [each for each in self._sale.reversals if each.issue == self._lot.key]
        counted = sum(
            micros(each.amount) - micros(each.shortfall) - sum(micros(drawn.amount) for drawn in each.draws)
            for each in earlier
        )
        return gone - counted

    def take_others(self, lots: dict[str, Lot]) -> None:
        """Draw from the account's other live lots of the currency, then from units that moved to other accounts."""
        account, currency = self._lot.account, self._lot.issue.currency
        self._draw_live(
            lots, [each for each in lots.values() if each.account == account and each.issue.currency == currency]
        )
        self._draw_live(lots, self._parts(lots))

    def _draw_live(self, lots: dict[str, Lot], sources: Sequence[Lot]) -> None:
        self._draw(lots, draw(in_order_of_spending(sources, self._at), decimal_of(self._missing)))

    def _draw(self, lots: dict[str, Lot], draws: Iterable[LotDraw]) -> None:
        for each in draws:
            self._draws.append(each)
            self._missing -= micros(each.amount)
            lots[each.lot] = lots[each.lot].moved(each.taken_from, "reversed", each.amount)

    def reversal(self, key: str, back: Return) -> ReverseCurrency:
        """Return the intent; claims of units that a cancellation has released already are not released again."""
        issue = self._lot.issue
        released = self._due - min(self._counted, micros(self._lot.voided))
        return ReverseCurrency(
            reversal_key(key, _action(issue)),
            self._lot.key,
            back.id,
            issue.member,
            issue.group,
            issue.currency,
            amount=decimal_of(self._due),
            draws=tuple(self._draws),
            shortfall=decimal_of(self._missing),
            carried=self._sale.program.shortfall == "carry",
            claims=released_claims(self._lot, decimal_of(released)) if released else (),
        )


# -- coupons and trackers --------------------------------------------------------------------------------------------


def _voids(back: Return, key: str, remainder: _Remainder, coupons: Sequence[CouponRecord]) -> Iterator[VoidCoupon]:
    """Yield the void of each surplus coupon that is still issued, the newest first; an expired one counts as voided."""
    issued = {_action(coupon.issue) for coupon in coupons}
    for members in _coupon_pools(remainder, coupons):
        surplus = _surplus(remainder, members, issued) - sum(coupon.state == "voided" for coupon in members)
        unused = [coupon for coupon in reversed(members) if coupon.state in ("issued", "expired")]
        for coupon in unused[: max(surplus, 0)]:
            if coupon.state_at(back.occurred_at) == "issued":
                void = return_void_key(key, _action(coupon.issue), ordinal_in(coupon.key))
                yield VoidCoupon(void, coupon.key, back.id, released_claims_of_coupon(coupon))


def _coupon_pools(remainder: _Remainder, coupons: Sequence[CouponRecord]) -> Iterable[list[CouponRecord]]:
    """Return the coupons by type over all `void_if_unredeemed` actions, and by action for other policies."""
    pools: dict[tuple[str, str], list[CouponRecord]] = {}
    for coupon in coupons:
        policy = remainder.policy(coupon.issue)
        pool = coupon.issue.coupon_type if policy == "void_if_unredeemed" else _action(coupon.issue)
        pools.setdefault((policy, pool), []).append(coupon)
    return pools.values()


def _surplus(remainder: _Remainder, members: Sequence[CouponRecord], issued: set[str]) -> int:
    """Return the number of coupons of a pool that the remainder would not have issued."""
    policy, coupon_type = remainder.policy(members[0].issue), members[0].issue.coupon_type
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return len(members)
    kept = sum(
        each.coupon_type == coupon_type
        and (remainder.policy(each) == "void_if_unredeemed" or _action(each) not in issued)
        for each in remainder.coupons
    )
    return max(len(members) - kept, 0)


def is_coupon_earned(sale: Sale, coupons: Sequence[CouponRecord], coupon: CouponRecord) -> bool:
    """Return whether a coupon of a sale is still earned: its returns were due no more coupons than they could void.

    `coupons` are all coupons of the sale, in the order of issue. Source: semantics 9 and 11.
    """
    if not sale.returns:
        return True
    remainder = _Remainder(sale, sale.returns)
    issued = {_action(each.issue) for each in coupons}
    pool = next(each for each in _coupon_pools(remainder, coupons) if coupon.key in {one.key for one in each})
    gone = sum(each.state in ("voided", "expired") for each in pool)
    return _surplus(remainder, pool, issued) <= gone


def _reinstated(back: Return, key: str, redeemed: Iterable[Redeemed]) -> Iterator[UndoRedemption | VoidCoupon]:
    """Yield the undoing of each redemption that can be undone, and the void of a coupon that is no longer earned."""
    for each in redeemed:
        undone, coupon = undo_redemption(each.redemption, each.coupon), each.coupon
        if isinstance(undone, UndoRedemption):
            yield undone
            if not each.is_earned and is_revived(coupon, back.occurred_at):
                void = return_void_key(key, _action(coupon.issue), ordinal_in(coupon.key))
                yield VoidCoupon(void, coupon.key, back.id, released_claims_of_coupon(coupon))


def _trackers(sale: Sale, key: str, remainder: _Remainder, tracked: Mapping[str, Decimal]) -> Iterator[AdvanceTracker]:
    """Lower trackers by the surplus contributions, in the window of the sale, so that milestones cannot be farmed."""
    member = sale.event.member
    if member is None:
        return
    plan = sale.program.plan
    for tracker in plan.trackers:
        surplus = micros(tracked.get(tracker.id, Decimal(0))) - remainder.tracked.get(tracker.id, 0)
        if surplus > 0:
            days = window_days(tracker.window, sale.event_on)
            yield AdvanceTracker(
                tracker_key(key, tracker.id),
                tracker.id,
                member.id,
                decimal_of(-surplus),
                plan.start_of(days[0]) if days is not None else None,
                plan.end_of(days[1]) if days is not None else None,
            )
