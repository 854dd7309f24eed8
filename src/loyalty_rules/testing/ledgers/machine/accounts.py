"""Rules of the state machine: adjustments, transfers, extensions of lots, and a merge."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.machine.state import (
    ACCOUNTS,
    CURRENCIES,
    MachineState,
    account,
    at_end_of,
    chosen,
    exact,
    loaded_programs,
    places,
    versions,
)

__all__ = ["AccountRules"]


class AccountRules(MachineState):
    """Changes of an account by a person."""

    @rule(
        which=places, currency=st.sampled_from(CURRENCIES), amount=st.integers(-20, 60), version=versions,
        reason=st.sampled_from(["goodwill", "goodwill", "theft"]), days=st.none() | st.integers(-1, 6),
    )  # fmt: skip
    def adjust(self, which: int, currency: str, amount: int, version: int, reason: str, days: int | None) -> None:
        """Add to a balance, or take from it."""
        of, at, event, units = ACCOUNTS[which % len(ACCOUNTS)], self.now, self.new_id("J"), amount * 100
        last = reference.local_day(self.now) + timedelta(days=days) if days is not None else None
        receipt = self.do(
            lambda: self.ledger.adjust(
                loaded_programs()[version], account(of), currency, exact(units), reason=reason, by="clerk", event=event,
                at=at, expires_on=last,
            )
        )  # fmt: skip
        end = at_end_of(self.now, days) if days is not None else None
        program = reference.VERSIONS[version]
        self.expect(receipt, self.model.adjust(program, event, of, currency, units, reason, "clerk", self.now, end))

    @rule(
        giver=places, taker=places, currency=st.sampled_from(["stars", "stars", "stars", "points"]),
        amount=st.integers(0, 12), version=st.sampled_from([0, 0, 0, 1]),
    )  # fmt: skip
    def transfer(self, giver: int, taker: int, currency: str, amount: int, version: int) -> None:
        """Move units to another account, half of a star at a time."""
        source, target = ACCOUNTS[giver % len(ACCOUNTS)], ACCOUNTS[taker % len(ACCOUNTS)]
        at, event, units = self.now, self.new_id("J"), amount * 50
        receipt = self.do(
            lambda: self.ledger.transfer(
                loaded_programs()[version], account(source), account(target), currency, exact(units), reason="gift",
                by="clerk", event=event, at=at,
            )
        )  # fmt: skip
        program = reference.VERSIONS[version]
        self.expect(receipt, self.model.transfer(program, event, source, target, currency, units, self.now))

    @precondition(lambda self: self.model.lots)
    @rule(which=places, days=st.integers(1, 12))
    def extend_a_lot(self, which: int, days: int) -> None:
        lot, at, event = chosen(self.model.lots, which), self.now, self.new_id("J")
        day = reference.local_day(self.now) + timedelta(days=days)
        receipt = self.do(
            lambda: self.ledger.extend(
                loaded_programs()[0], day, lot=lot.key, reason="goodwill", by="clerk", event=event, at=at
            )
        )
        self.expect(receipt, self.model.extend_lot(lot, at_end_of(self.now, days), self.now))

    @rule(often=st.integers(0, 5))
    def merge(self, often: int) -> None:
        """Merge carl into ben, in a few histories; a second merge is refused."""
        if often:
            return
        at, event = self.now, self.new_id("J")
        receipt = self.do(
            lambda: self.ledger.merge(
                loaded_programs()[0], "carl", "ben", reason="twice", by="clerk", event=event, at=at
            )
        )
        if self.expect(receipt, self.model.merge("carl", "ben", self.now)):
            self.answers.clear()
