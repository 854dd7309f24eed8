"""The operations of the reference model on an account: adjustments, transfers, merges, extensions."""

from datetime import datetime

import attrs

from loyalty_rules.testing.ledgers.model.amendments import Amendments
from loyalty_rules.testing.ledgers.model.state import available, has_passed, in_order, take
from loyalty_rules.testing.ledgers.reference_programs import (
    REASONS,
    Bill,
    CounterUse,
    CurrencyRule,
    ReferenceProgram,
    always,
    local_day,
)
from loyalty_rules.testing.ledgers.reference_records import Account, Hold, Lot, Shortfall, Spend, renamed

__all__ = ["Accounts"]


class Accounts(Amendments):
    """The operations that a person makes."""

    def adjust(
        self, program: ReferenceProgram, event: str, account: Account, currency: str, amount: int, reason: str, by: str,
        at: datetime, end: datetime | None,
    ) -> list[str]:  # fmt: skip
        """Add a lot, or void units, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(at)
        account = self.current_account(account)
        lots, terms = self.lots_of(account, currency), program.adjustments
        reasons = [
            *(["zero_amount"] if not amount else []),
            *(["reason_not_allowed"] if reason not in REASONS else []),
            *(["above_most"] if abs(amount) > terms["most"] else []),
            *(["not_enough"] if available(lots, at) < -amount else []),
            *(["already_expired"] if has_passed(end, at) else []),
        ]
        if reasons:
            return reasons
        if amount < 0:
            for lot, units in take(in_order(lots, at), -amount):
                lot.voided += units
            return []
        waits = amount > terms["approve_over"]
        rule = CurrencyRule("", currency, always(0), {}, timing="external" if waits else "immediate", on_return="keep")
        lot = Lot(
            f"acme/{event}/adjust/{currency}", rule, Bill(event, at, None, None, 0, 0), account, amount, [], end, None
        )
        lot.by = by
        lot.promised, lot.outstanding = (amount, 0) if waits else (0, amount)
        lot.begun_at = None if waits else at
        self.lots[lot.key] = lot
        self.pay_debt(lot)
        return []

    def transfer(
        self, program: ReferenceProgram, event: str, source: Account, target: Account, currency: str, amount: int,
        at: datetime,
    ) -> list[str]:  # fmt: skip
        """Move units lot by lot, and void the fee; return no reasons, or return the reasons for a refusal."""
        self.end_holds(at)
        source, target = self.current_account(source), self.current_account(target)
        terms = program.transfer
        if currency != "stars" or terms is None:
            return ["not_transferable"]
        day = local_day(at)
        use = CounterUse(("transfer", currency, *source[::-1], f"{day}"), day, None, terms["most"], amount)
        lots = in_order(self.lots_of(source, currency), at)
        reasons = [
            *(["not_positive"] if amount <= 0 else []),
            *(["below_least"] if amount < terms["least"] else []),
            *(["above_most"] if self.counters.left(use) < amount else []),
            *(["same_member"] if source == target else []),
            *(["insufficient"] if available(lots, at) < amount + terms["fee"] else []),
        ]
        if reasons:
            return reasons
        self.counters.add(use.counter, use.day, amount)
        moved = take(lots, amount)
        for lot, units in take(lots, terms["fee"]):
            lot.voided += units
        for number, (lot, units) in enumerate(moved, 1):
            lot.moved_on += units
            key = f"acme/{event}/transfer/{currency}/{number}"
            self.lots[key] = Lot(
                key, lot.rule, lot.bill, target, units, [], lot.expires_at, None, outstanding=units, begun_at=at,
                origin=lot.issue,
            )  # fmt: skip
        for number in range(1, len(moved) + 1):
            self.pay_debt(self.lots[f"acme/{event}/transfer/{currency}/{number}"])
        return []

    def extend_lot(self, lot: Lot, end: datetime, at: datetime) -> list[str]:
        """Move the last day of a lot, and return no reasons; or return the reason for a refusal."""
        self.end_holds(at)
        return self.extended(lot, end, at)

    def merge(self, old: str, new: str, at: datetime) -> list[str]:
        """Merge a member into another one, and return no reasons; or return the reason for a refusal."""
        if old in self.merged or new in self.merged:
            return ["closed_account"]
        self.end_holds(at)
        self.merged[old] = new
        self.counters.rename(old, new)
        was, now = ("member", old), ("member", new)
        for lot in self.lots.values():
            lot.account = now if lot.account == was else lot.account
            lot.bill = of_member(lot.bill, old, new)
            lot.uses = [attrs.evolve(use, counter=renamed(use.counter, old, new)) for use in lot.uses]
        for coupon in self.coupons.values():
            coupon.member = new if coupon.member == old else coupon.member
            coupon.bill = of_member(coupon.bill, old, new)
            coupon.uses = [attrs.evolve(use, counter=renamed(use.counter, old, new)) for use in coupon.uses]
        for sale in self.sales.values():
            if sale.bill.member == old:
                sale.bill = of_member(sale.bill, old, new)
                for name in [each for each in sale.counters.values if new in each[2:]]:
                    del sale.counters.values[name]  # its terms were those of the old member
            sale.counters.rename(old, new)
        balances: list[Spend | Hold | Shortfall] = [*self.spends.values(), *self.holds.values(), *self.shortfalls]
        for each in balances:
            each.balance = (now if each.balance[0] == was else each.balance[0], each.balance[1])
        for currency in ("points", "stars"):
            for lot in in_order(self.lots_of(now, currency), at):
                self.pay_debt(lot)
        return []


def of_member(bill: Bill, old: str, new: str) -> Bill:
    """Return a bill with its member replaced, if it is the old one."""
    return attrs.evolve(bill, member=new) if bill.member == old else bill
