"""Purchases: spends of an evaluation and the issues that they pay for, recorded all together or not at all.

Source: semantics 12, 17.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import attrs

from loyalty_rules.engine.plan import BoundExtensionAction
from loyalty_rules.intents import Claim, Intent, IssueCoupon, IssueCurrency, SpendCurrency
from loyalty_rules.keys import extension_key, issue_key
from loyalty_rules.ledger.kinds import SHORTFALLS, balance_name
from loyalty_rules.ledger.storage import Storage, Window
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.lifecycle.spending import available, draw, in_order_of_spending, worth
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros

__all__ = ["Purchase", "drawn", "purchases_of"]

Part: TypeAlias = IssueCurrency | IssueCoupon | SpendCurrency


@attrs.frozen(eq=False)
class Purchase:
    """The spends of one promotion and the issues that depend on them.

    `preceding` are the intents of the evaluation from the first part of the purchase to its last.
    """

    intents: tuple[Part, ...]
    preceding: tuple[Intent, ...]

    @property
    def first(self) -> str:
        """The key of the first part."""
        return self.intents[0].key

    @property
    def spends(self) -> tuple[SpendCurrency, ...]:
        """The spends."""
        return tuple(each for each in self.intents if isinstance(each, SpendCurrency))

    def short_counter(self, left_of: Callable[[Claim], int]) -> str | None:
        """Return a counter that leaves less than the issues claim together, or None; `left_of` is in millionths."""
        asked: dict[Window, int] = {}
        for intent in self.preceding:
            for claim in getattr(intent, "claims", ()):
                window = claim.counter, claim.from_date, claim.to_date
                asked[window] = asked.get(window, 0) + micros(claim.amount)
                if asked[window] > left_of(claim) and intent in self.intents:
                    return str(claim.counter)
        return None

    def short_balance(self, storage: Storage, program: Program, at: datetime) -> str | None:
        """Return the name of a balance that is less than the spends, or None."""
        for account, currency in dict.fromkeys((Account.of(each), each.currency) for each in self.spends):
            lots = [lot for lot in storage.lots_of(program.id, account) if lot.issue.currency == currency]
            owed = storage.records(SHORTFALLS, program.id, debtor=balance_name(account, currency))
            debt = sum(micros(each.open) for each in owed)
            if self.lacks(account, currency, micros(available(lots, at)) - debt):
                return f"balance/{balance_name(account, currency)}"
        return None

    def extensions(self, program: Program) -> set[str]:
        """Return the keys of the extensions that the spends pay for."""
        first = self.spends[0] if self.spends else None
        bound = next((each for each in program.plan.promotions if first and each.promotion.id == first.promotion), None)
        if first is None or bound is None:
            return set()
        event = first.key.removesuffix(f"/{first.promotion}/{first.action}")
        return {
            extension_key(issue_key(event, each.key))
            for each in bound.actions
            if isinstance(each, BoundExtensionAction) and each.action.id in bound.paid
        }

    def lacks(self, account: Account, currency: str, available: int) -> bool:
        """Return whether a balance, in millionths, is too small for a spend, with the issues that come before it."""
        for intent in self.preceding:
            if isinstance(intent, (IssueCurrency, SpendCurrency)):
                if intent.currency != currency or Account.of(intent) != account:
                    continue
                if isinstance(intent, SpendCurrency):
                    available -= micros(intent.amount)
                    if available < 0:
                        return True
                elif intent.state == "issued":
                    available += micros(intent.amount)
        return False


def drawn(storage: Storage, program: Program, spend: SpendCurrency, at: datetime) -> SpendCurrency:
    """Return the spend of an action with its draws on live lots, and its worth."""
    lots = storage.lots_of(program.id, Account.of(spend))
    mine = [lot for lot in lots if lot.issue.currency == spend.currency]
    rate = next(each.redeem for each in program.currencies if each.id == spend.currency)
    return attrs.evolve(
        spend,
        value=worth(rate, spend.amount) if rate is not None else None,
        draws=draw(in_order_of_spending(mine, at), spend.amount),
    )


def purchases_of(intents: Sequence[Intent]) -> Iterator[Purchase]:
    """Yield the purchases among the intents of an evaluation, in their order."""
    if not any(isinstance(each, SpendCurrency) and each.action is not None for each in intents):
        return
    by_promotion: dict[str, list[tuple[int, Part]]] = {}
    for position, intent in enumerate(intents):
        if _is_part(intent):
            by_promotion.setdefault(intent.promotion, []).append((position, intent))  # type: ignore[union-attr,arg-type]
    for parts in by_promotion.values():
        first, last = parts[0][0], parts[-1][0]
        yield Purchase(tuple(part for _, part in parts), tuple(intents[first : last + 1]))


def _is_part(intent: Intent) -> bool:
    if isinstance(intent, SpendCurrency):
        return intent.action is not None
    return isinstance(intent, (IssueCurrency, IssueCoupon)) and bool(intent.depends_on)
