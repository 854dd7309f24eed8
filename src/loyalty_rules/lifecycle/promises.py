"""Promises: settled when due, released or cancelled by a confirmation, released by an update. Source: semantics 5, 6.

No unit of a promise resolves twice: for a resolved promise, `settle` and `confirm` return the refusal
`already_resolved`. A part of a promise that is released becomes a lot of its own, with its own dates.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.engine.plan import BoundCurrencyAction
from loyalty_rules.events import Amendment, Confirmation, Return, Transaction, Update
from loyalty_rules.intents import AdvanceTracker, CancelPromise, IssueCurrency, ReleasePromise, SendMessage
from loyalty_rules.keys import cancellation_key, message_key, release_key
from loyalty_rules.lifecycle.awards import lost_awards, lowered_trackers
from loyalty_rules.lifecycle.claims import released_claims, unit_of_issue
from loyalty_rules.lifecycle.records import Lot, Refusal, Sale
from loyalty_rules.rules.communication import Communication, plan_channels
from loyalty_rules.rules.expiry import expires_by, expiry_date
from loyalty_rules.rules.predicates import bind
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import decimal_of, micros, text_of
from loyalty_rules.values.apportionment import unit_of
from loyalty_rules.values.dates import in_zone

__all__ = [
    "PromiseIntent",
    "confirm",
    "is_due",
    "is_waiting_over",
    "release_waiting",
    "released_at_once",
    "released_part",
    "settle",
    "update",
]

ZERO = Fraction(0)

PromiseIntent: TypeAlias = ReleasePromise | CancelPromise | SendMessage | AdvanceTracker
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
    return _Part(sale, lot, micros(lot.promised)).release(lot.issue.issue_on, lot.issue.due_at, None)


def confirm(
    sale: Sale, lot: Lot, confirmation: Confirmation, *, is_early: bool = False
) -> tuple[PromiseIntent, ...] | Refusal:
    """Release or cancel the promise of a confirmation, or the `amount` of it that the confirmation names.

    `is_early` says that an amendment made the promise after the confirmation's instant. Refusals: `already_resolved`,
    `not_external`, `more_than_promised`, `not_a_unit`, `too_early`, all that apply.
    """
    refusal = _against_confirmation(sale, lot, confirmation, is_early=is_early)
    if refusal is not None:
        return refusal
    part = _Part(sale, lot, micros(confirmation.amount if confirmation.amount is not None else lot.promised))
    if confirmation.outcome == "cancel":
        return part.end("cancelled", confirmation.id)
    return part.release(_local_date(sale, confirmation.occurred_at), confirmation.occurred_at, confirmation.id)


def cancel(sale: Sale, lot: Lot, event: str) -> tuple[PromiseIntent, ...]:
    """Cancel the units that are still promised of a lot, for any reason; `event` is the id of the cancelling event."""
    return _Part(sale, lot, micros(lot.promised)).end("cancelled", event)


def _against_confirmation(sale: Sale, lot: Lot, confirmation: Confirmation, *, is_early: bool) -> Refusal | None:
    """Return the refusal of a confirmation with every reason, or None if it can be carried out."""
    if lot.promised <= 0:
        reasons = {"already_resolved": _resolved(lot).detail}
    else:
        reasons = _wrong_release(sale, lot, confirmation)
    if is_early or confirmation.occurred_at < sale.event.occurred_at:
        reasons["too_early"] = f"the confirmation is dated before the promise {lot.key}"
    return Refusal(tuple(reasons), "; ".join(reasons.values())) if reasons else None


def _wrong_release(sale: Sale, lot: Lot, confirmation: Confirmation) -> dict[str, str]:
    """Return the reasons against the release that a confirmation asks for, each with its detail."""
    reasons = {}
    if lot.issue.release is None or lot.issue.release.type != "external":
        reasons["not_external"] = f"{lot.key} does not wait for a confirmation"
    if confirmation.amount is not None:
        amount = text_of(confirmation.amount)
        if micros(confirmation.amount) > micros(lot.promised):
            reasons["more_than_promised"] = f"{amount} is more than the {text_of(lot.promised)} that are still promised"
        if micros(confirmation.amount) % unit_of_issue(sale.program, lot.issue):
            reasons["not_a_unit"] = f"{amount} has more decimals than {lot.issue.currency}"
    return reasons


def update(sale: Sale, lots: Iterable[Lot], change: Update) -> tuple[PromiseIntent, ...] | Refusal:
    """Release the promises of a sale whose condition holds after an update, as far as its lines were delivered.

    `sale` has the updates before this one. Resolved promises are ignored. Refusals: `unknown_line`, `too_early`.
    """
    refusal = _against_update(sale, change)
    if refusal is not None:
        return refusal
    after = attrs.evolve(sale, updates=(*sale.updates, change))
    issue_on = _local_date(sale, change.occurred_at)
    intents: list[PromiseIntent] = []
    for lot in lots:
        if lot.promised > 0 and is_waiting_over(after, lot.issue):
            part = _Part(sale, lot, _delivered_units(after, lot))
            if part.units > 0:
                intents += part.release(issue_on, change.occurred_at, change.id)
    return tuple(intents)


def _against_update(sale: Sale, change: Update) -> Refusal | None:
    known = {line.id for line in sale.event.lines} if isinstance(sale.event, Transaction) else set()
    reasons: dict[str, str] = {}
    for line in change.lines:
        if line.id not in known:
            reasons.setdefault("unknown_line", f"the sale has no line {line.id!r}")
    if change.occurred_at < sale.event.occurred_at:
        reasons["too_early"] = f"the update is dated before its sale {sale.event.id!r}"
    return Refusal(tuple(reasons), "; ".join(reasons.values())) if reasons else None


def is_waiting_over(sale: Sale, issue: IssueCurrency) -> bool:
    """Return whether the state of a sale is the one that a promise waits for."""
    when = issue.release.when if issue.release is not None else None
    return when is not None and bind(when)(sale.program.plan.facts(sale.current(), sale.snapshot))


def release_waiting(sale: Sale, lots: Iterable[Lot], change: Amendment) -> Iterator[PromiseIntent]:
    """Yield the release of the promises whose condition an amendment satisfies; `sale` has the amendment already."""
    if not {"status", "custom_fields", "extended_fields"} & change.replaced().keys():
        return
    before = attrs.evolve(sale, updates=sale.updates[:-1])
    for lot in lots:
        of_sale = lot.issue.event == sale.event.id and lot.promised > 0
        if of_sale and is_waiting_over(sale, lot.issue) and not is_waiting_over(before, lot.issue):
            part = _Part(sale, lot, micros(lot.promised))
            yield from part.release(_local_date(sale, change.occurred_at), change.occurred_at, change.id)


def released_at_once(sale: Sale, issue: IssueCurrency, at: datetime) -> IssueCurrency | None:
    """Return a promise whose condition holds already as an issue of that instant; None if it would have lapsed."""
    part = _Part(sale, Lot(issue, 0, promised=issue.amount), micros(issue.amount))
    release = part.release(_local_date(sale, at), at, None)[0]
    if not isinstance(release, ReleasePromise):
        return None
    return attrs.evolve(
        issue,
        state="issued",
        release=None,
        issue_on=release.issue_on,
        expires_on=release.expires_on,
        expires_at=release.expires_at,
    )


def _delivered_units(sale: Sale, lot: Lot) -> int:
    """Return the millionths that the last update releases: the shares of the delivered lines, less earlier parts.

    An update without lines delivers all. Lines that came back count as delivered. Source: semantics 6, 17.
    """
    promised = micros(lot.promised)
    delivered = _delivered(sale, lot)
    if delivered is None:
        return promised
    earned = sum(
        (micros(share.amount) * delivered.get(share.line or "", Fraction(1)) for share in lot.issue.shares), ZERO
    )
    unit = unit_of(0, sale.program.decimals_of(lot.issue.currency))
    resolved = micros(lot.moved_on) + micros(lot.voided)  # parts that were released, and parts that have lapsed
    return min(max(int(earned) // unit * unit - resolved, 0), promised)


def _delivered(sale: Sale, lot: Lot) -> Mapping[str, Fraction] | None:
    """Return the part of each line that has been delivered or came back; None if that is all of the sale."""
    event = sale.event
    updates = [
        each
        for number, each in enumerate(sale.updates, 1)
        if isinstance(each, Update) and is_waiting_over(attrs.evolve(sale, updates=sale.updates[:number]), lot.issue)
    ]
    if not isinstance(event, Transaction) or not all(each.lines for each in updates):
        return None
    quantities: dict[str, int] = {}
    events: list[Update | Return] = [*updates, *sale.returns]
    for each in events:
        for row in each.lines:
            quantities[row.id] = quantities.get(row.id, 0) + micros(row.quantity)
    parts = {
        line.id: min(Fraction(quantities.get(line.id, 0), micros(line.quantity)), Fraction(1))
        for line in event.lines
        if line.quantity > 0
    }
    return None if all(part == 1 for part in parts.values()) else parts


def _resolved(lot: Lot) -> Refusal:
    return Refusal(("already_resolved",), f"{lot.key} has been released, cancelled or taken back already")


def _local_date(sale: Sale, at: datetime) -> date:
    return in_zone(at, sale.program.plan.zone).date()


@attrs.frozen
class _Part:
    """The millionths of a promise that one event resolves: the remainder of the promise, or a part of it."""

    sale: Sale
    lot: Lot
    units: int

    @property
    def is_remainder(self) -> bool:
        return self.units == micros(self.lot.promised)

    def release(self, issue_on: date, at: datetime, event: str | None) -> tuple[PromiseIntent, ...]:
        """Release the units as of a date and an instant, or let them lapse if they would have expired by then."""
        sale, issue, bound = self.sale, self.lot.issue, self.sale.action_of(self.lot.issue)
        assert isinstance(bound, BoundCurrencyAction)
        action = bound.action
        facts = sale.program.plan.facts(sale.event, sale.snapshot)
        try:
            named = bound.recipient is not None  # an expiry that reads facts of the member is then not known
            expires_on = bound.until(facts, issue_on) if named else expiry_date(action.expiry, facts, issue_on)
            most = expires_by(action.expiry, issue_on)
        except Skip:
            return self.end("lapsed", event)  # without a known expiry no lot is issued
        expires_at = sale.program.plan.end_of(expires_on) if expires_on is not None else None
        extended = self.lot.expires_on
        if expires_on is not None and extended is not None and extended > expires_on:  # by hand, while it was promised
            expires_on, expires_at = extended, self.lot.expires_at
        if expires_at is not None and (expires_at <= at or (expires_on is not None and expires_on < issue_on)):
            return self.end("lapsed", event)
        key = release_key(self.lot.key, None if self.is_remainder else event)
        release = ReleasePromise(
            key,
            self.lot.key,
            event,
            issue.member,
            issue.group,
            issue.currency,
            decimal_of(self.units),
            issue_on,
            expires_on,
            expires_at,
            None if self.is_remainder else key,
            most,
        )
        return (release, *_message(sale, issue.member, key, action.communication))

    def end(self, outcome: Literal["cancelled", "lapsed"], event: str | None) -> tuple[PromiseIntent, ...]:
        """End the units without an issue, and lower the trackers that counted them as awarded."""
        key = cancellation_key(self.lot.key, None if self.is_remainder else event)
        units = decimal_of(self.units)
        before = micros(self.lot.taken_back) + micros(self.lot.voided)
        end = CancelPromise(key, self.lot.key, event, outcome, units, released_claims(self.lot, units, before))
        return (end, *lowered_trackers(self.sale, key, lost_awards(self.sale, [(self.lot.issue, self.units)])))


def released_part(promise: Lot, release: ReleasePromise) -> IssueCurrency:
    """Return the issue of the lot that a part of a promise becomes: the promise's issue, with the part and its dates.

    It claims nothing: the promise has.
    """
    assert release.lot is not None
    return attrs.evolve(
        promise.issue,
        key=release.lot,
        amount=release.amount,
        state="issued",
        issue_on=release.issue_on,
        due_at=None,
        release=None,
        expires_on=release.expires_on,
        expires_at=release.expires_at,
        expires_by=release.expires_by,
        shares=(),
        claims=(),
    )


def _message(sale: Sale, owner: str, key: str, communication: Communication | None) -> tuple[SendMessage, ...]:
    """Return the message about the release with a key, if it has a channel. Source: semantics 10."""
    member = sale.event.member
    if communication is None:
        return ()
    if member is None or owner != member.id:  # a recipient whom a field names: the host knows its channels
        return (SendMessage(message_key(key), (key,), owner, communication.template, (), ()),)
    channels = plan_channels(communication, member.contacts)
    if not channels.used:
        return ()
    message = SendMessage(
        message_key(key), (key,), member.id, communication.template, channels.used, channels.fallbacks
    )
    return (message,)
