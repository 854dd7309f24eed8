"""Rules of the state machine: returns, promises, updates and amendments."""

from datetime import timedelta

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.machine.sales import SaleRules
from loyalty_rules.testing.ledgers.machine.state import (
    chosen,
    lines_of,
    loaded_programs,
    members,
    places,
    shares,
    text,
)
from loyalty_rules.testing.ledgers.reference_records import GoodsBack, Sale

__all__ = ["AfterTheSaleRules"]

refunds = st.sampled_from([None, None, None, 0, 10, 50])


class AfterTheSaleRules(SaleRules):
    """Changes of sales that are recorded."""

    # -- returns -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.sales)
    @rule(which=places, share=shares, pieces=st.none() | st.integers(0, 4), refund=refunds)
    def take_back(self, which: int, share: int, pieces: int | None, refund: int | None) -> None:
        self.take_back_part(chosen(self.model.sales, which), share, pieces, refund)

    @precondition(lambda self: any(lot.promised and lot.by is None for lot in self.model.lots.values()))
    @rule(which=places, share=shares, pieces=st.none() | st.integers(0, 2))
    def take_back_a_promise_and_settle(self, which: int, share: int, pieces: int | None) -> None:
        promises = {key: lot for key, lot in self.model.lots.items() if lot.promised and lot.by is None}
        lot = chosen(promises, which)
        self.take_back_part(self.model.sales[lot.bill.id], share, pieces, None)
        self.settle(until_due=True)

    @precondition(lambda self: self.model.sales)
    @rule(which=places, share=st.sampled_from([10, 100]))
    def take_back_the_last_of_a_sale(self, which: int, share: int) -> None:
        """Return the remainder of a sale, or nearly all of it."""
        sale = chosen(self.model.sales, which)
        remains = sale.bill.amount - sale.back
        self.return_goods(sale, GoodsBack(remains * share // 100))

    def take_back_part(self, sale: Sale, share: int, pieces: int | None, refund: int | None) -> None:
        """Return a part of a sale, or all of it; `refund` is the percentage that is named for its line."""
        named = sale.bill.amount * refund // 100 if refund is not None and pieces is not None else None
        self.return_goods(sale, GoodsBack(sale.bill.amount * share // 100, pieces, named))

    def return_goods(self, sale: Sale, back: GoodsBack) -> None:
        """Return goods of a sale."""
        lines: list[dict[str, str]] = []
        if back.pieces is not None and sale.bill.amount:
            named = {"amount": text(back.refund)} if back.refund is not None else {}
            lines = [{"id": "1", "quantity": str(back.pieces), **named}]
        receipt = self.later({"type": "return", "of": sale.bill.id, "amount": text(back.amount), "lines": lines})
        if self.expect(receipt, [] if self.model.take_back(sale, self.now, back) else ["more_than_bought"]):
            for version in range(len(reference.VERSIONS)):
                self.compare_the_counters_of(sale.bill.member, sale.bill.store, version)

    @precondition(lambda self: self.model.sales)
    @rule(which=places)
    def take_back_before_the_sale(self, which: int) -> None:
        """Send a return that is dated before its sale."""
        sale = chosen(self.model.sales, which)
        before = sale.bill.at - timedelta(seconds=1)
        self.expect(self.later({"type": "return", "of": sale.bill.id, "amount": "0"}, before), ["too_early"])

    @precondition(lambda self: any(spend.taken[0][0].by is None for spend in self.model.spends.values()))
    @rule(which=places)
    def take_back_the_sale_of_spent_points(self, which: int) -> None:
        lots = {key: spend.taken[0][0] for key, spend in self.model.spends.items()}
        lot = chosen({key: lot for key, lot in lots.items() if lot.by is None}, which)
        sale = self.model.sales[lot.bill.id]
        self.return_goods(sale, GoodsBack(sale.bill.amount - sale.back))

    # -- promises ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.lots)
    @rule(
        which=places, outcome=st.sampled_from(["issue", "issue", "cancel"]),
        part=st.sampled_from([None, None, 1, 2, 3]), by=st.sampled_from([None, "clerk", "boss"]),
    )  # fmt: skip
    def confirm(self, which: int, outcome: str, part: int | None, by: str | None) -> None:
        """Confirm or cancel a promise, or a part of it; an adjustment by another person."""
        lots = {key: lot for key, lot in self.model.lots.items() if lot.promised and lot.rule.timing == "external"}
        issues = {
            key: lot
            for key, lot in self.model.lots.items()
            if lot.origin is None and (lot.by is None or lot.uses or lot.promised)
        }
        lot = chosen(lots if lots and which < 25 else issues, which)
        amount = None if part is None else max(lot.promised * part // 2 // 100 * 100, 50)
        event = {"type": "confirmation", "promise": lot.key, "outcome": outcome}
        event |= {"amount": text(amount)} if amount is not None else {}
        receipt = self.later(event | ({"by": by} if by is not None else {}))
        if self.expect(receipt, self.model.against_confirmation(lot, amount, by)):
            self.model.confirm(lot, f"L{self.count}", self.now, amount, is_cancelled=outcome == "cancel")

    @precondition(lambda self: self.model.sales)
    @rule(which=places, status=st.sampled_from(["packed", "Shipped", "Shipped"]), pieces=st.none() | st.integers(1, 2))
    def update(self, which: int, status: str, pieces: int | None) -> None:
        """Update the status of a sale, or of so many of its pieces."""
        sale = chosen(self.model.sales, which)
        pieces = pieces if sale.bill.amount else None
        lines = [{"id": "1", "quantity": str(pieces)}] if pieces is not None else []
        receipt = self.later({"type": "update", "of": sale.bill.id, "status": status, "lines": lines})
        self.expect(receipt)
        self.model.update(sale, f"L{self.count}", self.now, status, pieces)

    @rule(until_due=st.booleans())
    def settle(self, until_due: bool) -> None:
        dues = [lot.due_at for lot in self.model.lots.values() if lot.promised and lot.due_at is not None]
        if until_due and dues:
            self.now = max(self.now, min(dues))
        receipts = self.ledger.settle(loaded_programs()[0], self.now)
        settled = self.model.settle(self.now)
        assert [receipt.intents[0].key.rpartition("/")[0] for receipt in receipts] == [lot.key for lot in settled]
        for lot in settled:
            self.forget(lot.due_at or self.now)

    # -- amendments --------------------------------------------------------------------------------------------------

    @precondition(lambda self: any(sale.bill.amount for sale in self.model.sales.values()))
    @rule(which=places, tens=st.integers(1, 99), by_line=st.booleans())
    def amend_the_bill(self, which: int, tens: int, by_line: bool) -> None:
        """Correct the amount of a bill, with the value of its line or without."""
        sale = chosen({key: each for key, each in self.model.sales.items() if each.bill.amount}, which)
        amount = tens * 50 * int(sale.bill.pieces)
        goods = amount if by_line else sale.bill.goods
        self.amend(sale, attrs.evolve(sale.bill, amount=amount, goods=goods))

    @precondition(lambda self: any(sale.bill.amount for sale in self.model.sales.values()))
    @rule(which=places, member=members.filter(bool))
    def amend_the_member(self, which: int, member: str) -> None:
        """Move a sale to a member: a claim of an anonymous one, or a change."""
        sales = {key: each for key, each in self.model.sales.items() if each.bill.amount}
        anonymous = {key: each for key, each in sales.items() if each.bill.member is None}
        sale = chosen(anonymous if anonymous and which < 15 else sales, which)
        self.amend(sale, attrs.evolve(sale.bill, member=member, group=reference.GROUP_OF[member]))

    def amend(self, sale: Sale, bill: reference.Bill) -> None:
        """Change the bill of a sale."""
        event: dict[str, object] = {"type": "amendment", "of": bill.id}
        if bill.amount != sale.bill.amount or bill.goods != sale.bill.goods:
            event |= {"amount": text(bill.amount)}
        if bill.goods != sale.bill.goods:
            event |= {"lines": lines_of(bill)}
        if (bill.member, bill.group) != (sale.bill.member, sale.bill.group):
            event |= {"member": {"id": bill.member, "group": bill.group}}
        if len(event) == 2:
            return
        receipt = self.later(event)
        if self.expect(receipt, self.model.amend(sale, f"L{self.count}", self.now, bill)):
            self.take_serials(receipt)
            for version in range(len(reference.VERSIONS)):
                self.compare_the_counters_of(sale.bill.member, sale.bill.store, version)
