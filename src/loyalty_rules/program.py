"""The loyalty program of one brand: immutable, compiled once, evaluated many times. Source: semantics 1."""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import attrs
from attrs.converters import optional

from loyalty_rules.documents.references import unresolved
from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.engine.counters import Counter, make_snapshot
from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.engine.explanation import Explanation, explain
from loyalty_rules.engine.needs import Needed, needed
from loyalty_rules.engine.plan import Plan
from loyalty_rules.engine.preview import preview
from loyalty_rules.errors import DocumentError, InvalidValueError, Problem, WrongEventError, describe, path_step
from loyalty_rules.events import Activity, Event, Member, Snapshot, Transaction
from loyalty_rules.intents import Intent, Skipped
from loyalty_rules.rules.adjustments import Adjustments
from loyalty_rules.rules.caps import Limit
from loyalty_rules.rules.claims import Claims
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.groups import Group
from loyalty_rules.rules.promotions import Currency, Promotion
from loyalty_rules.rules.schedules import Interval, Schedule, due
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.dates import read_instant, read_zone
from loyalty_rules.values.identifiers import read_id
from loyalty_rules.values.json_schema import declare, schema_rules, text_schema

__all__ = ["FORMAT", "Basis", "Evaluation", "Look", "Preview", "Program"]

FORMAT: Literal["loyalty-rules/1"] = "loyalty-rules/1"

NO_FACTS = Snapshot()


def _read_money(value: str) -> str:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper():
        return value
    raise InvalidValueError(
        "", "not_a_currency_code", f'expected an ISO 4217 code such as "USD", found {describe(value)}'
    )


declare(_read_money, text_schema("An ISO 4217 code.", "[A-Z]{3}", examples=["USD", "EUR"]), name="money")


@attrs.frozen
class Basis:
    """The inputs of an evaluation: the program, the event and the snapshot."""

    program: "Program"
    event: Transaction | Activity
    snapshot: Snapshot


@schema_rules(
    {"properties": {"trace": {"description": "Always empty.", "type": "array", "maxItems": 0}}},
    {"required": ["trace"]},
)
@attrs.frozen
class Evaluation:
    """The result for one event: the intents for the host to persist, and the actions that issued nothing.

    `intents` are in the order of documents (evaluation). `program_version` is the hash of the program that was
    evaluated. `basis` contains the inputs: the program, the event and the snapshot.
    """

    event: str
    program: str
    program_version: str
    intents: tuple[Intent, ...]
    skipped: tuple[Skipped, ...]
    basis: Basis = attrs.field(eq=False, repr=False)

    def explain(self) -> Explanation:
        """Explain the result: for each promotion why it fired or not, for each action every step to its amount.

        The explanation is computed by a second, traced evaluation; its `str` is meant for people.
        """
        program, event, snapshot = self.basis.program, self.basis.event, self.basis.snapshot
        return explain(program.plan, program.plan.facts(event, snapshot))

    def needed(self) -> tuple[Needed, ...]:
        """Return the gaps of each promotion that did not fire and each next milestone, nearest first.

        Source: semantics 16.
        """
        return _needed(self.basis, self.intents)


@attrs.frozen
class Preview:
    """The result that an event would have now. Nothing is recorded, and no serial is derived.

    `intents` and `skipped` are as in an `Evaluation`; a coupon with a serial of its own has none yet.
    """

    event: str
    program: str
    program_version: str
    intents: tuple[Intent, ...]
    skipped: tuple[Skipped, ...]
    basis: Basis = attrs.field(eq=False, repr=False)

    def needed(self) -> tuple[Needed, ...]:
        """Return the gaps to more, as `Evaluation.needed` does."""
        return _needed(self.basis, self.intents)


def _needed(basis: Basis, intents: tuple[Intent, ...]) -> tuple[Needed, ...]:
    plan = basis.program.plan
    return needed(plan, plan.facts(basis.event, basis.snapshot), intents)


@schema_rules()  # only the loader can check that names refer to something and that ids are unique
@attrs.frozen(field_transformer=checked, kw_only=True)
class Program:
    """One brand's loyalty program: reward currencies, limits, trackers, coupon types, promotions, one time zone.

    `money` is the ISO 4217 code of the program's money. `shortfall` decides about units that a return cannot take
    back: write them off, or carry them as a debt. `give_back` decides about the points and coupons that paid for a sale
    that comes back: with the whole sale, in proportion, or never. `claims` says how long an anonymous sale can be
    claimed. `schedules` are activities that fall due by the calendar. Raises `DocumentError` if an id is not unique or
    a name refers to nothing. Source: documents (program).
    """

    format: Literal["loyalty-rules/1"] = FORMAT
    id: str = attrs.field(converter=read_id)
    time_zone: str = attrs.field(converter=read_zone)
    money: str | None = attrs.field(default=None, converter=optional(_read_money))
    currencies: tuple[Currency, ...] = attrs.field(converter=TupleOf[Currency], metadata={"keyed": True})
    limits: tuple[Limit, ...] = attrs.field(default=(), converter=TupleOf[Limit], metadata={"keyed": True})
    shortfall: Literal["write_off", "carry"] = "write_off"
    trackers: tuple[Tracker, ...] = attrs.field(default=(), converter=TupleOf[Tracker], metadata={"keyed": True})
    coupon_types: tuple[CouponType, ...] = attrs.field(
        default=(), converter=TupleOf[CouponType], metadata={"keyed": True}
    )
    promotions: tuple[Promotion, ...] = attrs.field(converter=TupleOf[Promotion])
    groups: tuple[Group, ...] = attrs.field(default=(), converter=TupleOf[Group], metadata={"keyed": True})
    tiers: tuple[Tier, ...] = attrs.field(default=(), converter=TupleOf[Tier], metadata={"keyed": True})
    adjustments: Adjustments | None = None
    give_back: Literal["whole", "proportional", "never"] = "whole"
    claims: Claims | None = None
    schedules: tuple[Schedule, ...] = attrs.field(default=(), converter=TupleOf[Schedule], metadata={"keyed": True})

    def __attrs_post_init__(self) -> None:
        problems = [*self._repeated_ids(), *unresolved(self._document)]
        if problems:
            raise DocumentError(problems, "program")

    def evaluate(
        self, event: Event, snapshot: Snapshot | None = None, *, serials: SerialGenerator | None = None
    ) -> Evaluation:
        """Evaluate a transaction or an activity: return the intents that follow from it.

        `snapshot` contains the counters before the event; an absent counter is zero. `serials` generates the serials
        of serial-managed coupons. The method is pure: the same arguments always have the same result.

        Raises `WrongEventError` for a return, an update or a confirmation, and `MissingSerialsError` if a
        serial-managed coupon is due and there is no generator. Source: semantics 1 to 10.
        """
        if not isinstance(event, (Transaction, Activity)):
            raise _wrong_event(event)
        known = _known(snapshot)
        return _evaluated(self, self.plan.facts(event, known), event, known, serials)

    def look(self, event: Event) -> "Look":
        """Return a look at a transaction or an activity: its facts, shared by all that one operation asks of it.

        Raises `WrongEventError` for a return, an update or a confirmation.
        """
        if not isinstance(event, (Transaction, Activity)):
            raise _wrong_event(event)
        return Look(self, event, self.plan.facts(event, NO_FACTS))

    def preview(self, event: Event, snapshot: Snapshot | None = None) -> Preview:
        """Evaluate a cart as `evaluate` does, without a generator of serials: nothing of it can be recorded.

        Source: semantics 16.
        """
        if not isinstance(event, (Transaction, Activity)):
            raise _wrong_event(event)
        known = _known(snapshot)
        intents, skipped = preview(self.plan, self.plan.facts(event, known))
        return Preview(event.id, self.id, self.version, intents, skipped, Basis(self, event, known))

    def counters(self, event: Event) -> list[Counter]:
        """Return the counters of the event's snapshot, so that a store can read them in one batch.

        Raises `WrongEventError` for a return, an update or a confirmation.
        """
        return self.look(event).counters

    def snapshot(self, event: Event, value_of: Callable[[Counter], Decimal]) -> Snapshot:
        """Build the event's snapshot from the value of each of its counters; an unused counter has the value 0.

        Raises `WrongEventError` for a return, an update or a confirmation.
        """
        return make_snapshot(self.counters(event), value_of)

    def due(
        self,
        members: Iterable[Member],
        start: datetime,
        end: datetime,
        last_events: Mapping[str, datetime] | None = None,
    ) -> Iterator[Activity]:
        """Return an iterator of the activities that the schedules make due in an interval, member by member.

        `start` is part of the interval and `end` is not. `last_events` are the instants of the last events, by the id
        of the member. Asking twice gives the same activities with the same ids. Source: semantics 15.
        """
        interval = _read_at("start", start), _read_at("end", end)
        last = {name: _read_at(f"last_events{path_step(name)}", at) for name, at in (last_events or {}).items()}
        return self._due(members, interval, last)

    def _due(
        self, members: Iterable[Member], interval: Interval, last_events: Mapping[str, datetime]
    ) -> Iterator[Activity]:
        for member in members:
            if not isinstance(member, Member):
                raise InvalidValueError("members", "wrong_type", f"expected a Member, found {describe(member)}")
            for schedule in self.schedules:
                yield from due(schedule, member, interval, last_events.get(member.id), self.plan.zone)

    def currency(self, currency: str) -> Currency | None:
        """Return a currency by its id; None if the program has none of this id."""
        return next((each for each in self.currencies if each.id == currency), None)

    def decimals_of(self, currency: str) -> int:
        """Return the number of decimals of a currency, by its id; 0 if the program has none of this id."""
        found = self.currency(currency)
        return found.decimals if found is not None else 0

    @functools.cached_property
    def limits_in_units(self) -> tuple[Limit, ...]:
        """The limits as amounts of their currencies; one in money is converted by the redeem rate, rounded down."""
        currencies = {currency.id: currency for currency in self.currencies}
        limits = []
        for limit in self.limits:
            rate = currencies[limit.currency].redeem
            decimals = currencies[limit.currency].decimals
            limits.append(limit.in_units(rate.points, rate.value, decimals) if rate is not None else limit)
        return tuple(limits)

    @functools.cached_property
    def version(self) -> str:
        """The SHA-256 of the canonical document: defaults filled in, keys sorted, no white space. Source: documents."""
        text = json.dumps(self._document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @functools.cached_property
    def plan(self) -> Plan:
        """The compiled program; it is compiled once, when it is first needed."""
        return Plan(
            program=self.id,
            time_zone=self.time_zone,
            money=self.money,
            currencies=self.currencies,
            limits=self.limits_in_units,
            trackers=self.trackers,
            coupon_types=self.coupon_types,
            promotions=self.promotions,
            groups=self.groups,
            tiers=self.tiers,
        )

    @property
    def _document(self) -> dict[str, Any]:
        try:
            document: dict[str, Any] = unstructure(self)
        except RecursionError:
            raise DocumentError([Problem("$", "too_deep", "the program is nested too deeply")], "program") from None
        return document

    def _repeated_ids(self) -> list[Problem]:
        problems = []
        for name in ("currencies", "limits", "trackers", "coupon_types", "groups", "tiers", "schedules"):
            times: dict[str, int] = {}
            for each in getattr(self, name):
                times[each.id] = times.get(each.id, 0) + 1
            problems += [
                Problem(f"$.{name}", "duplicate_id", f"the id {each!r} occurs {count} times; an id must be unique")
                for each, count in times.items()
                if count > 1
            ]
        return problems


@attrs.frozen(slots=False, eq=False)
class Look:
    """One look at an event, for the steps of one operation: its counters, then its evaluation with a snapshot."""

    program: Program
    event: Transaction | Activity
    facts: Facts

    @functools.cached_property
    def counters(self) -> list[Counter]:
        """The counters of the event's snapshot, so that a store can read them in one batch."""
        return self.program.plan.counters(self.facts)

    def evaluate(self, snapshot: Snapshot, serials: SerialGenerator | None = None) -> Evaluation:
        """Evaluate the event, as `Program.evaluate` does."""
        return _evaluated(self.program, self.facts.with_snapshot(snapshot), self.event, snapshot, serials)


def _evaluated(
    program: Program,
    facts: Facts,
    event: Transaction | Activity,
    snapshot: Snapshot,
    serials: SerialGenerator | None,
) -> Evaluation:
    evaluator = Evaluator(program.plan, facts, serials)
    evaluator.run()
    intents, skipped = tuple(evaluator.intents), tuple(evaluator.skipped)
    return Evaluation(event.id, program.id, program.version, intents, skipped, Basis(program, event, snapshot))


def _known(snapshot: Snapshot | None) -> Snapshot:
    known = snapshot if snapshot is not None else NO_FACTS
    if not isinstance(known, Snapshot):
        raise InvalidValueError(
            "snapshot", "wrong_type", f"expected a Snapshot, found {describe(known)}; load_snapshot returns one"
        )
    return known


def _read_at(name: str, at: datetime) -> datetime:
    try:
        return read_instant(at)
    except InvalidValueError as error:
        raise error.under(name) from None


def _wrong_event(event: object) -> WrongEventError:
    later = {
        "Return": "for a return call `process` of a ledger, or lifecycle.take_back with its sale",
        "Amendment": "for an amendment call `process` of a ledger, or lifecycle.amend with its sale",
        "Update": "for an update call `process` of a ledger, or lifecycle.update with its sale",
        "Confirmation": "for a confirmation call `process` of a ledger, or lifecycle.confirm with its promise",
    }
    name = type(event).__name__
    hint = later.get(name, f"expected a Transaction or an Activity, found {describe(event)}; load_event returns one")
    return WrongEventError(f"only transactions and activities can be evaluated; {hint}")
