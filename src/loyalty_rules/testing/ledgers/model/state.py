"""The state of the reference model: its records, its queries, and the units that come back or settle shortfalls.

It shares no code with the library. Amounts are whole numbers of hundredths.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from loyalty_rules.testing.ledgers.reference_programs import WORTH, ReferenceProgram
from loyalty_rules.testing.ledgers.reference_records import (
    Account,
    Counters,
    Coupon,
    Hold,
    Lot,
    Redemption,
    Sale,
    Shortfall,
    Spend,
    last_taken,
)

__all__ = ["Balance", "State", "available", "has_passed", "in_order", "limits_of", "take", "worth"]

Balance = tuple[Account, str]


class State:
    """All that a ledger remembers."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.sales: dict[str, Sale] = {}
        self.lots: dict[str, Lot] = {}
        self.coupons: dict[str, Coupon] = {}
        self.spends: dict[str, Spend] = {}
        self.holds: dict[str, Hold] = {}
        self.redemptions: dict[str, Redemption] = {}
        self.shortfalls: list[Shortfall] = []
        self.merged: dict[str, str] = {}

    def copy_of_counters(self) -> Counters:
        """Return a copy, as a till has it that decides now and records later."""
        return self.counters.copy()

    # -- members

    def current(self, member: str | None) -> str | None:
        """Return the member that an id stands for since a merge."""
        return self.merged.get(member, member) if member is not None else None

    def current_account(self, account: Account) -> Account:
        """Return the account that an account stands for since a merge."""
        return (account[0], self.merged.get(account[1], account[1])) if account[0] == "member" else account

    # -- lots and balances

    def lots_of(self, account: Account, currency: str) -> list[Lot]:
        """Return the lots of an account, in the order of issue."""
        return [lot for lot in self.lots.values() if lot.account == account and lot.rule.currency == currency]

    def lots_of_sale(self, sale: str) -> list[Lot]:
        """Return the issues of a sale and of its amendments."""
        return [lot for lot in self.lots.values() if lot.bill.id == sale and lot.origin is None]

    def parts(self, issue: Lot) -> list[Lot]:
        """Return the lots with units of an issue: its own, and those that its units moved on to."""
        return [lot for lot in self.lots.values() if lot.issue is issue]

    def balance(self, account: Account, currency: str, at: datetime) -> tuple[int, int, int, int]:
        """Return the available, the promised, the owed and the held amount."""
        lots = self.lots_of(account, currency)
        return (
            available(lots, at),
            sum(lot.promised for lot in lots),
            sum(each.open for each in self.debts(account, currency)),
            sum(lot.held for lot in lots),
        )

    def debts(self, account: Account, currency: str) -> list[Shortfall]:
        """Return the shortfalls that an account owes."""
        return [each for each in self.shortfalls if each.balance == (account, currency) and each.carried]

    def pay_debt(self, lot: Lot) -> None:
        """Pay the debt of the account with the units of a lot, the oldest first."""
        paid = self.make_good(self.debts(lot.account, lot.rule.currency), lot.outstanding)
        lot.outstanding -= paid
        lot.reversed += paid

    def make_good(self, shortfalls: list[Shortfall], units: int) -> int:
        """Make good shortfalls with up to so many units, in the order of the list; return the units used."""
        left = units
        for each in shortfalls:
            paid = min(each.open, left)
            each.open -= paid
            left -= paid
        return units - left

    def coming_instants(self, at: datetime) -> list[datetime]:
        """Return the later instants at which a promise is due, or a lot, a coupon or a hold ends."""
        ends = [lot.expires_at for lot in self.lots.values() if lot.outstanding or lot.spent or lot.held]
        ends += [lot.due_at for lot in self.lots.values() if lot.promised]
        ends += [coupon.expires_at for coupon in self.coupons.values() if coupon.state == "issued"]
        ends += [hold.until for hold in self.holds.values() if not hold.has_ended]
        return sorted({each for each in ends if each is not None and each > at})

    def expire(self, at: datetime) -> int:
        """Record the expired lots and coupons, and return their number."""
        self.end_holds(at)
        lots = [lot for lot in self.lots.values() if lot.outstanding and has_passed(lot.expires_at, at)]
        for lot in lots:
            lot.expired += lot.outstanding
            lot.swept += lot.outstanding
            lot.outstanding = 0
        coupons = [each for each in self.coupons.values() if each.state == "issued" and has_passed(each.expires_at, at)]
        for coupon in coupons:
            coupon.state = "expired"
        return len(lots) + len(coupons)

    # -- units that come back

    def come_back(self, parts: Iterable[tuple[Lot, int]], balance: Balance, since: datetime, at: datetime) -> None:
        """Return units to their lots: they make good shortfalls before they are available again.

        First the shortfall of their own lot, then those that have arisen since they were set aside, then debts. Units
        of a lot that has ended settle only the shortfall of their own, and the others expire.
        """
        mine = [each for each in self.shortfalls if each.balance == balance]
        for lot, amount in parts:
            is_over = has_passed(lot.expires_at, at)
            own = [each for each in mine if each.lot is lot.issue]
            later = [each for each in mine if each.at >= since]
            owed = [each for each in mine if each.carried]
            used = self.make_good(own if is_over else [*own, *later, *owed], amount)
            lot.reversed += used
            if is_over:
                lot.expired += amount - used
            else:
                lot.outstanding += amount - used

    def end_holds(self, at: datetime) -> None:
        """End the holds that are over, each as of its own instant."""
        for hold in sorted(self.holds.values(), key=lambda each: each.until):
            if not hold.has_ended and hold.until <= at:
                self.let_go(hold, hold.amount, hold.until)

    def let_go(self, hold: Hold, units: int, at: datetime) -> None:
        """End a hold, and release its last units."""
        hold.ended_at = at
        parts = last_taken(hold.taken, 0, units)
        for lot, amount in parts:
            lot.held -= amount
        self.come_back(parts, hold.balance, hold.at, at)


def available(lots: Iterable[Lot], at: datetime) -> int:
    """Return the units that can be spent."""
    return sum(lot.outstanding for lot in lots if lot.is_live(at))


def take(lots: Iterable[Lot], amount: int) -> list[tuple[Lot, int]]:
    """Take units out of lots, in their order; return the units taken of each."""
    parts = []
    for lot in lots:
        taken = min(lot.outstanding, amount)
        if taken:
            lot.outstanding -= taken
            amount -= taken
            parts.append((lot, taken))
    return parts


def in_order(lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return the live lots in the order of spending: by expiry, then by issue; lots that never expire come last."""
    live = [lot for lot in lots if lot.is_live(at)]
    expiring = [lot for lot in live if lot.expires_at is not None]
    expiring.sort(key=lambda lot: lot.expires_at or at)
    return [*expiring, *(lot for lot in live if lot.expires_at is None)]


def has_passed(end: datetime | None, at: datetime) -> bool:
    """Return whether an end, if there is one, is not later than an instant."""
    return end is not None and at >= end


def worth(currency: str, amount: int) -> int:
    """Return the money that units are worth, in millionths of a hundredth, rounded down at the 6th decimal of one."""
    points, value = WORTH[currency]
    return amount * value * 10_000 // points * 100


def limits_of(program: ReferenceProgram, currency: str, amount: int) -> Mapping[str, int]:
    """Return the least, the block and the most of a spend; stars have none, so that any `amount` fits."""
    return program.wallet if currency == "points" else {"least": amount, "block": 1, "most": amount}
