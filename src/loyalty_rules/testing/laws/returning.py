"""The law on returns: buying and returning nets to zero."""

from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.keys import action_key
from loyalty_rules.program import Program
from loyalty_rules.testing.laws.baskets import amount_told
from loyalty_rules.testing.laws.books import Books, amount_of, name_of, told_amounts
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.strategies.events import returns, transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of

__all__ = ["returning"]


def returning(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Buying and returning nets to zero: of a sale that comes back as a whole the next day, nothing is left.

    Actions that say `keep` break it, and are named in `apart_from` where that is meant. Source: semantics 11.
    """
    words = words_of(program)

    def broken(events: tuple[Document, Document]) -> Counterexample | None:
        books = Books.of(program, events)
        kept, left = books.kept(), dict[str, int]()
        actions = []
        for issue in books.issues():
            if kept[issue.key] and expectations.counts(issue.promotion, issue.action):
                left[name_of(issue)] = left.get(name_of(issue), 0) + min(kept[issue.key], amount_of(issue))
                actions.append(action_key(issue.promotion, issue.action))
        if not left:
            return None
        return Counterexample(
            "returning",
            f"a sale of {amount_told(events[0])} and its whole return leave {told_amounts(left)} "
            f"(of {', '.join(dict.fromkeys(actions))})",
            events,
            books.slips(),
        )

    return search_narrowing(partial(_returned, words), broken, effort)


@st.composite
def _returned(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document]:
    sale = draw(transactions(words, least="0.01", most=most, odd=False))
    return sale, draw(returns(sale, whole=True, later_days=1))
