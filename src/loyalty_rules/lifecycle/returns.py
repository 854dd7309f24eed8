"""Returns: the units, coupons and contributions that a sale loses when goods come back. Source: semantics 11.

The terms are frozen: the sale without the returned goods is evaluated under the program and the snapshot of its first
decision. Returns are cumulative: the amount to take back is `issued − awarded(sale − returned)`, clamped between the
amount taken before and the amount issued. So a full return takes exactly the amount issued, no return raises a balance,
and the same goods are taken back once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.events import Line, Return, Tender, Transaction
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
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.redemption import undo_redemption
from loyalty_rules.lifecycle.spending import draw, in_order_of_spending
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.rules.windows import window_days
from loyalty_rules.serials import SerialRequest
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.apportionment import unit_of

__all__ = ["ReturnIntent", "remaining_sale", "take_back"]

ReturnIntent: TypeAlias = ReverseCurrency | VoidCoupon | UndoRedemption | AdvanceTracker
"""The intents of a return."""


def take_back(
    sale: Sale,
    back: Return,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
    tracked: Mapping[str, Decimal],
    redeemed: Iterable[tuple[RedeemCoupon, CouponRecord]] = (),
) -> tuple[ReturnIntent, ...] | Refusal:
    """Decide a return: the units to take back, the coupons to void, the redemptions to undo, the trackers to lower.

    `sale.returns` are the returns before this one. `lots` are all lots of the accounts of the sale, its own among them.
    `coupons` are the coupons that the sale issued. `tracked` is the remaining contribution of the sale to each tracker.
    `redeemed` are its redemptions that are not undone, each with its coupon: a full return reinstates them, a partial
    return does not (semantics 9). Refusals: `not_a_sale`, `unknown_line`, `more_than_bought`.
    """
    event = sale.event
    if not isinstance(event, Transaction):
        return Refusal(("not_a_sale",), f"{event.id} is not a transaction; only a transaction can be returned")
    if any(each.id == back.id for each in sale.returns):
        return ()  # a return that is recorded already takes nothing
    returns = (*sale.returns, back)
    wrong_lines = _wrong_lines(event, returns)
    if wrong_lines is not None:
        return wrong_lines
    remainder = _Remainder(sale, event, returns)
    key = event_key(sale.program.id, back.id)
    reversals = _reversals(sale, back, key, remainder, list(lots))
    voids = _voids(back, key, remainder, coupons)
    reinstated = _reinstated(redeemed) if remainder.sale is None else ()
    return (*reversals, *voids, *reinstated, *_trackers(sale, key, remainder, tracked))


def _wrong_lines(event: Transaction, returns: Sequence[Return]) -> Refusal | None:
    """Return the refusal of returned lines that the sale does not have, or has in a smaller quantity."""
    bought = {line.id: micros(line.quantity) for line in event.lines}
    returned = _quantities(returns)
    unknown = [line for line in returned if line not in bought]
    if unknown:
        return Refusal(("unknown_line",), f"the sale has no line {unknown[0]!r}")
    over = [line for line, quantity in returned.items() if quantity > bought[line]]
    if over:
        return Refusal(("more_than_bought",), f"the returned quantity of line {over[0]!r} exceeds the quantity bought")
    return None


def _quantities(returns: Iterable[Return]) -> dict[str, int]:
    """Return the quantity of each returned line, in millionths."""
    quantities: dict[str, int] = {}
    for each in returns:
        for line in each.lines:
            quantities[line.id] = quantities.get(line.id, 0) + micros(line.quantity)
    return quantities


# -- the remaining sale ----------------------------------------------------------------------------------------------


def remaining_sale(event: Transaction, returns: Sequence[Return]) -> Transaction | None:
    """Return the sale as if the returned goods had never been bought; None if the whole sale has come back.

    The amount is less by the returned amounts. A line keeps the proportion of its value that its quantity keeps; tax,
    shipping, tip and tenders keep the proportion of the amount. Each is rounded to 6 decimals, half up. The whole sale
    has come back if its whole amount has or, for a sale without an amount, every line.
    """
    quantities = _quantities(returns)
    amount = micros(event.amount)
    remaining = amount - sum(micros(each.amount) for each in returns)
    if _is_whole_sale(event, remaining, quantities):
        return None
    part = (remaining, amount) if amount > 0 else (1, 1)
    return attrs.evolve(
        event,
        amount=decimal_of(remaining),
        tax=_part(event.tax, part),
        shipping=_part(event.shipping, part),
        tip=_part(event.tip, part),
        tenders=tuple(Tender(each.type, _part(each.amount, part) or Decimal(0)) for each in event.tenders),
        lines=tuple(
            _remaining_line(line, quantities[line.id]) if quantities.get(line.id) else line
            for line in event.lines
            if not quantities.get(line.id) or quantities[line.id] < micros(line.quantity)
        ),
    )


def _is_whole_sale(event: Transaction, remaining: int, quantities: Mapping[str, int]) -> bool:
    if micros(event.amount) > 0:
        return remaining <= 0
    return all(quantities.get(line.id, 0) >= micros(line.quantity) for line in event.lines)


def _remaining_line(line: Line, returned: int) -> Line:
    quantity = micros(line.quantity)
    part = (quantity - returned, quantity)
    return attrs.evolve(
        line,
        quantity=decimal_of(quantity - returned),
        value=_part(line.value, part),
        discount=_part(line.discount, part),
    )


def _part(value: Decimal | None, part: tuple[int, int]) -> Decimal | None:
    """Return a part of a value, to 6 decimals, half up (away from zero); None if there is no value."""
    if value is None:
        return None
    kept, whole = part
    exact = micros(value) * kept
    sign = -1 if exact < 0 else 1
    return decimal_of(sign * MODES["nearest"](abs(exact), whole))


class _Remainder:
    """The remaining sale with the units, coupons and contributions that it would have had, evaluated once."""

    def __init__(self, sale: Sale, event: Transaction, returns: Sequence[Return]) -> None:
        self.terms = sale
        self.event = event
        self.returned = sum(micros(each.amount) for each in returns)
        self.sale = remaining_sale(event, returns)
        self.awarded: dict[str, int] = {}
        self.coupons: dict[str, int] = {}
        self.tracked: dict[str, int] = {}
        if self.sale is not None:
            self._evaluate(self.sale)

    def _evaluate(self, remaining: Transaction) -> None:
        plan = self.terms.program.plan
        evaluator = Evaluator(plan, plan.facts(remaining, self.terms.snapshot), _Unnamed())
        evaluator.run()
        for intent in evaluator.intents:
            if isinstance(intent, IssueCurrency):
                self.awarded[_action(intent)] = micros(intent.amount)
            elif isinstance(intent, IssueCoupon):
                self.coupons[_action(intent)] = self.coupons.get(_action(intent), 0) + 1
            elif isinstance(intent, AdvanceTracker):
                self.tracked[intent.tracker] = micros(intent.value)

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
    """Yield the reversal of each issue of the sale; one reversal cannot draw units that an earlier one has drawn."""
    current = {lot.key: lot for lot in lots}
    for lot in lots:
        if lot.issue.event != sale.event.id:
            continue
        due = _due(sale, remainder, lot)
        if due > 0:
            draws = _draws(current, lot, due, back.occurred_at)
            for each in draws:
                current[each.lot] = current[each.lot].moved(each.taken_from, "reversed", each.amount)
            yield _reversal(sale, back, key, lot, due, draws)


def _due(sale: Sale, remainder: _Remainder, lot: Lot) -> int:
    """Return the units that this return takes back of an issue, in millionths."""
    taken_before = micros(lot.taken_back)
    due = _due_in_all(sale, remainder, lot) - taken_before
    return min(due, micros(lot.issued) - micros(lot.voided) - taken_before)


def _due_in_all(sale: Sale, remainder: _Remainder, lot: Lot) -> int:
    """Return the units that all returns so far take back of an issue, in millionths."""
    issued = micros(lot.issued)
    policy = remainder.policy(lot.issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return issued
    if policy == "proportional":
        amount = micros(remainder.event.amount)
        if amount <= 0:
            return 0
        unit = _unit(sale, lot)
        # Rounded down, cumulatively: no return takes more than its proportion, and the last takes the rest.
        return issued * remainder.returned // (amount * unit) * unit
    return issued - min(remainder.awarded.get(_action(lot.issue), 0), issued)


def _unit(sale: Sale, lot: Lot) -> int:
    decimals = next(each.decimals for each in sale.program.currencies if each.id == lot.issue.currency)
    return unit_of(micros(lot.issued), decimals)


def _draws(lots: Mapping[str, Lot], lot: Lot, due: int, at: datetime) -> tuple[LotDraw, ...]:
    """Draw units: first from the promise of the issue, then from its live lot, then from the account's other lots."""
    own = lots[lot.key]
    promised = min(due, micros(own.promised))
    others = [
        each
        for each in lots.values()
        if each.key != lot.key and each.account == lot.account and each.issue.currency == lot.issue.currency
    ]
    order = [*in_order_of_spending([own], at), *in_order_of_spending(others, at)]
    from_promise = (LotDraw(lot.key, decimal_of(promised), "promised"),) if promised else ()
    return (*from_promise, *draw(order, decimal_of(due - promised)))


def _reversal(sale: Sale, back: Return, key: str, lot: Lot, due: int, draws: tuple[LotDraw, ...]) -> ReverseCurrency:
    issue = lot.issue
    return ReverseCurrency(
        reversal_key(key, _action(issue)),
        lot.key,
        back.id,
        issue.member,
        issue.group,
        issue.currency,
        amount=decimal_of(due),
        draws=draws,
        shortfall=decimal_of(due - sum(micros(each.amount) for each in draws)),
        carried=sale.program.shortfall == "carry",
        claims=released_claims(lot, decimal_of(due)),
    )


# -- coupons and trackers --------------------------------------------------------------------------------------------


def _voids(back: Return, key: str, remainder: _Remainder, coupons: Iterable[CouponRecord]) -> Iterator[VoidCoupon]:
    """Yield the void of each surplus coupon that is still issued, the newest of each action first."""
    by_action: dict[str, list[CouponRecord]] = {}
    for coupon in coupons:
        by_action.setdefault(_action(coupon.issue), []).append(coupon)
    for action, issued in by_action.items():
        surplus = _surplus(remainder, action, issued) - sum(coupon.state == "voided" for coupon in issued)
        newest_first = sorted(issued, key=lambda coupon: ordinal_in(coupon.key), reverse=True)
        voidable = [coupon for coupon in newest_first if coupon.state_at(back.occurred_at) == "issued"]
        for coupon in voidable[: max(surplus, 0)]:
            void = return_void_key(key, action, ordinal_in(coupon.key))
            yield VoidCoupon(void, coupon.key, back.id, released_claims_of_coupon(coupon))


def _surplus(remainder: _Remainder, action: str, issued: Sequence[CouponRecord]) -> int:
    """Return the number of coupons of an action that the remaining sale would not have issued."""
    policy = remainder.policy(issued[0].issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or remainder.sale is None:
        return len(issued)
    return len(issued) - min(remainder.coupons.get(action, 0), len(issued))


def _reinstated(redeemed: Iterable[tuple[RedeemCoupon, CouponRecord]]) -> Iterator[UndoRedemption]:
    """Yield the undoing of each redemption that can be undone."""
    for redemption, coupon in redeemed:
        undone = undo_redemption(redemption, coupon)
        if isinstance(undone, UndoRedemption):
            yield undone


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
