"""Laws on outcomes: every action is reachable; only expected overlaps and skip reasons occur."""

import json
from itertools import combinations

import attrs
from hypothesis import strategies as st

from loyalty_rules.errors import DocumentError
from loyalty_rules.intents import ExtendExpiry, IssueCoupon, IssueCurrency, Skipped, SpendCurrency
from loyalty_rules.keys import action_key, action_key_in, split_action_key
from loyalty_rules.loading import load_event, load_snapshot
from loyalty_rules.paths import ActionPlace, actions_of
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.rules.base_values import Awarded
from loyalty_rules.rules.expiry import CustomerField, TransactionField
from loyalty_rules.rules.promotions import Promotion
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, EXAMPLES, Effort, search
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.testing.strategies.events import events, snapshots
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.testing.till_receipts import till_receipt
from loyalty_rules.values.amounts import NUMBER_LIMIT

__all__ = ["overlapping", "reachable", "reasons"]


# -- every action is reachable ---------------------------------------------------------------------------------------


def reachable(
    program: Program, _expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Check that every action is reached: each issues, spends or extends something on some receipt.

    For each action, receipts are drawn from the vocabulary of its promotion until it is reached on one. If 1,000
    receipts do not reach it, the nearest is shown with the obstacle. This does not prove that no receipt can reach
    it. An action with less time than for 1,000 receipts is not reported.
    """
    places = list(actions_of(program))
    missing = {place.key for place in places}
    share = attrs.evolve(effort, examples=max(effort.examples, EXAMPLES)).shared_by(len(places))
    for place in places:
        if place.key in missing:
            nearest = _nearest_to(place, program, missing, share)
            if nearest is not None and (share.seconds is None or nearest.tried >= EXAMPLES):
                why = f"{place.key} was not reached by any of {nearest.tried:,} receipts; on the nearest: {nearest.why}"
                slip = till_receipt(nearest.receipt)
                return Counterexample("reachable", why, (nearest.receipt,), (slip,))
    return None


@attrs.define
class _Nearest:
    """The nearest of the tried receipts to one on which an action issues something, and the obstacle."""

    distance: int
    receipt: Document = attrs.field(factory=dict)
    why: str = ""
    tried: int = 0


def _nearest_to(place: ActionPlace, program: Program, missing: set[str], effort: Effort) -> _Nearest | None:
    """Remove the reached actions from `missing`; return the nearest receipt if the action stays missing, else None."""
    nearest = _Nearest(2 * _FAR)

    def look(case: tuple[Document, Document]) -> Counterexample | None:
        nearest.tried += 1
        evaluation = _evaluated(program, case)
        missing.difference_update(_issuing(evaluation))
        if place.key not in missing:
            raise _Reached
        distance = len(json.dumps(case[0])) + _distance(place, evaluation)
        if distance < nearest.distance:
            nearest.distance, nearest.receipt, nearest.why = distance, case[0], _why(place, evaluation)
        return None

    try:
        search(_drawn(program, _words_of_promotion(place.promotion, program)), look, effort, shrink=False)
    except _Reached:
        return None
    return nearest


class _Reached(Exception):
    pass


_FAR = 10**6


def _distance(place: ActionPlace, evaluation: Evaluation) -> int:
    """Return the distance of an action from an issue: far without its promotion, less far without a recipient."""
    for skip in evaluation.skipped:
        if place.key == action_key(skip.promotion, skip.action):
            return _FAR // 2 if skip.reason in ("no_member", "no_group") else 0
    return _FAR


def _why(place: ActionPlace, evaluation: Evaluation) -> str:
    for skip in evaluation.skipped:
        if place.key == action_key(skip.promotion, skip.action):
            return f"{skip.reason}, {skip.detail}"
    for trace in evaluation.explain().promotions:
        if trace.promotion == place.promotion.id:
            return f"{trace.promotion} does not fire, {'; '.join(trace.because)}"
    return f"the event is not of the type {place.promotion.trigger}"


def _words_of_promotion(promotion: Promotion, program: Program) -> Words:
    """Return the vocabulary of a promotion alone, or of the whole program if the promotion depends on others."""
    try:
        return words_of(attrs.evolve(program, promotions=(promotion,)))
    except DocumentError:
        return words_of(program)


# -- only expected overlaps ------------------------------------------------------------------------------------------


def overlapping(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Check that no two promotions issue the same currency or coupon type on one receipt unexpectedly.

    Expected are the pairs of `expectations.together`, promotions without a condition, and promotions computed from the
    awards of the other. Without `together` all overlaps are expected.
    """
    if expectations.together is None:
        return None
    apart = {
        frozenset((one.id, other.id))
        for one, other in combinations(program.promotions, 2)
        if one.when is not None and other.when is not None and not _builds_on(one, other)
    } - expectations.together

    def broken(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        issued = _issues_by_promotion(evaluation)
        for (one, of_one), (other, of_other) in combinations(issued.items(), 2):
            both = of_one & of_other
            if both and frozenset((one, other)) in apart:
                sentence = f"{one} and {other} both issue {', '.join(sorted(both))} on one receipt"
                return _of_case("overlapping", sentence, case, evaluation)
        return None

    return search(_cases(program), broken, effort) if apart else None


def _builds_on(one: Promotion, other: Promotion) -> bool:
    """Return True if the later of two promotions is computed from the awards of the earlier one."""
    bases = (getattr(getattr(action, "proration", None), "of", None) for action in other.actions)
    return any(
        isinstance(base, Awarded) and any(split_action_key(key)[0] == one.id for key in base.actions) for base in bases
    )


def _issues_by_promotion(evaluation: Evaluation) -> dict[str, set[str]]:
    issued: dict[str, set[str]] = {}
    for intent in evaluation.intents:
        if isinstance(intent, IssueCurrency):
            issued.setdefault(intent.promotion, set()).add(intent.currency)
        elif isinstance(intent, IssueCoupon):
            issued.setdefault(intent.promotion, set()).add(intent.coupon_type)
    return issued


# -- only expected reasons -------------------------------------------------------------------------------------------


def reasons(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Check that only reasons of `expectations.reasons` occur.

    Without `reasons` all are expected, except `already_expired` of an action whose expiry is not the date of a field:
    all others depend on the receipt or on a used-up cap.
    """
    dated = {
        place.key
        for place in actions_of(program)
        if isinstance(getattr(place.action, "expiry", None), (CustomerField, TransactionField))
    }

    def is_expected(skip: Skipped) -> bool:
        if expectations.reasons is not None:
            return skip.reason in expectations.reasons
        return skip.reason != "already_expired" or action_key(skip.promotion, skip.action) in dated

    def broken(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        for skip in evaluation.skipped:
            if not is_expected(skip):
                sentence = f"{action_key(skip.promotion, skip.action)} is skipped with {skip.reason}: {skip.detail}"
                return _of_case("reasons", sentence, case, evaluation)
        return None

    return search(_cases(program), broken, effort)


# -- receipts and snapshots ------------------------------------------------------------------------------------------


@st.composite
def _drawn(draw: st.DrawFn, program: Program, words: Words) -> tuple[Document, Document]:
    """Draw an event of the program, and an empty or any snapshot."""
    known = draw(snapshots(program)) if draw(st.booleans()) else {}
    return draw(events(words, most=_most(words))), known


def _most(words: Words) -> int:
    """Return an amount of goods beyond every threshold of the program."""
    most = max([0, *(int(number) for number in words.numbers)])
    return min(max(_USUAL_MOST, 2 * most), NUMBER_LIMIT // 100)


_USUAL_MOST = 1_000


def _cases(program: Program) -> st.SearchStrategy[tuple[Document, Document]]:
    return _drawn(program, words_of(program))


def _evaluated(program: Program, case: tuple[Document, Document]) -> Evaluation:
    event, snapshot = load_event(case[0]), load_snapshot(case[1])
    return program.evaluate(event, snapshot, serials=NamedSerials())


def _issuing(evaluation: Evaluation) -> set[str]:
    """Return the actions of an evaluation that issue, spend or extend something."""
    kinds = (IssueCurrency, IssueCoupon, SpendCurrency, ExtendExpiry)
    return {action_key_in(intent.key) for intent in evaluation.intents if isinstance(intent, kinds)}


def _of_case(law: str, sentence: str, case: tuple[Document, Document], evaluation: Evaluation) -> Counterexample:
    receipt, snapshot = case
    known = f", with the snapshot {json.dumps(snapshot)}" if snapshot else ""
    slip = till_receipt(receipt, evaluation.intents, evaluation.skipped)
    return Counterexample(law, sentence + known, (receipt,), (slip,))
