"""Adjustments of a balance by hand: upward a new lot, downward from live lots. Source: semantics 13."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from loyalty_rules.events import Confirmation
from loyalty_rules.intents import AdjustCurrency, CancelPromise, IssueCurrency, Release, ReleasePromise
from loyalty_rules.keys import adjustment_key, cancellation_key, release_key
from loyalty_rules.lifecycle.promises import PromiseIntent
from loyalty_rules.lifecycle.records import Account, Adjustment, Lot, Refusal
from loyalty_rules.lifecycle.spending import available, draw, in_order_of_spending
from loyalty_rules.program import Program
from loyalty_rules.rules.adjustments import ANY, Adjustments
from loyalty_rules.values.amounts import decimal_of, micros, text_of
from loyalty_rules.values.dates import in_zone

__all__ = ["adjust", "confirm_adjustment", "lot_of_adjustment"]


def adjust(
    program: Program,
    account: Account,
    currency: str,
    amount: Decimal,
    lots: Iterable[Lot],
    *,
    reason: str,
    by: str,
    event: str,
    at: datetime,
    expires_on: date | None = None,
) -> AdjustCurrency | Refusal:
    """Decide an adjustment of an account by a signed amount; `lots` are those of the account.

    The rules of `redeem` do not bind it. Refusals: `unknown_currency`, `zero_amount`, `reason_not_allowed`,
    `above_most`, `not_enough`, `already_expired`.
    """
    if currency not in {each.id for each in program.currencies}:
        return Refusal(("unknown_currency",), f"the program has no currency {currency}")
    terms = program.adjustments if program.adjustments is not None else ANY
    mine = [lot for lot in lots if lot.issue.currency == currency and lot.account == account]
    expires_at = program.plan.end_of(expires_on) if expires_on is not None else None
    reasons = [*_against_terms(terms, amount, reason)]
    if micros(amount) < 0 and micros(available(mine, at)) < -micros(amount):
        reasons.append("not_enough")
    if expires_at is not None and expires_at <= at:
        reasons.append("already_expired")
    if reasons:
        detail = f"{account.id} cannot be adjusted by {text_of(amount)} {currency}: {', '.join(reasons)}"
        return Refusal(tuple(reasons), detail)
    waits = terms.approve_over is not None and micros(amount) > micros(terms.approve_over)
    down = decimal_of(max(-micros(amount), 0))
    return AdjustCurrency(
        adjustment_key(program.id, event, currency),
        event,
        account.id if account.kind == "member" else None,
        account.id if account.kind == "group" else None,
        currency,
        amount,
        "promised" if waits else "issued",
        None if waits or micros(amount) < 0 else in_zone(at, program.plan.zone).date(),
        expires_on,
        expires_at,
        draw(in_order_of_spending(mine, at), down),
        reason,
        by,
    )


def _against_terms(terms: Adjustments, amount: Decimal, reason: str) -> Iterator[str]:
    """Yield the reasons for which the program's terms refuse an adjustment."""
    if micros(amount) == 0:
        yield "zero_amount"
    if terms.reasons is not None and reason not in terms.reasons:
        yield "reason_not_allowed"
    if terms.most is not None and abs(micros(amount)) > micros(terms.most):
        yield "above_most"


def lot_of_adjustment(intent: AdjustCurrency) -> IssueCurrency:
    """Return the issue of the lot that an upward adjustment adds; no promotion issued it."""
    return IssueCurrency(
        intent.key,
        promotion="",
        action="",
        event=intent.event,
        member=intent.member if intent.member is not None else "",
        group=intent.group,
        currency=intent.currency,
        amount=intent.amount,
        state=intent.state,
        issue_on=intent.issue_on,
        due_at=None,
        release=Release("external") if intent.state == "promised" else None,
        expires_on=intent.expires_on,
        expires_at=intent.expires_at,
        shares=(),
        claims=(),
    )


def confirm_adjustment(
    program: Program, lot: Lot, adjustment: Adjustment, confirmation: Confirmation
) -> tuple[PromiseIntent, ...] | Refusal:
    """Release or cancel an adjustment that waits for another person, or the `amount` of it that is named.

    Its lot begins with the confirmation. Refusals: `already_resolved`; `same_person` if the confirmation does not name
    another person than the adjustment, `more_than_promised`, `too_early`, all that apply.
    """
    if lot.promised <= 0:
        return Refusal(("already_resolved",), f"{lot.key} has been confirmed or cancelled already")
    amount = confirmation.amount if confirmation.amount is not None else lot.promised
    reasons = {}
    if confirmation.by is None or confirmation.by == adjustment.by:
        reasons["same_person"] = f"another person than {adjustment.by} must confirm {lot.key}"
    if micros(amount) > micros(lot.promised):
        reasons["more_than_promised"] = f"{text_of(amount)} is more than the {text_of(lot.promised)} that wait"
    if confirmation.occurred_at < adjustment.at:
        reasons["too_early"] = f"the confirmation is dated before the adjustment {lot.key}"
    if reasons:
        return Refusal(tuple(reasons), "; ".join(reasons.values()))
    issue, at = lot.issue, confirmation.occurred_at
    part = confirmation.id if micros(amount) < micros(lot.promised) else None
    has_lapsed = issue.expires_at is not None and issue.expires_at <= at
    if confirmation.outcome == "cancel" or has_lapsed:
        outcome: Literal["cancelled", "lapsed"] = "cancelled" if confirmation.outcome == "cancel" else "lapsed"
        return (CancelPromise(cancellation_key(lot.key, part), lot.key, confirmation.id, outcome, amount, ()),)
    key = release_key(lot.key, part)
    release = ReleasePromise(
        key,
        lot.key,
        confirmation.id,
        issue.member,
        issue.group,
        issue.currency,
        amount,
        in_zone(at, program.plan.zone).date(),
        issue.expires_on,
        issue.expires_at,
        key if part is not None else None,
    )
    return (release,)
