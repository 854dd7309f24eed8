"""Evaluation: from an event to its intents.

The numbers of the steps are those of docs/evaluation.md, "How evaluation works". Source: semantics 1 to 10.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from loyalty_rules.engine.counters import Counter, cap_counters, claim_on, coupon_counters, limit_counter
from loyalty_rules.engine.plan import Award, BoundCouponAction, BoundCurrencyAction, BoundPromotion, Plan
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import CouponCounts, Issued, IssuedCounts, Member
from loyalty_rules.intents import (
    AdvanceTracker,
    Claim,
    ExtendExpiry,
    Intent,
    IssueCoupon,
    IssueCurrency,
    SendMessage,
    Share,
    Skipped,
    till_message,
)
from loyalty_rules.keys import coupon_key, event_key, extension_key, issue_key, message_key, tracker_key
from loyalty_rules.rules.base_values import Parts, total_of, units_of
from loyalty_rules.rules.caps import NO_COUPON_CAPS, Cap, Limit
from loyalty_rules.rules.communication import Communication, plan_channels
from loyalty_rules.rules.coupons import CouponType, Validity
from loyalty_rules.rules.expiry import Rolling, Until
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.promotions import MAX_COUPONS
from loyalty_rules.rules.rounding import quantize_to_micros
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.windows import window_days
from loyalty_rules.serials import SerialGenerator, SerialRequest
from loyalty_rules.values.amounts import MICRO, Ratio, decimal_of, micros, text_of, whole_decimals
from loyalty_rules.values.apportionment import Weights, unit_of
from loyalty_rules.values.dates import is_in_range

__all__ = ["Evaluator"]

ZERO, ONE = Decimal(0), Decimal(1)
NO_WINNERS: Mapping[BoundPromotion, BoundPromotion] = MappingProxyType({})
NONE_ISSUED = Issued()
NO_COUPONS = CouponCounts()


class Evaluator:
    """One evaluation: awards and draws of earlier actions count for the actions that follow.

    The results are in `intents` and `skipped` after `run`. Amounts are in millionths.
    """

    def __init__(self, plan: Plan, facts: Facts, serials: SerialGenerator | None) -> None:
        self.plan = plan
        self.facts = facts
        self.serials = serials
        self.intents: list[Intent] = []
        self.extensions: list[Intent] = []
        self.skipped: list[Skipped] = []
        self.awarded: dict[str, int] = {}  # by action key
        self.remaining: dict[str, int] = {}  # by limit, once an action has needed it
        self.limit_counters: dict[str, Counter | None] = {}  # by limit; None if the limit does not bind
        self.coupons: dict[str, int] = {}  # issued by this evaluation, by coupon type
        self.key = event_key(plan.program, facts.event.id)

    def run(self) -> None:
        """Evaluate the event."""
        # 1. Date and money: `facts` has them.
        # 2. Promotions that fire
        fired = self.plan.fired(self.facts)
        # 3. Exclusive groups
        winners = exclude(fired) if self.plan.has_groups else NO_WINNERS
        for bound in fired:
            winner = winners.get(bound) if winners else None
            for action in bound.actions:
                self.act(bound, action, winner)
        # 15. Extensions
        self.intents += self.extensions
        # 16. Trackers
        if self.plan.trackers:
            self.advance_trackers()

    def act(
        self, bound: BoundPromotion, action: BoundCurrencyAction | BoundCouponAction, winner: BoundPromotion | None
    ) -> None:
        """Evaluate one action: add its intents, or the reason for which it is skipped."""
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
        """Add the issue of an action, its extension and its message; raise `Skip` if it issues nothing."""
        facts, spec, award = self.facts, action.action, action.award
        # 4. Recipient
        member = facts.member
        if member is None:
            raise Skip("no_member", "the event is anonymous")
        group = group_of(member) if spec.recipient == "member_group" else None
        # 5. Base
        if award.resolve is not None:
            award = self.resolved(award.resolve)
        parts = award.parts(facts) if award.parts is not None else None
        # 6. to 9. Round the base, prorate, round the result, zero
        amount = self.amount(award, parts)
        # 10. Timing
        issue_on, due_at = action.schedule(facts)
        # 11. Expiry
        expires_on = action.until(facts, issue_on)
        expires_at = self.end_of(expires_on, issue_on, due_at) if expires_on is not None else None
        # 12. Caps and limits
        claims: tuple[Claim, ...] = ()
        if action.is_capped:
            amount = self.capped(action, amount)
            claims = self.claims(action, amount)
        self.awarded[action.key] = amount

        key = issue_key(self.key, action.key)
        release = action.release
        self.intents.append(
            IssueCurrency(
                key,
                bound.promotion.id,
                spec.id,
                facts.event.id,
                member.id,
                group,
                spec.currency,
                decimal_of(amount),
                "issued" if release is None else "promised",
                issue_on,
                due_at,
                release,
                expires_on,
                expires_at,
                self.shares(action, amount, parts),  # 13. Shares
                claims,
            )
        )
        # 15. Extensions: they follow all issues.
        if action.rolling is not None:
            self.extend(action.rolling, key, group, spec.currency, expires_on, expires_at)
        # 14. Message
        if spec.communication is not None:
            self.send(spec.communication, key, (key,), promised=release is not None)

    def amount(self, award: Award, parts: Parts | None) -> int:
        """Return the amount of an award before caps, in millionths; raise `Skip` if it is zero.

        `parts` are the parts of a base over lines; None for any other base. The bound functions of the award round
        the base, prorate it and round the result.
        """
        if parts is None:
            amount = award.amount_of(*award.base(self.facts, self.awarded))
        elif award.each_line:
            amount = quantize_to_micros(self.line_by_line(award, parts))
        else:
            amount = award.amount_of(*total_of(parts))
        if not amount:
            raise Skip("zero_amount", "the amount is zero")
        return amount

    def resolved(self, resolve: Callable[[Facts], Award]) -> Award:
        """Return the award of this event; raise `Skip` if a percentage has no match, or a tracker no owner."""
        return resolve(self.facts)

    def line_by_line(self, award: Award, parts: Parts) -> Ratio:
        """Return the sum of the amounts of the lines, each rounded by itself, or of their units, each likewise."""
        if not award.each_unit:
            return sum_of([award.steps(base) for base in bases_of_lines(parts)])
        units = units_of(self.facts, parts)
        return sum_of_units([award.steps(base) for base in bases_of_units(parts, units)], units)

    def end_of(self, expires_on: date, issue_on: date | None, due_at: datetime | None) -> datetime:
        """Return the end of an issue's validity; raise `Skip` if it would have expired when it becomes issued."""
        facts = self.facts
        day = issue_on or facts.event_on
        expires_at = self.plan.end_of(expires_on)
        # The end of a later day is after every instant of this day, unless the till's business date differs from its
        # clock. So the comparison of instants, which is slow, is rarely needed.
        if (expires_on <= day or facts.event.business_date is not None) and (
            expires_on < day or expires_at <= (due_at or facts.event.occurred_at)
        ):
            raise Skip("already_expired", f"{expires_on} is past when it becomes issued")
        return expires_at

    def extend(
        self,
        rolling: Rolling,
        key: str,
        group: str | None,
        currency: str,
        expires_on: date | None,
        expires_at: datetime | None,
    ) -> None:
        """Add an extension of the account's live lots of the currency to the same expiry; it follows all issues."""
        assert self.facts.member is not None
        assert expires_on is not None
        assert expires_at is not None
        self.extensions.append(
            ExtendExpiry(
                extension_key(key), self.facts.member.id, group, currency, rolling.scope, expires_on, expires_at
            )
        )

    # -- caps --------------------------------------------------------------------------------------------------------

    def capped(self, action: BoundCurrencyAction, amount: int) -> int:
        """Trim an amount to the action's caps, then to the program's limits, and draw on these. Source: semantics 8."""
        caps = action.action.caps
        if caps.per_event is not None:
            amount = self.trim(amount, micros(caps.per_event), "cap of {} per event", caps.per_event)
        issued = self.facts.snapshot.issued.get(action.key, NONE_ISSUED)
        for cap, before, whose in ((caps.per_member, issued.member, "member's"), (caps.total, issued.total, "total")):
            if cap is not None:
                amount = self.trim_by_cap(amount, cap, before, whose)
        binding = [limit for limit in action.limits if self.counter_of(limit) is not None]
        for limit in binding:
            amount = self.trim(amount, self.remaining_of(limit), f"limit {limit.id} of {{}}", limit.amount)
        for limit in binding:
            self.remaining[limit.id] -= amount
        return amount

    def counter_of(self, limit: Limit) -> Counter | None:
        """Return the counter of a limit, cached for the event; None if the limit does not bind the event."""
        if limit.id not in self.limit_counters:
            self.limit_counters[limit.id] = limit_counter(limit, self.facts)
        return self.limit_counters[limit.id]

    def remaining_of(self, limit: Limit) -> int:
        """Return the remainder of a limit, in millionths, after the snapshot's value and the draws of this event."""
        if limit.id not in self.remaining:
            before_event = self.facts.snapshot.limits.get(limit.id, ZERO)
            self.remaining[limit.id] = micros(limit.amount) - micros(before_event)
        return self.remaining[limit.id]

    def trim(self, amount: int, remaining: int, cap: str, maximum: Decimal | int) -> int:
        """Trim an amount to the remainder of a cap, both in millionths; raise `Skip` if there is no remainder.

        `cap` describes the cap with `{}` in the place of its maximum.
        """
        if remaining <= 0:
            raise Skip("cap_reached", f"the {cap_name(cap, maximum)} is used up")
        return min(amount, remaining)

    def trim_by_cap(self, amount: int, cap: Cap, before: IssuedCounts, whose: str) -> int:
        """Trim an amount to the remainder of an action's cap by amount; a cap by times skips or keeps it whole."""
        if cap.amount is not None:
            return self.trim(amount, micros(cap.amount) - micros(before.amount), f"{whose} cap of {{}}", cap.amount)
        assert cap.times is not None
        if before.times >= cap.times:
            raise Skip("cap_reached", f"the {whose} cap of {cap.times} times is used up")
        return amount

    def claims(self, action: BoundCurrencyAction, amount: int) -> tuple[Claim, ...]:
        """Return the claims of an issue: on the counters of the caps per member and in total, then of the limits."""
        caps = action.action.caps
        drawn = decimal_of(amount)
        claims = []
        for cap, counter in cap_counters(action.key, caps.per_member, caps.total, self.facts):
            if cap.times is not None:
                claims.append(claim_on(counter, Decimal(cap.times), ONE))
            else:
                claims.append(claim_on(counter, cap.amount or ZERO, drawn))
        for limit in action.limits:
            limited = self.counter_of(limit)
            if limited is not None:
                claims.append(claim_on(limited, limit.amount, drawn))
        return tuple(claims)

    # -- shares ------------------------------------------------------------------------------------------------------

    def shares(self, action: BoundCurrencyAction, amount: int, parts: Parts | None) -> tuple[Share, ...]:
        """Split an amount over the lines that earned it, to the last unit. Source: semantics 11."""
        if parts is None:
            lines, weights = self.facts.bill()
        else:
            positions, values, _ = parts
            lines, weights = [self.facts.event_lines[i].id for i in positions], Weights(values)
        if not lines:
            return ()
        unit = action.unit if amount % action.unit == 0 else unit_of(amount, action.decimals)
        units = amount // unit
        amounts = weights.split(units)
        if unit == MICRO:
            return tuple(map(Share, lines, whole_decimals(amounts, units)))
        return tuple(map(Share, lines, [decimal_of(part * unit) for part in amounts]))

    # -- coupons -----------------------------------------------------------------------------------------------------

    def issue_coupons(self, bound: BoundPromotion, action: BoundCouponAction) -> None:
        """Add the coupons of an action and their message; raise `Skip` if it issues none. Source: semantics 9."""
        facts, spec, coupon_type = self.facts, action.action, action.coupon_type
        if coupon_type.caps.per_member is not None and facts.member is None:
            raise Skip("no_member", "the type is capped per member; the event is anonymous")
        quantity = self.quantity(action)
        valid_from, expires_on, expires_at = self.validity(coupon_type.validity, action.until)
        quantity = self.capped_coupons(coupon_type, quantity)

        issue, keys = issue_key(self.key, action.key), []
        claims = tuple(claim_on(counter, Decimal(cap), ONE) for cap, counter in self.coupon_caps(coupon_type))
        for ordinal in range(1, quantity + 1):
            key = coupon_key(issue, ordinal)
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
        self.send(spec.communication, issue, tuple(keys), promised=False)

    def quantity(self, action: BoundCouponAction) -> int:
        """Return the number of coupons before caps, at most 10,000 for one action; raise `Skip` if it is zero."""
        if action.award is None:
            assert isinstance(action.action.quantity, int)
            quantity = action.action.quantity
            if quantity == 0:
                raise Skip("zero_amount", "the quantity is zero")
            return quantity
        award = action.award
        if award.resolve is not None:
            award = self.resolved(award.resolve)
        parts = award.parts(self.facts) if award.parts is not None else None
        return min(self.amount(award, parts) // MICRO, MAX_COUPONS)

    def validity(self, validity: Validity, until: Until) -> tuple[datetime, date | None, datetime | None]:
        """Return the start, the last date and the end of a coupon's validity, which counts from the event date.

        The last date and the end are None if the coupon never expires. Raises `Skip` if it would start outside the
        years 1970 to 9998, or if it has already expired.
        """
        facts = self.facts
        valid_from = facts.local
        # The order of the reasons: missing_field, invalid_field (of the start, too), already_expired.
        expires_on = until(facts, facts.event_on)
        if validity.starts_after:
            day = validity.starts_after.after(facts.event_on)
            if day is None or not is_in_range(day):
                raise Skip("invalid_field", "the coupon would start outside 1970 to 9998")
            valid_from = self.plan.start_of(day)
        if expires_on is None:
            return valid_from, None, None
        expires_at = self.plan.end_of(expires_on)
        if expires_on < facts.event_on or expires_at <= facts.event.occurred_at:
            raise Skip("already_expired", f"{expires_on} is past when it is issued")
        return valid_from, expires_on, expires_at

    def capped_coupons(self, coupon_type: CouponType, quantity: int) -> int:
        """Trim a number of coupons to the caps of their type, for which the coupons of earlier actions count."""
        issued = self.coupons.get(coupon_type.id, 0)
        counts = self.facts.snapshot.coupons.get(coupon_type.id, NO_COUPONS)
        caps = [(cap, getattr(counts, counter.scope), counter.scope) for cap, counter in self.coupon_caps(coupon_type)]
        if coupon_type.caps.per_transaction is not None:
            caps.insert(0, (coupon_type.caps.per_transaction, 0, "transaction"))
        for cap, before, scope in caps:
            remaining = (cap - before - issued) * MICRO
            quantity = self.trim(quantity * MICRO, remaining, f"{scope} cap of {{}} coupons", cap) // MICRO
        self.coupons[coupon_type.id] = issued + quantity
        return quantity

    def coupon_caps(self, coupon_type: CouponType) -> list[tuple[int, Counter]]:
        """Return the caps of a coupon type that bind the event, each with its counter."""
        return [*coupon_counters(coupon_type, self.facts)] if coupon_type.caps is not NO_COUPON_CAPS else []

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:
        """Return a serial from the generator of the host; raise `MissingSerialsError` if there is none."""
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
        """Add one message about the issues of an action; a promise has a template of its own, or no message.

        Without a member or a reachable channel there is no message. Source: semantics 10.
        """
        member = self.facts.member
        if communication is None or member is None:
            return
        template = communication.promised_template if promised else communication.template
        channels = plan_channels(communication, member.contacts)
        if template is not None and channels.used:
            self.intents.append(
                SendMessage(message_key(key), about, member.id, template, channels.used, channels.fallbacks)
            )

    def advance_trackers(self) -> None:
        """Add an advance of each tracker to which the event contributes more than zero. Source: semantics 7."""
        member = self.facts.member
        if member is None:
            return
        if self.plan.award_trackers:
            self.count_awards()
        for tracker in self.plan.trackers:
            contribution = self.facts.standing(tracker.id).contribution
            if contribution > 0:
                days = window_days(tracker.window, self.facts.event_on)
                self.intents.append(
                    AdvanceTracker(
                        tracker_key(self.key, tracker.id),
                        tracker.id,
                        member.id,
                        decimal_of(contribution),
                        self.plan.start_of(days[0]) if days is not None else None,
                        self.plan.end_of(days[1]) if days is not None else None,
                        member.group if tracker.per == "member_group" else None,
                    )
                )

    def count_awards(self) -> None:
        """Count the awards of this event for the trackers that measure them."""
        issues = [(intent, micros(intent.amount)) for intent in self.intents if isinstance(intent, IssueCurrency)]
        for tracker in self.plan.award_trackers:
            self.facts.award(tracker.id, tracker.total(self.facts, issues))


def exclude(fired: Sequence[BoundPromotion]) -> Mapping[BoundPromotion, BoundPromotion]:
    """Map each promotion that its exclusive group excludes to the promotion of the group that counts instead.

    One promotion of a group counts: the one of the highest priority, then the first in the document.
    """
    first: dict[str, BoundPromotion] = {}
    for bound in fired:
        group = bound.promotion.exclusive
        if group is not None and (group not in first or bound.promotion.priority > first[group].promotion.priority):
            first[group] = bound
    grouped = [(bound, first[bound.promotion.exclusive]) for bound in fired if bound.promotion.exclusive is not None]
    return {bound: winner for bound, winner in grouped if winner is not bound}


def group_of(member: Member) -> str:
    """Return the group whose account receives the issue; raise `Skip` if the member has no group."""
    if member.group is None:
        raise Skip("no_group", f"member {member.id} has no group")
    return member.group


def bases_of_lines(parts: Parts) -> list[Ratio]:
    """Return the part of each line as a base; a base is never below zero."""
    _, values, denominator = parts
    return [(max(value, 0), denominator) for value in values]


def bases_of_units(parts: Parts, units: Sequence[int]) -> list[Ratio]:
    """Return the part of one unit of each line as a base; `units` are the numbers of units of the lines."""
    return [
        (value, denominator * count) for (value, denominator), count in zip(bases_of_lines(parts), units, strict=True)
    ]


def sum_of_units(amounts: Sequence[Ratio], units: Sequence[int]) -> Ratio:
    """Return the sum of the amounts of one unit of each line times their numbers of units, exactly."""
    total = sum((Fraction(*amount) * count for amount, count in zip(amounts, units, strict=True)), Fraction(0))
    return total.as_integer_ratio()


def sum_of(amounts: Sequence[Ratio]) -> Ratio:
    """Return the sum of amounts that have the same denominator, as those of the lines of one base have."""
    return sum(numerator for numerator, _ in amounts), amounts[0][1]


def cap_name(cap: str, maximum: Decimal | int) -> str:
    """Return a cap in words; they are formatted only when a text needs them."""
    return cap.format(text_of(maximum) if isinstance(maximum, Decimal) else maximum)
