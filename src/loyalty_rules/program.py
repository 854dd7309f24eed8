"""One brand's loyalty program: immutable, compiled once, evaluated many times. Source: semantics 1."""

import functools
import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import attrs
from attrs.converters import optional

from loyalty_rules.documents.references import unresolved
from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.engine.counters import Counter, make_snapshot
from loyalty_rules.engine.evaluation import Evaluator
from loyalty_rules.engine.explanation import Explanation, explain
from loyalty_rules.engine.plan import Plan
from loyalty_rules.errors import DocumentError, InvalidValueError, Problem, WrongEventError, describe
from loyalty_rules.events import Activity, Event, Snapshot, Transaction
from loyalty_rules.intents import Intent, IssueCoupon, Skipped
from loyalty_rules.rules.caps import Limit
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.promotions import Currency, Promotion
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.serials import SerialGenerator
from loyalty_rules.values.checked import TupleOf, checked
from loyalty_rules.values.dates import read_zone
from loyalty_rules.values.identifiers import read_id

__all__ = ["FORMAT", "Basis", "Evaluation", "Program"]

FORMAT: Literal["loyalty-rules/1"] = "loyalty-rules/1"

NO_FACTS = Snapshot()


def _read_money(value: str) -> str:
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper():
        return value
    raise InvalidValueError(
        "", "not_a_currency_code", f'expected an ISO 4217 code such as "USD", found {describe(value)}'
    )


@attrs.frozen
class Basis:
    """The inputs of an evaluation: the program, the event and the snapshot."""

    program: "Program"
    event: Transaction | Activity
    snapshot: Snapshot


@attrs.frozen
class Evaluation:
    """What follows from one event: the intents for the host to persist, and the actions that issued nothing.

    `intents` come in the order of documents (evaluation); `program_version` is the hash of the program that decided;
    `basis` names its inputs: the program, the event and the snapshot.
    """

    event: str
    program: str
    program_version: str
    intents: tuple[Intent, ...]
    skipped: tuple[Skipped, ...]
    basis: Basis = attrs.field(eq=False, repr=False)

    def explain(self) -> Explanation:
        """Tell why: for each promotion whether it fired and on which value, for each action every step to the amount.

        Worked out by a second walk when it is asked for; `str` of it reads as a clerk would tell it.
        """
        program, event, snapshot = self.basis.program, self.basis.event, self.basis.snapshot
        serials = {
            intent.key: intent.serial
            for intent in self.intents
            if isinstance(intent, IssueCoupon) and intent.serial is not None
        }
        return explain(program.plan, program.plan.facts(event, snapshot), serials)


@attrs.frozen(field_transformer=checked, kw_only=True)
class Program:
    """One brand's loyalty program: reward currencies, limits, trackers, coupon types, promotions, one time zone.

    `money` is the ISO 4217 code of the program's money, `shortfall` what becomes of what a return can't take back.
    Ids are unique and every name that is used exists; else `DocumentError`. Source: documents (program).
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

    def __attrs_post_init__(self) -> None:
        problems = [*self._repeated_ids(), *unresolved(self._document)]
        if problems:
            raise DocumentError(problems, "program")

    def evaluate(
        self, event: Event, snapshot: Snapshot | None = None, *, serials: SerialGenerator | None = None
    ) -> Evaluation:
        """Decide what a transaction or an activity earns.

        `snapshot` holds what the host knows beyond the event (absent means zero), `serials` makes the serials of
        serial-managed coupons. Pure: nothing is read, kept or changed; the same arguments give the same result.

        Raises `WrongEventError` for a return, an update or a confirmation, and `MissingSerialsError` where a coupon
        of a serial-managed type is due without a generator. Source: semantics 1 to 10.
        """
        if not isinstance(event, (Transaction, Activity)):
            raise _wrong_event(event)
        known = snapshot if snapshot is not None else NO_FACTS
        if not isinstance(known, Snapshot):
            raise InvalidValueError(
                "snapshot", "wrong_type", f"expected a Snapshot, found {describe(known)}; load_snapshot makes one"
            )
        walk = Evaluator(self.plan, self.plan.facts(event, known), serials)
        walk.run()
        return Evaluation(
            event.id, self.id, self.version, tuple(walk.intents), tuple(walk.skipped), Basis(self, event, known)
        )

    def counters(self, event: Event) -> list[Counter]:
        """Name the counters that the event's snapshot is made of, so that a store reads them in one batch."""
        if not isinstance(event, (Transaction, Activity)):
            raise _wrong_event(event)
        return self.plan.counters(self.plan.facts(event, NO_FACTS))

    def snapshot(self, event: Event, value_of: Callable[[Counter], Decimal]) -> Snapshot:
        """Make the event's snapshot of what each of its counters holds (zero or more; 0 for one that never was)."""
        return make_snapshot(self.counters(event), value_of)

    @functools.cached_property
    def version(self) -> str:
        """The SHA-256 of the canonical document: defaults filled in, keys sorted, no white space. Source: documents."""
        text = json.dumps(self._document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @functools.cached_property
    def plan(self) -> Plan:
        """The program compiled; done once, when first asked for."""
        return Plan(
            program=self.id,
            time_zone=self.time_zone,
            money=self.money,
            currencies=self.currencies,
            limits=self.limits,
            trackers=self.trackers,
            coupon_types=self.coupon_types,
            promotions=self.promotions,
        )

    @property
    def _document(self) -> dict[str, Any]:
        try:
            document: dict[str, Any] = unstructure(self)
        except RecursionError:
            raise DocumentError([Problem("$", "too_deep", "this program is nested too deep")], "program") from None
        return document

    def _repeated_ids(self) -> list[Problem]:
        problems = []
        for name in ("currencies", "limits", "trackers", "coupon_types"):
            times: dict[str, int] = {}
            for each in getattr(self, name):
                times[each.id] = times.get(each.id, 0) + 1
            problems += [
                Problem(f"$.{name}", "duplicate_id", f"the id {each!r} comes {count} times")
                for each, count in times.items()
                if count > 1
            ]
        return problems


def _wrong_event(event: object) -> WrongEventError:
    later = {
        "Return": "a return is decided by lifecycle.take_back, under the terms of its sale, or by a ledger's process",
        "Update": "an update is decided by lifecycle.update, of the promises of its sale, or by a ledger's process",
        "Confirmation": "a confirmation is decided by lifecycle.confirm, of its promise, or by a ledger's process",
    }
    name = type(event).__name__
    hint = later.get(name, f"expected a Transaction or an Activity, found {describe(event)}; load_event makes one")
    return WrongEventError(f"evaluate decides what a sale or an activity earns; {hint}")
