"""Laws on baskets: splitting one never earns more, buying more never earns less."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.keys import split_action_key
from loyalty_rules.paths import ActionPlace, actions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import Awarded
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.laws.totals import LedgerTotals, amounts_in_words
from loyalty_rules.testing.strategies.events import transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.testing.till_receipts import money
from loyalty_rules.values.amounts import micros, micros_text, number_in

__all__ = ["bill_in_words", "more", "splitting"]

_SUMS = ("amount", "tax", "shipping", "tip")
_LISTS = ("tenders", "lines")
_FAMILIES = ("custom_fields", "extended_fields")


def splitting(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Check that splitting a basket never earns more.

    A basket on one receipt is compared with the same goods on two, of one member at one instant. Actions of a fixed
    amount, and actions computed from them, are not counted: they issue per receipt. Source: semantics 3, 4 and 8.
    """
    words = words_of(program)
    by_the_bill = [place.key for place in _by_the_bill(program)]
    counted = [key for key in by_the_bill if expectations.counts(*split_action_key(key))]

    def broken(parts: tuple[Document, Document]) -> Counterexample | None:
        split, whole = LedgerTotals.of(program, parts), LedgerTotals.of(program, [joined(*parts, words)])
        gain = _gain(split, whole, counted, by_the_bill)
        if not gain:
            return None
        joint = whole.events[0].document
        return Counterexample(
            "splitting",
            f"{_parts_in_words(parts)} earn {amounts_in_words(gain)} more than one of {bill_in_words(joint)}",
            parts,
            ("on two receipts:", *split.slips(), "on one receipt:", *whole.slips()),
        )

    return search_narrowing(partial(baskets, words), broken, effort) if counted else None


def more(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Buying more never earns less.

    A receipt is compared with one that has the same goods and more. Source: semantics 11 (all but `gap_after` and
    conditions that favour small baskets).
    """
    words = words_of(program)
    every = [place.key for place in actions_of(program)]
    counted = [key for key in every if expectations.counts(*split_action_key(key))]

    def broken(parts: tuple[Document, Document]) -> Counterexample | None:
        part, whole = LedgerTotals.of(program, parts[:1]), LedgerTotals.of(program, [joined(*parts, words)])
        loss = _gain(part, whole, counted, every)
        if not loss:
            return None
        larger = whole.events[0].document
        return Counterexample(
            "more",
            f"a receipt of {bill_in_words(larger)} earns {amounts_in_words(loss)} less than one of "
            f"{bill_in_words(parts[0])} that is part of it",
            (parts[0], larger),
            (*part.slips(), "and with more goods:", *whole.slips()),
        )

    return search_narrowing(partial(baskets, words), broken, effort)


def _by_the_bill(program: Program) -> Iterator[ActionPlace]:
    """Yield the actions whose amount depends on the bill, directly or through other such actions."""
    fixed: set[str] = set()
    for place in actions_of(program):
        base = place.base
        if base is None or (isinstance(base, Awarded) and fixed & {*base.actions}):
            fixed.add(place.key)
        else:
            yield place


def _gain(one: LedgerTotals, other: LedgerTotals, counted: list[str], every: list[str]) -> dict[str, int]:
    """Return the gain of the counted actions in `one`, by currency, if all actions together gain there too.

    An uncounted action can use up a limit that it shares with a counted one. The counted one then earns less, but the
    member does not.
    """
    gains = _differences(one.earned(counted), other.earned(counted))
    of_all = _differences(one.earned(every), other.earned(every))
    return {name: gain for name, gain in gains.items() if gain > 0 and of_all[name] > 0}


def _differences(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: amount - other.get(name, 0) for name, amount in one.items()}


def _parts_in_words(parts: tuple[Document, Document]) -> str:
    first, second = map(bill_in_words, parts)
    return f"two receipts of {first}" if first == second else f"receipts of {first} and {second}"


def bill_in_words(sale: Document) -> str:
    """Return the amount of a bill as it stands in a sentence."""
    return money(micros_text(micros(Decimal(sale["amount"]))))


# -- a basket in two parts -------------------------------------------------------------------------------------------


@st.composite
def baskets(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document]:
    """Draw two sales of one member at one instant, with goods up to `most`; the goods are equal or different."""

    def sale(id: str) -> st.SearchStrategy[Document]:
        return transactions(words, id=id, least="0.01", most=most, anonymous=False, odd=False)

    one = draw(sale("T1"))
    goods = draw(sale("T2")) if draw(st.booleans()) else one
    bill = (*_SUMS, *_LISTS, *_FAMILIES)
    header = {key: value for key, value in one.items() if key not in bill}
    other = {**header, "id": "T2", **{key: goods[key] for key in bill if key in goods}}
    for family in _FAMILIES:  # fields that are not amounts belong to the receipt, and are equal on both
        if family in one or family in other:
            other[family] = {**other.get(family, {}), **_texts_of(one.get(family, {}), f"{family}.", words)}
    return one, other


def _texts_of(fields: Document, prefix: str, words: Words) -> Document:
    return {name: value for name, value in fields.items() if prefix + name not in words.fields}


def joined(one: Document, other: Document, words: Words) -> Document:
    """Return two sales as one receipt: amounts are added, lines and tenders are concatenated."""
    whole = {**one, "id": "T3"}
    for name in _SUMS:
        if name in one or name in other:
            whole[name] = _sum(one.get(name, "0"), other.get(name, "0"))
    if "tenders" in one or "tenders" in other:
        whole["tenders"] = [*one.get("tenders", ()), *other.get("tenders", ())]
    if "lines" in one or "lines" in other:
        lines = [*one.get("lines", ()), *other.get("lines", ())]
        whole["lines"] = [{**line, "id": str(number)} for number, line in enumerate(lines, 1)]
    for family in _FAMILIES:
        if family in one or family in other:
            whole[family] = _joined_fields(one.get(family, {}), other.get(family, {}), f"{family}.", words)
    return whole


def _joined_fields(one: Document, other: Document, prefix: str, words: Words) -> Document:
    fields = {**other, **one}
    for name in one.keys() & other.keys():
        if prefix + name in words.fields and None not in (number_in(one[name]), number_in(other[name])):
            fields[name] = _sum(one[name], other[name])
    return fields


def _sum(one: object, other: object) -> str:
    return micros_text((number_in(one) or 0) + (number_in(other) or 0))
