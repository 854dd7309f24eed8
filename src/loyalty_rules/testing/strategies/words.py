"""The vocabulary of a program: the stores, tiers, fields and thresholds that its conditions and bases name.

Events for a program are drawn from its vocabulary. So its conditions hold and fail, its thresholds are met to the
cent, and a receipt has no field that no promotion reads.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from loyalty_rules.paths import actions_of, conditions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import BASES, BaseValue, Count, LineBase, LineItemQuantity
from loyalty_rules.rules.conditions import (
    AllOf,
    Anniversary,
    AnyOf,
    BaseTest,
    ComparableBase,
    Comparison,
    Condition,
    LineTest,
    Not,
    Operators,
    Sample,
    is_numeric_path,
)
from loyalty_rules.rules.expiry import EXPIRIES, Expiry
from loyalty_rules.rules.predicates import sample_number
from loyalty_rules.rules.promotions import CurrencyAction, FieldRecipient, Promotion, SpendAction
from loyalty_rules.rules.proration import PRORATIONS, PercentBy, Proration
from loyalty_rules.rules.trackers import AwardedCurrency
from loyalty_rules.testing.strategies.scalars import FIRST_DAY
from loyalty_rules.values.amounts import MICRO, NUMBER_LIMIT, decimal_of, micros, number_in
from loyalty_rules.values.dates import in_zone

__all__ = ["Words", "words_of"]

_MEMBERS = ("M1", "M2")
_MOST_TRIED = 1_000
"""The number of names that are tried until one is in a sample."""
_A_MOMENT, _A_YEAR = timedelta(seconds=1), timedelta(days=365)


@attrs.frozen
class Words:
    """The values that the events of a program may have. `texts` are by path; paths of lines begin with `line:`.

    `numbers` are thresholds of bills, fields and balances, `quantities` those of the pieces of a line. `fields` are the
    paths of free-form fields read as numbers, `dates` of those read as dates. `windows` are the first and last days of
    active promotions; a last day of None means no end. `days` are other dates that the program names.
    """

    activities: tuple[str, ...] = ()
    texts: dict[str, list[Any]] = attrs.field(factory=dict)
    numbers: list[Decimal] = attrs.field(factory=list)
    quantities: list[Decimal] = attrs.field(factory=list)
    fields: set[str] = attrs.field(factory=set)
    dates: set[str] = attrs.field(factory=set)
    windows: list[tuple[date, date | None]] = attrs.field(factory=lambda: [(FIRST_DAY, None)])
    days: list[date] = attrs.field(factory=list)
    tenders: set[str] = attrs.field(factory=set)
    channels: tuple[str, ...] = ()
    components: set[str] = attrs.field(factory=set)
    has_lines: bool = False
    has_groups: bool = False
    has_stores: bool = False
    money: str | None = None
    zone: str = "UTC"

    def said(self, path: str) -> list[Any]:
        """Return the values that conditions compare with the value at a path."""
        return self.texts.get(path, [])

    def names(self, path: str, *others: str) -> list[str]:
        """Return the texts at a path twice and `others` once; an empty list if the program does not read the path."""
        if path not in self.texts:
            return []
        said = [each for each in self.said(path) if isinstance(each, str)]
        return [*said, *said, *others]

    def below(self, prefix: str) -> list[str]:
        """Return the field names of one family: `custom_fields.`, or `line:extended_fields.`."""
        paths = (*self.texts, *self.fields, *self.dates)
        return sorted({path.removeprefix(prefix) for path in paths if path.startswith(prefix)})


def words_of(program: Program) -> Words:
    """Collect the vocabulary of a program."""
    words = Words(
        activities=tuple(dict.fromkeys(each.trigger for each in program.promotions if each.trigger != "transaction")),
        money=program.money,
        zone=program.time_zone,
        channels=tuple(dict.fromkeys(_channels(program))),
        has_groups=any(
            isinstance(place.action, CurrencyAction) and place.action.recipient == "member_group"
            for place in actions_of(program)
        )
        or any(limit.per == "member_group" for limit in program.limits)
        or any(tracker.per == "member_group" for tracker in program.trackers),
        has_stores=any(limit.per == "store" for limit in program.limits)
        or any(coupon_type.caps.per_store is not None for coupon_type in program.coupon_types),
        has_lines=any(isinstance(base, LineBase) for base in _bases(program)),
        windows=sorted({_window(promotion, ZoneInfo(program.time_zone)) for promotion in program.promotions}, key=str)
        or [(FIRST_DAY, None)],
    )
    for _, condition, where in conditions_of(program):
        _add_condition(words, condition, "line:" if where.of_line else "")
    for base in _bases(program):
        _add_base(words, base)
    for expiry in _expiries(program):
        _add_expiry(words, expiry)
    for place in actions_of(program):
        recipient = getattr(place.action, "recipient", None)
        if isinstance(recipient, FieldRecipient):
            said = words.texts.setdefault(recipient.field, [])
            said += [name for name in _MEMBERS if name not in said]
    words.numbers.extend(tracker.target for tracker in program.trackers)
    words.numbers.extend(value for tier in program.tiers for value in tier.from_.values() if value)
    for place in actions_of(program):
        if place.proration is not None:
            _add_proration(words, place.proration)
        elif isinstance(place.action, SpendAction) and isinstance(place.action.amount, Decimal):
            words.numbers.append(place.action.amount)
    return attrs.evolve(
        words,
        has_lines=words.has_lines or any(path.startswith("line:") for path in words.texts),
        has_groups=words.has_groups or "member.group" in words.texts,
        has_stores=words.has_stores or "store" in words.texts,
    )


def _channels(program: Program) -> Iterator[str]:
    for place in actions_of(program):
        communication = getattr(place.action, "communication", None)
        if communication is not None:
            yield from communication.priority


def _bases(program: Program) -> Iterator[BaseValue | Count]:
    measures = (tracker.measure for tracker in program.trackers)
    yield from (measure for measure in measures if not isinstance(measure, AwardedCurrency))
    yield from (place.base for place in actions_of(program) if place.base is not None)


def _expiries(program: Program) -> Iterator[Expiry]:
    yield from (coupon_type.validity.expiry for coupon_type in program.coupon_types)
    yield from (place.action.expiry for place in actions_of(program) if isinstance(place.action, CurrencyAction))


def _window(promotion: Promotion, zone: ZoneInfo) -> tuple[date, date | None]:
    """Return the first and last active day of a promotion; without a start it is the first of a year."""
    starts_at, ends_at = promotion.starts_at, promotion.ends_at
    last = in_zone(ends_at - _A_MOMENT, zone).date() if ends_at is not None else None
    if starts_at is not None:
        return in_zone(starts_at, zone).date(), last
    return (FIRST_DAY if last is None or last >= FIRST_DAY else last - _A_YEAR), last


# -- conditions, bases, expiries -------------------------------------------------------------------------------------


def _add_condition(words: Words, condition: Condition, prefix: str) -> None:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                _add_condition(words, part, prefix)
        case Not(part):
            _add_condition(words, part, prefix)
        case Comparison():
            _add_comparison(words, condition, prefix)
        case LineTest():
            words.texts.setdefault("line:", [])
            _add_condition(words, condition.lines, "line:")
            for measure in (condition.quantity, condition.value, condition.count):
                words.numbers.extend(_numbers(measure) if measure is not None else ())
            words.quantities.extend(_numbers(condition.quantity) if condition.quantity is not None else ())
        case Anniversary():
            words.dates.add(condition.anniversary)
        case BaseTest(base=base):
            _add_base(words, base)
            words.numbers.extend(_numbers(condition))
            if isinstance(base, LineBase):
                words.texts.setdefault("line:", [])
                _add_condition(words, AllOf(() if base.lines is None else (base.lines,)), "line:")
        case Sample():
            _add_sample(words, condition)
        case _:
            return


def _add_comparison(words: Words, comparison: Comparison, prefix: str) -> None:
    path = prefix + comparison.field
    said = words.texts.setdefault(path, [])
    said += [operand for operand in _operands(comparison) if operand not in said]
    if is_numeric_path(comparison.field):
        (words.quantities if comparison.field == "quantity" else words.numbers).extend(_numbers(comparison))
    if path.startswith("tenders."):
        words.tenders.add(path.removeprefix("tenders."))
    elif path in ("tax", "shipping", "tip"):
        words.components.add(path)
    elif path == "local_date":
        words.days.extend(_days_in(said))


def _add_sample(words: Words, test: Sample) -> None:
    """Add a text that is in the sample and one that is not, if there are such texts."""
    said = words.texts.setdefault(test.sample, [])
    names = [f"{'S' if test.sample == 'store' else 'M'}{number}" for number in range(1, _MOST_TRIED)]
    for wanted in (True, False):
        found = (name for name in names if (test.from_ <= sample_number(test.salt, name) < test.below) is wanted)
        said += [name for name in [*found][:1] if name not in said]


def _add_proration(words: Words, proration: Proration) -> None:
    """Add the thresholds of a proration, the base that earns one unit, and the texts that select a percentage."""
    thresholds = [*PRORATIONS[type(proration)].thresholds(proration)]
    for percent in _percentages(proration):
        if isinstance(percent, PercentBy):
            said = words.texts.setdefault(percent.by, [])
            said += [text for text in percent.of if text not in said]
        elif percent:
            thresholds.append(decimal_of(min(-(-100 * MICRO * MICRO // micros(percent)), NUMBER_LIMIT * MICRO - 1)))
    words.numbers.extend(thresholds)
    if isinstance(proration.of, LineItemQuantity):
        words.quantities.extend(thresholds)


def _percentages(proration: Proration) -> Iterator[Decimal | PercentBy]:
    percent = getattr(proration, "percent", None)
    if percent is not None:
        yield percent
    yield from (band.percent for band in getattr(proration, "bands", ()))


def _operands(test: Operators) -> Iterator[Any]:
    for name, operand in test.tests():
        if name != "exists":
            yield from operand if isinstance(operand, tuple) else (operand,)


def _numbers(test: Operators) -> list[Decimal]:
    found = (number_in(operand) for operand in _operands(test))
    return [decimal_of(number) for number in found if number is not None]


def _days_in(texts: Iterable[Any]) -> Iterator[date]:
    for text in texts:
        try:
            yield date.fromisoformat(text)
        except ValueError:
            continue


def _add_base(words: Words, base: BaseValue | ComparableBase | Count) -> None:
    for path in BASES[type(base)].reads(base):
        if path.startswith("tenders."):
            words.tenders.add(path.removeprefix("tenders."))
        elif "fields." in path:
            words.fields.add(path)
        else:
            words.components.add(path)


def _add_expiry(words: Words, expiry: Expiry) -> None:
    policy = EXPIRIES[type(expiry)]
    words.dates.update(policy.reads(expiry))
    words.days.extend(policy.dates(expiry))
