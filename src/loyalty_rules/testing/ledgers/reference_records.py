"""The records of the reference model: lots, coupons, counters, and sales with the goods that came back.

They share no code with the library. Amounts are whole numbers of hundredths.
"""

from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor

import attrs

from loyalty_rules.testing.ledgers.reference_programs import (
    Bill,
    CounterName,
    CounterUse,
    CouponRule,
    CurrencyRule,
    ReferenceProgram,
)

__all__ = [
    "Account",
    "Counters",
    "Coupon",
    "Decision",
    "GoodsBack",
    "Hold",
    "Lot",
    "Redemption",
    "Remainder",
    "Sale",
    "Shortfall",
    "Spend",
    "account_of",
    "last_taken",
    "renamed",
    "rounded",
]

Account = tuple[str, str]


class Counters:
    """A number for each counter and day."""

    def __init__(self) -> None:
        self.values: dict[CounterName, dict[date, int]] = {}

    def add(self, counter: CounterName, day: date, amount: int) -> None:
        """Add to a counter on a day."""
        days = self.values.setdefault(counter, {})
        days[day] = days.get(day, 0) + amount

    def value(self, counter: CounterName, first: date | None, day: date) -> int:
        """Return the sum of a counter from a day on, or of all days, to a day."""
        days = self.values.get(counter, {})
        return sum(amount for when, amount in days.items() if first is None or first <= when <= day)

    def copy(self) -> "Counters":
        """Return a copy, as a till has it that decides now and records later."""
        seen = Counters()
        seen.values = {name: dict(days) for name, days in self.values.items()}
        return seen

    def rename(self, old: str, new: str) -> None:
        """Count the counters of a member for another one, in sum."""
        for name in [each for each in self.values if old in each[2:]]:
            for day, amount in self.values.pop(name).items():
                self.add(renamed(name, old, new), day, amount)

    def left(self, use: CounterUse) -> int:
        """Return the rest of a use's limit in the fullest window that contains its day."""
        if use.first is None:
            return use.limit - self.value(use.counter, None, use.day)
        shifts = [timedelta(days) for days in range((use.day - use.first).days + 1)]
        return use.limit - max(self.value(use.counter, use.first + each, use.day + each) for each in shifts)


def renamed(name: CounterName, old: str, new: str) -> CounterName:
    """Return the name of a member's counter for another member."""
    return tuple(new if part == old and place > 1 else part for place, part in enumerate(name))


@attrs.define(eq=False)
class Lot:
    """One issue and its buckets, in hundredths; or units of an issue that moved on to a lot of their own.

    `claimed` are the units that returns were due, and `counted_as_taken` those among them that nobody had any more.
    `ended` are the units of a promise that was cancelled or has lapsed, `counted_ended` those of them that count as
    taken. `released` are the units that no longer count against the caps, `swept` those whose expiry is recorded.
    `begun_at` is the instant since which it is no promise. `by` is the person who made an adjustment. `origin` is the
    issue that its units moved on from.
    """

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
    held: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    voided: int = 0
    moved_on: int = 0
    claimed: int = 0
    counted_as_taken: int = 0
    ended: int = 0
    counted_ended: int = 0
    released: int = 0
    swept: int = 0
    begun_at: datetime | None = None
    by: str | None = None
    origin: "Lot | None" = None

    @property
    def issue(self) -> "Lot":
        """The issue that its units come from."""
        return self.origin or self

    def is_live(self, at: datetime) -> bool:
        """Return whether units of the lot can be spent at an instant."""
        return self.outstanding > 0 and (self.expires_at is None or at < self.expires_at)


@attrs.define(eq=False)
class Coupon:
    """One coupon and its state. `member` has it, which may be another than the one to whom it was issued.

    `is_lost` means that it was voided, perhaps but for the sum that was added to a card.
    """

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
    topped_up: int = 0
    is_lost: bool = False
    member: str | None = attrs.Factory(lambda self: self.bill.member, takes_self=True)

    def state_at(self, at: datetime) -> str:
        """Return the state at an instant: an issued coupon may have expired by then."""
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


@attrs.frozen
class GoodsBack:
    """One return: an amount of the bill, and pieces of its line; `refund` is the amount named for the line.

    Pieces of None mean that the return has no lines.
    """

    amount: int
    pieces: int | None = None
    refund: int | None = None


@attrs.define
class Sale:
    """A recorded sale: the inputs of its decision, and its returns and amendments so far.

    `bill` is the present one. `raised` and `lowered` are the sums by which amendments changed it. `delivered` are the
    pieces that updates of the status Shipped named; `is_delivered` is true after one that named none.
    """

    bill: Bill
    program: ReferenceProgram
    counters: Counters
    tracked: dict[str, int]
    returns: list[GoodsBack] = attrs.field(factory=list)
    raised: int = 0
    lowered: int = 0
    is_amended: bool = False
    status: str | None = None
    delivered: Fraction = Fraction(0)
    is_delivered: bool = False

    @property
    def back(self) -> int:
        """The amount that came back over all returns."""
        return sum(each.amount for each in self.returns)

    def pieces_back(self) -> Fraction:
        """Return the pieces that came back: those named, and a part of all for the returns without lines."""
        named = sum(each.pieces or 0 for each in self.returns)
        return min(named + self.bill.pieces * self.part_without_lines(), Fraction(self.bill.pieces))

    def part_without_lines(self) -> Fraction:
        """Return the part of the bill that came back without lines."""
        return Fraction(sum(each.amount for each in self.returns if each.pieces is None), self.bill.amount)

    def goods_back(self) -> Fraction:
        """Return the value of the line that came back: the amounts named, and the part of the other pieces."""
        named = sum(each.refund for each in self.returns if each.refund is not None)
        silent = sum(each.pieces or 0 for each in self.returns if each.refund is None)
        part = Fraction(silent, 1) / self.bill.pieces + self.part_without_lines()
        return min(named + self.bill.goods * part, Fraction(self.bill.goods))

    def allows(self, *backs: GoodsBack) -> bool:
        """Return whether no more comes back, with these returns, than was bought."""
        returns = [*self.returns, *backs]
        return (
            sum(each.amount for each in returns) <= self.bill.amount
            and sum(each.pieces or 0 for each in returns) <= self.bill.pieces
            and sum(each.refund or 0 for each in returns) <= self.bill.goods
        )

    def is_whole(self) -> bool:
        """Return whether nothing remains of the sale; the return of an activity is always a whole one."""
        if not self.bill.amount:
            return True
        return self.back >= self.bill.amount or self.pieces_back() >= self.bill.pieces

    def kept(self) -> Bill:
        """Return the bill without the returned goods: the returned part is rounded to 6 decimals, half up."""
        return attrs.evolve(
            self.bill,
            amount=self.bill.amount - self.back,
            pieces=self.bill.pieces - rounded(self.pieces_back(), 1_000_000),
            goods=self.bill.goods - rounded(self.goods_back(), 10_000),
        )


@attrs.define
class Remainder:
    """The award of the rest of a sale: by account and currency, by rule, and the coupons by type and by rule."""

    whole: bool
    pools: dict[tuple[Account, str], int] = attrs.field(factory=dict)
    awards: dict[str, int] = attrs.field(factory=dict)
    coupons: dict[str, int] = attrs.field(factory=dict)
    tracked: dict[str, int] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Spend:
    """One spend: the units that it took from each lot; it pays for the transaction of the id `event`."""

    key: str
    balance: tuple[Account, str]
    at: datetime
    taken: list[tuple[Lot, int]]
    event: str = ""
    undone: int = 0

    @property
    def amount(self) -> int:
        """The units spent."""
        return sum(amount for _, amount in self.taken)

    @property
    def is_undone(self) -> bool:
        """Whether all of it was undone."""
        return self.undone >= self.amount


@attrs.define(eq=False)
class Hold:
    """Units that are set aside until an instant."""

    key: str
    balance: tuple[Account, str]
    at: datetime
    until: datetime
    taken: list[tuple[Lot, int]]
    ended_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it was captured, released, or is over."""
        return self.ended_at is not None

    @property
    def amount(self) -> int:
        """The units held."""
        return sum(amount for _, amount in self.taken)


@attrs.define(eq=False)
class Shortfall:
    """The units of a lot that one return could not take; `open` are those that no later units have made good."""

    lot: Lot
    balance: tuple[Account, str]
    at: datetime
    open: int
    carried: bool


@attrs.define(eq=False)
class Redemption:
    """One redemption of a coupon; `undone` is the part of its discount that was given back."""

    key: str
    coupon: Coupon
    bill: Bill
    discount: int
    undone: int = 0

    @property
    def is_undone(self) -> bool:
        """Whether all of it was undone."""
        return self.undone >= self.discount


def account_of(rule: CurrencyRule, bill: Bill) -> Account:
    """Return the account that a rule issues to: the member's, or the group's."""
    assert bill.member is not None
    return ("group", bill.group) if rule.to_group and bill.group is not None else ("member", bill.member)


def last_taken(taken: list[tuple[Lot, int]], skipped: int, units: int) -> list[tuple[Lot, int]]:
    """Return the last units that were taken from lots, the last first, after so many that are skipped."""
    parts = []
    for lot, amount in reversed(taken):
        passed = min(skipped, amount)
        part = min(units, amount - passed)
        skipped, units = skipped - passed, units - part
        if part:
            parts.append((lot, part))
    return parts


def rounded(number: Fraction, parts: int) -> Fraction:
    """Return a number rounded half up to a multiple of one part."""
    return Fraction(floor(number * parts + Fraction(1, 2)), parts)
