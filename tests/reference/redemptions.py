"""Coupons and the payment of a bill, written from the specification alone. Source: semantics 9, 12, 17.

Everything is plain: documents as mappings, money as fractions, and a shop that remembers lists. Nothing of the
product's decisions after a sale is imported; a sale itself is decided by `program.evaluate`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import floor

from .amounts import HALF, given, places, split
from .conditions import holds, line_matches
from .dates import parsed_date
from .facts import gather, line_value

ZERO = Fraction(0)
# "A cent is the smallest unit of the program's `money` by ISO 4217 (JPY 1, KWD 0.001; without `money` 0.01)."
DECIMALS = {"JPY": 0, "KWD": 3}
# "then `price`, `percent_off`, `amount_off`, `shipping`, `stored_value`"
KINDS = ("price", "percent_off", "amount_off", "shipping", "stored_value")


def cents(program: dict) -> int:
    return DECIMALS.get(program.get("money"), 2)


def to_the_cent(amount: Fraction, left: Fraction, decimals: int) -> Fraction:
    """Return a discount "rounded to it half up once, but down if that would be more than is left"."""
    scale = 10**decimals
    up = Fraction(floor(amount * scale + HALF), scale)
    return up if up <= left else Fraction(floor(amount * scale), scale)


def fold(code: str) -> str:
    """Return a code as it is compared: "Unicode NFC, case-folded, without blanks and hyphens"."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", code).casefold())
    return "".join(each for each in text if not each.isspace() and each != "-")


# --- the bill -------------------------------------------------------------------------------------------------


@dataclass
class Pool:
    """Units of one line that have the same amount left each: those that benefits have taken, or the others."""

    units: int
    left: Fraction

    @property
    def unit(self) -> Fraction:
        return self.left / self.units if self.units else ZERO


@dataclass
class Line:
    """A line of a bill, with what is left of it. "The taken and the other units are computed apart"."""

    id: str | None
    document: dict
    price: Fraction  # "Unit price is value / quantity", of the line as it was handed over
    free: Pool
    taken: Pool

    @property
    def left(self) -> Fraction:
        return self.free.left + self.taken.left

    def take(self, amount: Fraction) -> None:
        """Take an amount without regard to units: of each pool in proportion."""
        part = amount * self.taken.left / self.left if self.left else ZERO
        self.taken.left -= part
        self.free.left -= amount - part

    def take_units(self, units: int, amount: Fraction) -> None:
        """Take units for a benefit, and an amount of their remainder."""
        units = min(units, self.free.units)
        moved = self.free.unit * units
        self.free = Pool(self.free.units - units, self.free.left - moved)
        self.taken = Pool(self.taken.units + units, self.taken.left + moved - amount)


def unit_count(quantity: Fraction) -> int:
    """Return how many units a line has.

    "A line whose quantity is above zero and not whole counts as one unit at its whole value; one of zero or less
    has none."
    """
    if quantity <= 0:
        return 0
    return int(quantity) if quantity.denominator == 1 else 1


class Bill:
    """The remainder of a transaction after its earlier payments, line by line."""

    def __init__(self, program: dict, transaction: dict) -> None:
        self.facts = gather(program, transaction, None)
        self.decimals = cents(program)
        self.rate = self.facts.rate
        rate = self.rate or ZERO
        self.amount = given(transaction["amount"]) * rate
        self.left = max(self.amount, ZERO)
        self.shipping = given(transaction.get("shipping")) * rate
        self.lines = [_line(line, line_value(line) * rate) for line in self.facts.lines]
        # "What the `amount` of a bill with lines has beyond their sum (postage, tax, tip) is the rest of the bill"
        beyond = self.amount - sum((line_value(each) * rate for each in self.facts.lines), ZERO)
        self.rest = Line(None, {}, ZERO, Pool(0, max(beyond, ZERO)), Pool(0, ZERO))

    def all_lines(self) -> list[Line]:
        """Return the lines and the rest; none of a bill without lines."""
        return [*self.lines, self.rest] if self.lines else []

    def selected(self, condition: dict | None) -> list[Line]:
        return [each for each in self.lines if line_matches(condition, each.document, self.facts)]

    def pay(self, paid: Payment, standing: Fraction) -> None:
        """Take off what is left an earlier payment, of which an amount stands."""
        self.left = max(self.left - standing, ZERO)
        if paid.is_shipping:
            self.shipping -= standing
        shares = paid.shares
        if paid.kind == "spend" and not shares and self.lines:  # spent without its bill
            shares = self.shares(standing, self.payable(paid.not_for))
        elif standing != paid.amount:
            parts = split(standing, [amount for _, amount in shares], self.decimals) if shares else []
            shares = [(line, part) for (line, _), part in zip(shares, parts, strict=True)]
        by_id = {each.id: each for each in self.all_lines()}
        for line, amount in shares:
            if line in by_id and line not in paid.units:  # "a share of a line that is gone comes off the bill alone"
                by_id[line].take(amount)
        for line, number in paid.units.items():
            if line in by_id:
                by_id[line].take_units(number, dict(shares).get(line, ZERO))

    def payable(self, not_for: dict | None) -> list[Line]:
        """Return the lines that points may pay: the rest too, "whatever `not_for` says"."""
        if not_for is None:
            return self.all_lines()
        barred = {each.id for each in self.selected(not_for)}
        return [each for each in self.all_lines() if each.id is None or each.id not in barred]

    def shares(self, amount: Fraction, lines: list[Line]) -> list[tuple[str | None, Fraction]]:
        """Split an amount "over its lines by what was left of each (largest remainder to the cent)"."""
        weights = [(each.id, max(each.left, ZERO)) for each in lines]
        return self.split(amount, weights)

    def split(self, amount: Fraction, weights: list[tuple[str | None, Fraction]]) -> list[tuple[str | None, Fraction]]:
        if not any(weight for _, weight in weights) or not amount:
            return []
        parts = split(amount, [weight for _, weight in weights], max(self.decimals, places(amount)))
        return [(line, part) for (line, _), part in zip(weights, parts, strict=True) if part]


def _line(document: dict, value: Fraction) -> Line:
    """Return a line of a bill, "a line below zero counting as nothing"."""
    units = unit_count(given(document["quantity"]))
    price = value / units if units else ZERO
    return Line(document["id"], document, price, Pool(units, max(value, ZERO)), Pool(0, ZERO))


# --- benefits -------------------------------------------------------------------------------------------------


@dataclass
class Discount:
    """The discount of a benefit: in all, of each line, and how many units of which."""

    amount: Fraction
    shares: list[tuple[str | None, Fraction]] = field(default_factory=list)
    units: dict[str | None, int] = field(default_factory=dict)


def chosen(bill: Bill, benefit: dict, above: Fraction) -> list[tuple[Line, int]]:
    """Return the units that a benefit with `units` takes: those with more than `above` left, by their unit price.

    "`pick` (`cheapest` by default, or `dearest`)"; "ties go to the earlier line".
    """
    lines = [each for each in bill.selected(benefit.get("lines")) if each.free.units and each.free.unit > above]
    lines.sort(key=lambda each: each.price, reverse=benefit.get("pick") == "dearest")
    found, wanted = [], benefit["units"]
    for each in lines:
        number = min(wanted, each.free.units)
        if number:
            found.append((each, number))
        wanted -= number
    return sorted(found, key=lambda pair: bill.lines.index(pair[0]))  # as shares are split


def discount_of(bill: Bill, benefit: dict, most_left: Fraction | None) -> Discount:
    """Return the discount of a benefit; `most_left` is what the coupon itself has left."""
    kind = benefit["type"]
    if kind == "shipping":
        return shipping_discount(bill, benefit)
    if kind == "price":
        return price_discount(bill, benefit)
    units: dict[str | None, int] = {}
    if benefit.get("units") is not None:
        picked = chosen(bill, benefit, ZERO)
        units = {each.id: number for each, number in picked}
        weights = [(each.id, each.free.unit * number) for each, number in picked]
    else:
        lines = bill.selected(benefit.get("lines"))
        if kind == "stored_value" and benefit.get("lines") is None:
            lines = bill.all_lines()  # the rest "counts as one more line for `stored_value` without `lines`"
        weights = [(each.id, max(each.left, ZERO)) for each in lines]
    base = min(sum((weight for _, weight in weights), ZERO), bill.left)
    if not bill.lines and benefit.get("lines") is None and benefit.get("units") is None:
        base = bill.left  # "the others work on the whole amount"
    amount = base * given(benefit["percent"]) / 100 if kind == "percent_off" else base
    if kind == "amount_off":
        amount = min(base, given(benefit["amount"]))
    if benefit.get("most") is not None:
        amount = min(amount, given(benefit["most"]))
    bounds = [base, *(given(most) for most in (benefit.get("most"),) if most is not None)]
    left = min(bounds) if most_left is None else min(*bounds, most_left)
    amount = to_the_cent(min(amount, left), left, bill.decimals)
    shares = bill.split(amount, weights)
    return Discount(amount, shares, units if amount else {})


def shipping_discount(bill: Bill, benefit: dict) -> Discount:
    """Return the discount on shipping.

    "`shipping` takes the transaction's `shipping` less earlier shipping discounts, at most what is left of the bill."
    """
    left = min(max(bill.shipping, ZERO), bill.left)
    left = left if benefit.get("most") is None else min(left, given(benefit["most"]))
    amount = to_the_cent(left, left, bill.decimals)
    return Discount(amount, [(None, amount)] if bill.lines and amount else [])


def price_discount(bill: Bill, benefit: dict) -> Discount:
    """Return the discount of a fixed price.

    "`price` chooses only among units that have more than the price left, sums their excesses and rounds once; its
    shares are each line's own excess".
    """
    price = given(benefit["price"])
    if benefit.get("units") is not None:
        picked = chosen(bill, benefit, price)
        units = {each.id: number for each, number in picked}
        left = sum((each.free.unit * number for each, number in picked), ZERO)
        weights = [(each.id, (each.free.unit - price) * number) for each, number in picked]
    else:
        units = {}
        left = sum((max(each.left, ZERO) for each in bill.selected(benefit["lines"])), ZERO)
        weights = [
            (each.id, sum((max(pool.unit - price, ZERO) * pool.units for pool in (each.free, each.taken)), ZERO))
            for each in bill.selected(benefit["lines"])
        ]
    excess = sum((weight for _, weight in weights), ZERO)
    amount = to_the_cent(min(excess, bill.left), min(left, bill.left), bill.decimals)
    return Discount(amount, bill.split(amount, weights), units if amount else {})


# --- what a shop remembers ------------------------------------------------------------------------------------


@dataclass
class Coupon:
    """One coupon, with the terms of its issue."""

    key: str
    kind: str
    terms: dict
    code: str
    member: str | None
    event: str
    valid_from: datetime
    expires_on: date | None
    expires_at: datetime | None
    place: int
    remaining: Fraction | None = None
    uses_left: int = 1
    left_in_all: Fraction | None = None
    used: bool = False
    voided: bool = False
    ended: bool = False  # expired, and recorded so
    redeemed_by: str | None = None
    shared: bool = False
    past: list[tuple[datetime, Fraction | None, int, Fraction | None]] = field(default_factory=list)

    def note(self, at: datetime) -> None:
        """Note what is left from an instant on."""
        self.past.append((at, self.remaining, self.uses_left, self.left_in_all))

    def least(self, at: datetime) -> tuple[Fraction | None, int, Fraction | None]:
        """Return the least that was left "at its instant and at every later one"."""
        now = (at, self.remaining, self.uses_left, self.left_in_all)
        seen = [*[each for each in self.past if each[0] <= at][-1:], *[each for each in self.past if each[0] > at], now]
        remaining = None if self.remaining is None else min(each[1] for each in seen)
        in_all = None if self.left_in_all is None else min(each[3] for each in seen)
        return remaining, min(each[2] for each in seen), in_all

    @property
    def benefit(self) -> dict | None:
        return self.terms.get("benefit")

    @property
    def redemption(self) -> dict:
        return self.terms.get("redemption") or {}

    def is_over(self, at: datetime) -> bool:
        return self.expires_at is not None and at >= self.expires_at

    def is_used_up(self) -> bool:
        if self.remaining is not None:
            return self.remaining == 0 and self.used
        return self.uses_left == 0 or self.left_in_all == 0

    def state(self, at: datetime) -> str:
        if self.voided:
            return "voided"
        if self.is_used_up():
            return "redeemed"
        return "expired" if self.ended or self.is_over(at) else "issued"


@dataclass
class Payment:
    """A redemption or a spend under the id of a transaction."""

    key: str
    kind: str  # redeem or spend
    of: str
    event: str
    paid: str
    amount: Fraction
    shares: list[tuple[str | None, Fraction]]
    at: datetime
    units: dict[str | None, int] = field(default_factory=dict)
    coupon: Coupon | None = None
    draws: list[tuple[Lot, Fraction]] = field(default_factory=list)
    spent: Fraction = ZERO
    not_for: dict | None = None
    store: str | None = None
    member: str | None = None
    remaining: Fraction | None = None
    undone: Fraction = ZERO
    is_undone: bool = False

    @property
    def is_shipping(self) -> bool:
        return self.coupon is not None and (self.coupon.benefit or {}).get("type") == "shipping"

    @property
    def standing(self) -> Fraction:
        """Return the part of the discount or of the worth that stands."""
        if self.is_undone:
            return ZERO
        if self.kind == "spend":
            part = self.amount * (self.spent - self.undone) / self.spent
            return Fraction(floor(part * 10**6), 10**6)
        return self.amount - self.undone


@dataclass
class Lot:
    member: str
    currency: str
    left: Fraction
    expires_at: datetime | None
    place: int

    def is_live(self, at: datetime) -> bool:
        return self.left > 0 and (self.expires_at is None or at < self.expires_at)


@dataclass
class Answer:
    """The result of an operation: `recorded`, `already_recorded`, `refused` or `conflict`."""

    status: str
    reasons: frozenset[str] = frozenset()
    payments: list[Payment] = field(default_factory=list)
    undone: Fraction = ZERO
    expired: Fraction = ZERO


class Refused(Exception):
    def __init__(self, reasons: set[str]) -> None:
        super().__init__(*sorted(reasons))
        self.reasons = reasons


class Shop:
    """All that was issued and redeemed. Each operation is given the program's document as it is then."""

    def __init__(self) -> None:
        self.coupons: dict[str, Coupon] = {}
        self.payments: list[Payment] = []
        self.lots: list[Lot] = []
        self.answered: dict[tuple[str, ...], tuple[object, Answer]] = {}
        self.number = 0

    # --- issuing ----------------------------------------------------------------------------------------------

    def issue_coupon(self, program: dict, intent: dict, event: dict, count: int, place: int) -> None:
        """Remember a coupon that an evaluation issued, the `place`th of `count` of its action."""
        terms = program["coupon_types"][intent["coupon_type"]]
        coupon = Coupon(
            intent["key"],
            intent["coupon_type"],
            terms,
            fold(intent["serial"] or intent["code"]),
            intent["member"],
            intent["event"],
            datetime.fromisoformat(intent["valid_from"]),
            parsed_date(intent["expires_on"]),
            None if intent["expires_at"] is None else datetime.fromisoformat(intent["expires_at"]),
            len(self.coupons),
            uses_left=terms.get("uses", 1),
            shared=intent["serial"] is None,
        )
        benefit = coupon.benefit or {}
        if benefit.get("type") == "stored_value":
            coupon.remaining = worth_of(program, benefit["amount"], event, count)[place]
        elif benefit.get("most_in_all") is not None:
            coupon.left_in_all = given(benefit["most_in_all"])
        self.coupons[coupon.key] = coupon
        coupon.note(datetime.fromisoformat(intent["issued_at"]))

    def issue_currency(self, intent: dict) -> None:
        ends = None if intent["expires_at"] is None else datetime.fromisoformat(intent["expires_at"])
        lot = Lot(intent["member"], intent["currency"], given(intent["amount"]), ends, len(self.lots))
        self.lots.append(lot)

    # --- what stands ------------------------------------------------------------------------------------------

    def standing(self, transaction: str) -> Iterator[Payment]:
        return (each for each in self.payments if each.paid == transaction and not each.is_undone)

    def bill(self, program: dict, transaction: dict, more: list[Payment]) -> Bill:
        """Return a transaction "less the redemptions and spends under its id that are not undone"."""
        bill = Bill(program, transaction)
        for each in [*self.standing(transaction["id"]), *more]:
            bill.pay(each, each.standing)
        return bill

    # --- redeeming --------------------------------------------------------------------------------------------

    def redeem(self, program: dict, code: str, transaction: dict, event: str | None = None) -> Answer:
        event = event or transaction["id"]
        coupon = next((each for each in self.coupons.values() if each.code == fold(code) and not each.shared), None)
        key = ("redeem", event, coupon.key if coupon else fold(code))
        return self._once(key, transaction, lambda: self._basket(program, [code], [], transaction, event))

    def redeem_all(
        self,
        program: dict,
        codes: list[str],
        spends: list[tuple[str, str, str]],
        transaction: dict,
        event: str | None = None,
    ) -> Answer:
        event = event or transaction["id"]
        key, inputs = ("redeem_all", event), ([fold(code) for code in codes], spends, transaction)

        def decide() -> list[Payment]:
            if any(("spend", event, currency) in self.answered for _, currency, _ in spends):
                raise Conflict
            return self._basket(program, codes, spends, transaction, event)

        answer = self._once(key, inputs, decide)
        if answer.status == "recorded":
            for each in answer.payments:
                if each.kind == "spend":
                    self.answered["spend", event, each.of] = ("redeem_all", answer)
        return answer

    def quote(self, program: dict, codes: list[str], spends: list[tuple[str, str, str]], transaction: dict) -> Answer:
        if any(("spend", transaction["id"], currency) in self.answered for _, currency, _ in spends):
            return Answer("conflict")
        try:
            payments = self._basket(program, codes, spends, transaction, transaction["id"])
        except Refused as refused:
            return Answer("refused", frozenset(refused.reasons))
        return Answer("quoted", payments=payments)

    def _once(self, key: tuple[str, ...], inputs: object, decide) -> Answer:
        """Record a decision once: "Replays are found before anything is decided"."""
        if key in self.answered:
            given_before, answer = self.answered[key]
            return (
                Answer("already_recorded", payments=answer.payments) if given_before == inputs else Answer("conflict")
            )
        try:
            payments = decide()
        except Refused as refused:
            return Answer("refused", frozenset(refused.reasons))
        except Conflict:
            return Answer("conflict")
        for each in payments:
            self._record(each)
        answer = Answer("recorded", payments=payments)
        self.answered[key] = inputs, answer
        return answer

    def _record(self, paid: Payment) -> None:
        self.number += 1
        paid.key = f"payment-{self.number}"
        self.payments.append(paid)
        for lot, amount in paid.draws:
            lot.left -= amount
        coupon = paid.coupon
        if coupon is None:
            return
        self.coupons.setdefault(coupon.key, coupon)
        coupon.used = True
        coupon.redeemed_by = paid.paid
        if coupon.remaining is not None:
            coupon.remaining -= paid.amount
        else:
            coupon.uses_left -= 1
            if coupon.left_in_all is not None:
                coupon.left_in_all -= paid.amount
        coupon.note(paid.at)

    def _basket(
        self,
        program: dict,
        codes: list[str],
        spends: list[tuple[str, str, str]],
        transaction: dict,
        event: str,
    ) -> list[Payment]:
        """Decide a set in its order, or raise every reason against it."""
        at = gather(program, transaction, None).occurred_at
        reasons: set[str] = set()
        found: list[Coupon] = []
        barred: list[Coupon] = []
        for code in codes:
            coupon, against = self._find(program, code, transaction, at, found)
            reasons |= against
            if coupon is not None:
                found.append(coupon)
                barred += [coupon] if against else []
        rank = {None: len(KINDS)} | {kind: place for place, kind in enumerate(KINDS)}
        found.sort(
            key=lambda each: (each.redemption.get("order", 0), rank[(each.benefit or {}).get("type")]),
        )
        taken: list[Payment] = []
        seen: list[Coupon] = []
        for coupon in found:
            bill = self.bill(program, transaction, taken)
            others = [each.coupon for each in self.standing(transaction["id"]) if each.coupon is not None]
            others += [each for each in found if each is not coupon]
            against, discount = self._judge(program, coupon, transaction, at, bill, others, seen)
            seen.append(coupon)
            reasons |= against
            if against or discount is None or any(each is coupon for each in barred):
                continue
            remaining = None if coupon.remaining is None else coupon.remaining - discount.amount
            taken.append(
                Payment(
                    "", "redeem", coupon.key, event, transaction["id"], discount.amount, discount.shares, at,
                    units=discount.units, coupon=coupon, remaining=remaining, store=transaction.get("store"),
                    member=(transaction.get("member") or {}).get("id"),
                )
            )  # fmt: skip
        for member, currency, amount in spends:
            bill = self.bill(program, transaction, taken)
            paid = self._spend(program, member, currency, given(amount), event, transaction["id"], at, bill, taken)
            if isinstance(paid, set):
                reasons |= paid
            else:
                taken.append(paid)
        if reasons:
            raise Refused(reasons)
        return taken

    def _find(
        self, program: dict, code: str, transaction: dict, at: datetime, found: list[Coupon]
    ) -> tuple[Coupon | None, set[str]]:
        """Return the coupon of a code, and what is against the code itself."""
        code = fold(code)
        member = (transaction.get("member") or {}).get("id")
        having = [each for each in self.coupons.values() if each.code == code]
        public = next(
            (
                (kind, terms)
                for kind, terms in program["coupon_types"].items()
                if terms.get("public") and fold(terms["code"]) == code
            ),
            None,
        )
        if public is not None:
            return self._public(*public, transaction, at, found)
        if not having:
            return None, {"unknown"}
        if not having[0].shared:
            return having[0], set()
        # "the redeeming member's own come first, then those of nobody, never another member's"
        mine = [each for each in having if each.member in (member, None)]
        if not mine:
            return None, {"wrong_member"}
        free = [each for each in mine if each not in found] or mine
        free.sort(
            key=lambda each: (
                each.voided or each.is_used_up() or each.is_over(at) or at < each.valid_from,
                each.member is None,
                each.expires_at is None,
                each.expires_at.timestamp() if each.expires_at else 0,
                each.place,
            ),
        )
        bill = self.bill(program, transaction, [])
        paid = [each.coupon for each in self.standing(transaction["id"]) if each.coupon is not None]
        for each in free:
            if not self._judge(program, each, transaction, at, bill, paid, [])[0]:
                return each, set()
        # None can be redeemed: the reasons are those of one for a later purchase that is not used here already.
        later = [each for each in free if each.event != transaction["id"] and each not in paid]
        return (later or free)[0], set()

    def _public(
        self, kind: str, terms: dict, transaction: dict, at: datetime, found: list[Coupon]
    ) -> tuple[Coupon | None, set[str]]:
        """Return a new coupon of a public code, and what its caps have against it."""
        store, member = transaction.get("store"), (transaction.get("member") or {}).get("id")
        caps = {"per_transaction": 1} | {key: cap for key, cap in (terms.get("caps") or {}).items() if cap is not None}
        stand = [each for each in self.payments if each.coupon and each.coupon.kind == kind and not each.is_undone]
        stand = [each for each in stand if each.coupon and each.coupon.terms.get("public")]
        now = sum(each.kind == kind for each in found)
        counted = {
            "per_transaction": sum(each.paid == transaction["id"] for each in stand),
            "total": len(stand),
            "per_store": sum(each.store == store for each in stand) if store else None,
            "per_member": sum(each.member == member for each in stand) if member else None,
        }
        against: set[str] = set()
        for name, cap in caps.items():
            count = counted[name]
            if count is not None and count + now >= cap:
                against.add("limit_reached")
            if name == "per_member" and member is None:
                against.add("wrong_member")
        self.number += 1
        ends = parsed_date(((terms.get("validity") or {}).get("expiry") or {}).get("on"))
        expires_at = None
        if ends is not None:
            from .dates import later, start_of

            expires_at = start_of(later(ends, 1), at.tzinfo)
        coupon = Coupon(
            f"public-{self.number}", kind, terms, fold(terms["code"]), member, "", at, ends, expires_at,
            len(self.coupons), shared=True,
        )  # fmt: skip
        if (terms.get("benefit") or {}).get("most_in_all") is not None:
            coupon.left_in_all = given(terms["benefit"]["most_in_all"])
        return coupon, against

    def _judge(
        self,
        program: dict,
        coupon: Coupon,
        transaction: dict,
        at: datetime,
        bill: Bill,
        others: list[Coupon],
        seen: list[Coupon],
    ) -> tuple[set[str], Discount | None]:
        """Return every reason against a coupon, and its discount."""
        terms, against = coupon.redemption, set()
        member = (transaction.get("member") or {}).get("id")
        remaining, uses, in_all = coupon.least(at)
        used_up = coupon.is_used_up() or (coupon.remaining is None and (uses == 0 or in_all == 0))
        if coupon.voided:
            against.add("voided")
        twice = any(each.coupon is coupon for each in self.standing(transaction["id"]))
        used_up = used_up or twice or any(each is coupon for each in seen)
        if used_up:
            against.add("already_redeemed")
        if coupon.is_over(at):
            against.add("expired")
        if at < coupon.valid_from:
            against.add("not_yet_valid")
        if coupon.event == transaction["id"]:
            against.add("same_transaction")
        if terms.get("holder_only") and (member is None or member != coupon.member):
            against.add("wrong_member")
        if terms.get("stores") is not None and transaction.get("store") not in terms["stores"]:
            against.add("wrong_store")
        if terms.get("brands") is not None and transaction.get("brand") not in terms["brands"]:
            against.add("wrong_brand")
        if bill.rate is None or not holds(terms.get("when"), bill.facts):
            against.add("condition_not_met")
        if not all(combine(coupon, each) for each in others if each is not coupon):
            against.add("not_combinable")
        if coupon.benefit is None:
            return against, Discount(ZERO)  # "a voucher for a thing: it is redeemed with discount 0"
        if used_up:
            return against, None
        discount = discount_of(bill, coupon.benefit, remaining if remaining is not None else in_all)
        if discount.amount == 0 and bill.rate is not None:
            against.add("nothing_to_discount")
        return against, discount

    # --- spending ---------------------------------------------------------------------------------------------

    def balance(self, member: str, currency: str, at: datetime) -> Fraction:
        return sum((each.left for each in self._live(member, currency, at)), ZERO)

    def _live(self, member: str, currency: str, at: datetime) -> list[Lot]:
        """Return the lots in the order of spending: "the lot that expires soonest, never-expiring lots last"."""
        lots = [each for each in self.lots if (each.member, each.currency) == (member, currency) and each.is_live(at)]
        return sorted(lots, key=lambda each: (each.expires_at is None, each.expires_at or at, each.place))

    def spend(
        self,
        program: dict,
        member: str,
        currency: str,
        amount: str,
        event: str,
        at: datetime,
        transaction: dict | None = None,
    ) -> Answer:
        def decide() -> list[Payment]:
            paid_by = event if transaction is None else transaction["id"]
            bill = None if transaction is None else self.bill(program, transaction, [])
            paid = self._spend(program, member, currency, given(amount), event, paid_by, at, bill, [])
            if isinstance(paid, set):
                raise Refused(paid)
            return [paid]

        return self._once(("spend", event, currency), (member, amount, transaction), decide)

    def _spend(
        self,
        program: dict,
        member: str,
        currency: str,
        amount: Fraction,
        event: str,
        paid_by: str,
        at: datetime,
        bill: Bill | None,
        earlier: list[Payment],
    ) -> Payment | set[str]:
        """Return a spend, or the reasons against it."""
        rate = program["currencies"][currency].get("redeem")
        if rate is None:
            return {"not_redeemable"} | ({"insufficient"} if self.balance(member, currency, at) < amount else set())
        against: set[str] = set()
        if rate.get("least") is not None and amount < given(rate["least"]):
            against.add("below_least")
        if rate.get("most") is not None and amount > given(rate["most"]):
            against.add("above_most")
        if rate.get("block") is not None and amount % given(rate["block"]):
            against.add("not_a_block")
        if self.balance(member, currency, at) < amount:
            against.add("insufficient")
        # "What points are worth is held to the 6th decimal, rounded down."
        worth = Fraction(floor(amount * given(rate["value"]) / given(rate["points"]) * 10**6), 10**6)
        not_for = rate.get("not_for")
        shares: list[tuple[str | None, Fraction]] = []
        if bill is None:
            if any(rate.get(key) is not None for key in ("most_of_bill", "not_for", "least_bill")):
                against.add("no_bill")
        elif bill.rate is None:
            against.add("no_exchange_rate")
        else:
            if rate.get("least_bill") is not None and bill.amount < given(rate["least_bill"]):
                against.add("bill_too_small")
            lines = bill.payable(not_for)
            room = min(sum((max(each.left, ZERO) for each in lines), ZERO), bill.left)
            if not bill.lines:
                room = ZERO if not_for is not None else bill.left
            if rate.get("most_of_bill") is not None:
                room = min(room, max(bill.amount, ZERO) * given(rate["most_of_bill"]) / 100)
            if worth > room:
                against.add("more_than_bill")
            else:
                shares = bill.shares(worth, lines)
        if against:
            return against
        draws, wanted = [], amount
        for lot in self._live(member, currency, at):
            part = min(lot.left, wanted)
            if part:
                draws.append((lot, part))
            wanted -= part
        return Payment(
            "", "spend", currency, event, paid_by, worth, shares, at, draws=draws, spent=amount, not_for=not_for
        )

    # --- undoing ----------------------------------------------------------------------------------------------

    def undo_redemption(self, paid: Payment, event: str, at: datetime, amount: str | None = None) -> Answer:
        key, inputs = ("undo_redemption", event, paid.key), amount
        if key in self.answered:
            before, answer = self.answered[key]
            return Answer("already_recorded") if before == inputs else Answer("conflict")
        coupon, part = paid.coupon, None if amount is None else given(amount)
        assert coupon is not None
        against: set[str] = set()
        left = paid.amount - paid.undone
        if at < paid.at:
            against.add("too_early")
        if paid.is_undone:
            against.add("already_undone")
        elif part is not None and coupon.remaining is None:
            against.add("not_stored_value")
        elif part is not None and part > left:
            against.add("more_than_redeemed")
        if against:
            return Answer("refused", frozenset(against))
        part = left if part is None else part
        over = coupon.voided or coupon.ended or coupon.is_over(at)
        paid.undone += part
        paid.is_undone = paid.undone >= paid.amount
        expired = ZERO
        if coupon.remaining is not None:
            expired = part if over else ZERO
            coupon.remaining += part - expired
            coupon.used = coupon.used and not over
        else:
            coupon.uses_left += 1
            if coupon.left_in_all is not None:
                coupon.left_in_all += part
            coupon.ended = coupon.ended or coupon.is_over(at)
            if coupon.terms.get("public"):
                coupon.voided = True
        coupon.note(at)
        answer = Answer("recorded", undone=part, expired=expired)
        self.answered[key] = inputs, answer
        return answer

    def undo_spend(self, paid: Payment, event: str, at: datetime, amount: str | None = None) -> Answer:
        key, inputs = ("undo_spend", event, paid.key), amount
        if key in self.answered:
            before, answer = self.answered[key]
            return Answer("already_recorded") if before == inputs else Answer("conflict")
        against: set[str] = set()
        left = paid.spent - paid.undone
        part = left if amount is None else given(amount)
        if at < paid.at:
            against.add("too_early")
        if paid.is_undone:
            against.add("already_undone")
        elif part > left:
            against.add("more_than_spent")
        if against:
            return Answer("refused", frozenset(against))
        # "those drawn last first"
        skip, back, expired = paid.undone, part, ZERO
        for lot, drawn in reversed(paid.draws):
            gone = min(skip, drawn)
            skip -= gone
            units = min(drawn - gone, back)
            back -= units
            if lot.expires_at is None or at < lot.expires_at:
                lot.left += units
            else:
                expired += units
        paid.undone += part
        paid.is_undone = paid.undone >= paid.spent
        answer = Answer("recorded", undone=part, expired=expired)
        self.answered[key] = inputs, answer
        return answer

    # --- by hand ----------------------------------------------------------------------------------------------

    def void(self, coupon: Coupon, event: str, at: datetime) -> Answer:
        state = coupon.state(at)
        if state != "issued":
            return Answer("refused", frozenset({"already_redeemed" if state == "redeemed" else state}))
        coupon.voided = True
        return Answer("recorded")

    def top_up(self, coupon: Coupon, event: str, at: datetime, amount: str) -> Answer:
        against = set()
        if coupon.remaining is None:
            against.add("not_stored_value")
        if coupon.voided:
            against.add("voided")
        elif coupon.ended or coupon.is_over(at):
            against.add("expired")
        if against:
            return Answer("refused", frozenset(against))
        assert coupon.remaining is not None
        coupon.remaining += given(amount)
        coupon.note(at)
        return Answer("recorded")

    # --- what is owed -----------------------------------------------------------------------------------------

    def liability(self, program: dict, at: datetime) -> Fraction:
        """Return what is owed in money: "coupons: outstanding x the most each can cost", points at their rate."""
        total = ZERO
        by_kind: dict[str, list[Fraction | None]] = {}
        for coupon in self.coupons.values():
            if coupon.state(at) == "issued":
                by_kind.setdefault(coupon.kind, []).append(most_cost(coupon))
        for costs in by_kind.values():
            if None not in costs:
                total += sum(costs, ZERO)  # type: ignore[arg-type]
        for name, currency in program["currencies"].items():
            rate = currency.get("redeem")
            if rate is not None:
                by_month: dict[object, Fraction] = {}
                for lot in self.lots:
                    if lot.currency == name and lot.is_live(at):
                        month = lot.expires_at and (lot.expires_at.year, lot.expires_at.month)
                        by_month[month] = by_month.get(month, ZERO) + lot.left
                total += sum(
                    (units * given(rate["value"]) / given(rate["points"]) for units in by_month.values()), ZERO
                )
        return total


def most_cost(coupon: Coupon) -> Fraction | None:
    """Return the most that a coupon can still cost; None without a bound."""
    if coupon.remaining is not None:
        return coupon.remaining
    benefit = coupon.benefit or {}
    bounds = [] if coupon.left_in_all is None else [coupon.left_in_all]
    once = benefit.get("amount") if benefit.get("type") == "amount_off" else benefit.get("most")
    if benefit.get("type") == "percent_off" and not given(benefit["percent"]):
        once = "0"
    if once is not None:
        bounds.append(given(once) * coupon.uses_left)
    return min(bounds) if bounds else None


class Conflict(Exception):
    pass


def combine(first: Coupon, second: Coupon) -> bool:
    """Return whether two coupons may share a transaction: "it must hold in both directions"."""
    return _allows(first, second.kind) and _allows(second, first.kind)


def _allows(coupon: Coupon, kind: str) -> bool:
    together = coupon.redemption.get("together") or "any"
    return together == "any" or (together != "none" and kind in together)


def worth_of(program: dict, amount: object, event: dict, count: int) -> list[Fraction]:
    """Return the worth of each of the coupons that one action issued of a type with a stored value.

    "The base (rounded to the cent) is their worth together, split evenly over them, odd cents to the first".
    """
    if not isinstance(amount, dict):
        return [given(amount)] * count
    facts, decimals = gather(program, event, None), cents(program)
    rate = facts.rate or ZERO
    if amount["type"] == "transaction_value":
        base = given(event["amount"]) * rate
    else:
        selected = [each for each in facts.lines if line_matches(amount.get("lines"), each, facts)]
        base = sum((line_value(each) for each in selected), ZERO) * rate
    scale = 10**decimals
    whole, odd = divmod(floor(base * scale + HALF), count)
    return [Fraction(whole + (place < odd), scale) for place in range(count)]
