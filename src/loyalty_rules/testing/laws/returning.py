"""The law on returns: a sale and its full return leave nothing, and a partial one leaves the award of the rest."""

from decimal import Decimal
from functools import partial

from hypothesis import strategies as st

from loyalty_rules.events import Snapshot
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.keys import action_key
from loyalty_rules.lifecycle import remaining_sale
from loyalty_rules.lifecycle.records import Account, Sale
from loyalty_rules.program import Program
from loyalty_rules.testing.laws.baskets import bill_in_words
from loyalty_rules.testing.laws.counterexample import Counterexample
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.searching import EFFORT, Effort, search_narrowing
from loyalty_rules.testing.laws.totals import LedgerTotals, amount_of, amounts_in_words, name_of
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.testing.strategies.events import returns, transactions
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words, words_of

__all__ = ["returning"]


def returning(
    program: Program, expectations: Expectations = ANYTHING, effort: Effort = EFFORT
) -> Counterexample | None:
    """Check that a sale that is fully returned the next day leaves nothing, and a partial return the award of the rest.

    After a partial return an account keeps, of what `recompute` actions issued, at most the award of the rest.

    Actions with the policy `keep` break the law; name them in `apart_from` if that is intended. Source: semantics 11.
    """
    words = words_of(program)

    def broken(events: tuple[Document, Document]) -> Counterexample | None:
        totals = LedgerTotals.of(program, events)
        if events[1]["amount"] != events[0]["amount"]:
            return _more_than_the_rest(program, totals)
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


def _more_than_the_rest(program: Program, totals: LedgerTotals) -> Counterexample | None:
    """Return a counterexample if a partial return leaves another amount than the smaller of issue and award."""
    (sold, _), back = totals.events, totals.events[1].event
    terms = Sale(program, sold.event, Snapshot())
    rest = remaining_sale(sold.event, [back], program.plan.line_fields)
    earned = program.evaluate(rest, serials=NamedSerials()).intents if rest is not None else ()
    issued = {action_key(issue.promotion, issue.action) for issue in totals.issues()}
    kept, awards = totals.kept(), dict[tuple[Account, str], int]()
    for award in (each for each in earned if isinstance(each, IssueCurrency)):
        counts = action_key(award.promotion, award.action) not in issued
        if counts or terms.action_of(award).action.on_return == "recompute":
            pool = Account.of(award), award.currency
            awards[pool] = awards.get(pool, 0) + amount_of(award)
    had, has = dict[tuple[Account, str], int](), dict[tuple[Account, str], int]()
    for issue in (each for each in totals.issues() if isinstance(each, IssueCurrency)):
        if terms.action_of(issue).action.on_return == "recompute":
            pool = Account.of(issue), issue.currency
            had[pool] = had.get(pool, 0) + amount_of(issue)
            has[pool] = has.get(pool, 0) + kept[issue.key]
    wrong = {pool[1]: has[pool] for pool in had if has[pool] != min(had[pool], awards.get(pool, 0))}
    if not wrong:
        return None
    documents = tuple(each.document for each in totals.events)
    return Counterexample(
        "returning",
        f"a sale of {bill_in_words(documents[0])} and a return of {bill_in_words(documents[1])} "
        f"leave {amounts_in_words(wrong)}, which is not the award of the rest",
        documents,
        totals.slips(),
    )


@st.composite
def _returned(draw: st.DrawFn, words: Words, most: Decimal) -> tuple[Document, Document]:
    sale = draw(transactions(words, least="0.01", most=most, odd=False))
    return sale, draw(returns(sale, whole=True, later_days=1) | returns(sale, later_days=1))
