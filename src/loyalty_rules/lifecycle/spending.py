"""Spending: from the lot that expires soonest; the value of points. Source: semantics 12."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from loyalty_rules.intents import LotDraw, SpendCurrency
from loyalty_rules.keys import spend_key
from loyalty_rules.lifecycle.bill import Bill, Part, payable, shared
from loyalty_rules.lifecycle.records import Account, Lot, Refusal
from loyalty_rules.program import Program
from loyalty_rules.rules.line_predicates import bind_line
from loyalty_rules.rules.promotions import RedeemRate
from loyalty_rules.values.amounts import MICRO, decimal_of, micros, read_decimal, text_of
from loyalty_rules.values.money import cent_of

__all__ = ["available", "draw", "in_order_of_spending", "spend", "worth"]


def in_order_of_spending(lots: Iterable[Lot], at: datetime) -> list[Lot]:
    """Return the live lots by expiry, soonest first, lots without expiry last; equal ones in the order of issue."""
    live = [lot for lot in lots if lot.is_live(at)]
    far = max((lot.expires_at for lot in live if lot.expires_at is not None), default=at)
    return sorted(live, key=lambda lot: (lot.expires_at is None, lot.expires_at or far, lot.order))


def available(lots: Iterable[Lot], at: datetime) -> Decimal:
    """Return the balance at an instant: the outstanding units of live lots. Pending points are not part of it."""
    return decimal_of(sum(micros(lot.outstanding) for lot in lots if lot.is_live(at)))


def draw(lots: Sequence[Lot], amount: Decimal) -> tuple[LotDraw, ...]:
    """Draw up to an amount from lots, in the order of the sequence."""
    left = micros(amount)
    draws = []
    for lot in lots:
        taken = min(left, micros(lot.outstanding))
        if taken > 0:
            draws.append(LotDraw(lot.key, decimal_of(taken)))
            left -= taken
    return tuple(draws)


def spend(
    program: Program, account: Account, member: str, currency: str, event: str, lots: Iterable[Lot], amount: Decimal,
    at: datetime, bill: Bill | None = None, *, has_rate: bool = True,
) -> SpendCurrency | Refusal:  # fmt: skip
    """Decide a spend of an amount of a currency from an account's `lots` at an instant.

    `bill` is the remainder of the bill after the earlier redemptions and spends of the transaction. It is not known if
    the bill is in foreign money without an exchange rate: `has_rate` is false. Refusals: `unknown_currency`,
    `not_positive`, `not_redeemable` (a currency without a `redeem` rate), `below_least`, `not_a_block`, `above_most`,
    `no_bill`, `no_exchange_rate`, `bill_too_small`, `more_than_bill`, `insufficient`; all that apply. Raises
    `InvalidValueError` if `amount` is not an amount.
    """
    amount = read_decimal(amount)
    known = {each.id: each for each in program.currencies}
    if currency not in known:
        return Refusal(("unknown_currency",), f"the program has no currency {currency}")
    rate = known[currency].redeem
    mine = [lot for lot in lots if lot.issue.currency == currency and lot.account == account]
    balance = available(mine, at)
    parts = payable(bill, bind_line(rate.not_for)) if rate is not None and bill is not None else []
    reasons = [*_against_rate(rate, amount), *_against_bill(rate, amount, bill, parts, has_rate=has_rate)]
    if micros(balance) < micros(amount):
        reasons.append("insufficient")
    if reasons:
        return Refusal(
            tuple(reasons),
            f"{text_of(amount)} {currency} cannot be spent from a balance of {text_of(balance)}: {', '.join(reasons)}",
        )
    assert rate is not None  # a currency without a rate is not redeemable
    value = worth(rate, amount)
    return SpendCurrency(
        spend_key(program.id, event, currency),
        event,
        member if account.kind == "group" else account.id,  # the account that pays, whoever asked for it
        account.id if account.kind == "group" else None,
        currency,
        amount,
        value,
        draw(in_order_of_spending(mine, at), amount),
        bill=bill.id if bill is not None else None,
        shares=shared(micros(value), parts, cent_of(program.money)) if parts and micros(value) else (),
    )


def _against_rate(rate: RedeemRate | None, amount: Decimal) -> Iterable[str]:
    """Yield the reasons to refuse an amount."""
    if micros(amount) <= 0:
        yield "not_positive"
    if rate is None:
        yield "not_redeemable"
        return
    if rate.least is not None and micros(amount) < micros(rate.least):
        yield "below_least"
    if rate.block is not None and micros(amount) % micros(rate.block):
        yield "not_a_block"
    if rate.most is not None and micros(amount) > micros(rate.most):
        yield "above_most"


def _against_bill(
    rate: RedeemRate | None, amount: Decimal, bill: Bill | None, parts: Sequence[Part], *, has_rate: bool
) -> Iterable[str]:
    """Yield the reasons to refuse an amount on a bill, of which `parts` may be paid. Source: semantics 12, 17.

    `least_bill` and `most_of_bill` look at the bill as it was handed over, before any discount.
    """
    if rate is None:
        return
    if not has_rate:
        yield "no_exchange_rate"
        return
    if bill is None:
        if rate.needs_bill:
            yield "no_bill"
        return
    if rate.least_bill is not None and bill.amount < micros(rate.least_bill):
        yield "bill_too_small"
    most = bill.base(parts) if bill.lines else max(bill.left, Fraction(0))
    if not bill.lines and rate.not_for is not None:
        most = Fraction(0)
    if rate.most_of_bill is not None:
        most = min(most, bill.amount * micros(rate.most_of_bill) / (100 * MICRO))
    if micros(worth(rate, amount)) > most:
        yield "more_than_bill"


def worth(rate: RedeemRate, amount: Decimal) -> Decimal:
    """Return the value of an amount in the program's money, to 6 decimals, rounded down."""
    return decimal_of(micros(amount) * micros(rate.value) // micros(rate.points))
