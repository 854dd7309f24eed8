"""Amendments: a sale whose bill, lines or member are corrected earns the award of its new state. Source: semantics 11.

The new state is decided under the frozen terms, with caps as they stand now. For each account and currency, the sale
holds its issues less the units taken back. Above that, the first action in the document gets the difference as a new
issue; below it, the last action that loses gives it back, as in a return.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from loyalty_rules.events import Amendment, Member, Snapshot, Transaction
from loyalty_rules.intents import (
    AdvanceTracker,
    ExtendExpiry,
    IssueCoupon,
    IssueCurrency,
    ReverseCurrency,
    SendMessage,
    VoidCoupon,
)
from loyalty_rules.keys import (
    coupon_key,
    event_key,
    extended_issue,
    extension_key,
    issue_key,
    message_key,
    tracker_key,
)
from loyalty_rules.lifecycle.awards import advance
from loyalty_rules.lifecycle.claims import reduced, released_claims_of_coupon
from loyalty_rules.lifecycle.promises import PromiseIntent, is_waiting_over, release_waiting, released_at_once
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.lifecycle.remainder import wrong_parts
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of
from loyalty_rules.lifecycle.returned_coupons import void_key_of
from loyalty_rules.lifecycle.taking import held_units, newest_first, own_lots, reversals
from loyalty_rules.lifecycle.unrecovered import Unrecovered, unrecovered
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.dates import in_zone

__all__ = ["Amended", "AmendmentIntent", "amend", "is_new_member"]

_NewIntent: TypeAlias = IssueCurrency | IssueCoupon | ExtendExpiry | SendMessage
AmendmentIntent: TypeAlias = _NewIntent | ReverseCurrency | VoidCoupon | AdvanceTracker | PromiseIntent
"""The intents of an amendment."""

_CouponPool: TypeAlias = tuple[str, str | None]  # a coupon type and a member


@attrs.frozen
class Amended:
    """The decision of an amendment: its intents, the sale with the amendment, and all that could not be taken back."""

    intents: tuple[AmendmentIntent, ...]
    sale: Sale
    unrecovered: tuple[Unrecovered, ...] = ()


def is_new_member(sale: Sale, change: Amendment) -> bool:
    """Return whether an amendment gives a sale to a member that it did not have before."""
    member = sale.current().member
    return change.member is not None and (member is None or member.id != change.member.id)


def amend(
    sale: Sale,
    change: Amendment,
    lots: Iterable[Lot],
    coupons: Iterable[CouponRecord],
    tracked: Mapping[str, Decimal],
    present: Snapshot,
    discounts: Mapping[str, Decimal] | None = None,
) -> Amended | Refusal:
    """Decide an amendment of a sale.

    `lots` are all lots of the accounts of the sale, its own among them; `coupons` are those that it issued, in the
    order of issue; `tracked` is its contribution to each tracker. `present` is the snapshot of the new state: caps as
    they stand now, without the part that the sale itself holds. `discounts` are those of redemptions of `coupons`.
    Refusals: `too_early`, `too_late`, `more_than_bought`, `not_a_transaction`, all that apply.
    """
    refusal = _refusal(sale, change)
    if refusal is not None:
        return refusal
    given = is_new_member(sale, change)
    after = attrs.evolve(sale, updates=(*sale.updates, change), snapshot=present if given else sale.snapshot)
    award = RemainingAward(attrs.evolve(after, snapshot=present), after.returns)
    lots, coupons = [*lots], [*coupons]
    balance = _Balance(sale, change, award, own_lots(sale, lots))
    issues = _Issues(change, award)
    intents: tuple[AmendmentIntent, ...] = (
        *reversals(sale, change, balance.dues(), lots),
        *_voids(sale, change, award, coupons),
        *issues.of_currency(balance.gains(), balance.holding_actions),
        *issues.of_coupons(_missing_coupons(sale, change, award, coupons)),
        *issues.extensions(),
        *_trackers(sale, change, award, tracked),
        *release_waiting(after, lots, change),
    )
    lost = unrecovered(sale, award, change.occurred_at, intents, coupons, discounts or {})
    return Amended(intents, after, lost)


def _refusal(sale: Sale, change: Amendment) -> Refusal | None:
    """Return the refusal of an amendment, with every reason; None if it can be decided."""
    reasons: dict[str, str] = {}
    if change.occurred_at < sale.event.occurred_at:
        reasons["too_early"] = f"the amendment is dated before its sale {sale.event.id!r}"
    claims = sale.program.claims
    if claims is not None and sale.current().member is None and change.member is not None:
        last = claims.within.after(sale.event_on)
        if last is not None and in_zone(change.occurred_at, sale.program.plan.zone).date() > last:
            reasons["too_late"] = f"the sale could be claimed until {last}"
    if not isinstance(sale.event, Transaction):
        if change.amount is not None or change.lines is not None:
            reasons["not_a_transaction"] = f"{sale.event.id!r} is an activity, which has no amount and no lines"
    elif sale.returns:
        event = attrs.evolve(sale, updates=(*sale.updates, change)).current()
        assert isinstance(event, Transaction)
        wrong = wrong_parts(event, sale.returns, is_bounded=True)
        if wrong:
            reasons["more_than_bought"] = f"more has come back than the amended sale has: {'; '.join(wrong.values())}"
    return Refusal(tuple(reasons), "; ".join(reasons.values())) if reasons else None


def _accounts(member: Member | None) -> set[Account]:
    """Return the accounts that a member's own awards go to."""
    if member is None:
        return set()
    group = {Account("group", member.group)} if member.group is not None else set()
    return {Account("member", member.id), *group}


def _leaves(sale: Sale, change: Amendment) -> set[Account]:
    """Return the accounts that lose everything, because the sale goes to another member."""
    if not is_new_member(sale, change):
        return set()
    return _accounts(sale.current().member) - _accounts(change.member)


def _is_lowered(sale: Sale, award: RemainingAward) -> bool:
    """Return whether the amendment lowers the bill: it counts as a return then."""
    before, after = sale.current(), award.terms.current()
    return isinstance(before, Transaction) and isinstance(after, Transaction) and after.amount < before.amount


# -- currency --------------------------------------------------------------------------------------------------------


@attrs.define
class _Holding:
    """The lots of one action in one account and currency, and its award for the new state."""

    action: str
    lots: list[Lot]
    award: IssueCurrency | None = None

    @property
    def held(self) -> int:
        return sum(held_units(lot) for lot in self.lots)

    @property
    def awarded(self) -> int:
        return micros(self.award.amount) if self.award is not None else 0


class _Balance:
    """The difference between the holdings of a sale and the award of its new state, by account and currency."""

    def __init__(self, sale: Sale, change: Amendment, award: RemainingAward, own: Sequence[Lot]) -> None:
        self._award = award
        self._own = own
        self._leaving = _leaves(sale, change)
        self._is_lowered = _is_lowered(sale, award)
        self._pools = self._by_pool()

    @property
    def holding_actions(self) -> set[str]:
        """The actions that hold units of the sale now, for accounts that keep it."""
        kept = (lot for lot in self._own if lot.account not in self._leaving)
        return {action_of(lot.issue) for lot in kept if held_units(lot) > 0}

    def _by_pool(self) -> dict[tuple[Account, str], list[_Holding]]:
        """Return the holdings of each account and currency, in the order of the program's document."""
        found: dict[tuple[Account, str], dict[str, _Holding]] = {}
        for action, lots in self._award.by_action(self._own):
            for lot in lots:
                pool = found.setdefault((lot.account, lot.issue.currency), {})
                pool.setdefault(action, _Holding(action, [])).lots.append(lot)
        for issue in self._award.issues:
            pool = found.setdefault((Account.of(issue), issue.currency), {})
            pool.setdefault(action_of(issue), _Holding(action_of(issue), [])).award = issue
        return {
            of: sorted(pool.values(), key=lambda each: self._award.position(each.action)) for of, pool in found.items()
        }

    def _policy(self, holding: _Holding) -> str:
        """Return the policy of an action; one that has issued nothing counts as `recompute`."""
        return self._award.policy(holding.lots[0].issue) if holding.lots else "recompute"

    def dues(self) -> list[tuple[Lot, int]]:
        """Return the lots of the sale, each with the millionths that it loses."""
        dues: dict[str, int] = {}
        for (account, _), holdings in self._pools.items():
            dues |= self._dues_of(account, holdings)
        return [(lot, dues.get(lot.key, 0)) for lot in self._own]

    def _dues_of(self, account: Account, holdings: Sequence[_Holding]) -> dict[str, int]:
        if account in self._leaving:
            return {lot.key: held_units(lot) for holding in holdings for lot in holding.lots}
        missing = max(-self._difference(holdings), 0)
        dues: dict[str, int] = {}
        for holding in reversed(holdings):
            policy = self._policy(holding)
            if policy == "recompute":
                due = min(max(holding.held - holding.awarded, 0), missing)
                missing -= due
                dues |= newest_first(holding.lots, due)
            elif (policy != "keep" and self._award.sale is None) or (policy == "reverse" and self._is_lowered):
                dues |= newest_first(holding.lots, holding.held)
            elif policy == "proportional" and self._is_lowered:
                dues |= {lot.key: max(self._award.proportion_due(lot), 0) for lot in holding.lots}
        return dues

    def _difference(self, holdings: Sequence[_Holding]) -> int:
        """Return the awards of the `recompute` actions less their holdings, in millionths."""
        pool = [each for each in holdings if self._policy(each) == "recompute"]
        return sum(each.awarded - each.held for each in pool)

    def gains(self) -> list[tuple[IssueCurrency, int]]:
        """Return the awards with the millionths to issue of each, in the order of the program's document."""
        gains = [
            (holding.award, units)
            for (account, _), holdings in self._pools.items()
            if account not in self._leaving
            for holding, units in self._gains_of(holdings)
            if holding.award is not None and units > 0 and not holding.award.depends_on
        ]
        return sorted(gains, key=lambda gain: self._award.position(action_of(gain[0])))

    def _gains_of(self, holdings: Sequence[_Holding]) -> Iterator[tuple[_Holding, int]]:
        left = max(self._difference(holdings), 0)
        for holding in holdings:
            gain, policy = max(holding.awarded - holding.held, 0), self._policy(holding)
            if policy == "recompute":
                gain = min(gain, left)
                left -= gain
                yield holding, gain
            elif policy == "keep" or not self._award.has_come_back:
                yield holding, gain


# -- new issues ------------------------------------------------------------------------------------------------------


class _Issues:
    """The issues of an amendment, with keys of its own, dated as those of the sale."""

    def __init__(self, change: Amendment, award: RemainingAward) -> None:
        self._change = change
        self._award = award
        self._program = award.terms.program
        self._event = event_key(self._program.id, change.id)
        self._new_keys: dict[str, str] = {}  # by the key that the issue would have had at the sale

    def of_currency(
        self, gains: Iterable[tuple[IssueCurrency, int]], holding_actions: set[str]
    ) -> Iterator[IssueCurrency | SendMessage]:
        """Yield an issue of each gain with its message; none whose expiry has passed. Source: semantics 5."""
        for award, units in gains:
            if award.expires_at is not None and award.expires_at <= self._change.occurred_at:
                continue
            decimals = self._program.decimals_of(award.currency)
            issue = reduced(award, units, decimals, with_times=action_of(award) not in holding_actions)
            issue = attrs.evolve(issue, key=issue_key(self._event, action_of(award)))
            if issue.due_at is not None and issue.due_at <= self._change.occurred_at:
                issue = attrs.evolve(issue, state="issued", due_at=None, release=None)
            elif is_waiting_over(self._award.terms, issue):
                released = released_at_once(self._award.terms, issue, self._change.occurred_at)
                if released is None:
                    continue
                issue = released
            self._new_keys[award.key] = issue.key
            yield issue
            yield from self._messages(award.key, (issue.key,))

    def of_coupons(self, missing: Iterable[IssueCoupon]) -> Iterator[IssueCoupon | SendMessage]:
        """Yield an issue of each missing coupon, numbered anew for each action."""
        numbers: dict[str, int] = {}
        for coupon in missing:
            action = action_of(coupon)
            if coupon.expires_at is None or coupon.expires_at > self._change.occurred_at:
                numbers[action] = numbers.get(action, 0) + 1
                key = coupon_key(issue_key(self._event, action), numbers[action])
                yield attrs.evolve(coupon, key=key)

    def _messages(self, old: str, about: tuple[str, ...]) -> Iterator[SendMessage]:
        for each in self._award.intents:
            if isinstance(each, SendMessage) and old in each.about:
                yield attrs.evolve(each, key=message_key(about[0]), about=about)

    def extensions(self) -> Iterator[ExtendExpiry]:
        """Yield the extension of each new issue with a rolling expiry."""
        for each in self._award.intents:
            if isinstance(each, ExtendExpiry):
                new = self._new_keys.get(extended_issue(each.key))
                if new is not None:
                    yield attrs.evolve(each, key=extension_key(new))


# -- coupons ---------------------------------------------------------------------------------------------------------


def _leaving_members(sale: Sale, change: Amendment) -> set[str | None]:
    return {account.id for account in _leaves(sale, change) if account.kind == "member"}


def _earned_coupons(
    award: RemainingAward, coupons: Sequence[CouponRecord], leaving: set[str | None]
) -> dict[_CouponPool, list[IssueCoupon]]:
    """Return the coupons that the new state gives, by type and member.

    Counted are the `void_if_unredeemed` actions and, whatever their policy, the actions that have issued none, except
    to a member who loses the sale.
    """
    issued = {action_of(each.issue) for each in coupons if each.issue.member not in leaving}
    earned: dict[_CouponPool, list[IssueCoupon]] = {}
    for each in award.coupons:
        if award.policy(each) == "void_if_unredeemed" or action_of(each) not in issued:
            earned.setdefault((each.coupon_type, each.member), []).append(each)
    return earned


def _kept_coupons(award: RemainingAward, coupons: Sequence[CouponRecord]) -> dict[_CouponPool, list[CouponRecord]]:
    """Return the coupons of `void_if_unredeemed` actions that returns have not taken, by type and member."""
    kept: dict[_CouponPool, list[CouponRecord]] = {}
    for each in coupons:
        if not each.is_lost and award.policy(each.issue) == "void_if_unredeemed":
            kept.setdefault((each.issue.coupon_type, each.issue.member), []).append(each)
    return kept


def _voids(
    sale: Sale, change: Amendment, award: RemainingAward, coupons: Sequence[CouponRecord]
) -> Iterator[VoidCoupon]:
    """Yield the void of each coupon that the new state does not give, the newest of a type first.

    A member who loses the sale loses its coupons under every policy. A lowered bill takes those of `reverse`.
    """
    leaving = _leaving_members(sale, change)
    earned = _earned_coupons(award, coupons, leaving)
    lost: list[CouponRecord] = []
    for of, kept in _kept_coupons(award, coupons).items():
        count = 0 if of[1] in leaving else len(earned.get(of, ()))
        unused = [each for each in reversed(kept) if each.state_at(change.occurred_at) == "issued"]
        lost += unused[: max(len(kept) - count, 0)]
    is_lowered = _is_lowered(sale, award)
    for coupon in coupons:
        policy = award.policy(coupon.issue)
        goes = coupon.issue.member in leaving or (policy == "reverse" and is_lowered)
        is_there = coupon.state_at(change.occurred_at) == "issued" and not coupon.is_lost
        if policy != "void_if_unredeemed" and goes and is_there:
            lost.append(coupon)
    for coupon in lost:
        key = void_key_of(event_key(sale.program.id, change.id), coupon)
        yield VoidCoupon(key, coupon.key, change.id, released_claims_of_coupon(coupon))


def _missing_coupons(
    sale: Sale, change: Amendment, award: RemainingAward, coupons: Sequence[CouponRecord]
) -> Iterator[IssueCoupon]:
    """Yield the coupons that the new state gives and the sale has not, in the order of the program's document."""
    kept = _kept_coupons(award, coupons)
    leaving = _leaving_members(sale, change)
    for of, earned in _earned_coupons(award, coupons, leaving).items():
        if of[1] in leaving:
            continue
        mine = kept.get(of, [])
        left = len(earned) - len(mine)
        by_action: dict[str, int] = {}
        for coupon in mine:
            by_action[action_of(coupon.issue)] = by_action.get(action_of(coupon.issue), 0) + 1
        for each in earned:
            action = action_of(each)
            if by_action.get(action, 0) > 0:
                by_action[action] -= 1
            elif left > 0:
                left -= 1
                yield each


# -- trackers --------------------------------------------------------------------------------------------------------


def _trackers(
    sale: Sale, change: Amendment, award: RemainingAward, tracked: Mapping[str, Decimal]
) -> Iterator[AdvanceTracker]:
    """Yield the change of each tracker; for another member, the loss of the first and the gain of the new one."""
    key = event_key(sale.program.id, change.id)
    before, after = sale.current().member, award.terms.current().member
    for tracker in sale.program.plan.trackers:
        had, has = micros(tracked.get(tracker.id, Decimal(0))), award.tracked.get(tracker.id, 0)
        steps = [(after, has - had, tracker_key(key, tracker.id))]
        if before is not None and is_new_member(sale, change):
            steps = [(before, -had, f"{tracker_key(key, tracker.id)}/reverse"), (after, has, steps[0][2])]
        for member, step, step_key in steps:
            if member is not None and step:
                yield advance(sale, tracker, member, step_key, step)
