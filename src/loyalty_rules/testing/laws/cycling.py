"""The law on cycles: a spend that is undone changes nothing about the points that a sale and its full return leave."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import RedeemRate
from loyalty_rules.testing.laws.baskets import bill_in_words
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.laws.totals import LedgerTotals, amounts_in_words
from loyalty_rules.testing.strategies.events import returns, transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["cycling"]

_AN_HOUR = timedelta(hours=1)


def cycling(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Check that nobody gets points who buys, spends them, returns everything and cancels the spend, in any order.

    The cycle leaves no more than the sale and its full return alone. Source: semantics 11, 12.
    """
    words = words_of(program)

    def broken(cycle: tuple[Document, Document, bool]) -> Counterexample | None:
        sale, back, undo_first = cycle
        totals = LedgerTotals(program)
        sold = totals.record(sale)
        spends = [*_spends(totals)]
        if undo_first:
            _undo(totals, spends)
        totals.record(back)
        if not undo_first:
            _undo(totals, spends)
        alone = LedgerTotals.of(program, (sale, back))
        left = _more(_left(totals, expectations), _left(alone, expectations))
        if not left:
            return None
        order = "the undo of the spend and the return" if undo_first else "the return and the undo of the spend"
        return Counterexample(
            "cycling",
            f"a sale of {bill_in_words(sold.document)}, a spend of all points, {order} leave "
            f"{amounts_in_words(left)} more than the return alone",
            (sale, back),
            totals.slips(),
        )

    return search_narrowing(partial(_cycles, words), broken, effort)


def _balances(totals: LedgerTotals) -> Iterator[tuple[Account, str]]:
    """Yield each account and currency that was issued to."""
    issues = (each for each in totals.issues() if isinstance(each, IssueCurrency))
    yield from dict.fromkeys((Account.of(each), each.currency) for each in issues)


def _spends(totals: LedgerTotals) -> Iterator[str]:
    """Spend as much as possible of each balance an hour after the last event; yield the keys of the spends."""
    program, at = totals.program, totals.events[-1].event.occurred_at + _AN_HOUR
    rates = {each.id: each.redeem for each in program.currencies}
    for number, (account, currency) in enumerate(_balances(totals)):
        available = totals.ledger.balance(program.id, account, currency, at).available
        amount = _most(rates[currency], available)
        event = f"SPEND-{number}"
        receipt = totals.ledger.spend(program, account, account.id, currency, amount, event=event, at=at)
        if receipt.spend is not None:
            yield receipt.spend.key


def _most(rate: RedeemRate | None, available: Decimal) -> Decimal:
    """Return the largest amount of a balance that a rate admits."""
    units = micros(available)
    if rate is None:
        return available
    if rate.most is not None:
        units = min(units, micros(rate.most))
    if rate.block is not None:
        units = units // micros(rate.block) * micros(rate.block)
    return decimal_of(units)


def _undo(totals: LedgerTotals, spends: list[str]) -> None:
    """Undo spends, the first half of the amount before the rest."""
    at = totals.events[-1].event.occurred_at + 2 * _AN_HOUR
    for number, spend in enumerate(spends):
        totals.ledger.undo_spend(totals.program, spend, event=f"UNDO-{number}", at=at, amount=Decimal("0.000001"))
        totals.ledger.undo_spend(totals.program, spend, event=f"CANCEL-{number}", at=at)


def _left(totals: LedgerTotals, expectations: Expectations) -> dict[str, int]:
    """Return the points that are left of each currency in millionths, without those of actions that do not count."""
    at = totals.events[-1].event.occurred_at + 3 * _AN_HOUR
    apart = {
        (Account.of(each), each.currency)
        for each in totals.issues()
        if isinstance(each, IssueCurrency) and not expectations.counts(each.promotion, each.action)
    }
    left: dict[str, int] = {}
    for account, currency in _balances(totals):
        if (account, currency) in apart:
            continue
        balance = totals.ledger.balance(totals.program.id, account, currency, at)
        units = micros(balance.available) + micros(balance.promised)
        if units:
            left[currency] = left.get(currency, 0) + units
    return left


def _more(left: dict[str, int], alone: dict[str, int]) -> dict[str, int]:
    """Return how much more is left of each currency."""
    more = {currency: units - alone.get(currency, 0) for currency, units in left.items()}
    return {currency: units for currency, units in more.items() if units > 0}


@st.composite
def _cycles(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document, bool]:
    sale = draw(transactions(words, least="0.01", most=most, odd=False))
    return sale, draw(returns(sale, whole=True, later_days=1)), draw(st.booleans())
