"""A small model of a ledger, which any ledger can be compared with.

It shares no code with the library. Amounts are whole numbers of hundredths, a lot is a few of them, and a counter is
a number for each day. Every rule of the semantics is written out once more.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import attrs

from loyalty_rules.testing.ledgers.reference_programs import (
    DELAY,
    GROUP_OF,
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
from loyalty_rules.testing.ledgers.reference_records import (
    Account,
    Counters,
    Coupon,
    Decision,
    GoodsBack,
    Lot,
    Redemption,
    Remainder,
    Sale,
    Shortfall,
    Spend,
    account_of,
)

__all__ = ["Model"]


class Model:
    """The state of a ledger, and its operations."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.sales: dict[str, Sale] = {}
        self.lots: dict[str, Lot] = {}
        self.coupons: dict[str, Coupon] = {}
        self.spends: dict[str, Spend] = {}
        self.redemptions: dict[str, Redemption] = {}
        self.shortfalls: list[Shortfall] = []

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
        if bill.member is None or (rule.to_group and GROUP_OF[bill.member] is None):
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
        promised = rule.timing != "immediate"
        issue_day = bill.day + timedelta(days=DELAY if rule.timing == "delayed" else 0)
        known = rule.timing in ("immediate", "delayed") or rule.expiry[0] != "period"
        lot = Lot(
            f"acme/{bill.id}/{rule.id}/do",
            rule,
            bill,
            account_of(rule, bill),
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
        paid = self.make_good(self.debts(lot.account, lot.rule.currency), lot.outstanding)
        lot.outstanding -= paid
        lot.reversed += paid

    def debts(self, account: Account, currency: str) -> list[Shortfall]:
        """Return the shortfalls that an account owes."""
        return [each for each in self.shortfalls if each.balance == (account, currency) and each.carried]

    def make_good(self, shortfalls: list[Shortfall], units: int) -> int:
        """Make good shortfalls with up to so many units, in the order of the list; return the units used."""
        left = units
        for each in shortfalls:
            paid = min(each.open, left)
            each.open -= paid
            left -= paid
        return units - left

    def issue_coupon(self, rule: CouponRule, bill: Bill, ordinal: int, uses: list[CounterUse]) -> None:
        valid_from = bill.at
        if rule.starts_after:
            valid_from = midnight_after(bill.day + timedelta(days=rule.starts_after - 1))
        expires_at = midnight_after(bill.day + timedelta(days=rule.days)) if rule.days is not None else None
        key = f"acme/{bill.id}/{rule.id}/do/{ordinal}"
        worth = int(rule.benefit["amount"]) * 100 if rule.benefit["type"] == "stored_value" else None
        self.coupons[key] = Coupon(key, rule, bill, valid_from, expires_at, uses, remaining=worth)
        for use in uses:
            self.counters.add(use.counter, use.day, 1)

    def extend(self, lot: Lot) -> None:
        """Move the lots of the account and currency of a rolling issue to its own expiry, if they have not ended."""
        end = end_of(lot.rule, lot.bill, lot.bill.day)
        for other in self.lots_of(lot.account, lot.rule.currency):
            in_scope = lot.rule.expiry[0] == "rolling" or other.rule.expiry[0].startswith("rolling")
            is_begun = other.outstanding > 0 or (other.spent > 0 and not other.promised)
            if not in_scope or not is_begun or other.expires_at is None or end is None:
                continue
            if lot.bill.at < other.expires_at:
                other.expires_at = max(other.expires_at, end)

    # -- after the sale

    def take_back(self, sale: Sale, at: datetime, back: GoodsBack) -> bool:
        """Take a return; return False if more comes back than was bought."""
        if sale.bill.amount and not sale.allows(back):
            return False
        bill = sale.bill
        sale.returns.append(back)
        rest = self.remainder(sale)
        dues = self.dues(sale, rest)
        shortfalls = {key: self.take_own(self.lots[key], due, at) for key, due in dues.items()}
        for key, missing in shortfalls.items():
            self.take_others(sale, self.lots[key], missing, at)
        for pool in self.coupon_pools(bill):
            self.void_unredeemed(pool, rest, at)
        for redemption in [each for each in self.redemptions.values() if each.bill.id == bill.id]:
            if rest.whole and not redemption.undone:
                self.undo_redemption(redemption, at)
        for name, value in sale.tracked.items():
            surplus = value - rest.tracked.get(name, 0)
            if surplus > 0:
                self.counters.add(tracker_counter(name, bill)[0], bill.day, -surplus)
                sale.tracked[name] -= surplus
        return True

    def remainder(self, sale: Sale) -> Remainder:
        """Decide the rest of a sale by its own counters; count the award of every action that recomputes.

        An action that issued nothing at the sale counts too, whatever its policy.
        """
        rest, bill = Remainder(sale.is_whole()), sale.bill
        if rest.whole:
            return rest
        decision = self.decide(sale.program, sale.kept(), sale.counters)
        issued = {lot.rule.id for lot in self.lots.values() if lot.bill.id == bill.id}
        issued |= {coupon.rule.id for coupon in self.coupons.values() if coupon.bill.id == bill.id}
        for rule, amount, _ in decision.currency:
            rest.awards[rule.id] = amount
            if rule.on_return == "recompute" or rule.id not in issued:
                pool = account_of(rule, bill), rule.currency
                rest.pools[pool] = rest.pools.get(pool, 0) + amount
        for coupon, number, _ in decision.coupons:
            if coupon.on_return == "void_if_unredeemed" or coupon.id not in issued:
                rest.coupons[coupon.type] = rest.coupons.get(coupon.type, 0) + number
        rest.tracked = decision.tracked
        return rest

    def dues(self, sale: Sale, rest: Remainder) -> dict[str, int]:
        """Return the units due of each issue of the sale, if there are any."""
        own = [lot for lot in self.lots.values() if lot.bill.id == sale.bill.id]
        dues = {lot.key: self.due_by_policy(sale, lot, rest.whole) for lot in own}
        pooled = [lot for lot in own if lot.rule.on_return == "recompute"]
        missing: dict[tuple[Account, str], int] = {}
        for lot in pooled:
            pool = lot.account, lot.rule.currency
            missing[pool] = missing.get(pool, -rest.pools.get(pool, 0)) + lot.issued - lot.claimed
        for lot in reversed(pooled):
            pool = lot.account, lot.rule.currency
            loss = lot.issued - rest.awards.get(lot.rule.id, 0) - lot.claimed
            dues[lot.key] = max(min(loss, missing[pool]), 0)
            missing[pool] -= dues[lot.key]
        return {key: due for key, due in dues.items() if due > 0}

    def due_by_policy(self, sale: Sale, lot: Lot, whole: bool) -> int:
        if lot.rule.on_return in ("keep", "recompute"):
            return 0
        if lot.rule.on_return == "reverse" or whole:
            return lot.issued - lot.claimed
        unit = 100 if lot.rule.currency == "points" else 1
        return lot.issued * sale.back // sale.bill.amount // unit * unit - lot.claimed

    def take_own(self, lot: Lot, due: int, at: datetime) -> int:
        """Take units of the issue itself, then count those that nobody has any more; return the units still missing."""
        due_in_all = due
        lot.claimed += due
        taken = min(due, lot.promised)
        lot.promised -= taken
        lot.reversed += taken
        due -= taken
        if lot.is_live(at):
            taken = min(due, lot.outstanding)
            lot.outstanding -= taken
            lot.reversed += taken
            due -= taken
        gone = lot.expired + lot.voided + (0 if lot.is_live(at) else lot.outstanding) - lot.counted_as_taken
        counted = min(due, gone)
        lot.counted_as_taken += counted
        # A cancelled promise has released its counters already.
        self.reduce_counters(lot, due_in_all - (counted if lot.voided else 0))
        return due - counted

    def take_others(self, sale: Sale, lot: Lot, due: int, at: datetime) -> None:
        """Take missing units from the other lots of the account; the rest is a shortfall."""
        others = [each for each in self.lots_of(lot.account, lot.rule.currency) if each is not lot]
        for each in in_order(others, at):
            taken = min(due, each.outstanding)
            each.outstanding -= taken
            each.reversed += taken
            due -= taken
        if due:
            carried = sale.program.shortfall == "carry"
            self.shortfalls.append(Shortfall(lot, (lot.account, lot.rule.currency), at, due, carried))

    def reduce_counters(self, lot: Lot, amount: int) -> None:
        """Reduce the counters of an issue; its one time only with the last of the amount."""
        lot.released += amount
        for use in lot.uses:
            if not use.times:
                self.counters.add(use.counter, use.day, -amount)
            elif amount and lot.released >= lot.issued:
                self.counters.add(use.counter, use.day, -1)

    def coupon_pools(self, bill: Bill) -> list[list[Coupon]]:
        """Return the coupons of a sale: by type over the rules that void, by rule over the others."""
        pools: dict[tuple[str, str], list[Coupon]] = {}
        for coupon in [each for each in self.coupons.values() if each.bill.id == bill.id]:
            policy = coupon.rule.on_return
            pool = coupon.rule.type if policy == "void_if_unredeemed" else coupon.rule.id
            pools.setdefault((policy, pool), []).append(coupon)
        return [*pools.values()]

    def surplus(self, pool: list[Coupon], rest: Remainder) -> int:
        """Return the number of coupons that the rest of the sale would not have issued."""
        rule = pool[0].rule
        if rule.on_return == "keep":
            return 0
        if rule.on_return == "reverse" or rest.whole:
            return len(pool)
        return max(len(pool) - rest.coupons.get(rule.type, 0), 0)

    def void_unredeemed(self, pool: list[Coupon], rest: Remainder, at: datetime) -> None:
        """Void surplus coupons, the newest first; an expired one counts as voided."""
        surplus = self.surplus(pool, rest) - len([each for each in pool if each.state == "voided"])
        for coupon in reversed(pool):
            if surplus > 0 and coupon.state in ("issued", "expired"):
                surplus -= 1
                if coupon.state_at(at) == "issued":
                    self.void(coupon)

    def is_earned(self, coupon: Coupon) -> bool:
        """Return whether returns of the coupon's own sale were due no more coupons than they could void."""
        sale = self.sales[coupon.bill.id]
        if not sale.returns:
            return True
        pool = next(each for each in self.coupon_pools(sale.bill) if coupon in each)
        gone = len([each for each in pool if each.state in ("voided", "expired")])
        return self.surplus(pool, self.remainder(sale)) <= gone

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
        self.spends[key] = Spend(key, (account, currency), at, parts)
        return []

    def undo_spend(self, spend: Spend, at: datetime) -> None:
        """Return the units, the last lot first: they make good shortfalls before they are available again."""
        spend.undone = True
        mine = [each for each in self.shortfalls if each.balance == spend.balance]
        for lot, amount in reversed(spend.taken):
            is_over = lot.expires_at is not None and at >= lot.expires_at
            own = [each for each in mine if each.lot is lot]
            later = [each for each in mine if each.at >= spend.at]
            owed = [each for each in mine if each.carried]
            used = self.make_good(own if is_over else [*own, *later, *owed], amount)
            lot.spent -= amount
            lot.reversed += used
            if is_over:
                lot.expired += amount - used
            else:
                lot.outstanding += amount - used

    # -- coupons

    def find(self, coupon: Coupon, member: str | None, at: datetime) -> Coupon | None:
        """Return the coupon of a code; of a shared code that is not the member's and not nobody's, None.

        Those that can be redeemed come first, then the member's own, then the soonest to end, then by issue.
        """
        if coupon.rule.code is None:
            return coupon
        alike = [each for each in self.coupons.values() if each.rule.code == coupon.rule.code]
        alike = [each for each in alike if each.bill.member is None or each.bill.member == member]
        usable = [each for each in alike if each.state_at(at) == "issued" and each.valid_from <= at]
        mine = [each for each in usable or alike if each.bill.member is not None]
        ending = sorted(mine or usable or alike, key=lambda each: each.expires_at or datetime.max.replace(tzinfo=UTC))
        return next(iter(ending), None)

    def redeem(self, coupon: Coupon | None, bill: Bill) -> tuple[list[str], Redemption | None]:
        """Redeem under the terms of the issue, and return the redemption; or return the reasons for a refusal."""
        if coupon is None:
            return ["wrong_member"], None
        rule = coupon.rule
        made = [each for each in self.redemptions.values() if each.bill.id == bill.id and not each.undone]
        used = coupon.state == "redeemed" or any(each.coupon is coupon for each in made)
        left = bill.amount - sum(each.discount for each in made)
        if rule.benefit["type"] == "percent_off":
            discount = (left * int(rule.benefit["percent"]) + 50) // 100
        elif rule.benefit["type"] == "amount_off":
            discount = min(int(rule.benefit["amount"]) * 100, left)
        else:
            discount = min(coupon.remaining or 0, left)
        reasons = [
            *(["voided"] if coupon.state == "voided" else []),
            *(["already_redeemed"] if used else []),
            *(["expired"] if coupon.state == "expired" or _has_passed(coupon.expires_at, bill.at) else []),
            *(["not_yet_valid"] if bill.at < coupon.valid_from else []),
            *(["wrong_member"] if rule.holder_only and bill.member in (None, *_other_members(coupon)) else []),
            *(["wrong_store"] if rule.stores is not None and bill.store not in rule.stores else []),
            *(["nothing_to_discount"] if not discount and not used else []),
        ]
        if reasons:
            return reasons, None
        if coupon.remaining is not None:
            coupon.remaining -= discount
        coupon.state = "issued" if coupon.remaining else "redeemed"
        key = f"acme/{bill.id}/redeem/{coupon.key.removeprefix('acme/')}"
        coupon.redeemed_by = key
        redemption = self.redemptions[key] = Redemption(key, coupon, bill, discount)
        return [], redemption

    def undo_redemption(self, redemption: Redemption, at: datetime) -> None:
        """Reinstate the coupon; void it at once if the sale that issued it has lost it."""
        redemption.undone = True
        coupon = redemption.coupon
        is_earned = self.is_earned(coupon)
        has_ended = coupon.state in ("voided", "expired") or _has_passed(coupon.expires_at, at)
        if coupon.remaining is not None and not has_ended:
            coupon.remaining += redemption.discount
        if coupon.state == "redeemed":
            coupon.state = "issued"
        coupon.state = coupon.state_at(at)
        if coupon.redeemed_by == redemption.key:
            coupon.redeemed_by = None
        if coupon.state == "issued" and not is_earned:
            self.void(coupon)

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
        return available, sum(lot.promised for lot in lots), sum(each.open for each in self.debts(account, currency))

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
