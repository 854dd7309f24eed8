"""Evaluation: from an event to its intents.

The numbers of the steps are those of docs/evaluation.md, "How evaluation works". Source: semantics 1 to 10.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_rules.engine.account_actions import group_of, recipient_in
from loyalty_rules.engine.capping import Capping
from loyalty_rules.engine.counters import claim_on
from loyalty_rules.engine.exclusion import Exclusion
from loyalty_rules.engine.plan import (
    Award,
    BoundAction,
    BoundCouponAction,
    BoundCurrencyAction,
    BoundExtensionAction,
    BoundPromotion,
    BoundSpendAction,
    Plan,
)
from loyalty_rules.engine.tier_changes import tier_changes
from loyalty_rules.errors import MissingSerialsError, describe
from loyalty_rules.events import CouponCounts, Issued, RecipientCounts
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
    SpendCurrency,
)
from loyalty_rules.keys import coupon_key, event_key, extension_key, issue_key, message_key, tracker_key
from loyalty_rules.rules.communication import Communication, plan_channels
from loyalty_rules.rules.coupons import Validity
from loyalty_rules.rules.expiry import Until, expires_by
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.line_parts import (
    Parts,
    bases_of_lines,
    bases_of_units,
    sum_of,
    sum_of_units,
    total_of,
    units_of,
)
from loyalty_rules.rules.promotions import MAX_COUPONS, FieldRecipient
from loyalty_rules.rules.rounding import MODES, quantize_to_micros
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.texts import till_message
from loyalty_rules.rules.windows import window_days
from loyalty_rules.serials import SerialGenerator, SerialRequest, read_serial
from loyalty_rules.values.amounts import MICRO, Ratio, decimal_of, micros, micros_text, whole_decimals
from loyalty_rules.values.apportionment import Weights, split, unit_of
from loyalty_rules.values.dates import is_in_range
from loyalty_rules.values.money import cent_of

__all__ = ["Evaluator"]

ZERO, ONE = Decimal(0), Decimal(1)
NONE_ISSUED = Issued()
NO_COUNTS = RecipientCounts()
NO_COUPONS = CouponCounts()


class Evaluator(Capping):
    """One evaluation: awards and draws of earlier actions count for the actions that follow.

    The results are in `intents` and `skipped` after `run`. Amounts are in millionths.
    """

    def __init__(self, plan: Plan, facts: Facts, serials: SerialGenerator | None) -> None:
        super().__init__(plan, facts)
        self.serials = serials
        self.intents: list[Intent] = []
        self.extensions: list[Intent] = []
        self.skipped: list[Skipped] = []
        self.awarded: dict[str, int] = {}  # by action key
        self.key = event_key(plan.program, facts.event.id)

    def run(self) -> None:
        """Evaluate the event."""
        # 1. Date and money: `facts` has them.
        # 2. Promotions that fire
        fired = self.plan.fired(self.facts)
        groups = Exclusion(self.plan.groups, fired, self.award_of) if self.plan.has_groups else None
        for bound in fired:
            # 3. Exclusive groups, and spends that cannot be made
            stop = groups.reason(bound) if groups is not None else None
            if bound.spends and stop is None:
                stop = Trial(self).reason_to_stop(bound)
            for action in bound.actions:
                self.act(bound, action, stop)
        # 15. Extensions
        self.intents += self.extensions
        # 16. Trackers
        if self.plan.trackers:
            self.advance_trackers()
        # 17. Tiers
        if self.plan.tiers:
            self.intents += tier_changes(self.plan.tiers, self.facts, tuple(self.intents), self.key)

    def award_of(self, bound: BoundPromotion, currency: str | None) -> int:
        """Return the amount of a currency that a promotion would award now, before caps, in millionths."""
        return Trial(self).award_of(bound, currency)

    def act(self, bound: BoundPromotion, action: BoundAction, stop: Skip | None) -> None:
        """Evaluate one action: add its intents, or the reason for which it is skipped; `stop` is a known reason."""
        try:
            if stop is not None:
                raise stop
            if isinstance(action, BoundCurrencyAction):  # nearly every action: without another call
                self.issue_currency(bound, action)
            else:
                self.carry_out(bound, action)
        except Skip as skip:
            self.skipped.append(Skipped(bound.promotion.id, action.action.id, skip.reason, skip.detail))

    def carry_out(self, bound: BoundPromotion, action: BoundAction) -> None:
        """Add the intents of an action; raise `Skip` if it has none."""
        if isinstance(action, BoundCurrencyAction):
            self.issue_currency(bound, action)
        else:
            _CARRIED_OUT[type(action)](self, bound, action)

    # -- currency ----------------------------------------------------------------------------------------------------

    def issue_currency(self, bound: BoundPromotion, action: BoundCurrencyAction) -> None:
        """Add the issue of an action, its extension and its message; raise `Skip` if it issues nothing."""
        facts, spec, award = self.facts, action.action, action.award
        # 4. Recipient
        named = group = None
        if action.recipient is not None:
            owner = named = self.recipient(action)
        else:
            member = facts.member
            if member is None:
                raise Skip("no_member", "the event is anonymous")
            owner = member.id
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
            amount = self.capped(action, amount, named)
            claims = self.claims(action, amount, named)
        self.awarded[action.key] = amount

        key = issue_key(self.key, action.key)
        release = action.release
        self.intents.append(
            IssueCurrency(
                key,
                bound.promotion.id,
                spec.id,
                facts.event.id,
                owner,
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
                expires_by(action.rolling, issue_on) if action.rolling is not None else None,
                self.payers(action.paid_by) if action.paid_by else (),
            )
        )
        # 15. Extensions: they follow all issues.
        if action.rolling is not None:
            assert action.extension is not None
            self.extend(key, owner, group, spec.currency, action.rolling.scope, action.extension(facts.event_on))
        # 14. Message
        if spec.communication is not None:
            self.send(spec.communication, key, (key,), promised=release is not None, named=named)

    def recipient(self, action: BoundCurrencyAction) -> str:
        """Return the member whom a field of the event names; raise `Skip` if it names none, or the event's own."""
        assert action.recipient is not None
        assert isinstance(action.action.recipient, FieldRecipient)
        path, value = action.action.recipient.field, action.recipient.get(self.facts)
        if value is None:
            raise Skip("no_member", f"{path} is absent")
        named = recipient_in(action.recipient, self.facts)
        if named is not None:
            return named
        if self.facts.member is not None and value == self.facts.member.id:
            raise Skip("same_member", f"{path} names the event's own member")
        raise Skip("invalid_field", f"{path} is not the id of a member: {describe(value)}")

    def payers(self, paid_by: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys of the spends of these actions."""
        return tuple([issue_key(self.key, each) for each in paid_by]) if paid_by else ()

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

    def extend(self, key: str, member: str, group: str | None, currency: str, scope: Any, expires_on: date) -> None:
        """Add an extension of the account's live lots of the currency to a date; it follows all issues."""
        self.extensions.append(
            ExtendExpiry(extension_key(key), member, group, currency, scope, expires_on, self.plan.end_of(expires_on))
        )

    # -- extensions and spends ---------------------------------------------------------------------------------------

    def extend_lots(self, _bound: BoundPromotion, action: BoundExtensionAction) -> None:
        """Add the extension of an action; raise `Skip` if there is no member or the date is past."""
        facts, spec = self.facts, action.action
        if facts.member is None:
            raise Skip("no_member", "the event is anonymous")
        expires_on = action.until(facts.event_on)
        self.end_of(expires_on, facts.event_on, None)
        self.extend(issue_key(self.key, action.key), facts.member.id, None, spec.currency, spec.scope, expires_on)

    def spend_currency(self, bound: BoundPromotion, action: BoundSpendAction) -> None:
        """Add the spend of an action; raise `Skip` if it is zero or the member has less. Source: semantics 12."""
        facts, spec = self.facts, action.action
        if facts.member is None:
            raise Skip("no_member", "the event is anonymous")
        amount = self.price(action)
        available = self.available(action)
        if amount > available:
            detail = f"{micros_text(amount)} {spec.currency} of {micros_text(available)} available"
            raise Skip("not_enough", detail)
        self.awarded[action.key] = amount
        key = issue_key(self.key, action.key)
        self.intents.append(
            SpendCurrency(
                key,
                facts.event.id,
                facts.member.id,
                None,
                spec.currency,
                decimal_of(amount),
                promotion=bound.promotion.id,
                action=spec.id,
            )
        )
        if action.extension is not None:
            self.extend_after_spend(action, key, facts.member.id)

    def price(self, action: BoundSpendAction) -> int:
        """Return the amount of a spend in millionths; raise `Skip` if it is zero."""
        award = action.award
        if award is not None:
            if award.resolve is not None:
                award = self.resolved(award.resolve)
            return self.amount(award, award.parts(self.facts) if award.parts is not None else None)
        if not action.amount:
            raise Skip("zero_amount", "the amount is zero")
        return action.amount

    def available(self, action: BoundSpendAction) -> int:
        """Return the member's balance after the earlier issues and spends of this evaluation, in millionths."""
        before = micros(self.facts.snapshot.balances.get(action.action.currency, ZERO))
        issued = sum([self.awarded.get(each, 0) for each in action.issues])
        return before + issued - sum([self.awarded.get(each, 0) for each in action.spends])

    def extend_after_spend(self, action: BoundSpendAction, key: str, member: str) -> None:
        """Add the extension of the units that a spend leaves, unless its date is past."""
        assert action.extension is not None
        try:
            expires_on = action.extension(self.facts.event_on)
            self.end_of(expires_on, self.facts.event_on, None)
        except Skip:
            return
        self.extend(key, member, None, action.action.currency, action.scope, expires_on)

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
        try:
            quantity = self.quantity(action)
        except Skip as skip:
            if skip.reason == "zero_amount":
                self.worth(action)  # a reason of its base comes before a zero
            raise
        worth = self.worth(action)
        valid_from, expires_on, expires_at = self.validity(coupon_type.validity, action.until)
        quantity = self.capped_coupons(action, quantity)

        issue, keys, payers = issue_key(self.key, action.key), [], self.payers(action.paid_by)
        claims = tuple(claim_on(counter, Decimal(cap), ONE) for cap, counter in self.coupon_caps(coupon_type))
        worths = self.worth_of_each(worth, quantity)
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
                    till_message(coupon_type.till_message, serial or code, coupon_type.title, expires_on),
                    claims,
                    coupon_type.title,
                    coupon_type.terms,
                    payers,
                    worths[ordinal - 1] if worths else None,
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

    def worth(self, action: BoundCouponAction) -> int | None:
        """Return the worth of a stored value that depends on the event, in cents; None if it does not depend on it.

        It is the worth of all coupons of the action together. Raises `Skip` if it is zero. Source: semantics 17.
        """
        if action.worth is None:
            return None
        numerator, denominator = action.worth(self.facts, self.awarded)
        cents: int = MODES["nearest"](numerator * MICRO, denominator * cent_of(self.plan.money))
        if cents == 0:
            raise Skip("zero_amount", "the stored value would be zero")
        return cents

    def worth_of_each(self, worth: int | None, quantity: int) -> list[Decimal]:
        """Split the worth of several coupons evenly, odd cents to the first; an empty list if there is none."""
        if worth is None or quantity == 0:
            return []
        cent = cent_of(self.plan.money)
        return [decimal_of(part * cent) for part in split(worth, [1] * quantity)]

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

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:
        """Return a serial from the generator of the host; raise `MissingSerialsError` if there is none."""
        if self.serials is None:
            raise MissingSerialsError(action.coupon_type.id)
        request = SerialRequest(
            program=self.plan.program,
            coupon_type=action.coupon_type.id,
            event=self.facts.event.id,
            promotion=bound.promotion.id,
            action=action.action.id,
            ordinal=ordinal,
        )
        return read_serial(self.serials.serial(request))

    # -- messages and trackers ---------------------------------------------------------------------------------------

    def send(
        self,
        communication: Communication | None,
        key: str,
        about: tuple[str, ...],
        *,
        promised: bool,
        named: str | None = None,
    ) -> None:
        """Add one message about the issues of an action; a promise has a template of its own, or no message.

        Without a member or a reachable channel there is no message. A recipient whom a field names gets one without
        channels, which the host knows. Source: semantics 10, 13.
        """
        member = self.facts.member
        if communication is None or (member is None and named is None):
            return
        template = communication.promised_template if promised else communication.template
        if named is not None:
            if template is not None:
                self.intents.append(SendMessage(message_key(key), about, named, template, (), ()))
            return
        assert member is not None
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


class Trial(Evaluator):
    """A trial of a promotion in the course of an evaluation: it shows the outcome, and the evaluation does not change.

    `asked` are the amounts of currency before caps and limits, `short` the actions of which a cap leaves less.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator.plan, evaluator.facts, None)
        self.awarded = evaluator.awarded.copy()
        self.remaining = evaluator.remaining.copy()
        self.limit_counters = evaluator.limit_counters
        self.coupons = evaluator.coupons.copy()
        self.asked: dict[str, int] = {}
        self.short: dict[str, Skip] = {}

    def reason_to_stop(self, bound: BoundPromotion) -> Skip | None:
        """Return the reason for which a promotion with a spend issues nothing at all, or None.

        The reasons of its spends come first, then that of the first action that they pay for. Source: semantics 12.
        """
        reasons: dict[str, Skip] = {}
        for action in bound.actions:
            try:
                self.carry_out(bound, action)
            except Skip as skip:
                reasons[action.key] = skip
        reasons |= self.short
        spends = [each for each in bound.spends if each.key in reasons]
        paid = [each for each in bound.actions if each.action.id in bound.paid and each.key in reasons]
        return reasons[[*spends, *paid][0].key] if spends or paid else None

    def award_of(self, bound: BoundPromotion, currency: str | None) -> int:
        """Return the amount of a currency that a promotion would award before caps, in millionths.

        An action that is skipped for another reason than a cap counts zero. Source: semantics 8.
        """
        stop = self.reason_to_stop(bound)
        if bound.spends and stop is not None and stop.reason != "cap_reached":
            return 0
        awards = [each for each in bound.actions if isinstance(each, BoundCurrencyAction)]
        asked = [
            self.asked.get(each.key, self.awarded.get(each.key, 0))
            for each in awards
            if each.action.currency == currency
        ]
        return sum(asked)

    def capped(self, action: BoundCurrencyAction, amount: int, named: str | None) -> int:
        """Note the amount before caps, and whether they leave less."""
        self.asked[action.key] = amount
        left = super().capped(action, amount, named)
        if left < amount:
            self.short[action.key] = Skip(
                "cap_reached", f"{action.action.id} gives {micros_text(left)} instead of {micros_text(amount)}"
            )
        return left

    def capped_coupons(self, action: BoundCouponAction, quantity: int) -> int:
        """Note whether caps leave fewer coupons."""
        left = super().capped_coupons(action, quantity)
        if left < quantity:
            self.short[action.key] = Skip("cap_reached", f"{action.action.id} gives {left} instead of {quantity}")
        return left

    def serial(self, bound: BoundPromotion, action: BoundCouponAction, ordinal: int) -> str:  # noqa: ARG002
        """Return no serial: the coupon is only counted."""
        return ""


_CARRIED_OUT: Mapping[type, Callable[[Evaluator, BoundPromotion, Any], None]] = {
    BoundCouponAction: Evaluator.issue_coupons,
    BoundExtensionAction: Evaluator.extend_lots,
    BoundSpendAction: Evaluator.spend_currency,
}
