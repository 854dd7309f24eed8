"""Laws on what can happen at all: every action is reachable, promotions overlap and actions are skipped as meant."""

import json
from itertools import combinations

import attrs
from hypothesis import strategies as st

from loyalty_rules.errors import DocumentError
from loyalty_rules.intents import IssueCoupon, IssueCurrency, Skipped
from loyalty_rules.keys import action_key, split_action_key
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

__all__ = ["overlapping", "reachable", "reasons"]


# -- every action is reachable ---------------------------------------------------------------------------------------


def reachable(program: Program, _meant: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """No action is unreachable: each issues something on some receipt.

    For each action receipts are drawn from the words of its promotion: the first that it issues on ends the search.
    Where none of 1,000 did, that is no proof that there is none; the receipt that came nearest is shown, with what
    kept it. Of an action for which the time was too short for so many, nothing is said.
    """
    places = list(actions_of(program))
    missing = {place.key for place in places}
    share = attrs.evolve(effort, examples=max(effort.examples, EXAMPLES)).shared_by(len(places))
    for place in places:
        if place.key in missing:
            nearest = _nearest_to(place, program, missing, share)
            if nearest is not None and (share.seconds is None or nearest.tried >= EXAMPLES):
                tried = f"none of {nearest.tried:,} receipts makes {place.key} issue anything"
                why = f"{tried}; the nearest one is kept from it: {nearest.why}"
                slip = till_receipt(nearest.receipt)
                return Counterexample("reachable", why, (nearest.receipt,), (slip,))
    return None


@attrs.define
class _Nearest:
    """A receipt that misses an action, how far it is from it, and why; the nearest of so many that were tried."""

    distance: int
    receipt: Document = attrs.field(factory=dict)
    why: str = ""
    tried: int = 0


def _nearest_to(place: ActionPlace, program: Program, missing: set[str], effort: Effort) -> _Nearest | None:
    """Take what receipts reach from `missing`; where the action is not among it, give the receipt nearest to it."""
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
    """Say how far an action is from its turn: the promotion does not fire, or nobody is there who could receive."""
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
    return f"it is no {place.promotion.trigger}"


def _words_of_promotion(promotion: Promotion, program: Program) -> Words:
    """Give the words of a promotion alone; of the whole program where it builds on others."""
    try:
        return words_of(attrs.evolve(program, promotions=(promotion,)))
    except DocumentError:
        return words_of(program)


# -- promotions overlap as meant -------------------------------------------------------------------------------------


def overlapping(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """No two promotions overlap unintendedly: give the same currency or coupon on one receipt.

    Expected are the pairs of `expectations.together`, promotions without a condition (a base that all others add to),
    and those of which one is computed from what the other awarded. Without `together` any two may.
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
        isinstance(base, Awarded) and any(split_action_key(key)[0] == one.id for key in base.actions) for base in bases
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


def reasons(program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT) -> Counterexample | None:
    """Every skip reason that can occur is meant to occur: is one of `expectations.reasons`.

    Where a team has named none, any is meant but `already_expired` of an action whose expiry is no field's date: all
    others hang on what a receipt lacks or has used up.
    """
    dated = {
        place.key
        for place in actions_of(program)
        if isinstance(getattr(place.action, "expiry", None), (CustomerField, TransactionField))
    }

    def is_meant(skip: Skipped) -> bool:
        if expectations.reasons is not None:
            return skip.reason in expectations.reasons
        return skip.reason != "already_expired" or action_key(skip.promotion, skip.action) in dated

    def broken(case: tuple[Document, Document]) -> Counterexample | None:
        evaluation = _evaluated(program, case)
        for skip in evaluation.skipped:
            if not is_meant(skip):
                sentence = f"{action_key(skip.promotion, skip.action)} is skipped: {skip.reason}, {skip.detail}"
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
        action_key(intent.promotion, intent.action)
        for intent in evaluation.intents
        if isinstance(intent, (IssueCurrency, IssueCoupon))
    }


def _of_case(law: str, sentence: str, case: tuple[Document, Document], evaluation: Evaluation) -> Counterexample:
    receipt, snapshot = case
    known = f", where the snapshot is {json.dumps(snapshot)}" if snapshot else ""
    slip = till_receipt(receipt, evaluation.intents, evaluation.skipped)
    return Counterexample(law, sentence + known, (receipt,), (slip,))
