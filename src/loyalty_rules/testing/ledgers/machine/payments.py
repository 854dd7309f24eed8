"""Rules of the state machine: spends, holds, and their undoing."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.machine.state import (
    ACCOUNTS,
    CURRENCIES,
    MachineState,
    account,
    chosen,
    exact,
    loaded_programs,
    pauses,
    places,
    versions,
)
from loyalty_rules.testing.ledgers.reference_records import Account, Hold

__all__ = ["PaymentRules"]

parts = st.sampled_from([None, None, 1, 2, 3])
"""The halves of a payment that are undone or captured; None is all of it, and three are too many."""


class PaymentRules(MachineState):
    """Payments with units."""

    @rule(which=places, currency=st.sampled_from(CURRENCIES), amount=st.integers(-1, 80), version=versions)
    def spend(self, which: int, currency: str, amount: int, version: int) -> None:
        self.spend_from(ACCOUNTS[which % len(ACCOUNTS)], currency, amount * 50, version)

    @precondition(lambda self: any(lot.outstanding for lot in self.model.lots.values()))
    @rule(which=places, share=st.sampled_from([2, 1, 1]), version=versions, of_sale=st.booleans())
    def spend_from_a_live_lot(self, which: int, share: int, version: int, of_sale: bool) -> None:
        """Spend a balance or a half of it, within the limits of the redeem rate; perhaps for a recorded sale."""
        of, currency, amount = self.live_balance(which, share, version)
        self.spend_from(of, currency, amount, version, self.unpaid_sale(which, currency) if of_sale else None)

    def live_balance(self, which: int, share: int, version: int) -> tuple[Account, str, int]:
        """Return an account with a live lot, its currency, and a part of the balance that can be spent."""
        lot = chosen({key: lot for key, lot in self.model.lots.items() if lot.outstanding}, which)
        amount = self.model.balance(lot.account, lot.rule.currency, self.now)[0] // share
        if lot.rule.currency == "points":
            wallet = reference.VERSIONS[version].wallet
            amount = min(amount, wallet["most"]) // wallet["block"] * wallet["block"]
        return lot.account, lot.rule.currency, amount

    def unpaid_sale(self, which: int, currency: str) -> str | None:
        """Return the id of a sale for which no such units were spent; None if there is none."""
        unpaid = {of: of for of in self.model.sales if f"acme/{of}/spend/{currency}" not in self.model.spends}
        return chosen(unpaid, which) if unpaid else None

    def spend_from(self, of: Account, currency: str, amount: int, version: int, sale: str | None = None) -> None:
        """Spend from an account."""
        event, at, program = sale or self.new_id("S"), self.now, loaded_programs()[version]
        receipt = self.do(
            lambda: self.ledger.spend(program, account(of), "anna", currency, exact(amount), event=event, at=at)
        )
        self.expect(receipt, self.model.spend(reference.VERSIONS[version], event, of, currency, amount, self.now))

    @precondition(lambda self: self.model.spends)
    @rule(which=places, hours=pauses, part=parts)
    def undo_spend(self, which: int, hours: int, part: int | None) -> None:
        self.now += timedelta(hours=hours)
        made = {key: each for key, each in self.model.spends.items() if not each.is_undone}
        spend, at = chosen(made if made and which < 15 else self.model.spends, which), self.now
        amount = None if part is None else spend.amount * part // 2
        event, some = self.new_id("X"), None if amount is None else exact(amount)
        receipt = self.do(
            lambda: self.ledger.undo_spend(loaded_programs()[0], spend.key, event=event, at=at, amount=some)
        )
        self.expect(receipt, self.model.undo_spend(spend, self.now, amount))

    # -- holds -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: any(lot.outstanding for lot in self.model.lots.values()))
    @rule(which=places, share=st.sampled_from([2, 1]), version=versions, hours=st.sampled_from([1, 30, 100]))
    def hold(self, which: int, share: int, version: int, hours: int) -> None:
        """Set a balance aside, or a half of it."""
        of, currency, amount = self.live_balance(which, share, version)
        at, until, event = self.now, self.now + timedelta(hours=hours), self.new_id("H")
        program, units = loaded_programs()[version], exact(amount)
        receipt = self.do(
            lambda: self.ledger.hold(program, account(of), currency, units, until, event=event, at=at, member="anna")
        )
        self.expect(receipt, self.model.hold(reference.VERSIONS[version], event, of, currency, amount, self.now, until))

    @precondition(lambda self: self.model.holds)
    @rule(which=places, part=parts, of_sale=st.booleans())
    def capture(self, which: int, part: int | None, of_sale: bool) -> None:
        """Spend the units of a hold, or a part of them; perhaps for a recorded sale."""
        hold, at = self.open_hold(which), self.now
        amount = None if part is None else hold.amount * part // 2
        some: Decimal | None = None if amount is None else exact(amount)
        sale = self.unpaid_sale(which, hold.balance[1]) if of_sale else None
        event = sale or self.new_id("S")
        receipt = self.do(lambda: self.ledger.capture(loaded_programs()[0], hold.key, event=event, at=at, amount=some))
        self.expect(receipt, self.model.capture(hold, event, self.now, amount))

    @precondition(lambda self: self.model.holds)
    @rule(which=places)
    def release_a_hold(self, which: int) -> None:
        hold, at, event = self.open_hold(which), self.now, self.new_id("R")
        receipt = self.do(lambda: self.ledger.release(loaded_programs()[0], hold.key, event=event, at=at))
        self.expect(receipt, self.model.release_hold(hold, self.now))

    def open_hold(self, which: int) -> Hold:
        """Return a hold, an open one if there is any."""
        still = {key: each for key, each in self.model.holds.items() if not each.has_ended}
        hold: Hold = chosen(still if still and which < 25 else self.model.holds, which)
        return hold
