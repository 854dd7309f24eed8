"""The walk: from an event to the intents that follow from it.

For each promotion that fires, and each of its actions: who receives, which base, round it, prorate, round, cap, when
issued, when it dies, what is said to whom; at the end, what the event advances. Source: semantics 1 to 10.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_rules.amounts import MICRO, Ratio, decimal_of, micros, text_of
from loyalty_rules.caps import NO_CAPS, NO_COUPON_CAPS, Cap, Limit
from loyalty_rules.communication import Communication, plan_channels
from loyalty_rules.counters import Counter, cap_counters, claim_on, coupon_counters, limit_counter
from loyalty_rules.coupons import CouponType, Validity
from loyalty_rules.dates import is_in_range
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import CouponCounts, Issued, IssuedCounts
from loyalty_rules.expiry import Rolling, expiry_date
from loyalty_rules.facts import Facts
from loyalty_rules.intents import (
    AdvanceTracker,
    Claim,
    ExtendExpiry,
    Intent,
    IssueCoupon,
    IssueCurrency,
    Release,
    SendMessage,
    Share,
    Skipped,
    till_message,
)
from loyalty_rules.plan import Award, BoundCouponAction, BoundCurrencyAction, BoundPromotion, Plan
from loyalty_rules.promotions import MOST_COUPONS, CurrencyAction
from loyalty_rules.rounding import hold_to_micros
from loyalty_rules.serials import SerialGenerator, SerialRequest
from loyalty_rules.shares import split, unit_of
from loyalty_rules.skips import Skip
from loyalty_rules.timing import Schedule, TransactionUpdate, schedule
from loyalty_rules.windows import window_days

__all__ = ["Walk"]

ZERO, ONE = Decimal(0), Decimal(1)
NO_BASE: Ratio = (0, 1)
NONE_ISSUED = Issued()
NO_COUPONS = CouponCounts()


class Walk:
    """One evaluation under way: what earlier actions have awarded and drawn counts for those that follow."""

    def __init__(self, plan: Plan, facts: Facts, serials: SerialGenerator | None) -> None:
        self.plan = plan
        self.facts = facts
        self.serials = serials
        self.intents: list[Intent] = []
        self.extensions: list[Intent] = []
        self.skipped: list[Skipped] = []
        self.awarded: dict[str, int] = {}  # by PROMOTION/ACTION, in millionths
        self.drawn: dict[str, int] = {}  # from a limit (in millionths) or from the caps of a coupon type
        self.key = f"{plan.program}/{facts.event_key}"

    def run(self) -> None:
        """Decide everything that follows from the event."""
        for bound, winner in exclude(self.fired()):
            for action in bound.actions:
                self.act(bound, action, winner)
        self.intents += self.extensions
        self.advance_trackers()

    def fired(self) -> list[BoundPromotion]:
        return [bound for bound in self.plan.reached(self.facts) if bound.fires(self.facts)]

    def act(
        self, bound: BoundPromotion, action: BoundCurrencyAction | BoundCouponAction, winner: BoundPromotion | None
    ) -> None:
        """Carry out one action, or note why it issues nothing."""
        try:
            if winner is not None:
                raise Skip("excluded_by", f"{winner.promotion.id} counts in the group {winner.promotion.exclusive}")
            if isinstance(action, BoundCurrencyAction):
                self.issue_currency(bound, action)
            else:
                self.issue_coupons(bound, action)
        except Skip as skip:
            self.skipped.append(Skipped(bound.promotion.id, action.action.id, skip.reason, skip.detail))

    # -- currency ----------------------------------------------------------------------------------------------------

    def issue_currency(self, bound: BoundPromotion, action: BoundCurrencyAction) -> None:
        facts, spec = self.facts, action.action
        member, group = self.recipient(spec)
        amount = self.amount(action.award)
        due = schedule(spec.timing, facts)
        expires_on, expires_at = self.expiry(spec, due)
        amount = self.capped(action, amount)
        self.awarded[action.key] = amount

        key = f"{self.key}/{action.key}"
        promised = spec.timing.type != "immediate"
        self.intents.append(
            IssueCurrency(
                key,
                bound.promotion.id,
                spec.id,
                facts.event.id,
                member,
                group,
                spec.currency,
                decimal_of(amount),
                "promised" if promised else "issued",
                due.issue_on,
                due.due_at,
                _release(spec) if promised else None,
                expires_on,
                expires_at,
                self.shares(action, amount),
                self.claims(action, amount),
            )
        )
        if isinstance(spec.expiry, Rolling):
            assert expires_on is not None
            assert expires_at is not None
            self.extensions.append(
                ExtendExpiry(f"{key}/extend", member, group, spec.currency, spec.expiry.scope, expires_on, expires_at)
            )
        self.send(spec.communication, key, (key,), promised=promised)

    def recipient(self, spec: CurrencyAction) -> tuple[str, str | None]:
        """Say whose account it is: the member's, or that of the member's group."""
        member = self.facts.member
        if member is None:
            raise Skip("no_member", "the event is anonymous")
        if spec.recipient == "member":
            return member.id, None
        if member.group is None:
            raise Skip("no_group", f"member {member.id} has no group")
        return member.id, member.group

    def amount(self, award: Award) -> int:
        """Compute an amount before caps, in millionths: base → round → prorate → round."""
        amount = self.held(self.award_each_line(award) if award.each_line else self.award_total(award))
        if amount == 0:
            raise Skip("zero_amount", "the amount is zero")
        return amount

    def held(self, amount: Ratio) -> int:
        """Hold an amount to the 6 decimals of a ledger."""
        return hold_to_micros(amount)

    def award_total(self, award: Award) -> Ratio:
        base = award.base(self.facts, self.awarded) if award.base is not None else NO_BASE
        return self.prorated(award, base)

    def award_each_line(self, award: Award) -> Ratio:
        assert award.parts is not None
        parts = award.parts(self.facts)
        amounts = [self.prorated(award, (max(value, 0), parts.denominator)) for value in parts.values]
        return sum(numerator for numerator, _ in amounts), amounts[0][1]

    def prorated(self, award: Award, base: Ratio) -> Ratio:
        """Take a base, or one line's part of it, to an amount: round → prorate → round."""
        steps = award.steps
        return steps.rounded_amount(steps.prorate(steps.rounded_base(base)))

    def expiry(self, spec: CurrencyAction, due: Schedule) -> tuple[date | None, datetime | None]:
        """Say until when it lives; what would already be past when it becomes issued is not issued."""
        facts = self.facts
        expires_on = expiry_date(spec.expiry, facts, due.issue_on)
        if expires_on is None:
            return None, None
        expires_at = self.plan.end_of(expires_on)
        if expires_on < (due.issue_on or facts.event_on) or expires_at <= (due.due_at or facts.event.occurred_at):
            raise Skip("already_expired", f"{expires_on} is past when it becomes issued")
        return expires_on, expires_at

    # -- caps --------------------------------------------------------------------------------------------------------

    def capped(self, action: BoundCurrencyAction, amount: int) -> int:
        """Trim an amount to what the action's caps and then the program's limits leave. Source: semantics 8."""
        caps = action.action.caps
        if caps.per_event is not None:
            amount = self.trim(amount, micros(caps.per_event), f"cap of {text_of(caps.per_event)} an event")
        issued = self.facts.snapshot.issued.get(action.key, NONE_ISSUED)
        for cap, before, whose in ((caps.per_member, issued.member, "member's"), (caps.total, issued.total, "total")):
            if cap is not None:
                amount = self.trim_by_cap(amount, cap, before, whose)
        binding = [limit for limit in action.limits if self.binds(limit)]
        for limit in binding:
            before_event = self.facts.snapshot.limits.get(limit.id, ZERO)
            left = micros(limit.amount) - micros(before_event) - self.drawn.get(limit.id, 0)
            amount = self.trim(amount, left, f"limit {limit.id} of {text_of(limit.amount)}")
        for limit in binding:
            self.drawn[limit.id] = self.drawn.get(limit.id, 0) + amount
        return amount

    def binds(self, limit: Limit) -> bool:
        """Say whether a limit binds: one per store does not bind an event without a store."""
        return limit.per != "store" or self.facts.event.store is not None

    def trim(self, amount: int, left: int, cap: str) -> int:
        """Trim an amount to what is left of a cap (both in millionths); nothing left is `cap_reached`."""
        if left <= 0:
            raise Skip("cap_reached", f"nothing is left of the {cap}")
        return min(amount, left)

    def trim_by_cap(self, amount: int, cap: Cap, before: IssuedCounts, whose: str) -> int:
        """Trim an amount to what is left of an action's cap, by amount or by times."""
        if cap.amount is not None:
            return self.trim(
                amount, micros(cap.amount) - micros(before.amount), f"{whose} cap of {text_of(cap.amount)}"
            )
        assert cap.times is not None
        if before.times >= cap.times:
            raise Skip("cap_reached", f"nothing is left of the {whose} cap of {cap.times} times")
        return amount

    def claims(self, action: BoundCurrencyAction, amount: int) -> tuple[Claim, ...]:
        """Name every counter that the ledger must check again: per member, total, then the program's limits."""
        caps = action.action.caps
        if caps is NO_CAPS and not action.limits:
            return ()
        drawn = decimal_of(amount)
        claims = []
        for cap, counter in cap_counters(action.key, caps.per_member, caps.total, self.facts):
            if cap.times is not None:
                claims.append(claim_on(counter, Decimal(cap.times), ONE))
            else:
                claims.append(claim_on(counter, cap.amount or ZERO, drawn))
        for limit in action.limits:
            limited = limit_counter(limit, self.facts)
            if limited is not None:
                claims.append(claim_on(limited, limit.amount, drawn))
        return tuple(claims)

    # -- shares ------------------------------------------------------------------------------------------------------

    def shares(self, action: BoundCurrencyAction, amount: int) -> tuple[Share, ...]:
        """Split an amount over the lines that it came from, to the last unit. Source: semantics 11."""
        lines = self.facts.lines
        if not lines:
            return ()
        if action.award.parts is not None:
            parts = action.award.parts(self.facts)
            positions: Sequence[int] = parts.positions
            weights = [max(value, 0) for value in parts.values]
        else:
            positions = range(len(lines))
            weights = [max(line.value, 0) for line in lines]
        unit = unit_of(amount, action.decimals)
        amounts = split(amount // unit, weights)
        return tuple(
            Share(lines[position].line.id, decimal_of(part * unit))
            for position, part in zip(positions, amounts, strict=True)
        )

    # -- coupons -----------------------------------------------------------------------------------------------------

    def issue_coupons(self, bound: BoundPromotion, action: BoundCouponAction) -> None:
        facts, spec, coupon_type = self.facts, action.action, action.coupon_type
        if coupon_type.caps.per_member is not None and facts.member is None:
            raise Skip("no_member", "the type is capped per member; the event is anonymous")
        quantity = self.quantity(action)
        valid_from, expires_on, expires_at = self.validity(coupon_type.validity)
        quantity = self.capped_coupons(coupon_type, quantity)

        keys = []
        claims = tuple(claim_on(counter, Decimal(cap), ONE) for cap, counter in self.coupon_caps(coupon_type))
        for ordinal in range(1, quantity + 1):
            key = f"{self.key}/{action.key}/{ordinal}"
            serial = self.serial(bound, action, ordinal) if coupon_type.serial_managed else None
            code = None if coupon_type.serial_managed else coupon_type.code
            keys.append(key)
            self.intents.append(
                IssueCoupon(
                    key,
                    bound.promotion.id,
                    spec.id,
                    facts.event.id,
                    facts.member.id if facts.member is not None else None,
                    facts.event.store,
                    coupon_type.id,
                    serial,
                    code,
                    facts.local,
                    valid_from,
                    expires_on,
                    expires_at,
                    till_message(serial or code),
                    claims,
                )
            )
        self.send(spec.communication, f"{self.key}/{action.key}", tuple(keys), promised=False)

    def quantity(self, action: BoundCouponAction) -> int:
        """Say how many coupons are due before caps; never more than 10,000 of one action."""
        if action.award is None:
            assert isinstance(action.action.quantity, int)
            quantity = action.action.quantity
            if quantity == 0:
                raise Skip("zero_amount", "the quantity is zero")
            return quantity
        return min(self.amount(action.award) // MICRO, MOST_COUPONS)

    def validity(self, validity: Validity) -> tuple[datetime, date | None, datetime | None]:
        """Say from when and until when a coupon is valid, both counted from the event date."""
        facts = self.facts
        valid_from = facts.local
        if validity.starts_after:
            day = validity.starts_after.after(facts.event_on)
            if day is None or not is_in_range(day):
                raise Skip("invalid_field", "the coupon would start outside 1970 to 9998")
            valid_from = self.plan.start_of(day)
        expires_on = expiry_date(validity.expiry, facts, facts.event_on)
        if expires_on is None:
            return valid_from, None, None
        expires_at = self.plan.end_of(expires_on)
        if expires_on < facts.event_on or expires_at <= facts.event.occurred_at:
            raise Skip("already_expired", f"{expires_on} is past when it is issued")
        return valid_from, expires_on, expires_at

    def capped_coupons(self, coupon_type: CouponType, quantity: int) -> int:
        """Trim a number of coupons to what the caps of their type leave; coupons of earlier actions count."""
        name = f"coupon/{coupon_type.id}"
        drawn = self.drawn.get(name, 0)
        counts = self.facts.snapshot.coupons.get(coupon_type.id, NO_COUPONS)
        caps = [(cap, getattr(counts, counter.scope), counter.scope) for cap, counter in self.coupon_caps(coupon_type)]
        if coupon_type.caps.per_transaction is not None:
            caps.insert(0, (coupon_type.caps.per_transaction, 0, "transaction"))
        for cap, before, scope in caps:
            left = (cap - before - drawn) * MICRO
            quantity = self.trim(quantity * MICRO, left, f"{scope} cap of {cap} coupons") // MICRO
        self.drawn[name] = drawn + quantity
        return quantity

    def coupon_caps(self, coupon_type: CouponType) -> list[tuple[int, Counter]]:
        return [*coupon_counters(coupon_type, self.facts)] if coupon_type.caps is not NO_COUPON_CAPS else []

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:
        if self.serials is None:
            raise MissingSerialsError(action.coupon_type.id)
        return self.serials.serial(
            SerialRequest(
                program=self.plan.program,
                coupon_type=action.coupon_type.id,
                event=self.facts.event.id,
                promotion=bound.promotion.id,
                action=action.action.id,
                ordinal=ordinal,
            )
        )

    # -- messages and trackers ---------------------------------------------------------------------------------------

    def send(self, communication: Communication | None, key: str, about: tuple[str, ...], *, promised: bool) -> None:
        """Send one message about all that an action issued; a promise says its own, or nothing yet."""
        member = self.facts.member
        if communication is None or member is None:
            return
        template = communication.promised_template if promised else communication.template
        channels = plan_channels(communication, member.contacts)
        if template is not None and channels.used:
            self.intents.append(
                SendMessage(f"{key}/message", about, member.id, template, channels.used, channels.fallbacks)
            )

    def advance_trackers(self) -> None:
        """Advance every tracker to which the event contributes more than zero, whether a promotion reads it or not."""
        member = self.facts.member
        if member is None:
            return
        for tracker in self.plan.trackers:
            contribution = self.facts.standing(tracker.id).contribution
            if contribution > 0:
                days = window_days(tracker.window, self.facts.event_on)
                self.intents.append(
                    AdvanceTracker(
                        f"{self.key}/tracker/{tracker.id}",
                        tracker.id,
                        member.id,
                        decimal_of(contribution),
                        self.plan.start_of(days[0]) if days is not None else None,
                        self.plan.end_of(days[1]) if days is not None else None,
                    )
                )


def exclude(fired: Sequence[BoundPromotion]) -> list[tuple[BoundPromotion, BoundPromotion | None]]:
    """Pair each promotion that fires with the one of its exclusive group that counts instead of it, if any.

    Of a group only the first counts: by priority, higher first, then in the order of the document.
    """
    first: dict[str, BoundPromotion] = {}
    for bound in fired:
        group = bound.promotion.exclusive
        if group is not None and (group not in first or bound.promotion.priority > first[group].promotion.priority):
            first[group] = bound
    pairs: list[tuple[BoundPromotion, BoundPromotion | None]] = []
    for bound in fired:
        winner = first.get(bound.promotion.exclusive) if bound.promotion.exclusive is not None else None
        pairs.append((bound, winner if winner is not bound else None))
    return pairs


def _release(spec: CurrencyAction) -> Release:
    when: Any = spec.timing.when if isinstance(spec.timing, TransactionUpdate) else None
    kind: Any = spec.timing.type
    return Release(kind, when)
