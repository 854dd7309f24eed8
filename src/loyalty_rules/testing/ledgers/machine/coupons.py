"""Rules of the state machine: redemptions, sets of them, their undoing, and the operations by hand."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.machine.after_the_sale import AfterTheSaleRules
from loyalty_rules.testing.ledgers.machine.payments import PaymentRules
from loyalty_rules.testing.ledgers.machine.state import (
    account,
    at_end_of,
    chosen,
    exact,
    hundredths,
    loaded_programs,
    members,
    pauses,
    places,
    prices,
    shares,
    stores,
    versions,
)
from loyalty_rules.testing.ledgers.reference_records import Account, Coupon

__all__ = ["CouponRules"]

BY_HAND = {"reason": "goodwill", "by": "clerk"}


class CouponRules(AfterTheSaleRules, PaymentRules):
    """Redemptions of coupons, and changes of coupons by hand."""

    @precondition(lambda self: self.model.coupons)
    @rule(which=places, member=members, store=stores, price=prices, version=versions)
    def redeem(self, which: int, member: str | None, store: str | None, price: int, version: int) -> None:
        self.redeem_with(chosen(self.model.coupons, which), self.bill(member, store, 1, price, self.now), version)

    def live_coupon(self, which: int) -> Coupon:
        """Return an issued coupon, and let its first instant pass."""
        live = {key: each for key, each in self.model.coupons.items() if each.state == "issued"}
        coupon: Coupon = chosen(live, which)
        self.now = max(self.now, coupon.valid_from)
        return coupon

    @precondition(lambda self: any(coupon.state == "issued" for coupon in self.model.coupons.values()))
    @rule(which=places, price=prices)
    def redeem_a_live_coupon(self, which: int, price: int) -> None:
        """Redeem a live coupon by its holder, in the first store."""
        coupon = self.live_coupon(which)
        self.redeem_with(coupon, self.bill(coupon.member, "S1", 1, price, self.now), 0)

    @precondition(lambda self: any(coupon.state == "issued" for coupon in self.model.coupons.values()))
    @rule(which=places, price=prices, others=st.integers(0, 2))
    def sell_for_coupons(self, which: int, price: int, others: int) -> None:
        """Redeem a live coupon, and others of the same sale, and record the redeeming sale."""
        coupon = self.live_coupon(which)
        bill = self.bill(coupon.member, "S1", 1, price, self.now)
        same = [each for each in self.model.coupons.values() if each.bill.id == coupon.bill.id and each is not coupon]
        for each in [coupon, *same[:others]]:
            if each.rule.code is None:
                self.redeem_with(each, bill, 0)
        self.process(bill, 0)

    @precondition(lambda self: any(coupon.state == "issued" for coupon in self.model.coupons.values()))
    @rule(which=places, price=prices, others=st.integers(0, 2), units=st.integers(0, 20), version=versions)
    def sell_for_a_set(self, which: int, price: int, others: int, units: int, version: int) -> None:
        """Redeem several coupons and spend points and stars at once, and record the sale that they pay."""
        first = self.live_coupon(which)
        live = [first, *(each for each in self.model.coupons.values() if each.state == "issued" and each is not first)]
        shared = [each for each in live if each.rule.code is not None]
        live = [each for each in live if each not in shared[1:]]  # a shared code once
        coupons = [live[0], *live[1:][::-1][:others]]
        bill = self.bill(first.member, "S1", 1, price, self.now)
        of: Account = ("member", first.member or "anna")
        spends = [
            (of, currency, amount) for currency, amount in (("points", units * 100), ("stars", units * 20)) if units
        ]
        event, program = self.event(bill), loaded_programs()[version]
        codes = [each.serial for each in coupons]
        offered = [(account(each[0]), each[1], exact(each[2])) for each in spends]
        receipt = self.do(lambda: self.ledger.redeem_all(program, codes, offered, event))
        found = [self.model.find(each, bill.member, self.now) for each in coupons]
        self.expect(receipt, [*self.model.redeem_all(reference.VERSIONS[version], found, spends, bill)])
        self.process(bill, version)

    @precondition(lambda self: any(not each.is_undone for each in self.model.redemptions.values()))
    @rule(which=places, share=shares, first=st.booleans())
    def take_back_both_sales_of_a_coupon(self, which: int, share: int, first: bool) -> None:
        """Return the sale that issued a redeemed coupon, and the sale that redeemed it, in either order."""
        made = {key: each for key, each in self.model.redemptions.items() if not each.is_undone}
        done = chosen(made, which)
        sales = [(done.coupon.bill.id, share), (done.bill.id, 100)]
        for sale, part in sales if first else reversed(sales):
            if sale in self.model.sales:
                self.take_back_part(self.model.sales[sale], part, None, None)

    def redeem_with(self, coupon: Coupon, bill: reference.Bill, version: int) -> None:
        """Redeem a coupon in a transaction."""
        event, program = self.event(bill), loaded_programs()[version]
        receipt = self.do(lambda: self.ledger.redeem(program, coupon.serial, event))
        found = self.model.find(coupon, bill.member, self.now)
        reasons, redemption = self.model.redeem(found, bill)
        self.expect(receipt, reasons)
        if redemption is not None:
            (intent,) = receipt.intents
            assert (intent.key, hundredths(getattr(intent, "discount", None))) == (redemption.key, redemption.discount)

    @precondition(lambda self: self.model.redemptions)
    @rule(which=places, hours=pauses, part=st.sampled_from([None, None, None, 1, 3]))
    def undo_redemption(self, which: int, hours: int, part: int | None) -> None:
        """Undo a redemption, or a half of it."""
        self.now += timedelta(hours=hours)
        made = {key: each for key, each in self.model.redemptions.items() if not each.is_undone}
        done, at, event = (
            chosen(made if made and which < 20 else self.model.redemptions, which),
            self.now,
            self.new_id("X"),
        )
        amount = None if part is None else max(done.discount * part // 2, 1)
        some: Decimal | None = None if amount is None else exact(amount)
        receipt = self.do(
            lambda: self.ledger.undo_redemption(loaded_programs()[0], done.key, event=event, at=at, amount=some)
        )
        self.expect(receipt, self.model.undo_redemption(done, self.now, amount))

    # -- by hand -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.coupons)
    @rule(which=places)
    def void(self, which: int) -> None:
        coupon, at, event = chosen(self.model.coupons, which), self.now, self.new_id("V")
        receipt = self.do(lambda: self.ledger.void(loaded_programs()[0], coupon.key, event=event, at=at))
        self.expect(receipt, self.model.void_by_hand(coupon, self.now))

    @precondition(lambda self: self.model.coupons)
    @rule(which=places, member=members.filter(bool))
    def reassign(self, which: int, member: str) -> None:
        coupon, at, event = chosen(self.model.coupons, which), self.now, self.new_id("V")
        receipt = self.do(
            lambda: self.ledger.reassign(loaded_programs()[0], coupon.key, member, event=event, at=at, **BY_HAND)
        )
        self.expect(receipt, self.model.reassign(coupon, member, self.now))

    @precondition(lambda self: self.model.coupons)
    @rule(which=places, amount=st.sampled_from([500, 1234]))
    def top_up(self, which: int, amount: int) -> None:
        """Add to a card, or to another coupon, which is refused."""
        cards = {key: each for key, each in self.model.coupons.items() if each.remaining is not None}
        coupon, at = chosen(cards if cards and which < 25 else self.model.coupons, which), self.now
        event, added = self.new_id("V"), exact(amount)
        receipt = self.do(
            lambda: self.ledger.top_up(loaded_programs()[0], coupon.key, added, event=event, at=at, **BY_HAND)
        )
        self.expect(receipt, self.model.top_up(coupon, amount, self.now))

    @precondition(lambda self: self.model.coupons)
    @rule(which=places, days=st.integers(1, 12))
    def extend_a_coupon(self, which: int, days: int) -> None:
        coupon, at, event = chosen(self.model.coupons, which), self.now, self.new_id("V")
        day = reference.local_day(self.now) + timedelta(days=days)
        receipt = self.do(
            lambda: self.ledger.extend(loaded_programs()[0], day, coupon=coupon.key, event=event, at=at, **BY_HAND)
        )
        self.expect(receipt, self.model.extend_coupon(coupon, at_end_of(self.now, days), self.now))
