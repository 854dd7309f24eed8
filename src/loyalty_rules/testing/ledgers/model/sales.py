"""The sales of the reference model: decisions, records, and the promises that become issued.

It shares no code with the library. Amounts are whole numbers of hundredths, a lot is a few of them, and a counter is
a number for each day. Every rule of the semantics is written out once more.
"""

from datetime import datetime, timedelta
from fractions import Fraction

import attrs

from loyalty_rules.testing.ledgers.model.state import State, has_passed
from loyalty_rules.testing.ledgers.reference_programs import (
    DELAY,
    Bill,
    CounterUse,
    CouponRule,
    CurrencyRule,
    ReferenceProgram,
    contributions_of,
    counter_uses_of,
    coupon_counter_uses_of,
    end_of,
    local_day,
    midnight_after,
    tracker_counter,
)
from loyalty_rules.testing.ledgers.reference_records import Counters, Coupon, Decision, Lot, Sale, account_of

__all__ = ["Sales"]


class Sales(State):
    """The decisions about sales, their records, and promises."""

    def claimed(self, bill: Bill) -> Bill:
        """Return a bill with the member that its member stands for since a merge."""
        return attrs.evolve(bill, member=self.current(bill.member))

    def decide(self, program: ReferenceProgram, bill: Bill, counters: Counters) -> Decision:
        """Decide a bill by the values of the counters."""
        bill = self.claimed(bill)
        decision = Decision(bill, program, counters, [], [], contributions_of(bill))
        drawn: dict[str, int] = {}
        for rule in program.currency_rules:
            amount = rule.award(bill) if self.fires(rule, program, bill, counters) else 0
            uses = [*counter_uses_of(rule, program, bill)] if amount else []
            for use in uses:
                left = counters.left(use) - (drawn.get(rule.currency, 0) if use.counter[0] == "limit" else 0)
                amount = amount if use.times and left >= 1 else max(min(amount, left), 0)
            if amount:
                drawn[rule.currency] = drawn.get(rule.currency, 0) + amount
                decision.currency.append((rule, amount, uses))
        given: dict[str, int] = {}
        for coupon in program.coupon_rules:
            number = coupon.number(bill) if bill.amount >= max(coupon.least, 1) else 0
            if coupon.below is not None and bill.amount >= coupon.below:
                number = 0
            if bill.member is None and "per_member" in coupon.caps:
                number = 0
            coupon_draws, before = [*coupon_counter_uses_of(coupon, bill)], given.get(coupon.type, 0)
            limits = [
                coupon.caps.get("per_transaction", number + before),
                *(counters.left(use) for use in coupon_draws),
            ]
            for left in limits:
                number = max(min(number, left - before), 0)
            if number:
                given[coupon.type] = before + number
                decision.coupons.append((coupon, number, coupon_draws))
        return decision

    def fires(self, rule: CurrencyRule, program: ReferenceProgram, bill: Bill, counters: Counters) -> bool:
        """Return whether a rule fires for a bill."""
        if bill.member is None or (rule.to_group and bill.group is None):
            return False
        if (rule.trigger == "transaction") != (bill.amount > 0) or bill.amount < rule.least:
            return False
        if rule.below is not None and bill.amount >= rule.below:
            return False
        if rule.store is not None and bill.store != rule.store:
            return False
        if rule.tracker is None:
            return True
        name, first = tracker_counter(rule.tracker, bill)
        before, target = counters.value(name, first, bill.day), dict(program.targets)[rule.tracker]
        after = before + contributions_of(bill)[rule.tracker]
        return before < target <= after if rule.tracker == "spent" else after >= target

    def record(self, decision: Decision) -> None:
        """Record a decision, trimmed to the amounts that the caps still allow."""
        self.end_holds(decision.bill.at)
        bill = decision.bill
        self.sales[bill.id] = Sale(bill, decision.program, decision.counters, dict(decision.tracked))
        extended: list[Lot] = []
        for rule, amount, uses in decision.currency:
            for use in uses:
                left = self.counters.left(use)
                amount = amount if use.times and left >= 1 else max(min(amount, left), 0)
            if amount:
                lot = self.issue(bill.id, rule, bill, amount, uses)
                if rule.expiry[0].startswith("rolling"):
                    extended.append(lot)
        for coupon, number, uses in decision.coupons:
            for ordinal in range(1, number + 1):
                if all(self.counters.left(use) >= 1 for use in uses):
                    self.issue_coupon(bill.id, coupon, bill, ordinal, uses)
        for lot in extended:
            self.extend(lot, bill.at)
        for name, value in decision.tracked.items():
            self.counters.add(tracker_counter(name, bill)[0], bill.day, value)

    def issue(
        self,
        event: str,
        rule: CurrencyRule,
        bill: Bill,
        amount: int,
        uses: list[CounterUse],
        at: datetime | None = None,
    ) -> Lot:
        """Add the issue of a rule; `event` is the sale, or an amendment of it at an instant."""
        at = bill.at if at is None else at
        due_at = bill.at + timedelta(days=DELAY) if rule.timing == "delayed" else None
        promised = rule.timing != "immediate"
        if has_passed(due_at, at):
            due_at, promised = None, False
        issue_day = bill.day + timedelta(days=DELAY if rule.timing == "delayed" else 0)
        known = rule.timing in ("immediate", "delayed") or rule.expiry[0] != "period"
        lot = Lot(
            f"acme/{event}/{rule.id}/do",
            rule,
            bill,
            account_of(rule, bill),
            amount,
            [attrs.evolve(use, amount=1 if use.times else amount) for use in uses],
            end_of(rule, bill, issue_day) if known else None,
            due_at,
            promised=amount if promised else 0,
            outstanding=0 if promised else amount,
            begun_at=None if promised else at,
        )
        self.lots[lot.key] = lot
        for use in lot.uses:
            self.counters.add(use.counter, use.day, use.amount)
        if not promised:
            self.pay_debt(lot)
        return lot

    def issue_coupon(self, event: str, rule: CouponRule, bill: Bill, ordinal: int, uses: list[CounterUse]) -> None:
        """Add a coupon; `event` is the sale, or an amendment of it."""
        valid_from = bill.at
        if rule.starts_after:
            valid_from = midnight_after(bill.day + timedelta(days=rule.starts_after - 1))
        expires_at = midnight_after(bill.day + timedelta(days=rule.days)) if rule.days is not None else None
        key = f"acme/{event}/{rule.id}/do/{ordinal}"
        worth = int(rule.benefit["amount"]) * 100 if rule.benefit["type"] == "stored_value" else None
        self.coupons[key] = Coupon(key, rule, bill, valid_from, expires_at, uses, remaining=worth)
        for use in uses:
            self.counters.add(use.counter, use.day, 1)

    def extend(self, lot: Lot, at: datetime) -> None:
        """Move the lots of the account and currency of a rolling issue to its own expiry, if they have not ended."""
        end = end_of(lot.rule, lot.bill, lot.bill.day)
        for other in self.lots_of(lot.account, lot.rule.currency):
            in_scope = lot.rule.expiry[0] == "rolling" or other.rule.expiry[0].startswith("rolling")
            is_begun = other.begun_at is not None and other.begun_at <= at
            has_units = other.outstanding or other.held or other.spent or other.swept
            if not (in_scope and is_begun and has_units) or other.expires_at is None or end is None:
                continue
            if at < other.expires_at < end:
                other.expires_at = end
                other.outstanding += other.swept  # as if no sweep had run since
                other.expired -= other.swept
                other.swept = 0

    # -- promises

    def release(self, lot: Lot, at: datetime, units: int | None = None, event: str = "") -> None:
        """Release a promise, or units of it into a lot of their own; they lapse if their expiry is already past."""
        units = lot.promised if units is None else units
        issue_day = lot.bill.day + timedelta(days=DELAY) if lot.due_at is not None else local_day(at)
        end = end_of(lot.rule, lot.bill, issue_day) if lot.by is None else lot.expires_at
        if end is not None and lot.expires_at is not None:
            end = max(end, lot.expires_at)  # extended by hand
        if has_passed(end, at):
            self.cancel(lot, units)
        elif units == lot.promised:
            lot.outstanding, lot.promised, lot.begun_at = units, 0, at
            lot.expires_at = end
            self.pay_debt(lot)
        else:
            lot.promised -= units
            lot.moved_on += units
            key = f"{lot.key}/release/{event}"
            part = Lot(key, lot.rule, lot.bill, lot.account, units, [], end, None, outstanding=units, begun_at=at)
            part.origin = lot
            self.lots[key] = part
            self.pay_debt(part)

    def cancel(self, lot: Lot, units: int | None = None) -> None:
        """End a promise, or units of it, without an issue."""
        units = lot.promised if units is None else units
        self.reduce_counters(lot, units)
        lot.promised -= units
        lot.voided += units
        lot.ended += units

    def reduce_counters(self, lot: Lot, amount: int) -> None:
        """Reduce the counters of an issue; its one time only with the last of the amount."""
        before, lot.released = lot.released, lot.released + amount
        for use in lot.uses:
            if not use.times:
                self.counters.add(use.counter, use.day, -amount)
            elif before < lot.issued <= lot.released:
                self.counters.add(use.counter, use.day, -1)

    def against_confirmation(self, lot: Lot, amount: int | None, by: str | None) -> list[str]:
        """Return the reasons to refuse a confirmation of a promise, or of an amount of it."""
        if not lot.promised:
            return ["already_resolved"]
        unit = 100 if lot.rule.currency == "points" and not lot.issued % 100 else 1
        return [
            *(["not_external"] if lot.rule.timing != "external" else []),
            *(["same_person"] if lot.by is not None and by in (None, lot.by) else []),
            *(["more_than_promised"] if amount is not None and amount > lot.promised else []),
            *(["not_a_unit"] if amount is not None and amount % unit and lot.by is None else []),
        ]

    def confirm(self, lot: Lot, event: str, at: datetime, amount: int | None, *, is_cancelled: bool) -> None:
        """Release or cancel a promise, or an amount of it."""
        self.end_holds(at)
        units = lot.promised if amount is None else amount
        if is_cancelled:
            self.cancel(lot, units)
        else:
            self.release(lot, at, units, event)

    def settle(self, at: datetime) -> list[Lot]:
        """Release the promises that are due, in the order of their due dates."""
        self.end_holds(at)
        due = [lot for lot in self.lots.values() if lot.promised and lot.due_at is not None and lot.due_at <= at]
        due.sort(key=lambda lot: lot.due_at or at)
        for lot in due:
            self.release(lot, lot.due_at or at)
        return due

    def update(self, sale: Sale, event: str, at: datetime, status: str, pieces: int | None) -> None:
        """Release the promises that wait for the sale to be shipped, as far as its pieces were."""
        self.end_holds(at)
        sale.status = status
        if status != "Shipped":
            return
        sale.delivered += pieces or 0
        sale.is_delivered = sale.is_delivered or pieces is None
        back = sum(each.pieces or 0 for each in sale.returns)
        part = Fraction(1)
        if not sale.is_delivered:
            part = min((sale.delivered + back) / Fraction(sale.bill.pieces), Fraction(1))
        for lot in self.lots_of_sale(sale.bill.id):
            if lot.promised and lot.rule.timing == "update":
                units = lot.promised
                if part < 1:
                    units = min(max(int(lot.issued * part) - lot.moved_on - lot.voided, 0), lot.promised)
                if units:
                    self.release(lot, at, units, event)
