"""The invariants of coupons and payments: no bill is overpaid, and no code is shared by two types. Source: ledger 2."""

from collections.abc import Iterable, Iterator

from loyalty_rules.intents import SpendCurrency
from loyalty_rules.lifecycle.bill import standing
from loyalty_rules.lifecycle.records import Payment
from loyalty_rules.values.amounts import micros, micros_text, text_of

__all__ = ["codes_of_two_types", "overpaid"]


def overpaid(payments: Iterable[tuple[str, Payment]]) -> Iterator[str]:
    """Yield the bills of which more is paid than they are; `payments` are in the order of record, with their programs.

    A bill is the amount that a redemption or a spend handed over. It is compared with the payments of its transaction
    up to that one, as far as they stand: a later call may have handed over another amount. Source: semantics 17.
    """
    paid: dict[tuple[str, str], int] = {}
    for program, payment in payments:
        made, amount = payment.intent, standing(payment)
        if amount == 0 or (isinstance(made, SpendCurrency) and made.promotion is not None):
            continue  # the price of a reward that an action gives pays nothing of the bill
        paid[program, made.paid] = paid.get((program, made.paid), 0) + amount
        if payment.bill is not None and paid[program, made.paid] > micros(payment.bill):
            total = micros_text(paid[program, made.paid])
            yield f"discounts and spends of {made.paid} are {total}, more than its bill of {text_of(payment.bill)}"


def codes_of_two_types(coupons: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    """Yield the shared codes that two coupon types have under one version of a program.

    A coupon is its program, the version that issued it, its folded code and its type.
    """
    types: dict[tuple[str, str, str], str] = {}
    for program, version, code, coupon_type in coupons:
        first = types.setdefault((program, version, code), coupon_type)
        if first != coupon_type:
            yield f"the coupon types {first} and {coupon_type} share the code {code}"
