"""The payments of the reference model: spends and their undoing, holds, captures and releases."""

from datetime import datetime

from loyalty_rules.testing.ledgers.model.state import State, available, in_order, limits_of, take, worth
from loyalty_rules.testing.ledgers.reference_programs import ReferenceProgram
from loyalty_rules.testing.ledgers.reference_records import Account, Hold, Spend, last_taken

__all__ = ["Payments"]


class Payments(State):
    """The operations that pay with units."""

    def against_spend(
        self, program: ReferenceProgram, account: Account, currency: str, amount: int, at: datetime,
        left: int | None = None,
    ) -> list[str]:  # fmt: skip
        """Return the reasons to refuse a spend; `left` is the rest of the bill, in millionths of a hundredth."""
        limits = limits_of(program, currency, amount)
        return [
            *(["not_positive"] if amount <= 0 else []),
            *(["below_least"] if amount < limits["least"] else []),
            *(["not_a_block"] if amount % limits["block"] else []),
            *(["above_most"] if amount > limits["most"] else []),
            *(["more_than_bill"] if left is not None and worth(currency, amount) > left else []),
            *(["insufficient"] if amount > available(self.lots_of(account, currency), at) else []),
        ]

    def spend(
        self, program: ReferenceProgram, event: str, account: Account, currency: str, amount: int, at: datetime
    ) -> list[str]:
        """Spend, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(at)
        account = self.current_account(account)
        return self.against_spend(program, account, currency, amount, at) or self.draw(
            event, account, currency, amount, at
        )

    def draw(self, event: str, account: Account, currency: str, amount: int, at: datetime) -> list[str]:
        """Spend from the lots that end soonest; return no reasons."""
        taken = take(in_order(self.lots_of(account, currency), at), amount)
        for lot, units in taken:
            lot.spent += units
        key = f"acme/{event}/spend/{currency}"
        self.spends[key] = Spend(key, (account, currency), at, taken, event)
        return []

    def undo_spend(self, spend: Spend, at: datetime, amount: int | None = None) -> list[str]:
        """Return the units, or so many of them, those drawn last first; or return the reasons for a refusal."""
        self.end_holds(at)
        left = spend.amount - spend.undone
        if not left or (amount is not None and not 0 < amount <= left):
            return [
                *([] if left else ["already_undone"]),
                *(["not_positive"] if amount is not None and amount <= 0 else []),
                *(["more_than_spent"] if amount is not None and 0 < left < amount else []),
            ]
        units = left if amount is None else amount
        parts = last_taken(spend.taken, spend.undone, units)
        spend.undone += units
        for lot, part in parts:
            lot.spent -= part
        self.come_back(parts, spend.balance, spend.at, at)
        return []

    def left_of_spend(self, spend: Spend) -> int:
        """Return the part of a spend's worth that stands, in millionths of a hundredth, as a ledger rounds it."""
        whole = worth(spend.balance[1], spend.amount)
        return whole // 100 * (spend.amount - spend.undone) // spend.amount * 100

    # -- holds

    def hold(
        self, program: ReferenceProgram, event: str, account: Account, currency: str, amount: int, at: datetime,
        until: datetime,
    ) -> list[str]:  # fmt: skip
        """Set units aside, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(at)
        account = self.current_account(account)
        reasons = self.against_spend(program, account, currency, amount, at)
        if not reasons:
            taken = take(in_order(self.lots_of(account, currency), at), amount)
            for lot, units in taken:
                lot.held += units
            key = f"acme/{event}/hold/{currency}"
            self.holds[key] = Hold(key, (account, currency), at, until, taken)
        return reasons

    def capture(self, hold: Hold, event: str, at: datetime, amount: int | None = None) -> list[str]:
        """Spend held units, and release the rest; or return the reasons for a refusal."""
        self.end_holds(at)
        reasons = [
            *(["hold_ended"] if hold.has_ended else []),
            *(["not_positive"] if amount is not None and amount <= 0 else []),
            *(["more_than_held"] if amount is not None and amount > hold.amount else []),
        ]
        if reasons:
            return reasons
        units = hold.amount if amount is None else amount
        rest = {id(lot): part for lot, part in last_taken(hold.taken, 0, hold.amount - units)}
        taken = [(lot, part - rest.get(id(lot), 0)) for lot, part in hold.taken]
        self.let_go(hold, hold.amount - units, at)
        for lot, part in taken:
            lot.held -= part
            lot.spent += part
        key = f"acme/{event}/spend/{hold.balance[1]}"
        self.spends[key] = Spend(key, hold.balance, at, [each for each in taken if each[1]], event)
        return []

    def release_hold(self, hold: Hold, at: datetime) -> list[str]:
        """Release held units, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(at)
        if hold.has_ended:
            return ["hold_ended"]
        self.let_go(hold, hold.amount, at)
        return []
