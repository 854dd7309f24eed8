"""Purchases: spends of an evaluation and the issues that they pay for, recorded all together or not at all.

Source: semantics 12, 17.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from loyalty_rules.intents import Claim, Intent, IssueCoupon, IssueCurrency, SpendCurrency
from loyalty_rules.ledger.storage import Window
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.values.amounts import micros

__all__ = ["Purchase", "purchases_of"]

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

    def balances(self) -> Iterator[tuple[Account, str]]:
        """Yield the account and the currency of each spend, once."""
        yield from dict.fromkeys((Account.of(each), each.currency) for each in self.spends)

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
