"""Random histories of coupons and of paying a bill, the product beside the reference of `redemptions`.

A history is drawn from a seed: a program in two versions, carts, and a sequence of operations. `differences` replays it
on a ledger and yields what differs: answers, coupons, balances, liability, the report, the invariants.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import loyalty_rules as lr
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.reports import issuance, liability
from loyalty_rules.lifecycle import Account

from . import redemptions
from .amounts import given, text
from .redemptions import Answer, Coupon, Payment, Shop

START = datetime(2025, 1, 10, 9, tzinfo=UTC)
MEMBERS = ("anna", "anna", "bert", None)
CONDITIONS = (
    None,
    None,
    {"field": "category", "is": "FOOD"},
    {"not": {"field": "category", "is": "WINE"}},
    {"field": "quantity", "more_than": "1"},
    {"all": []},
)
WHENS = (None, None, None, {"field": "amount", "at_least": "20"}, {"lines": {"field": "category", "is": "FOOD"}})
VALUES = ("10", "2.50", "5.00", "3.33", "0", "-5", "7.99", "12.345", "60", "0.01", "20", "100.10")
RICH_VALUES = (*VALUES, "24", "60", "33.35", "100", "48.20", "19.99", "75")
QUANTITIES = ("1", "1", "2", "3", "5", "1.5", "0.25", "0", "-1")
AMOUNTS = ("5", "3", "15", "2.55", "0.01", "40", "0")
PERCENTS = ("10", "15", "33.3", "50", "100", "0.5", "0")


# --- programs -------------------------------------------------------------------------------------------------


def benefit(random: Random, *, public: bool = False, easy: bool = False) -> dict | None:
    kinds = ["percent_off", "percent_off", "amount_off", "price", "shipping", "stored_value", "stored_value", None]
    kind = random.choice([each for each in kinds if not (public and each == "stored_value")])
    if kind is None:
        return None
    found: dict = {"type": kind}
    if kind == "percent_off":
        found["percent"] = random.choice(PERCENTS[:5] if easy else PERCENTS)
        found |= random.choice(({}, {}, {"most": random.choice(("4", "0.50", "20"))}))
        found |= random.choice(({}, {}, {"most_in_all": random.choice(("6", "10.01"))}))
    if kind in ("amount_off", "stored_value"):
        found["amount"] = random.choice(AMOUNTS[:4] if easy else AMOUNTS)
    if kind == "stored_value" and random.random() < 0.3:
        found["amount"] = {"type": "line_item_value", "lines": {"field": "category", "is": "FOOD"}}
    if kind == "price":
        found["price"] = random.choice(("0", "1", "2.20", "9.90", "0.333"))
    if kind == "shipping" and random.random() < 0.4:
        found["most"] = "3"
    if kind != "shipping":
        lines = random.choice(CONDITIONS)
        found["lines"] = {"all": []} if kind == "price" and lines is None else lines
    if kind in ("percent_off", "amount_off", "price") and random.random() < 0.45:
        found["units"] = random.choice((1, 1, 2, 3, 6))
        found |= random.choice(({}, {"pick": "dearest"}, {"pick": "cheapest"}))
    return found


def coupon_type(random: Random, name: str, *, easy: bool) -> dict:
    kind = random.choice(("serial", "serial", "serial", "shared", "public"))
    found: dict = {"benefit": benefit(random, public=kind == "public", easy=easy), "redemption": {}}
    terms = found["redemption"]
    if kind != "serial":
        found |= {"serial_managed": False, "code": f"Code-{name}"}
    if kind == "public":
        found["public"] = True
        names = ("total", "per_member", "per_store", "per_transaction")
        found["caps"] = {each: random.choice((1, 2, 3)) for each in names if random.random() < (0.2 if easy else 0.4)}
        if random.random() < 0.2:
            found["validity"] = {"expiry": {"type": "fixed_date", "on": "2025-01-14"}}
    else:
        validity: dict = {"expiry": random.choice(({"type": "never"}, {"type": "fixed_period", "after": {"days": 4}}))}
        if random.random() < (0.02 if easy else 0.15):
            validity["starts_after"] = {"days": 1}
        found["validity"] = validity
        found["uses"] = random.choice((1, 1, 1, 2, 3))
        terms["holder_only"] = random.random() < 0.1
    if easy and random.random() < 0.8:
        return found | {"redemption": {"order": random.choice((0, 0, 0, 1, -1))}}
    terms["when"] = random.choice(WHENS)
    terms["stores"] = random.choice((None, None, None, None, ["S1"]))
    terms["brands"] = random.choice((None, None, None, None, None, ["B1"]))
    terms["order"] = random.choice((0, 0, 0, 0, 1, -1))
    terms["together"] = random.choice(("any", "any", "any", "any", "any", "none", sorted({"a", "b", name}), ["b"]))
    return found


def rate(random: Random, *, easy: bool) -> dict:
    found: dict = {"points": random.choice(("1", "100", "3")), "value": random.choice(("1.00", "0.05"))}
    for key, values in (
        ("least", ("10",)),
        ("block", ("10", "5")),
        ("most", ("200",)),
        ("most_of_bill", ("50", "33.3")),
        ("least_bill", ("15",)),
    ):
        if random.random() < (0.08 if easy else 0.15):
            found[key] = random.choice(values)
    if random.random() < 0.3:
        found["not_for"] = random.choice(CONDITIONS[2:])
    return found


def program(random: Random, *, easy: bool) -> tuple[dict, dict]:
    """Return the two versions of a program: the second has other terms, and may lack a type."""
    names = "abcde"[: random.randint(2, 5)]  # of these `a` and `b` stay
    types = {name: coupon_type(random, name, easy=easy) for name in names}
    issued = [name for name in names if not types[name].get("public")]
    actions = [
        {"type": "issue_coupon", "id": f"give-{name}", "coupon_type": name, "quantity": random.choice((1, 1, 2, 3))}
        for name in issued
    ]
    for place, currency in enumerate(("points", "stars", "medals")):
        for part, expiry in enumerate(({"type": "never"}, {"type": "fixed_period", "after": {"days": 3}})):
            actions.append(
                {
                    "type": "issue_currency",
                    "id": f"earn-{place}-{part}",
                    "currency": currency,
                    "proration": {"type": "fixed", "amount": random.choice(("100", "20"))},
                    "expiry": expiry,
                }
            )
    first = {
        "format": "loyalty-rules/1",
        "id": "shop",
        "time_zone": "UTC",
        "money": random.choice(("EUR", "EUR", "EUR", "EUR", None, "JPY", "KWD")),
        "currencies": {
            "points": {"redeem": rate(random, easy=easy)},
            "stars": {"redeem": rate(random, easy=easy)},
            "medals": {},
        },
        "coupon_types": types,
        "promotions": [
            {"id": "x", "trigger": "gift", "actions": actions},
            {"id": "s", "trigger": "transaction", "actions": [each for each in actions if random.random() < 0.5]},
        ],
    }
    if not first["promotions"][1]["actions"]:
        first["promotions"].pop()
    second = copy.deepcopy(first)
    for name in names:
        changed = coupon_type(random, name, easy=easy)
        kept = second["coupon_types"][name]
        if not kept.get("public") and changed.get("code") == kept.get("code") and not changed.get("public"):
            second["coupon_types"][name] = changed
    if issued and issued[-1] > "b" and random.random() < 0.3:
        gone = issued[-1]
        del second["coupon_types"][gone]
        for promotion in second["promotions"]:
            promotion["actions"] = [each for each in promotion["actions"] if each.get("coupon_type") != gone]
        second["promotions"] = [each for each in second["promotions"] if each["actions"]]
    return first, second


# --- carts ----------------------------------------------------------------------------------------------------


def cart(random: Random, money: str | None, identifier: str, at: datetime, *, easy: bool) -> dict:
    lines = []
    for place in range(random.choice((0, 1, 2, 3, 4, 6) if easy else (0, 0, 1, 2, 3, 6))):
        line: dict = {"id": str(place + 1), "quantity": random.choice(QUANTITIES[:6] if easy else QUANTITIES)}
        if random.random() < 0.3:
            line |= {"unit_price": random.choice(VALUES), "discount": random.choice(("0", "0", "0.50"))}
        else:
            line["value"] = random.choice(RICH_VALUES if easy else VALUES)
        category = random.choice(("FOOD", "FOOD", "WINE") if easy else ("FOOD", "WINE", None))
        lines.append(line | ({} if category is None else {"category": category}))
    total = sum((redemptions.line_value(each) for each in lines), Fraction(0))
    postage = Fraction(random.choice(("0", "0", "4.90", "3")))
    extra = Fraction(random.choice(("0", "0", "0", "2.22", "-3", "-10")[: 5 if easy else 6]))
    amount = (total if lines else Fraction(random.choice(VALUES)) * random.choice((1, 2))) + postage + extra
    amount = Fraction(round(amount * 10**6), 10**6)
    found = {
        "type": "transaction",
        "id": identifier,
        "occurred_at": at.isoformat(),
        "amount": text(amount),
        "lines": lines,
        "store": "S1" if easy else random.choice(("S1", "S1", "S2", None)),
        "brand": "B1" if easy else random.choice(("B1", "B1", None)),
        "member": None,
    }
    if postage or random.random() < 0.1:
        found["shipping"] = text(postage)
    member = random.choice(MEMBERS)
    if easy and random.random() < 0.8:
        member = "anna"
    if member is not None:
        found["member"] = {"id": member}
    if money is not None and random.random() < 0.2:
        found["currency"] = random.choice((money, "SEK", "SEK"))
        if random.random() < 0.7:
            found["exchange_rate"] = random.choice(("0.0912", "2", "1.234567"))
    return {key: value for key, value in found.items() if value is not None}


# --- the product beside the reference -------------------------------------------------------------------------


class History:
    """One history: a ledger of the product, the reference, and what was done so far."""

    def __init__(self, seed: int, ledger, serials, shop: type[Shop] = Shop) -> None:
        self.random = Random(seed)
        self.easy = self.random.random() < 0.75
        self.documents = program(self.random, easy=self.easy)
        self.programs = [lr.load_program(each) for each in self.documents]
        self.ledger, self.serials = ledger, serials
        self.shop = shop()
        self.at = START
        self.carts: dict[str, dict] = {}
        self.calls: list = []
        self.keys: dict[str, str] = {}  # of the product, by those of the reference
        self.codes: dict[str, str] = {}
        self.number = 0
        self.log: list = []

    def new_id(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def run(self, steps: int) -> Iterator[str]:
        yield from self.step(self.gift)
        for _ in range(steps):
            operations = (
                [self.gift, self.sale]
                + 8 * [self.redeem]
                + 5 * [self.redeem_all]
                + 4 * [self.spend]
                + 3 * [self.undo]
                + [self.retry, self.top_up, self.sweep]
                + ([] if self.easy and self.random.random() < 0.8 else [self.void])
            )
            yield from self.step(self.random.choice(operations))

    def step(self, operation) -> Iterator[str]:
        if self.random.random() < 0.5:
            self.at += timedelta(hours=self.random.choice((1, 5, 20, 50)))
        which = self.random.choice((0, 0, 0, 1))
        found = [*operation(which)]
        found += self.compare_state(which)
        if found:
            yield from (f"step {len(self.log)} {self.log[-1:]}: {each}" for each in found)

    # --- operations -------------------------------------------------------------------------------------------

    def gift(self, which: int) -> Iterator[str]:
        member = self.random.choice((*MEMBERS, "anna", "anna", "anna") if self.easy else MEMBERS)
        event = {"type": "gift", "id": self.new_id("G"), "occurred_at": self.at.isoformat()}
        if member:
            event["member"] = {"id": member}
        yield from self.process(which, event)

    def sale(self, which: int) -> Iterator[str]:
        event = cart(self.random, self.documents[0]["money"], self.new_id("T"), self.at, easy=self.easy)
        self.carts[event["id"]] = event
        yield from self.process(which, event)

    def process(self, which: int, event: dict) -> Iterator[str]:
        self.log.append(("process", which, event))
        receipt = self.ledger.process(self.programs[which], lr.load_event(event), serials=self.serials)
        if receipt.status != "recorded":
            yield f"{event['id']}: {receipt.status}"
            return
        intents = [lr.dump(each) for each in receipt.intents]
        counts = Counter((each["promotion"], each["action"]) for each in intents if each["type"] == "issue_coupon")
        places: Counter = Counter()
        for each in intents:
            if each["type"] == "issue_coupon":
                action = each["promotion"], each["action"]
                self.shop.issue_coupon(self.documents[which], each, event, counts[action], places[action])
                places[action] += 1
                self.keys[each["key"]] = each["key"]
                self.codes[each["key"]] = each["serial"] or each["code"]
            elif each["type"] == "issue_currency":
                self.shop.issue_currency(each)

    def transaction(self, late: timedelta = timedelta(0)) -> dict:
        """Return a cart: a new one, an earlier one as it was, or one that has changed; some are recorded late."""
        random = self.random
        known = [*self.carts]
        identifier = random.choice(known) if known and random.random() < 0.75 else self.new_id("P")
        if identifier not in self.carts or random.random() < 0.15:
            self.carts[identifier] = cart(random, self.documents[0]["money"], identifier, self.at, easy=self.easy)
        return self.carts[identifier] | {"occurred_at": (self.at - late).isoformat()}

    def late(self) -> timedelta:
        return timedelta(hours=self.random.choice((1, 24, 48)) if self.random.random() < 0.1 else 0)

    def code(self) -> str:
        shared = [each["code"] for each in self.documents[0]["coupon_types"].values() if each.get("code")]
        found = self.random.choice([*self.codes.values(), *shared, *shared, "NONSENSE"])
        if self.easy and (usable := [each for each in self.shop.coupons.values() if each.state(self.at) == "issued"]):
            found = self.random.choice([self.codes[each.key] for each in usable if each.key in self.codes] + shared)
        spelled = (found, found, found.lower(), found.replace("-", " "))
        return self.random.choice(spelled)

    def redeem(self, which: int) -> Iterator[str]:
        event = self.new_id("E") if self.random.random() < 0.15 else None
        yield from self.do("redeem", which, self.code(), self.transaction(self.late()), event)

    def spends(self, most: int) -> list[tuple[str, str, str]]:
        currencies = self.random.sample(("points", "stars", "medals"), self.random.choice((0, 1, most)))
        currencies = [each for each in currencies if each != "medals" or self.random.random() < 0.1]
        amounts = ("1", "2", "5", "10", "10", "20") if self.easy else ("1", "5", "10", "20", "50", "100", "120", "300")
        members = ("anna",) if self.easy else ("anna", "bert")
        return [(self.random.choice(members), each, self.random.choice(amounts)) for each in currencies]

    def redeem_all(self, which: int) -> Iterator[str]:
        codes = [self.code() for _ in range(self.random.choice((0, 1, 2, 2, 3, 4)))]
        spends = self.spends(2)
        if codes or spends:
            event = self.new_id("E") if self.random.random() < 0.15 else None
            late = timedelta(0) if spends else self.late()
            yield from self.do("redeem_all", which, codes, spends, self.transaction(late), event)

    def spend(self, which: int) -> Iterator[str]:
        cart = self.transaction()
        for member, currency, amount in self.spends(1)[:1]:
            event = self.new_id("E") if self.random.random() < 0.15 else cart["id"]
            bill = cart if self.random.random() < 0.8 else None
            yield from self.do("spend", which, member, currency, amount, event, self.at.isoformat(), bill)

    def retry(self, which: int) -> Iterator[str]:
        if self.calls:
            yield from self.do(*self.random.choice(self.calls))

    def do(self, name: str, which: int, *arguments) -> Iterator[str]:
        self.log.append((name, which, *arguments))
        if name == "redeem_all":
            codes, spends, transaction, event = arguments
            if event is None and ("redeem_all", transaction["id"]) not in self.shop.answered:
                quoted = self.product("quote", which, codes, spends, transaction)
                yield from self.compare(
                    self.shop.quote(self.documents[which], codes, spends, transaction), quoted, "quote"
                )
        answer = self.reference(name, which, *arguments)
        status, reasons, receipt = self.product(name, which, *arguments)
        yield from self.compare(answer, (status, reasons, receipt), name)
        if answer.status == status == "recorded":
            self.calls.append((name, which, *arguments))

    def reference(self, name: str, which: int, *arguments) -> Answer:
        if name == "spend":
            member, currency, amount, event, at, bill = arguments
            instant = datetime.fromisoformat(at)
            return self.shop.spend(self.documents[which], member, currency, amount, event, instant, bill)
        return getattr(self.shop, name)(self.documents[which], *arguments)

    def product(self, name: str, which: int, *arguments) -> tuple[str, frozenset[str], object]:
        ledger, shop = self.ledger, self.programs[which]
        try:
            if name == "redeem":
                code, transaction, event = arguments
                receipt = ledger.redeem(shop, code, lr.load_event(transaction), event=event)
            elif name in ("redeem_all", "quote"):
                codes, spends, transaction, *event = arguments
                read = [(Account("member", who), currency, Decimal(amount)) for who, currency, amount in spends]
                options = {"event": event[0]} if event else {}
                receipt = getattr(ledger, name)(shop, codes, read, lr.load_event(transaction), **options)
            elif name == "spend":
                member, currency, amount, event, at, bill = arguments
                receipt = ledger.spend(
                    shop, Account("member", member), member, currency, Decimal(amount), event=event,
                    at=datetime.fromisoformat(at), bill=None if bill is None else lr.load_event(bill),
                )  # fmt: skip
            else:
                key, event, at, options = arguments
                options = {k: Decimal(v) if k == "amount" else v for k, v in options.items()}
                receipt = getattr(ledger, name)(shop, key, event=event, at=at, **options)
        except IdempotencyConflict:
            return "conflict", frozenset(), None
        reasons = receipt.refusal.reasons if receipt.refusal else ()
        return receipt.status, frozenset(reasons), receipt

    def undo(self, which: int) -> Iterator[str]:
        """Undo a payment whole or in part, sometimes one that is undone."""
        if not self.shop.payments:
            return
        paid = self.random.choice(self.shop.payments)
        event, amount = self.new_id("U"), None
        if self.random.random() < 0.4:
            amount = self.random.choice(("1", "2.50", "5", "10", "1000"))
        if paid.kind == "spend" and amount == "2.50":
            amount = "3"
        name = "undo_redemption" if paid.kind == "redeem" else "undo_spend"
        self.log.append((name, which, paid.key, amount))
        expected = getattr(self.shop, name)(paid, event, self.at, amount)
        options = {} if amount is None else {"amount": amount}
        status, reasons, receipt = self.product(name, which, self.keys[paid.key], event, self.at, options)
        yield from self.compare_status(expected, status, reasons, name)
        if expected.status == status == "recorded" and receipt.undo is not None:
            undo = receipt.undo
            if name == "undo_redemption":
                if Fraction(undo.discount) != expected.undone or Fraction(undo.expired) != expected.expired:
                    yield f"undo: {expected.undone} (expired {expected.expired}) for {undo}"
            else:
                gone = sum((Fraction(each.amount) for each in undo.expired), Fraction(0))
                if Fraction(undo.amount) != expected.undone or gone != expected.expired:
                    yield f"undo: {expected.undone} (expired {expected.expired}) for {undo}"

    def void(self, which: int) -> Iterator[str]:
        yield from self.by_hand("void", which, {"reason": "r", "by": "b"})

    def top_up(self, which: int) -> Iterator[str]:
        yield from self.by_hand(
            "top_up", which, {"reason": "r", "by": "b", "amount": self.random.choice(("5", "0.50"))}
        )

    def by_hand(self, name: str, which: int, options: dict) -> Iterator[str]:
        known = [each for each in self.shop.coupons.values() if not each.terms.get("public")]
        if name == "top_up":
            known = [each for each in known if each.remaining is not None] or known
        if not known:
            return
        coupon, event = self.random.choice(known), self.new_id("H")
        self.log.append((name, coupon.key, options))
        extra = [options["amount"]] if name == "top_up" else []
        expected = getattr(self.shop, name)(coupon, event, self.at, *extra)
        status, reasons, _ = self.product(name, which, self.keys[coupon.key], event, self.at, options)
        yield from self.compare_status(expected, status, reasons, name)

    def sweep(self, which: int) -> Iterator[str]:
        self.log.append(("expire", which))
        self.ledger.expire(self.programs[which], self.at)
        return iter(())

    # --- comparing --------------------------------------------------------------------------------------------

    def compare_status(self, expected: Answer, status: str, reasons: frozenset[str], name: str) -> Iterator[str]:
        if (expected.status, expected.reasons) != (status, reasons):
            yield f"{name}: {expected.status} {sorted(expected.reasons)}, the product: {status} {sorted(reasons)}"

    def compare(self, expected: Answer, got: tuple, name: str) -> Iterator[str]:
        status, reasons, receipt = got
        found = [*self.compare_status(expected, status, reasons, name)]
        yield from found
        if found or not expected.payments:
            return
        intents = [each for each in receipt.intents if each.type in ("redeem_coupon", "spend_currency")]
        if len(intents) != len(expected.payments):
            yield f"{name}: {len(expected.payments)} payments, the product: {len(intents)}"
            return
        for paid, intent in zip(expected.payments, intents, strict=True):
            if expected.status == "recorded":
                self.keys[paid.key] = intent.key
                if paid.coupon is not None and paid.coupon.terms.get("public"):
                    self.keys[paid.coupon.key] = intent.coupon
            yield from self.compare_payment(paid, intent, name)

    def compare_payment(self, paid: Payment, intent, name: str) -> Iterator[str]:
        what = f"{name} of {paid.of}"
        amount = intent.discount if paid.kind == "redeem" else intent.value
        if Fraction(amount) != paid.amount:
            yield f"{what}: {text(paid.amount)}, the product: {amount}"
        got = {each.line: Fraction(each.amount) for each in intent.shares if each.amount}
        if got != dict(paid.shares):
            yield f"{what}: shares {shown(dict(paid.shares))}, the product: {shown(got)}"
        if paid.coupon is None:
            return
        known = self.keys.get(paid.coupon.key)
        if known is not None and intent.coupon != known:
            yield f"{what}: coupon {known}, the product: {intent.coupon}"
        remaining = None if intent.remaining is None else Fraction(intent.remaining)
        if remaining != paid.remaining:
            yield f"{what}: remaining {paid.remaining}, the product: {remaining}"

    def compare_state(self, which: int) -> Iterator[str]:
        program, at = self.programs[which], self.at
        rows = self.ledger.report_rows("shop", at)
        records = {each.key: each for each in rows.coupons}
        if len(records) != len(self.shop.coupons):
            yield f"{len(self.shop.coupons)} coupons, the product: {len(records)}"
        for coupon in self.shop.coupons.values():
            record = records.get(self.keys.get(coupon.key, ""))
            if record is None:
                yield f"no coupon {coupon.key}"
            else:
                yield from self.compare_coupon(coupon, record)
        for member in ("anna", "bert"):
            for currency in ("points", "stars", "medals"):
                got = Fraction(self.ledger.balance("shop", Account("member", member), currency, at).available)
                if got != (wanted := self.shop.balance(member, currency, at)):
                    yield f"{member}'s {currency}: {wanted}, the product: {got}"
        total = Fraction(liability(program, rows).total)
        wanted = self.shop.liability(self.documents[which], at)
        if abs(total - wanted) > Fraction(1, 10**5):
            yield f"liability: {float(wanted)}, the product: {total}"
        counted = {(each.of, state): getattr(each, state) for each in issuance(program, rows) if each.kind == "coupon"
                   for state in ("redeemed", "expired", "voided", "outstanding")}  # fmt: skip
        states = Counter((each.kind, each.state(at)) for each in self.shop.coupons.values())
        for (kind, state), got in counted.items():
            if got != states[kind, "issued" if state == "outstanding" else state]:
                yield f"report of {kind}: {got} {state}, for {states}"
        yield from map(str, self.ledger.check_invariants())

    def compare_coupon(self, coupon: Coupon, record) -> Iterator[str]:
        state = record.state_at(self.at)
        if state != coupon.state(self.at):
            yield f"{coupon.key}: {coupon.state(self.at)}, the product: {state}"
        remaining = None if record.remaining is None else Fraction(record.remaining)
        if remaining != coupon.remaining:
            yield f"{coupon.key}: remaining {coupon.remaining}, the product: {remaining}"
        if coupon.remaining is None and record.uses_left is not None and record.uses_left != coupon.uses_left:
            yield f"{coupon.key}: uses left {coupon.uses_left}, the product: {record.uses_left}"
        left = None if record.left_in_all is None else Fraction(record.left_in_all)
        if left != coupon.left_in_all:
            yield f"{coupon.key}: left in all {coupon.left_in_all}, the product: {left}"


def shown(shares: dict) -> dict:
    return {line: float(amount) for line, amount in shares.items()}


def differences(seed: int, ledger, serials, steps: int | None = None, shop: type[Shop] = Shop) -> list[str]:
    """Return what differs in the history of a seed; the first step with a difference ends it."""
    history = History(seed, ledger, serials, shop)
    steps = steps or Random(seed).randint(2, 10)
    for each in history.run(steps):
        return [each]
    return [f"verify: {each}" for each in ledger.verify()] if hasattr(ledger, "verify") else []


__all__ = ["History", "differences", "given"]
