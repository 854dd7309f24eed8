"""Returns: what is taken back of what a sale issued. Source: semantics 11.

Terms are frozen: the sale is decided again under the program, and with the snapshot, that it was decided under.
Cumulative: with all that has come back so far, what is to be taken is `issued − awarded(sale − returned)`, held
between what was taken before and what was issued. So a full return takes exactly what was issued, none ever raises
a balance, and the same goods come back once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

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
from loyalty_rules.lifecycle.claims import coupon_given_back, given_back
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
    """Decide what a return takes back.

    `sale.returns` are the returns before this one; `lots` are all lots of the accounts to which the sale issued
    (its own among them); `coupons` those that it issued; `tracked` what the sale still contributes to each tracker
    (what it advanced it by, less what returns took back); `redeemed` the redemptions that it made and that stand,
    each with its coupon: a sale that has wholly come back reinstates them, a partial return does not (semantics 9).
    Refusals: `not_a_sale`, `unknown_line`, `more_than_bought`.
    """
    event = sale.event
    if not isinstance(event, Transaction):
        return Refusal(("not_a_sale",), f"{event.id} is no transaction: nothing of it can come back")
    if any(each.id == back.id for each in sale.returns):
        return ()  # the same return twice takes nothing
    returns = (*sale.returns, back)
    wrong = _wrong_lines(event, returns)
    if wrong is not None:
        return wrong
    left = _Left(sale, event, returns)
    key = event_key(sale.program.id, back.id)
    every = list(lots)
    own = [lot for lot in every if lot.issue.event == event.id]
    taking = _Taking(every)
    reversals = [each for lot in own for each in _reverse(sale, back, key, left, lot, taking)]
    voids = list(_void(back, key, left, coupons))
    reinstated = _reinstated(redeemed) if left.sale is None else ()
    return (*reversals, *voids, *reinstated, *_trackers(sale, key, left, tracked))


def _wrong_lines(event: Transaction, returns: Sequence[Return]) -> Refusal | None:
    bought = {line.id: micros(line.quantity) for line in event.lines}
    returned = _quantities(returns)
    unknown = [line for line in returned if line not in bought]
    if unknown:
        return Refusal(("unknown_line",), f"the sale has no line {unknown[0]!r}")
    over = [line for line, quantity in returned.items() if quantity > bought[line]]
    if over:
        return Refusal(("more_than_bought",), f"more of line {over[0]!r} comes back than was bought")
    return None


def _quantities(returns: Iterable[Return]) -> dict[str, int]:
    quantities: dict[str, int] = {}
    for each in returns:
        for line in each.lines:
            quantities[line.id] = quantities.get(line.id, 0) + micros(line.quantity)
    return quantities


# -- what is left of the sale ----------------------------------------------------------------------------------------


def remaining_sale(event: Transaction, returns: Sequence[Return]) -> Transaction | None:
    """Give the sale as if the returned goods had never been bought; None where nothing of it is left.

    The amount is less by what was returned; a line keeps the part of its value that its quantity keeps, and tax,
    shipping, tip and tenders keep the part that the amount keeps: each held to 6 decimals, half up. The whole sale
    has come back when its whole amount has or, where it had none, every line.
    """
    back = sum(micros(each.amount) for each in returns)
    amount = micros(event.amount)
    quantities = _quantities(returns)
    if amount > 0:
        whole = back >= amount
    else:
        whole = all(quantities.get(line.id, 0) >= micros(line.quantity) for line in event.lines)
    if whole:
        return None
    left = amount - back
    part = (left, amount) if amount > 0 else (1, 1)
    return attrs.evolve(
        event,
        amount=decimal_of(left),
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
    if value is None:
        return None
    kept, whole = part
    exact = micros(value) * kept
    sign = -1 if exact < 0 else 1
    return decimal_of(sign * MODES["nearest"](abs(exact), whole))


class _Left:
    """What the sale would have issued and contributed without all that has come back, decided once."""

    def __init__(self, sale: Sale, event: Transaction, returns: Sequence[Return]) -> None:
        self.terms = sale
        self.event = event
        self.returned = sum(micros(each.amount) for each in returns)
        self.sale = remaining_sale(event, returns)
        self.awarded: dict[str, int] = {}
        self.coupons: dict[str, int] = {}
        self.tracked: dict[str, int] = {}
        if self.sale is not None:
            self._decide(sale)

    def _decide(self, sale: Sale) -> None:
        plan = sale.program.plan
        assert self.sale is not None
        walk = Evaluator(plan, plan.facts(self.sale, sale.snapshot), _Unnamed())
        walk.run()
        for intent in walk.intents:
            if isinstance(intent, IssueCurrency):
                self.awarded[action_key(intent.promotion, intent.action)] = micros(intent.amount)
            elif isinstance(intent, IssueCoupon):
                action = action_key(intent.promotion, intent.action)
                self.coupons[action] = self.coupons.get(action, 0) + 1
            elif isinstance(intent, AdvanceTracker):
                self.tracked[intent.tracker] = micros(intent.value)

    def policy(self, issue: IssueCurrency | IssueCoupon) -> str:
        """How the action of an issue wants a return to be treated; one that the program has lost is recomputed."""
        return self.terms.action_of(issue).action.on_return


class _Unnamed:
    """Serials of coupons that are only counted."""

    def serial(self, _request: SerialRequest) -> str:
        return "0" * 18


# -- currency --------------------------------------------------------------------------------------------------------


class _Taking:
    """The lots as the reversals of one return leave them: what one has taken, the next can't."""

    def __init__(self, lots: Sequence[Lot]) -> None:
        self.lots = {lot.key: lot for lot in lots}

    def take(self, lot: Lot, amount: int, at: Any) -> tuple[tuple[LotDraw, ...], int]:
        """Take an amount: the promise first, then what is live of this issue, then the account's other live lots."""
        own = self.lots[lot.key]
        promised = min(amount, micros(own.promised))
        draws = [LotDraw(lot.key, decimal_of(promised), "promised")] if promised else []
        others = [
            each
            for each in self.lots.values()
            if each.key != lot.key and each.account == lot.account and each.issue.currency == lot.issue.currency
        ]
        order = [*(in_order_of_spending([own], at)), *in_order_of_spending(others, at)]
        draws += draw(order, decimal_of(amount - promised))
        for each in draws:
            self.lots[each.lot] = self.lots[each.lot].moved(each.taken_from, "reversed", each.amount)
        return tuple(draws), amount - sum(micros(each.amount) for each in draws)


def _reverse(sale: Sale, back: Return, key: str, left: _Left, lot: Lot, taking: _Taking) -> Iterator[ReverseCurrency]:
    taken_before = micros(lot.taken_back)
    due = max(_to_be_taken(sale, left, lot), taken_before) - taken_before
    due = min(due, micros(lot.issued) - micros(lot.voided) - taken_before)
    if due <= 0:
        return
    draws, shortfall = taking.take(lot, due, back.occurred_at)
    issue = lot.issue
    yield ReverseCurrency(
        reversal_key(key, action_key(issue.promotion, issue.action)),
        lot.key,
        back.id,
        issue.member,
        issue.group,
        issue.currency,
        decimal_of(due),
        draws,
        decimal_of(shortfall),
        sale.program.shortfall == "carry",
        given_back(lot, decimal_of(due)),
    )


def _to_be_taken(sale: Sale, left: _Left, lot: Lot) -> int:
    """What of a lot is to be taken in all, in millionths, for everything that has come back."""
    issued = micros(lot.issued)
    policy = left.policy(lot.issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or left.sale is None:
        return issued
    if policy == "proportional":
        amount = micros(left.event.amount)
        if amount <= 0:
            return 0
        unit = _unit(sale, lot)
        # Rounded down, cumulatively: a return never takes more than its share, and the last takes the rest.
        return issued * left.returned // (amount * unit) * unit
    return issued - min(left.awarded.get(action_key(lot.issue.promotion, lot.issue.action), 0), issued)


def _unit(sale: Sale, lot: Lot) -> int:
    decimals = next(each.decimals for each in sale.program.currencies if each.id == lot.issue.currency)
    return unit_of(micros(lot.issued), decimals)


# -- coupons and trackers --------------------------------------------------------------------------------------------


def _void(back: Return, key: str, left: _Left, coupons: Iterable[CouponRecord]) -> Iterator[VoidCoupon]:
    by_action: dict[str, list[CouponRecord]] = {}
    for coupon in coupons:
        by_action.setdefault(action_key(coupon.issue.promotion, coupon.issue.action), []).append(coupon)
    for action, issued in by_action.items():
        newest_first = sorted(issued, key=_ordinal, reverse=True)
        surplus = _surplus(left, action, issued)
        surplus -= sum(coupon.state == "voided" for coupon in issued)
        for coupon in newest_first:
            if surplus > 0 and coupon.state_at(back.occurred_at) == "issued":
                surplus -= 1
                void = return_void_key(key, action, _ordinal(coupon))
                yield VoidCoupon(void, coupon.key, back.id, coupon_given_back(coupon))


def _reinstated(redeemed: Iterable[tuple[RedeemCoupon, CouponRecord]]) -> Iterator[UndoRedemption]:
    for redemption, coupon in redeemed:
        undone = undo_redemption(redemption, coupon)
        if isinstance(undone, UndoRedemption):
            yield undone


def _surplus(left: _Left, action: str, issued: Sequence[CouponRecord]) -> int:
    """How many of an action's coupons the sale would no longer have issued."""
    policy = left.policy(issued[0].issue)
    if policy == "keep":
        return 0
    if policy == "reverse" or left.sale is None:
        return len(issued)
    return len(issued) - min(left.coupons.get(action, 0), len(issued))


def _ordinal(coupon: CouponRecord) -> int:
    return ordinal_in(coupon.key)


def _trackers(sale: Sale, key: str, left: _Left, tracked: Mapping[str, Decimal]) -> Iterator[AdvanceTracker]:
    """Take contributions back, in the window of the sale, so that a milestone can't be farmed."""
    member = sale.event.member
    if member is None:
        return
    plan = sale.program.plan
    day = sale.event_on
    for tracker in plan.trackers:
        surplus = micros(tracked.get(tracker.id, Decimal(0))) - left.tracked.get(tracker.id, 0)
        if surplus > 0:
            days = window_days(tracker.window, day)
            yield AdvanceTracker(
                tracker_key(key, tracker.id),
                tracker.id,
                member.id,
                decimal_of(-surplus),
                plan.start_of(days[0]) if days is not None else None,
                plan.end_of(days[1]) if days is not None else None,
            )
