"""Rules of the state machine: sales, activities, late sales, and sales of two tills at once."""

import functools
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.machine.state import (
    SERIALS,
    MachineState,
    hundredths,
    loaded_programs,
    members,
    pauses,
    prices,
    stores,
    versions,
)

__all__ = ["SaleRules"]


class SaleRules(MachineState):
    """Sales, in the order of their instants or late."""

    @initialize(pieces=st.integers(1, 4), price=prices)
    def open_the_shop(self, pieces: int, price: int) -> None:
        self.sell("anna", "S1", pieces, price, 0)

    @rule(member=members, store=stores, pieces=st.integers(1, 4), price=prices, version=versions, hours=pauses)
    def sell(
        self, member: str | None, store: str | None, pieces: int, price: int, version: int, hours: int = 0
    ) -> None:
        self.now += timedelta(hours=hours)
        self.process(self.bill(member, store, pieces, price, self.now), version)

    @rule(member=members, store=stores, price=prices, hours=st.integers(1, 60))
    def upload_a_late_sale(self, member: str | None, store: str | None, price: int, hours: int) -> None:
        """Process an earlier sale of a till that was offline."""
        self.sweep()
        ends = [hold.ended_at for hold in self.model.holds.values() if hold.ended_at is not None]
        at = max([self.now - timedelta(hours=hours), *ends])  # the ends of holds are decided
        self.process(self.bill(member, store, 1, price, at), 0)

    @rule(member=st.sampled_from(["anna", "ben"]))
    def register(self, member: str) -> None:
        self.process(self.bill(member, None, 0, 0, self.now), 0)

    def process(self, bill: reference.Bill, version: int) -> None:
        """Process a sale, and let the model decide it, too."""
        event, program = self.event(bill), loaded_programs()[version]
        decided = self.model.decide(reference.VERSIONS[version], bill, self.model.copy_of_counters())
        receipt = self.do(lambda: self.ledger.process(program, event, serials=SERIALS), since=bill.at)
        self.model.record(decided)
        self.issued(receipt)
        if bill.amount:
            other = self.event(bill, bill.amount + 1)
            self.conflicts.append((lambda: self.ledger.process(program, other, serials=SERIALS), "event.amount"))

    @rule(
        member=members, other=members, store=stores, pieces=st.integers(1, 3), prices=st.tuples(prices, prices),
        version=versions,
    )  # fmt: skip
    def sell_at_two_tills(
        self, member: str | None, other: str | None, store: str | None, pieces: int, prices: tuple[int, int],
        version: int,
    ) -> None:  # fmt: skip
        """Evaluate two sales by the same snapshot, and then record one after the other."""
        program, seen = loaded_programs()[version], self.model.copy_of_counters()
        bills = [
            self.bill(who, store, pieces, price, self.now) for who, price in zip((member, other), prices, strict=True)
        ]
        evaluations = []
        for bill in bills:
            event = self.event(bill)
            evaluations.append(program.evaluate(event, self.ledger.snapshot(program, event), serials=SERIALS))
        for bill, evaluation in zip(bills, evaluations, strict=True):
            receipt = self.do(functools.partial(self.ledger.record, evaluation))
            self.model.record(self.model.decide(reference.VERSIONS[version], bill, seen))
            self.issued(receipt)

    def issued(self, receipt: Receipt) -> None:
        """Check that a sale was recorded, and take the serials of its coupons."""
        self.expect(receipt)
        self.take_serials(receipt)

    @rule(member=members, store=stores, version=versions)
    def compare_the_counters(self, member: str | None, store: str | None, version: int) -> None:
        self.compare_the_counters_of(member, store, version)

    def compare_the_counters_of(self, member: str | None, store: str | None, version: int) -> None:
        """Compare every counter that a sale would read with the model."""
        bill = self.bill(member, store, 1, 100, self.now)
        program, rules, counters = loaded_programs()[version], reference.VERSIONS[version], self.model.counters
        seen = self.ledger.snapshot(program, self.event(bill))
        bill = self.model.claimed(bill)
        for name, value in seen.trackers.items():
            counter, first = reference.tracker_counter(name, bill)
            counted = hundredths(value) if name == "spent" else value
            assert counted == counters.value(counter, first, bill.day), name
        for issue in rules.currency_rules if member is not None else ():
            issued = seen.issued.get(f"{issue.id}/do")
            for use in reference.counter_uses_of(issue, rules, bill):
                counted = counters.value(use.counter, use.first, use.day)
                if use.counter[0] == "limit":
                    assert hundredths(seen.limits[use.counter[1]]) == counted, use.counter
                elif issued is not None and use.times:
                    assert issued.member.times == counted, use.counter
                elif issued is not None:
                    scope = issued.member if len(use.counter) > 2 else issued.total
                    assert hundredths(scope.amount) == counted, use.counter
        for coupon in rules.coupon_rules:
            for use in reference.coupon_counter_uses_of(coupon, bill):
                counted = counters.value(use.counter, use.first, use.day)
                assert getattr(seen.coupons[coupon.type], use.counter[2].removeprefix("per_")) == counted, use.counter
