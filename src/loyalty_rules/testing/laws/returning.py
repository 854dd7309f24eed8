"""The law on returns: a sale and its full return leave no points and no coupons."""

from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.keys import action_key
from loyalty_rules.program import Program
from loyalty_rules.testing.laws.baskets import bill_in_words
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.laws.totals import LedgerTotals, amount_of, amounts_in_words, name_of
from loyalty_rules.testing.strategies.events import returns, transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of

__all__ = ["returning"]


def returning(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Check that a sale that is fully returned the next day leaves nothing.

    Actions with the policy `keep` break the law; name them in `apart_from` if that is intended. Source: semantics 11.
    """
    words = words_of(program)

    def broken(events: tuple[Document, Document]) -> Counterexample | None:
        totals = LedgerTotals.of(program, events)
        kept, left = totals.kept(), dict[str, int]()
        actions = []
        for issue in totals.issues():
            if kept[issue.key] and expectations.counts(issue.promotion, issue.action):
                left[name_of(issue)] = left.get(name_of(issue), 0) + min(kept[issue.key], amount_of(issue))
                actions.append(action_key(issue.promotion, issue.action))
        if not left:
            return None
        return Counterexample(
            "returning",
            f"a sale of {bill_in_words(events[0])} and its full return leave {amounts_in_words(left)} "
            f"(of {', '.join(dict.fromkeys(actions))})",
            events,
            totals.slips(),
        )

    return search_narrowing(partial(_returned, words), broken, effort)


@st.composite
def _returned(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document]:
    sale = draw(transactions(words, least="0.01", most=most, odd=False))
    return sale, draw(returns(sale, whole=True, later_days=1))
