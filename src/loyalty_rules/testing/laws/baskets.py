"""Laws on baskets: splitting one never earns more, buying more never earns less."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.keys import split_action_key
from loyalty_rules.paths import ActionPlace, actions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import Awarded
from loyalty_rules.testing.laws.books import Books, told_amounts
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.strategies.events import transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.testing.till_receipts import money
from loyalty_rules.values.amounts import micros, micros_text, number_in

__all__ = ["amount_told", "more", "splitting"]

_SUMS = ("amount", "tax", "shipping", "tip")
_LISTS = ("tenders", "lines")
_FAMILIES = ("custom_fields", "extended_fields")


def splitting(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Splitting a basket never earns more.

    A basket on one receipt is compared with the same on two, of one member at one instant. Actions of a fixed amount
    are not counted, nor what is computed from them: they pay by the receipt. Source: semantics 3, 4 and 8.
    """
    words = words_of(program)
    by_the_bill = [place.key for place in _by_the_bill(program)]
    counted = [key for key in by_the_bill if expectations.counts(*split_action_key(key))]

    def broken(parts: tuple[Document, Document]) -> Counterexample | None:
        split, whole = Books.of(program, parts), Books.of(program, [joined(*parts, words)])
        gain = _gain(split, whole, counted, by_the_bill)
        if not gain:
            return None
        return Counterexample(
            "splitting",
            f"{_told_parts(parts)} earn {told_amounts(gain)} more than one of {amount_told(whole.entries[0].document)}",
            parts,
            ("on two receipts:", *split.slips(), "on one:", *whole.slips()),
        )

    return search_narrowing(partial(baskets, words), broken, effort) if counted else None


def more(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Buying more never earns less.

    A receipt is compared with one that holds the same goods and others. Source: semantics 11 (all but `gap_after` and
    conditions that favour small baskets).
    """
    words = words_of(program)
    every = [place.key for place in actions_of(program)]
    counted = [key for key in every if expectations.counts(*split_action_key(key))]

    def broken(parts: tuple[Document, Document]) -> Counterexample | None:
        part, whole = Books.of(program, parts[:1]), Books.of(program, [joined(*parts, words)])
        loss = _gain(part, whole, counted, every)
        if not loss:
            return None
        larger = whole.entries[0].document
        return Counterexample(
            "more",
            f"a receipt of {amount_told(larger)} earns {told_amounts(loss)} less than one of {amount_told(parts[0])} "
            "that is part of it",
            (parts[0], larger),
            (*part.slips(), "and with more goods:", *whole.slips()),
        )

    return search_narrowing(partial(baskets, words), broken, effort)


def _by_the_bill(program: Program) -> Iterator[ActionPlace]:
    """Give the actions whose amount hangs on the bill, and not on that of an action whose amount does not."""
    fixed: set[str] = set()
    for place in actions_of(program):
        base = place.base
        if base is None or (isinstance(base, Awarded) and fixed & {*base.actions}):
            fixed.add(place.key)
        else:
            yield place


def _gain(one: Books, other: Books, counted: list[str], every: list[str]) -> dict[str, int]:
    """Give by how much the counted actions earn more in one: where all of them do, counted or not.

    A larger receipt of an action that is not counted leaves less of a limit to one that is: that gains nobody anything.
    """
    gains = _differences(one.earned(counted), other.earned(counted))
    of_all = _differences(one.earned(every), other.earned(every))
    return {name: gain for name, gain in gains.items() if gain > 0 and of_all[name] > 0}


def _differences(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: amount - other.get(name, 0) for name, amount in one.items()}


def _told_parts(parts: tuple[Document, Document]) -> str:
    first, second = map(amount_told, parts)
    return f"two receipts of {first}" if first == second else f"receipts of {first} and {second}"


def amount_told(sale: Document) -> str:
    """Write the bill of a sale as a sentence does."""
    return money(micros_text(micros(Decimal(sale["amount"]))))


# -- a basket in two parts -------------------------------------------------------------------------------------------


@st.composite
def baskets(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document]:
    """Give two sales of one member at one instant, of goods up to `most`; alike, or with others in the second."""

    def sale(id: str) -> st.SearchStrategy[Document]:
        return transactions(words, id=id, least="0.01", most=most, anonymous=False, odd=False)

    one = draw(sale("T1"))
    goods = draw(sale("T2")) if draw(st.booleans()) else one
    bill = (*_SUMS, *_LISTS, *_FAMILIES)
    header = {key: value for key, value in one.items() if key not in bill}
    other = {**header, "id": "T2", **{key: goods[key] for key in bill if key in goods}}
    for family in _FAMILIES:  # what is no amount is the receipt's, and the same on both
        if family in one or family in other:
            other[family] = {**other.get(family, {}), **_texts_of(one.get(family, {}), f"{family}.", words)}
    return one, other


def _texts_of(fields: Document, prefix: str, words: Words) -> Document:
    return {name: value for name, value in fields.items() if prefix + name not in words.fields}


def joined(one: Document, other: Document, words: Words) -> Document:
    """Put two sales on one receipt: amounts are added, lines and tenders follow each other."""
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
