"""Transfers: units move lot by lot to another account, and keep their issue and their expiry. Source: semantics 13."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.engine.counters import Counter, claim_on, transfer_counter
from loyalty_rules.intents import IssueCurrency, LotDraw, MovedUnits, TransferCurrency
from loyalty_rules.keys import received_lot_key, transfer_key
from loyalty_rules.lifecycle.records import Account, Lot, Refusal
from loyalty_rules.lifecycle.spending import available, draw, in_order_of_spending
from loyalty_rules.program import Program
from loyalty_rules.rules.transfers import Transfer
from loyalty_rules.values.amounts import micros, text_of
from loyalty_rules.values.dates import in_zone

__all__ = ["counter_of_transfers", "lot_of_transfer", "transfer"]


def counter_of_transfers(program: Program, source: Account, currency: str, at: datetime) -> Counter | None:
    """Return the counter of the units that an account sends in the window of an instant; None without a maximum."""
    terms = _terms(program, currency)
    if terms is None or terms.most is None:
        return None
    return transfer_counter(currency, source.kind, source.id, terms.most.window, in_zone(at, program.plan.zone).date())


def transfer(
    program: Program,
    source: Account,
    target: Account,
    currency: str,
    amount: Decimal,
    lots: Iterable[Lot],
    *,
    sent: Decimal,
    reason: str,
    by: str,
    event: str,
    at: datetime,
) -> TransferCurrency | Refusal:
    """Decide a transfer; `lots` are those of the source, `sent` the units that it has sent in the window.

    The fee is drawn after the units that move. Refusals: `unknown_currency`, `not_transferable`, `not_positive`,
    `same_member`, `below_least`, `above_most`, `insufficient`.
    """
    if currency not in {each.id for each in program.currencies}:
        return Refusal(("unknown_currency",), f"the program has no currency {currency}")
    terms = _terms(program, currency)
    if terms is None:
        return Refusal(("not_transferable",), f"{currency} cannot be given away: the currency has no `transfer`")
    fee = terms.fee if terms.fee is not None else Decimal(0)
    mine = [lot for lot in lots if lot.issue.currency == currency and lot.account == source]
    reasons = [*_against_terms(terms, amount, sent)]
    if source == target:
        reasons.append("same_member")
    if micros(available(mine, at)) < micros(amount) + micros(fee):
        reasons.append("insufficient")
    if reasons:
        detail = f"{text_of(amount)} {currency} cannot go from {source.id} to {target.id}: {', '.join(reasons)}"
        return Refusal(tuple(reasons), detail)
    key = transfer_key(program.id, event, currency)
    counter = counter_of_transfers(program, source, currency, at)
    moved, paid = _drawn(in_order_of_spending(mine, at), amount, fee)
    return TransferCurrency(
        key,
        event,
        source.id if source.kind == "member" else None,
        source.id if source.kind == "group" else None,
        target.id if target.kind == "member" else None,
        target.id if target.kind == "group" else None,
        currency,
        amount,
        fee,
        tuple(MovedUnits(each.lot, each.amount, received_lot_key(key, n)) for n, each in enumerate(moved, 1)),
        paid,
        reason,
        by,
        (claim_on(counter, terms.most.amount, amount),) if counter is not None and terms.most is not None else (),
    )


def _terms(program: Program, currency: str) -> Transfer | None:
    found = program.currency(currency)
    return found.transfer if found is not None else None


def _against_terms(terms: Transfer, amount: Decimal, sent: Decimal) -> Iterator[str]:
    """Yield the reasons for which the terms of the currency refuse an amount."""
    if micros(amount) <= 0:
        yield "not_positive"
    if terms.least is not None and micros(amount) < micros(terms.least):
        yield "below_least"
    if terms.most is not None and micros(sent) + micros(amount) > micros(terms.most.amount):
        yield "above_most"


def _drawn(lots: list[Lot], amount: Decimal, fee: Decimal) -> tuple[tuple[LotDraw, ...], tuple[LotDraw, ...]]:
    """Draw the units that move from the lots in their order, then the fee from their rest."""
    moved = draw(lots, amount)
    taken: Mapping[str, Decimal] = {each.lot: each.amount for each in moved}
    left = [lot.moved("available", "moved", taken[lot.key]) if lot.key in taken else lot for lot in lots]
    return moved, draw(left, fee)


def lot_of_transfer(intent: TransferCurrency, moved: MovedUnits, source: Lot) -> IssueCurrency:
    """Return the issue of the lot that the target receives: that of the source's lot, with its present expiry.

    It stays an issue of the sale, so that a return of the sale finds it.
    """
    return attrs.evolve(
        source.issue,
        key=moved.to_lot,
        member=intent.to_member if intent.to_member is not None else "",
        group=intent.to_group,
        amount=moved.amount,
        state="issued",
        issue_on=source.issue_on,
        due_at=None,
        release=None,
        expires_on=source.expires_on,
        expires_at=source.expires_at,
        shares=(),
        claims=(),
    )
