"""Promises: settled when due, released or cancelled by a confirmation, released by an update. Source: semantics 5, 6.

A promise resolves at most once: for a resolved promise, `settle` and `confirm` return the refusal `already_resolved`.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.events import Confirmation, Update
from loyalty_rules.intents import CancelPromise, ReleasePromise, SendMessage
from loyalty_rules.keys import cancellation_key, message_key, release_key
from loyalty_rules.lifecycle.claims import released_claims
from loyalty_rules.lifecycle.records import Lot, Refusal, Sale
from loyalty_rules.rules.communication import Communication, plan_channels
from loyalty_rules.rules.expiry import expiry_date
from loyalty_rules.rules.predicates import bind
from loyalty_rules.rules.promotions import CurrencyAction
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.dates import in_zone

__all__ = ["PromiseIntent", "confirm", "is_due", "settle", "update"]

PromiseIntent: TypeAlias = ReleasePromise | CancelPromise | SendMessage
"""The intents that resolve promises."""


def is_due(lot: Lot, at: datetime) -> bool:
    """Return whether a promise is due at an instant."""
    return lot.promised > 0 and lot.issue.due_at is not None and lot.issue.due_at <= at


def settle(sale: Sale, lot: Lot, at: datetime) -> tuple[PromiseIntent, ...] | Refusal:
    """Settle a delayed promise that is due at `at`: it is issued as of the day and the instant on which it was due.

    Refusals: `already_resolved`, `not_due`.
    """
    if lot.promised <= 0:
        return _resolved(lot)
    if not is_due(lot, at):
        return Refusal(("not_due",), f"{lot.key} is not due before {lot.issue.due_at}")
    assert lot.issue.due_at is not None
    assert lot.issue.issue_on is not None
    return _release(sale, lot, lot.issue.issue_on, lot.issue.due_at, None)


def confirm(sale: Sale, lot: Lot, confirmation: Confirmation) -> tuple[PromiseIntent, ...] | Refusal:
    """Release or cancel the promise of a confirmation. Refusals: `already_resolved`, `not_external`."""
    if lot.promised <= 0:
        return _resolved(lot)
    if lot.issue.release is None or lot.issue.release.type != "external":
        return Refusal(("not_external",), f"{lot.key} does not wait for a confirmation")
    if confirmation.outcome == "cancel":
        return (_end(lot, "cancelled", confirmation.id),)
    return _release(sale, lot, _local_date(sale, confirmation.occurred_at), confirmation.occurred_at, confirmation.id)


def update(sale: Sale, lots: Iterable[Lot], change: Update) -> tuple[PromiseIntent, ...]:
    """Release the promises of a sale whose condition holds after an update.

    `sale` has the updates before this one. Resolved promises are ignored.
    """
    event = attrs.evolve(sale, updates=(*sale.updates, change)).current()
    facts = sale.program.plan.facts(event, sale.snapshot)
    intents: list[PromiseIntent] = []
    for lot in lots:
        when = lot.issue.release.when if lot.issue.release is not None else None
        if lot.promised > 0 and when is not None and bind(when)(facts):
            issue_on = _local_date(sale, change.occurred_at)
            intents += _release(sale, lot, issue_on, change.occurred_at, change.id)
    return tuple(intents)


def _resolved(lot: Lot) -> Refusal:
    return Refusal(("already_resolved",), f"{lot.key} has been released, cancelled or taken back already")


def _local_date(sale: Sale, at: datetime) -> date:
    return in_zone(at, sale.program.plan.zone).date()


def _release(sale: Sale, lot: Lot, issue_on: date, at: datetime, event: str | None) -> tuple[PromiseIntent, ...]:
    issue, action = lot.issue, sale.action_of(lot.issue).action
    assert isinstance(action, CurrencyAction)
    facts = sale.program.plan.facts(sale.event, sale.snapshot)
    try:
        expires_on = expiry_date(action.expiry, facts, issue_on)
    except Skip:
        return (_end(lot, "lapsed", event),)  # without a known expiry no lot is issued
    expires_at = sale.program.plan.end_of(expires_on) if expires_on is not None else None
    if expires_at is not None and (expires_at <= at or (expires_on is not None and expires_on < issue_on)):
        return (_end(lot, "lapsed", event),)
    release = ReleasePromise(
        release_key(lot.key),
        lot.key,
        event,
        issue.member,
        issue.group,
        issue.currency,
        lot.promised,
        issue_on,
        expires_on,
        expires_at,
    )
    return (release, *_message(sale, lot, action.communication))


def _end(lot: Lot, outcome: Literal["cancelled", "lapsed"], event: str | None) -> CancelPromise:
    return CancelPromise(
        cancellation_key(lot.key), lot.key, event, outcome, lot.promised, released_claims(lot, lot.promised)
    )


def _message(sale: Sale, lot: Lot, communication: Communication | None) -> tuple[SendMessage, ...]:
    """Return the message about a released promise, if it has a channel. Source: semantics 10."""
    member = sale.event.member
    if communication is None or member is None:
        return ()
    channels = plan_channels(communication, member.contacts)
    if not channels.used:
        return ()
    key = release_key(lot.key)
    message = SendMessage(
        message_key(key), (key,), member.id, communication.template, channels.used, channels.fallbacks
    )
    return (message,)
