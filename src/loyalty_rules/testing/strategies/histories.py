"""Histories: the events of a shop over months, in order of time."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.testing.strategies.events import Shop, activities, read_words, returns, transactions, updates
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.strategies.words import Words
from loyalty_rules.values.amounts import Number

__all__ = ["histories"]


@st.composite
def histories(
    draw: st.DrawFn,
    program: Shop = None,
    *,
    most_events: int = 10,
    months: int = 3,
    most: Number = 1000,
    later: bool = True,
    anonymous: bool = True,
) -> list[Document]:
    """Draw the events of a shop: sales and activities and, with `later`, returns and updates of the sales.

    There are at most `most_events` sales and activities, within `months` of 30 days. Ids are T1…, A1…, R1… and U1….
    Each sale has at most one return. Events are in order of time; those of one instant stay in the order drawn.
    """
    words = read_words(program)
    kinds = st.sampled_from(["sale", "activity"] if words.activities else ["sale"])
    history: list[Document] = []
    for number in range(1, draw(st.integers(1, most_events)) + 1):
        if draw(kinds) == "sale":
            sale = transactions(words, id=f"T{number}", most=most, most_days=30 * months, anonymous=anonymous)
            history.append(draw(sale))
        else:
            history.append(draw(activities(words, id=f"A{number}", most_days=30 * months, anonymous=anonymous)))
    if later:
        history += [each for sale in history if sale["type"] == "transaction" for each in draw(_later(sale, words))]
    return sorted(history, key=_instant)


@st.composite
def _later(draw: st.DrawFn, sale: Document, words: Words) -> list[Document]:
    what = draw(st.sampled_from(["", "return", "update"]))
    number = str(sale["id"])[1:]
    if what == "return" and not str(sale["amount"]).startswith("-"):
        return [draw(returns(sale, id=f"R{number}"))]
    if what == "update":
        return [draw(updates(sale, words, id=f"U{number}"))]
    return []


def _instant(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])
