"""A small model of a ledger, which any ledger can be compared with.

It shares no code with the library. Amounts are whole numbers of hundredths, a lot is a few of them, and a counter is
a number for each day. Every rule of the semantics is written out once more.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import attrs

from loyalty_rules.testing.ledgers.reference_programs import (
    DELAY,
    GROUP_OF,
    Bill,
    CounterName,
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

__all__ = ["Account", "Counters", "Coupon", "Lot", "Model", "Sale"]

Account = tuple[str, str]


class Counters:
    """A number for each counter and day."""

    def __init__(self) -> None:
        self.values: dict[CounterName, dict[date, int]] = {}

    def add(self, counter: CounterName, day: date, amount: int) -> None:
        days = self.values.setdefault(counter, {})
        days[day] = days.get(day, 0) + amount

    def value(self, counter: CounterName, first: date | None, day: date) -> int:
        days = self.values.get(counter, {})
        return sum(amount for when, amount in days.items() if first is None or first <= when <= day)

    def left(self, use: CounterUse) -> int:
        return use.limit - self.value(use.counter, use.first, use.day)


@attrs.define
class Lot:
    """One issue and its buckets, in hundredths."""

    key: str
    rule: CurrencyRule
    bill: Bill
    account: Account
    issued: int
    uses: list[CounterUse]
    expires_at: datetime | None
    due_at: datetime | None
    promised: int = 0
    outstanding: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    voided: int = 0
    claimed: int = 0

    def is_live(self, at: datetime) -> bool:
        return self.outstanding > 0 and (self.expires_at is None or at < self.expires_at)


@attrs.define
class Coupon:
    """One coupon and its state."""

    key: str
    rule: CouponRule
    bill: Bill
    valid_from: datetime
    expires_at: datetime | None
    uses: list[CounterUse]
    state: str = "issued"
    remaining: int | None = None
    redeemed_by: str | None = None
    serial: str = ""

    def state_at(self, at: datetime) -> str:
        if self.state == "issued" and self.expires_at is not None and at >= self.expires_at:
            return "expired"
        return self.state


@attrs.define
class Decision:
    """The decision about a bill by the counters of an instant: amounts and numbers, each with the counters it uses."""

    bill: Bill
    program: ReferenceProgram
    counters: Counters
    currency: list[tuple[CurrencyRule, int, list[CounterUse]]]
    coupons: list[tuple[CouponRule, int, list[CounterUse]]]
    tracked: dict[str, int]


@attrs.define
class Sale:
    """A recorded sale: the inputs of its decision, and the amount and the pieces returned so far."""

    bill: Bill
    program: ReferenceProgram
    counters: Counters
    tracked: dict[str, int]
    back: int = 0
    pieces_back: int = 0


@attrs.define
class Spend:
    key: str
    taken: list[tuple[Lot, int]]
    undone: bool = False


@attrs.define
class Redemption:
    key: str
    coupon: Coupon
    discount: int
    undone: bool = False


class Model:
    """The state of a ledger, and its operations."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.sales: dict[str, Sale] = {}
        self.lots: dict[str, Lot] = {}
        self.coupons: dict[str, Coupon] = {}
        self.spends: dict[str, Spend] = {}
        self.redemptions: dict[str, Redemption] = {}
        self.debts: dict[tuple[Account, str], int] = {}

    # -- sales

    def copy_of_counters(self) -> Counters:
        """Return a copy, as a till has it that decides now and records later."""
        seen = Counters()
        seen.values = {name: dict(days) for name, days in self.counters.values.items()}
        return seen

    def decide(self, program: ReferenceProgram, bill: Bill, counters: Counters) -> Decision:
        """Decide a bill by the values of the counters."""
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
        for coupon in program.coupon_rules:
            number = coupon.number(bill) if bill.amount >= max(coupon.least, 1) else 0
            if bill.member is None and "per_member" in coupon.caps:
                number = 0
            coupon_draws = [*coupon_counter_uses_of(coupon, bill)]
            for left in (coupon.caps.get("per_transaction", number), *(counters.left(use) for use in coupon_draws)):
                number = max(min(number, left), 0)
            if number:
                decision.coupons.append((coupon, number, coupon_draws))
        return decision

    def fires(self, rule: CurrencyRule, program: ReferenceProgram, bill: Bill, counters: Counters) -> bool:
        if bill.member is None or (rule.to_group and GROUP_OF[bill.member] is None):
            return False
        if (rule.trigger == "transaction") != (bill.amount > 0) or bill.amount < rule.least:
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
        bill = decision.bill
        self.sales[bill.id] = Sale(bill, decision.program, decision.counters, dict(decision.tracked))
        extended: list[Lot] = []
        for rule, amount, uses in decision.currency:
            for use in uses:
                left = self.counters.left(use)
                amount = amount if use.times and left >= 1 else max(min(amount, left), 0)
            if amount:
                lot = self.issue(rule, bill, amount, uses)
                if rule.expiry[0].startswith("rolling"):
                    extended.append(lot)
        for coupon, number, uses in decision.coupons:
            for ordinal in range(1, number + 1):
                if all(self.counters.left(use) >= 1 for use in uses):
                    self.issue_coupon(coupon, bill, ordinal, uses)
        for lot in extended:
            self.extend(lot)
        for name, value in decision.tracked.items():
            self.counters.add(tracker_counter(name, bill)[0], bill.day, value)

    def issue(self, rule: CurrencyRule, bill: Bill, amount: int, uses: list[CounterUse]) -> Lot:
        assert bill.member is not None
        home = GROUP_OF[bill.member]
        account = ("group", home) if rule.to_group and home is not None else ("member", bill.member)
        promised = rule.timing != "immediate"
        issue_day = bill.day + timedelta(days=DELAY if rule.timing == "delayed" else 0)
        known = rule.timing in ("immediate", "delayed") or rule.expiry[0] != "period"
        lot = Lot(
            f"acme/{bill.id}/{rule.id}/do",
            rule,
            bill,
            account,
            amount,
            [attrs.evolve(use, amount=1 if use.times else amount) for use in uses],
            end_of(rule, bill, issue_day) if known else None,
            bill.at + timedelta(days=DELAY) if rule.timing == "delayed" else None,
            promised=amount if promised else 0,
            outstanding=0 if promised else amount,
        )
        self.lots[lot.key] = lot
        for use in lot.uses:
            self.counters.add(use.counter, use.day, use.amount)
        if not promised:
            self.pay_debt(lot)
        return lot

    def pay_debt(self, lot: Lot) -> None:
        owed = lot.account, lot.rule.currency
        paid = min(self.debts.get(owed, 0), lot.outstanding)
        if paid:
            self.debts[owed] -= paid
            lot.outstanding -= paid
            lot.reversed += paid

    def issue_coupon(self, rule: CouponRule, bill: Bill, ordinal: int, uses: list[CounterUse]) -> None:
        valid_from = bill.at
        if rule.starts_after:
            valid_from = midnight_after(bill.day + timedelta(days=rule.starts_after - 1))
        expires_at = midnight_after(bill.day + timedelta(days=rule.days)) if rule.days is not None else None
        key = f"acme/{bill.id}/{rule.id}/do/{ordinal}"
        self.coupons[key] = Coupon(key, rule, bill, valid_from, expires_at, uses)
        for use in uses:
            self.counters.add(use.counter, use.day, 1)

    def extend(self, lot: Lot) -> None:
        """Move the live lots of the account and currency of a rolling issue to its own expiry."""
        end = end_of(lot.rule, lot.bill, lot.bill.day)
        for other in self.lots_of(lot.account, lot.rule.currency):
            in_scope = lot.rule.expiry[0] == "rolling" or other.rule.expiry[0].startswith("rolling")
            if in_scope and other.is_live(lot.bill.at) and other.expires_at is not None and end is not None:
                other.expires_at = max(other.expires_at, end)

    # -- after the sale

    def take_back(self, sale: Sale, at: datetime, amount: int, pieces: int) -> bool:
        """Take a return; return False if more pieces come back than were bought."""
        bill = sale.bill
        if sale.pieces_back + pieces > bill.pieces:
            return False
        sale.back += amount
        sale.pieces_back += pieces
        whole = sale.back >= bill.amount
        kept = attrs.evolve(bill, amount=max(bill.amount - sale.back, 0), pieces=bill.pieces - sale.pieces_back)
        left = self.decide(sale.program, kept, sale.counters)
        awarded = {} if whole else {rule.id: amount for rule, amount, _ in left.currency}
        coupons_left = {} if whole else {rule.id: number for rule, number, _ in left.coupons}
        for lot in [lot for lot in self.lots.values() if lot.bill.id == bill.id]:
            self.reverse(sale, lot, awarded.get(lot.rule.id, 0), whole, at)
        for rule in dict.fromkeys(coupon.rule.id for coupon in self.coupons.values() if coupon.bill.id == bill.id):
            self.void_unredeemed(bill, rule, coupons_left.get(rule, 0), whole, at)
        for name, value in sale.tracked.items():
            surplus = value - (0 if whole else left.tracked[name])
            if surplus > 0:
                self.counters.add(tracker_counter(name, bill)[0], bill.day, -surplus)
                sale.tracked[name] -= surplus
        return True

    def reverse(self, sale: Sale, lot: Lot, awarded: int, whole: bool, at: datetime) -> None:
        to_take = lot.issued - min(awarded, lot.issued)
        if lot.rule.on_return == "keep":
            to_take = 0
        elif lot.rule.on_return == "reverse" or whole:
            to_take = lot.issued
        elif lot.rule.on_return == "proportional":
            unit = 100 if lot.rule.currency == "points" else 1
            to_take = lot.issued * sale.back // sale.bill.amount // unit * unit
        due = min(max(to_take - lot.claimed, 0), lot.issued - lot.voided - lot.claimed)
        if due <= 0:
            return
        self.reduce_counters(lot, due)
        lot.claimed += due
        taken = min(due, lot.promised)
        lot.promised -= taken
        lot.reversed += taken
        due -= taken
        others = [each for each in self.lots_of(lot.account, lot.rule.currency) if each is not lot]
        for each in [*in_order([lot], at), *in_order(others, at)]:
            taken = min(due, each.outstanding)
            each.outstanding -= taken
            each.reversed += taken
            due -= taken
        if due and sale.program.shortfall == "carry":
            owed = lot.account, lot.rule.currency
            self.debts[owed] = self.debts.get(owed, 0) + due

    def reduce_counters(self, lot: Lot, amount: int) -> None:
        """Reduce the counters of an issue by a returned amount; its one time only with the last of the amount."""
        last = lot.claimed + lot.voided + amount >= lot.issued
        for use in lot.uses:
            if not use.times:
                self.counters.add(use.counter, use.day, -amount)
            elif last:
                self.counters.add(use.counter, use.day, -1)

    def void_unredeemed(self, bill: Bill, rule: str, kept: int, whole: bool, at: datetime) -> None:
        own = [each for each in self.coupons.values() if each.bill.id == bill.id and each.rule.id == rule]
        policy = own[0].rule.on_return
        if policy == "keep":
            return
        surplus = len(own) if policy == "reverse" or whole else len(own) - min(kept, len(own))
        surplus -= len([each for each in own if each.state == "voided"])
        for coupon in reversed(own):
            if surplus > 0 and coupon.state_at(at) == "issued":
                self.void(coupon)
                surplus -= 1

    def void(self, coupon: Coupon) -> None:
        coupon.state = "voided"
        for use in coupon.uses:
            self.counters.add(use.counter, use.day, -1)

    def release(self, lot: Lot, at: datetime) -> None:
        """Release a promise, or cancel it if its expiry is already past."""
        issue_day = lot.bill.day + timedelta(days=DELAY) if lot.due_at is not None else local_day(at)
        end = end_of(lot.rule, lot.bill, issue_day)
        if end is not None and end <= at:
            self.cancel(lot)
            return
        lot.outstanding, lot.promised = lot.promised, 0
        lot.expires_at = end
        self.pay_debt(lot)

    def cancel(self, lot: Lot) -> None:
        self.reduce_counters(lot, lot.promised)
        lot.voided, lot.promised = lot.promised, 0

    def settle(self, at: datetime) -> list[Lot]:
        """Release the promises that are due, in the order of their due dates."""
        due = [lot for lot in self.lots.values() if lot.promised and lot.due_at is not None and lot.due_at <= at]
        due.sort(key=lambda lot: lot.due_at or at)
        for lot in due:
            self.release(lot, lot.due_at or at)
        return due

    def ship(self, sale: Sale, at: datetime) -> list[Lot]:
        """Release the promises that wait for the sale to be shipped."""
        waiting = [lot for lot in self.lots.values() if lot.bill.id == sale.bill.id and lot.rule.timing == "update"]
        waiting = [lot for lot in waiting if lot.promised]
        for lot in waiting:
            self.release(lot, at)
        return waiting

    # -- spending

    def spend(
        self, program: ReferenceProgram, key: str, account: Account, currency: str, amount: int, at: datetime
    ) -> list[str]:
        """Spend, and return no reasons; or return the reasons for a refusal."""
        lots = in_order(self.lots_of(account, currency), at)
        balance = sum(lot.outstanding for lot in lots)
        wallet = program.wallet if currency == "points" else {"least": amount, "block": 1, "most": amount}
        reasons = [
            *(["not_positive"] if amount <= 0 else []),
            *(["below_least"] if amount < wallet["least"] else []),
            *(["not_a_block"] if amount % wallet["block"] else []),
            *(["above_most"] if amount > wallet["most"] else []),
            *(["insufficient"] if amount > balance else []),
        ]
        if reasons:
            return reasons
        parts = []
        for lot in lots:
            taken = min(lot.outstanding, amount)
            if taken:
                lot.outstanding -= taken
                lot.spent += taken
                amount -= taken
                parts.append((lot, taken))
        self.spends[key] = Spend(key, parts)
        return []

    def undo_spend(self, spend: Spend, at: datetime) -> None:
        spend.undone = True
        for lot, amount in spend.taken:
            lot.spent -= amount
            if lot.expires_at is not None and at >= lot.expires_at:
                lot.expired += amount
            else:
                lot.outstanding += amount

    # -- coupons

    def find(self, coupon: Coupon, member: str | None, at: datetime) -> Coupon | None:
        """Return the coupon of a code. Of a shared code it is the member's own, or else one without a member."""
        if coupon.rule.code is None:
            return coupon
        alike = [each for each in self.coupons.values() if each.rule.code == coupon.rule.code]
        mine = [each for each in alike if member is not None and each.bill.member == member]
        alike = [*mine, *(each for each in alike if each.bill.member is None)]
        usable = [each for each in alike if each.state_at(at) == "issued" and each.valid_from <= at]
        return next(iter(usable or alike), None)

    def redeem(
        self, program: ReferenceProgram, coupon: Coupon | None, bill: Bill
    ) -> tuple[list[str], Redemption | None]:
        """Redeem, and return the redemption; or return the reasons for a refusal."""
        types = {each.id: each for each in program.coupon_rules}
        if coupon is None or coupon.rule.id not in types:
            return ["unknown"], None
        rule = types[coupon.rule.id]
        reasons = [
            *(["voided"] if coupon.state == "voided" else []),
            *(["already_redeemed"] if coupon.state == "redeemed" else []),
            *(["expired"] if coupon.state == "expired" or _has_passed(coupon.expires_at, bill.at) else []),
            *(["not_yet_valid"] if bill.at < coupon.valid_from else []),
            *(["wrong_member"] if rule.holder_only and bill.member in (None, *_other_members(coupon)) else []),
            *(["wrong_store"] if rule.stores is not None and bill.store not in rule.stores else []),
        ]
        if reasons:
            return reasons, None
        discount = 0
        if rule.benefit["type"] == "percent_off":
            discount = (bill.amount * int(rule.benefit["percent"]) + 50) // 100
        elif rule.benefit["type"] == "amount_off":
            discount = min(int(rule.benefit["amount"]) * 100, bill.amount)
        else:
            before = coupon.remaining if coupon.remaining is not None else int(rule.benefit["amount"]) * 100
            discount = min(before, bill.amount)
            coupon.remaining = before - discount
        coupon.state = "issued" if coupon.remaining else "redeemed"
        key = f"acme/{bill.id}/redeem/{coupon.key.removeprefix('acme/')}"
        coupon.redeemed_by = key
        redemption = self.redemptions[key] = Redemption(key, coupon, discount)
        return [], redemption

    def undo_redemption(self, redemption: Redemption, at: datetime) -> None:
        redemption.undone = True
        coupon = redemption.coupon
        if coupon.remaining is not None:
            coupon.remaining += redemption.discount
        if coupon.state == "redeemed":
            coupon.state = "issued"
        coupon.state = coupon.state_at(at)
        coupon.redeemed_by = None

    # -- time

    def expire(self, at: datetime) -> int:
        """Record the expired lots and coupons, and return their number."""
        lots = [lot for lot in self.lots.values() if lot.outstanding and _has_passed(lot.expires_at, at)]
        for lot in lots:
            lot.expired += lot.outstanding
            lot.outstanding = 0
        coupons = [
            each for each in self.coupons.values() if each.state == "issued" and _has_passed(each.expires_at, at)
        ]
        for coupon in coupons:
            coupon.state = "expired"
        return len(lots) + len(coupons)

    # -- queries

    def lots_of(self, account: Account, currency: str) -> list[Lot]:
        return [lot for lot in self.lots.values() if lot.account == account and lot.rule.currency == currency]

    def balance(self, account: Account, currency: str, at: datetime) -> tuple[int, int, int]:
        """Return the available, the promised and the owed amount."""
        lots = self.lots_of(account, currency)
        available = sum(lot.outstanding for lot in lots if lot.is_live(at))
        return available, sum(lot.promised for lot in lots), self.debts.get((account, currency), 0)

    def coming_instants(self, at: datetime) -> list[datetime]:
        """Return the later instants at which a promise is due, or a lot or coupon expires."""
        ends = [lot.expires_at for lot in self.lots.values() if lot.outstanding or lot.spent]
        dues = [lot.due_at for lot in self.lots.values() if lot.promised]
        ends += [coupon.expires_at for coupon in self.coupons.values() if coupon.state == "issued"]
        return sorted({each for each in (*ends, *dues) if each is not None and each > at})


def in_order(lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return the live lots in the order of spending: by expiry, then by issue; lots that never expire come last."""
    live = [lot for lot in lots if lot.is_live(at)]
    expiring = [lot for lot in live if lot.expires_at is not None]
    expiring.sort(key=lambda lot: lot.expires_at or at)
    return [*expiring, *(lot for lot in live if lot.expires_at is None)]


def _has_passed(end: datetime | None, at: datetime) -> bool:
    return end is not None and at >= end


def _other_members(coupon: Coupon) -> list[str]:
    return [name for name in GROUP_OF if name != coupon.bill.member]
