"""Laws on what can happen at all: every action is reachable, promotions overlap and actions are skipped as meant."""

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.base_values import Awarded
from loyalty_rules.documents import load_event, load_snapshot
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.linting.places import actions_of
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.promotions import Promotion
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.meant import ANYTHING, Meant
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.testing.strategies.events import events, snapshots
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.testing.till_receipts import till_receipt

__all__ = ["overlapping", "reachable", "reasons"]


# -- every action is reachable ---------------------------------------------------------------------------------------


def reachable(program: Program, _meant: Meant = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """No action is unreachable: each issues something on some receipt.

    That none was found is no proof that there is none; the receipt that came nearest is shown, with what kept it.
    """
    missing = {place.key for place in actions_of(program)}
    nearest: dict[str, tuple[int, Document, str]] = {}

    def note(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        missing.difference_update(_issuing(evaluation))
        for key, why in _missed(program, case[0], evaluation, missing):
            if key not in nearest or why < nearest[key]:
                nearest[key] = why
        return None

    _until(lambda: not missing, _cases(program), note, effort)
    if not missing:
        return None
    key = next(place.key for place in actions_of(program) if place.key in missing)
    others = f" (nor {', '.join(sorted(missing - {key}))})" if len(missing) > 1 else ""
    if key not in nearest:
        return Counterexample("reachable", f"no receipt makes {key} issue anything{others}", ())
    _, receipt, why = nearest[key]
    sentence = f"no receipt makes {key} issue anything{others}; the nearest one is kept from it: {why}"
    return Counterexample("reachable", sentence, (receipt,), (till_receipt(receipt),))


class _Enough(Exception):
    pass


def _until(
    enough: Callable[[], bool],
    strategy: st.SearchStrategy[tuple[Document, Document]],
    note: Callable[[tuple[Document, Document]], Counterexample | None],
    effort: Effort,
) -> None:
    """Look at examples until there is enough: that ends a search as a counterexample does, and nothing is shrunk."""

    def look(case: tuple[Document, Document]) -> Counterexample | None:
        note(case)
        if enough():
            raise _Enough
        return None

    try:
        search(strategy, look, effort, shrink=False)
    except _Enough:
        return


def _missed(
    program: Program, receipt: Document, evaluation: Evaluation, missing: set[str]
) -> Iterator[tuple[str, tuple[int, Document, str]]]:
    """Tell of each missing action how near a receipt came to it: skipped is nearer than not fired; short is nearer."""
    if not missing:
        return
    length = len(json.dumps(receipt))
    skipped = {f"{skip.promotion}/{skip.action}": skip for skip in evaluation.skipped}
    for place in actions_of(program):
        if place.key in missing and place.promotion.trigger == receipt["type"]:
            if place.key in skipped:
                skip = skipped[place.key]
                yield place.key, _Nearness((length, receipt, f"{skip.reason}, {skip.detail}"))
            else:
                yield place.key, _Nearness((10**6 + length, receipt, f"{place.promotion.id} did not fire"))


class _Nearness(tuple[int, Document, str]):
    """How far a receipt is from an issue, the receipt, and why; compared by the first alone."""

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return bool(self[0] < other[0])


# -- promotions overlap as meant -------------------------------------------------------------------------------------


def overlapping(program: Program, meant: Meant = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """No two promotions overlap unintendedly: give the same currency or coupon on one receipt.

    Meant are the pairs of `meant.together`, promotions without a condition (a base that all others add to), and those
    of which one is computed from what the other awarded. Without `together` any two may.
    """
    if meant.together is None:
        return None
    apart = {
        frozenset((one.id, other.id))
        for one, other in combinations(program.promotions, 2)
        if one.when is not None and other.when is not None and not _builds_on(one, other)
    } - meant.together

    def broken(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        gives = _gives(evaluation)
        for (one, of_one), (other, of_other) in combinations(gives.items(), 2):
            both = of_one & of_other
            if both and frozenset((one, other)) in apart:
                sentence = f"{one} and {other} both give {', '.join(sorted(both))} on one receipt"
                return _of_case("overlapping", sentence, case, evaluation)
        return None

    return search(_cases(program), broken, effort) if apart else None


def _builds_on(one: Promotion, other: Promotion) -> bool:
    """Say whether the later of two promotions is computed from what the earlier one awarded."""
    bases = (getattr(getattr(action, "proration", None), "of", None) for action in other.actions)
    return any(
        isinstance(base, Awarded) and any(key.startswith(f"{one.id}/") for key in base.actions) for base in bases
    )


def _gives(evaluation: Evaluation) -> dict[str, set[str]]:
    given: dict[str, set[str]] = {}
    for intent in evaluation.intents:
        if isinstance(intent, IssueCurrency):
            given.setdefault(intent.promotion, set()).add(intent.currency)
        elif isinstance(intent, IssueCoupon):
            given.setdefault(intent.promotion, set()).add(intent.coupon_type)
    return given


# -- actions are skipped as meant ------------------------------------------------------------------------------------


def reasons(program: Program, meant: Meant = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Every skip reason that can occur is meant to occur: is one of `meant.reasons`."""

    def broken(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        for skip in evaluation.skipped:
            if skip.reason not in meant.reasons:
                sentence = f"{skip.promotion}/{skip.action} is skipped: {skip.reason}, {skip.detail}"
                return _of_case("reasons", sentence, case, evaluation)
        return None

    return search(_cases(program), broken, effort)


# -- receipts and what is known --------------------------------------------------------------------------------------


@st.composite
def _drawn(draw: st.DrawFn, program: Program, words: Words) -> tuple[Document, Document]:
    """Give an event of the program, and a snapshot: of nothing, or of anything."""
    known = draw(snapshots(program)) if draw(st.booleans()) else {}
    return draw(events(words)), known


def _cases(program: Program) -> st.SearchStrategy[tuple[Document, Document]]:
    return _drawn(program, words_of(program))


def _evaluated(program: Program, case: tuple[Document, Document]) -> Evaluation:
    event, snapshot = load_event(case[0]), load_snapshot(case[1])
    return program.evaluate(event, snapshot, serials=NamedSerials())


def _issuing(evaluation: Evaluation) -> set[str]:
    return {
        f"{intent.promotion}/{intent.action}"
        for intent in evaluation.intents
        if isinstance(intent, (IssueCurrency, IssueCoupon))
    }


def _of_case(law: str, sentence: str, case: tuple[Document, Document], evaluation: Evaluation) -> Counterexample:
    receipt, snapshot = case
    known = f", where the snapshot is {json.dumps(snapshot)}" if snapshot else ""
    slip = till_receipt(receipt, evaluation.intents, evaluation.skipped)
    return Counterexample(law, sentence + known, (receipt,), (slip,))
