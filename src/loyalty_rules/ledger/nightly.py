"""The nightly job of a shop: it records everything that time has brought about. Source: semantics 15.

Each step may be repeated. A run that was killed is made good by the next one, which returns the same intents and leaves
the same records.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from loyalty_rules.events import Activity
from loyalty_rules.intents import Intent
from loyalty_rules.keys import nightly_key
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.kinds import NIGHTLY_RUNS
from loyalty_rules.ledger.operations import EndNight
from loyalty_rules.ledger.receipts import ExpireReceipt, Receipt, ReviewReceipt, SettleReceipt
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

if TYPE_CHECKING:
    from loyalty_rules.ledger.sql.ledger import SQLLedger

__all__ = ["STEPS", "NightlyStep", "Step", "last_run", "nightly"]

Step: TypeAlias = Literal["settle", "expire", "review tiers", "due activities", "reminders", "verify"]

STEPS: tuple[Step, ...] = ("settle", "expire", "review tiers", "due activities", "reminders", "verify")
"""The steps of a run, in their order."""

_ONE_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen
class NightlyStep:
    """One step of a nightly run: the intents that it has recorded or made, and the number of things that it did.

    `refused` are the reasons of due activities that were refused, each with its id. `violations` are those that the
    last step has found.
    """

    step: Step
    count: int
    intents: tuple[Intent, ...] = ()
    refused: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()


def last_run(ledger: "SQLLedger", program: Program) -> datetime | None:
    """Return the instant up to which the last nightly run of a program has done everything; None before the first."""
    found = ledger.read(lambda queries: queries.record(NIGHTLY_RUNS, nightly_key(program.id)))
    return found.until if found is not None else None


def nightly(
    ledger: "SQLLedger",
    program: Program,
    until: datetime,
    *,
    since: datetime | None = None,
    serials: SerialGenerator | None = None,
    verify: bool = True,
) -> Iterator[NightlyStep]:
    """Run the steps one by one, for all that is due before `until`, and yield the result of each.

    `since` is by default the end of the last run, or a day before `until` if there was none. The intents of a step
    include those that killed runs since then have recorded.
    """
    if since is None:
        since = last_run(ledger, program) or until - _ONE_DAY
    ledger.settle(program, until)
    yield _swept(ledger, program, "settle", SettleReceipt, since, until)
    ledger.expire(program, until)
    yield _swept(ledger, program, "expire", ExpireReceipt, since, until)
    ledger.review_tiers(program, until)
    yield _swept(ledger, program, "review tiers", ReviewReceipt, since, until)
    yield _activities(ledger, program, since, until, serials)
    messages = ledger.reminders(program, since, until)
    yield NightlyStep("reminders", len(messages), tuple(messages))
    if verify:
        violations = tuple(ledger.check_invariants())
        yield NightlyStep("verify", len(violations), violations=violations)
    ledger.execute(EndNight(program, until))


def _swept(
    ledger: "SQLLedger", program: Program, step: Step, kind: type[Receipt], since: datetime, until: datetime
) -> NightlyStep:
    """Return a step with the intents of all sweeps of a kind after `since`, those of killed runs among them."""
    swept = [each for each in ledger.sweeps(program.id, since + _MICROSECOND, until) if isinstance(each, kind)]
    return NightlyStep(step, len(swept), tuple(intent for each in swept for intent in each.intents))


def _activities(
    ledger: "SQLLedger", program: Program, since: datetime, until: datetime, serials: SerialGenerator | None
) -> NightlyStep:
    """Process the activities that the schedules make due, in the order of their instants."""
    receipts = [
        (activity, _processed(ledger, program, activity, until, serials))
        for activity in _due(ledger, program, since, until)
    ]
    refused = [(activity, each.refusal) for activity, each in receipts if each.refusal is not None]
    return NightlyStep(
        "due activities",
        len(receipts) - len(refused),
        tuple(intent for _, each in receipts for intent in each.intents),
        tuple(f"{activity.id}: {', '.join(refusal.reasons)}" for activity, refusal in refused),
    )


def _due(ledger: "SQLLedger", program: Program, since: datetime, until: datetime) -> Sequence[Activity]:
    if not program.schedules:
        return ()
    known = ledger.members(program)
    last_events = {each.member.id: each.last_event for each in known}
    due = program.due([each.member for each in known], since, until, last_events)
    return sorted(due, key=lambda each: (each.occurred_at, each.id))


def _processed(
    ledger: "SQLLedger", program: Program, activity: Activity, until: datetime, serials: SerialGenerator | None
) -> Receipt:
    """Record an activity once. The member may have changed since a killed run has recorded it."""
    try:
        return ledger.process(program, activity, serials=serials, recorded_at=until)
    except IdempotencyConflict as conflict:
        return conflict.receipt
