"""The returns of the reference model: the units that a sale loses, their sources, and the payments that go back."""

from datetime import datetime
from fractions import Fraction

from loyalty_rules.testing.ledgers.model.coupons import Coupons
from loyalty_rules.testing.ledgers.model.sales import Sales
from loyalty_rules.testing.ledgers.model.state import in_order, take
from loyalty_rules.testing.ledgers.reference_programs import tracker_counter
from loyalty_rules.testing.ledgers.reference_records import (
    Account,
    Coupon,
    GoodsBack,
    Lot,
    Remainder,
    Sale,
    Shortfall,
    account_of,
)

__all__ = ["Returns"]


class Returns(Sales, Coupons):
    """The decisions about goods that come back."""

    def take_back(self, sale: Sale, at: datetime, back: GoodsBack) -> bool:
        """Take a return; return False if more comes back than was bought."""
        self.end_holds(at)
        if sale.bill.amount and not sale.allows(back):
            return False
        sale.returns.append(back)
        rest = self.remainder(sale)
        self.give_back(sale, rest, at)
        self.take_units(sale, self.dues(sale, rest), at)
        for pool in self.coupon_pools(sale):
            self.void_unredeemed(pool, sale, rest, at)
        self.track(sale, {name: min(value, rest.tracked.get(name, 0)) for name, value in sale.tracked.items()})
        return True

    def give_back(self, sale: Sale, rest: Remainder, at: datetime) -> None:
        """Undo the spends and redemptions that paid for the sale: with the whole of it, or in proportion."""
        part = Fraction(int(rest.whole))
        if not rest.whole and sale.program.give_back == "proportional":
            part = Fraction(sale.back, sale.bill.amount)
        for spend in [each for each in self.spends.values() if each.event == sale.bill.id]:
            unit = 100 if spend.balance[1] == "points" and not spend.amount % 100 else 1
            units = int(spend.amount * part) // unit * unit - spend.undone
            if units > 0:
                self.undo_spend(spend, at, units)
        for redemption in [each for each in self.redemptions.values() if each.bill.id == sale.bill.id]:
            cents = int(redemption.discount * part) - redemption.undone
            if cents > 0 and (rest.whole or redemption.coupon.remaining is not None):
                self.undo_redemption(redemption, at, None if rest.whole else cents)

    def remainder(self, sale: Sale) -> Remainder:
        """Decide the rest of a sale by its own counters; count the award of every action that recomputes.

        An action that issued nothing at the sale counts too, whatever its policy.
        """
        rest = Remainder(bool(sale.returns) and sale.is_whole())
        if rest.whole:
            return rest
        decision = self.decide(sale.program, sale.kept(), sale.counters)
        issued = {lot.rule.id for lot in self.lots_of_sale(sale.bill.id)}
        issued |= {coupon.rule.id for coupon in self.coupons_of_sale(sale)}
        for rule, amount, _ in decision.currency:
            rest.awards[rule.id] = amount
            if rule.on_return == "recompute" or rule.id not in issued:
                pool = account_of(rule, sale.bill), rule.currency
                rest.pools[pool] = rest.pools.get(pool, 0) + amount
        for coupon, number, _ in decision.coupons:
            if coupon.on_return == "void_if_unredeemed" or coupon.id not in issued:
                rest.coupons[coupon.type] = rest.coupons.get(coupon.type, 0) + number
        rest.tracked = decision.tracked
        return rest

    # -- currency

    def dues(self, sale: Sale, rest: Remainder) -> dict[str, int]:
        """Return the units due of each issue of the sale, if there are any."""
        own = self.lots_of_sale(sale.bill.id)
        dues = {lot.key: self.due_by_policy(sale, lot, rest.whole) for lot in own}
        pooled = [lot for lot in own if lot.rule.on_return == "recompute"]
        missing: dict[tuple[Account, str], int] = {}
        for lot in pooled:
            pool = lot.account, lot.rule.currency
            missing[pool] = missing.get(pool, -rest.pools.get(pool, 0)) + lot.issued - lot.claimed
        for lots in reversed(self.by_rule(sale, pooled)):
            pool, award = (lots[0].account, lots[0].rule.currency), self.award(sale, rest, lots[0])
            loss = max(min(sum(lot.issued - lot.claimed for lot in lots) - award, missing[pool]), 0)
            missing[pool] -= loss
            dues |= newest_first(lots, loss)
        return {key: due for key, due in dues.items() if due > 0}

    @staticmethod
    def award(sale: Sale, rest: Remainder, lot: Lot) -> int:
        """Return the award of the rest for the rule and the account of an issue."""
        is_theirs = sale.bill.member is not None and account_of(lot.rule, sale.bill) == lot.account
        return rest.awards.get(lot.rule.id, 0) if is_theirs else 0

    @staticmethod
    def by_rule(sale: Sale, lots: list[Lot]) -> list[list[Lot]]:
        """Return lots by account and rule, in the order of the program's rules, each in the order of issue."""
        rules = [rule.id for rule in sale.program.currency_rules]
        found: dict[tuple[Account, str], list[Lot]] = {}
        for lot in sorted(lots, key=lambda each: rules.index(each.rule.id)):
            found.setdefault((lot.account, lot.rule.id), []).append(lot)
        return [*found.values()]

    def due_by_policy(self, sale: Sale, lot: Lot, whole: bool) -> int:
        """Return the units due of an issue by a policy that looks at it alone."""
        if lot.rule.on_return in ("keep", "recompute"):
            return 0
        if lot.rule.on_return == "reverse" or whole:
            return lot.issued - lot.claimed
        return self.proportion(sale, lot)

    @staticmethod
    def proportion(sale: Sale, lot: Lot) -> int:
        """Return the units due of an issue in proportion to the part of the bill that came back or was taken off it."""
        base = sale.bill.amount + sale.lowered
        unit = 100 if lot.rule.currency == "points" and not lot.issued % 100 else 1
        return lot.issued * (sale.back + sale.lowered) // (base * unit) * unit - lot.claimed

    def take_units(self, sale: Sale, dues: dict[str, int], at: datetime) -> None:
        """Take the units due of each issue: of itself first, then of other lots; the rest is short."""
        shortfalls = {key: self.take_own(self.lots[key], due, at) for key, due in dues.items()}
        for key, missing in shortfalls.items():
            self.take_others(sale, self.lots[key], missing, at)

    def take_own(self, lot: Lot, due: int, at: datetime) -> int:
        """Take units of the issue itself, then count those that nobody has any more; return the units still missing."""
        due_in_all = due
        lot.claimed += due
        taken = min(due, lot.promised)
        lot.promised -= taken
        lot.reversed += taken
        due -= taken
        mine = [each for each in self.parts(lot) if each.account == lot.account]
        due -= self.take_live(mine, due, at)
        parts = self.parts(lot)
        gone = sum(each.expired + each.voided + (0 if each.is_live(at) else each.outstanding) for each in parts)
        counted = max(min(due, gone - lot.counted_as_taken), 0)
        lot.counted_as_taken += counted
        # The units of a promise that has ended have released their counters already.
        ended = min(counted, lot.ended - lot.counted_ended)
        lot.counted_ended += ended
        self.reduce_counters(lot, due_in_all - ended)
        return due - counted

    def take_live(self, lots: list[Lot], due: int, at: datetime) -> int:
        """Take units of the live lots among some, soonest to end first; return the units taken."""
        parts = take(in_order(lots, at), due)
        for each, units in parts:
            each.reversed += units
        return sum(units for _, units in parts)

    def take_others(self, sale: Sale, lot: Lot, due: int, at: datetime) -> None:
        """Take missing units from the account's other lots, then of the issue anywhere; the rest is a shortfall."""
        due -= self.take_live(self.lots_of(lot.account, lot.rule.currency), due, at)
        due -= self.take_live(self.parts(lot), due, at)
        if due:
            carried = sale.program.shortfall == "carry"
            self.shortfalls.append(Shortfall(lot, (lot.account, lot.rule.currency), at, due, carried))

    def track(self, sale: Sale, values: dict[str, int]) -> None:
        """Count the contribution of a sale to each tracker anew."""
        for name, value in values.items():
            step = value - sale.tracked.get(name, 0)
            if step:
                self.counters.add(tracker_counter(name, sale.bill)[0], sale.bill.day, step)
                sale.tracked[name] = value

    # -- coupons

    def coupons_of_sale(self, sale: Sale) -> list[Coupon]:
        """Return the coupons of a sale and its amendments, in the order of issue."""
        return [each for each in self.coupons.values() if each.bill.id == sale.bill.id]

    def coupon_pools(self, sale: Sale) -> list[list[Coupon]]:
        """Return the coupons of a sale by member: by type over the rules that void, by rule over the others."""
        pools: dict[tuple[str, str, str | None], list[Coupon]] = {}
        for coupon in self.coupons_of_sale(sale):
            policy = coupon.rule.on_return
            pool = coupon.rule.type if policy == "void_if_unredeemed" else coupon.rule.id
            pools.setdefault((policy, pool, coupon.bill.member), []).append(coupon)
        return [*pools.values()]

    def surplus(self, pool: list[Coupon], sale: Sale, rest: Remainder) -> int:
        """Return the number of coupons that the rest of the sale would not have issued."""
        rule = pool[0].rule
        if rule.on_return == "keep":
            return 0
        if rest.whole:
            return len(pool)
        if rule.on_return == "reverse":
            return len(pool) if sale.returns or sale.lowered else 0
        kept = rest.coupons.get(rule.type, 0) if pool[0].bill.member == sale.bill.member else 0
        return max(len(pool) - kept, 0)

    def void_unredeemed(self, pool: list[Coupon], sale: Sale, rest: Remainder, at: datetime) -> None:
        """Void surplus coupons, the newest first; an expired one counts as voided."""
        surplus = self.surplus(pool, sale, rest) - len([each for each in pool if each.is_lost])
        for coupon in reversed(pool):
            if surplus > 0 and coupon.state in ("issued", "expired") and not coupon.is_lost:
                surplus -= 1
                if coupon.state_at(at) == "issued":
                    self.take_back_coupon(coupon)

    def is_earned(self, coupon: Coupon) -> bool:
        """Return whether returns of the coupon's own sale were due no more coupons than they could void."""
        sale = self.sales[coupon.bill.id]
        if coupon.is_lost and coupon.state != "voided":
            return False
        if not sale.returns and not sale.is_amended:
            return True
        pool = next(each for each in self.coupon_pools(sale) if coupon in each)
        gone = len([each for each in pool if each.is_lost or each.state == "expired"])
        return self.surplus(pool, sale, self.remainder(sale)) <= gone


def newest_first(lots: list[Lot], due: int) -> dict[str, int]:
    """Return the units due of each issue of a rule; the newest gives first."""
    dues: dict[str, int] = {}
    for lot in reversed(lots):
        dues[lot.key] = min(lot.issued - lot.claimed, due)
        due -= dues[lot.key]
    return dues
