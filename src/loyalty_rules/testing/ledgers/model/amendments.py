"""The amendments of the reference model: the difference between the holdings of a sale and its new award."""

from datetime import datetime, timedelta

from loyalty_rules.testing.ledgers.model.returns import Returns, newest_first
from loyalty_rules.testing.ledgers.model.state import has_passed
from loyalty_rules.testing.ledgers.reference_programs import (
    DELAY,
    Bill,
    CounterUse,
    CouponRule,
    CurrencyRule,
    counter_uses_of,
    coupon_counter_uses_of,
    end_of,
    local_day,
    midnight_after,
)
from loyalty_rules.testing.ledgers.reference_records import (
    Account,
    Counters,
    Coupon,
    Decision,
    Lot,
    Remainder,
    Sale,
    account_of,
)

__all__ = ["Amendments"]


class Amendments(Returns):
    """The decisions about a sale whose bill or member is corrected."""

    def amend(self, sale: Sale, event: str, at: datetime, bill: Bill) -> list[str]:
        """Change the bill of a sale, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(at)
        before, bill = sale.bill, self.claimed(bill)
        sale.bill = bill
        if sale.returns and not sale.allows():
            sale.bill = before
            return ["more_than_bought"]
        is_given = before.member != bill.member
        leaving = accounts_of(before) - accounts_of(bill) if is_given else set()
        step = bill.amount - before.amount
        sale.raised, sale.lowered = sale.raised + max(step, 0), sale.lowered + max(-step, 0)
        sale.is_amended = True
        present = self.present_counters(sale)
        if is_given:
            sale.counters = present
        else:
            trackers = {name: days for name, days in sale.counters.values.items() if name[0] == "tracker"}
            caps = {name: days for name, days in present.values.items() if name[0] != "tracker"}
            present.values = {**caps, **trackers}
        whole = bool(sale.returns) and sale.is_whole()
        decision = Decision(bill, sale.program, present, [], [], {})
        if not whole:
            decision = self.decide(sale.program, sale.kept(), present)
        self.book(sale, event, at, decision, leaving, is_lowered=step < 0, whole=whole)
        self.track_amended(sale, before, decision.tracked, is_given=is_given)
        return []

    def book(
        self, sale: Sale, event: str, at: datetime, decision: Decision, leaving: set[Account], *, is_lowered: bool,
        whole: bool,
    ) -> None:  # fmt: skip
        """Take back the units above the new award, and issue those below it."""
        awards = {rule.id: amount for rule, amount, _ in decision.currency}
        own = self.lots_of_sale(sale.bill.id)
        holding = {lot.rule.id for lot in own if lot.account not in leaving and lot.issued > lot.claimed}
        gains = self.gains(sale, decision, leaving)
        dues = self.amended_dues(sale, awards, leaving, is_lowered=is_lowered, whole=whole)
        missing = self.missing_coupons(sale, decision, leaving)
        self.take_units(sale, dues, at)
        self.void_amended(sale, decision, leaving, at, is_lowered=is_lowered)
        uses = {rule.id: [*counter_uses_of(rule, sale.program, sale.bill)] for rule, _, _ in decision.currency}
        extended: list[Lot] = []
        for rule, amount in gains:
            lot = self.issue_more(sale, event, at, rule, amount, uses[rule.id], has_held=rule.id in holding)
            if lot is not None and rule.expiry[0].startswith("rolling"):
                extended.append(lot)
        numbers: dict[str, int] = {}
        for coupon in missing:
            if coupon.days is not None and has_passed(midnight_after(sale.bill.day + timedelta(coupon.days)), at):
                continue
            numbers[coupon.id] = numbers.get(coupon.id, 0) + 1
            draws = [*coupon_counter_uses_of(coupon, sale.bill)]
            if all(self.counters.left(use) >= 1 for use in draws):
                self.issue_coupon(event, coupon, sale.bill, numbers[coupon.id], draws)
        for lot in extended:
            self.extend(lot, at)

    def present_counters(self, sale: Sale) -> Counters:
        """Return the counters as they stand now, less the holdings of the sale itself."""
        present = self.counters.copy()
        for lot in self.lots_of_sale(sale.bill.id):
            left = max(lot.issued - lot.released, 0)
            for use in lot.uses:
                present.add(use.counter, use.day, -int(left > 0) if use.times else -left)
        for coupon in self.coupons_of_sale(sale):
            for use in coupon.uses if not coupon.is_lost else ():
                present.add(use.counter, use.day, -1)
        return present

    # -- currency

    def amended_dues(
        self, sale: Sale, awards: dict[str, int], leaving: set[Account], *, is_lowered: bool, whole: bool
    ) -> dict[str, int]:
        """Return the units due of each issue, the last of the document first."""
        dues: dict[str, int] = {}
        missing = {pool: max(-left, 0) for pool, left in self.differences(sale, awards).items()}
        for lots in reversed(self.by_rule(sale, self.lots_of_sale(sale.bill.id))):
            rule, pool = lots[0].rule, (lots[0].account, lots[0].rule.currency)
            held = sum(lot.issued - lot.claimed for lot in lots)
            if pool[0] in leaving or (rule.on_return != "keep" and rule.on_return != "recompute" and whole):
                dues |= newest_first(lots, held)
            elif rule.on_return == "recompute":
                due = min(max(held - self.award(sale, Remainder(whole, awards=awards), lots[0]), 0), missing[pool])
                missing[pool] -= due
                dues |= newest_first(lots, due)
            elif rule.on_return == "reverse" and is_lowered:
                dues |= newest_first(lots, held)
            elif rule.on_return == "proportional" and is_lowered:
                dues |= {lot.key: self.proportion(sale, lot) for lot in lots}
        return {lot.key: dues[lot.key] for lot in self.lots_of_sale(sale.bill.id) if dues.get(lot.key, 0) > 0}

    def differences(self, sale: Sale, awards: dict[str, int]) -> dict[tuple[Account, str], int]:
        """Return the awards less the holdings of each account and currency, over the rules that recompute.

        A rule that has issued nothing to the account counts as one of them.
        """
        left: dict[tuple[Account, str], int] = {}
        lots = self.lots_of_sale(sale.bill.id)
        for lot in lots:
            held = lot.issued - lot.claimed if lot.rule.on_return == "recompute" else 0
            pool = lot.account, lot.rule.currency
            left[pool] = left.get(pool, 0) - held
        for rule in sale.program.currency_rules:
            if rule.id in awards:
                pool = account_of(rule, sale.bill), rule.currency
                has_issued = any(lot.rule.id == rule.id and lot.account == pool[0] for lot in lots)
                if rule.on_return == "recompute" or not has_issued:
                    left[pool] = left.get(pool, 0) + awards[rule.id]
        return left

    def gains(self, sale: Sale, decision: Decision, leaving: set[Account]) -> list[tuple[CurrencyRule, int]]:
        """Return the units to issue of each rule, the first of the document first."""
        awards = {rule.id: amount for rule, amount, _ in decision.currency}
        left = self.differences(sale, awards)
        gains = []
        for rule, award, _ in decision.currency:
            pool = account_of(rule, sale.bill), rule.currency
            if pool[0] in leaving:
                continue
            mine = [lot for lot in self.lots_of_sale(sale.bill.id) if (lot.rule.id, lot.account) == (rule.id, pool[0])]
            gain = max(award - sum(lot.issued - lot.claimed for lot in mine), 0)
            if rule.on_return == "recompute" or not mine:
                gain = max(min(gain, left[pool]), 0)
                left[pool] -= gain
            elif rule.on_return != "keep" and (sale.returns or sale.lowered):
                gain = 0
            if gain:
                gains.append((rule, gain))
        return gains

    def issue_more(
        self, sale: Sale, event: str, at: datetime, rule: CurrencyRule, amount: int, uses: list[CounterUse], *,
        has_held: bool,
    ) -> Lot | None:  # fmt: skip
        """Issue a gain, dated as the sale's own; None if its end has passed, or if caps leave nothing of it."""
        uses = [use for use in uses if not (use.times and has_held)]
        for use in uses:
            left = self.counters.left(use)
            amount = amount if use.times and left >= 1 else max(min(amount, left), 0)
        is_shipped = rule.timing == "update" and sale.status == "Shipped"
        issue_day = local_day(at) if is_shipped else sale.bill.day
        if rule.timing == "delayed":
            issue_day += timedelta(days=DELAY)
        known = rule.timing != "external" or rule.expiry[0] != "period"
        if not amount or (known and has_passed(end_of(rule, sale.bill, issue_day), at)):
            return None
        lot = self.issue(event, rule, sale.bill, amount, uses, at)
        if is_shipped:
            self.release(lot, at)
        return lot

    # -- coupons

    def earned(self, sale: Sale, decision: Decision, leaving: set[Account]) -> dict[str, list[CouponRule]]:
        """Return the rules of the coupons that the new bill gives, by type."""
        members = {name for kind, name in leaving if kind == "member"}
        issued = {each.rule.id for each in self.coupons_of_sale(sale) if each.bill.member not in members}
        earned: dict[str, list[CouponRule]] = {}
        for rule, number, _ in decision.coupons:
            if rule.on_return == "void_if_unredeemed" or rule.id not in issued:
                earned.setdefault(rule.type, []).extend([rule] * number)
        return earned

    def kept(self, sale: Sale) -> dict[tuple[str, str | None], list[Coupon]]:
        """Return the coupons that the sale has not lost, by type and member."""
        kept: dict[tuple[str, str | None], list[Coupon]] = {}
        for each in self.coupons_of_sale(sale):
            if not each.is_lost and each.rule.on_return == "void_if_unredeemed":
                kept.setdefault((each.rule.type, each.bill.member), []).append(each)
        return kept

    def missing_coupons(self, sale: Sale, decision: Decision, leaving: set[Account]) -> list[CouponRule]:
        """Return the rule of each coupon that the new bill gives and the sale has not."""
        missing = []
        for of_type, rules in self.earned(sale, decision, leaving).items():
            mine = self.kept(sale).get((of_type, sale.bill.member), [])
            left = len(rules) - len(mine)
            ids = [each.rule.id for each in mine]
            for rule in rules:
                if rule.id in ids:
                    ids.remove(rule.id)
                elif left > 0:
                    left -= 1
                    missing.append(rule)
        return missing

    def void_amended(
        self, sale: Sale, decision: Decision, leaving: set[Account], at: datetime, *, is_lowered: bool
    ) -> None:
        """Void the coupons that the new bill does not give, the newest of a type first."""
        members = {name for kind, name in leaving if kind == "member"}
        earned = self.earned(sale, decision, leaving)
        lost: list[Coupon] = []
        for (of_type, member), kept in self.kept(sale).items():
            count = 0 if member in members or member != sale.bill.member else len(earned.get(of_type, ()))
            unused = [each for each in reversed(kept) if each.state_at(at) == "issued"]
            lost += unused[: max(len(kept) - count, 0)]
        for coupon in self.coupons_of_sale(sale):
            policy = coupon.rule.on_return
            goes = coupon.bill.member in members or (policy == "reverse" and is_lowered)
            is_there = coupon.state_at(at) == "issued" and not coupon.is_lost
            if policy != "void_if_unredeemed" and goes and is_there:
                lost.append(coupon)
        for coupon in lost:
            self.take_back_coupon(coupon)

    # -- trackers

    def track_amended(self, sale: Sale, before: Bill, tracked: dict[str, int], *, is_given: bool) -> None:
        """Count the contribution of the new bill; for another member the old one loses all of it."""
        names = {*sale.tracked, *tracked}
        if is_given:
            bill, sale.bill = sale.bill, before
            self.track(sale, dict.fromkeys(names, 0) if before.member is not None else {})
            sale.bill = bill
        self.track(sale, {name: tracked.get(name, 0) for name in names})


def accounts_of(bill: Bill) -> set[Account]:
    """Return the accounts that the awards of a bill go to."""
    if bill.member is None:
        return set()
    group = {("group", bill.group)} if bill.group is not None else set()
    return {("member", bill.member), *group}
