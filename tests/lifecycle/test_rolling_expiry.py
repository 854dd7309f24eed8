"""Extensions of an account: which lots one moves, and how the last one is found. Source: semantics 5."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.lifecycle.records import Lot
from loyalty_rules.lifecycle.rolling_expiry import Extension, Extensions, extension_of
from shop import earn, fixed, program, sale

from .till import instant

START = instant("2025-01-01T00:00:00Z")
(ISSUE,) = lr.load_program(program(earn(fixed("10")))).evaluate(lr.load_event(sale("100"))).intents
assert isinstance(ISSUE, IssueCurrency)


def on(day: int) -> date:
    return (START + timedelta(days=day)).date()


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def lot(until: int, issued: int = 0, last: int | None = None, **changes: Any) -> Lot:
    """Return a rolling lot of 10 from one day until another, at most until the day `last`."""
    bound = {"last_on": on(last), "last_at": at(last)} if last is not None else {}
    new = Lot(ISSUE, 0, Decimal(10), rolling=True, outstanding=Decimal(10))
    terms: dict[str, Any] = {"expires_on": on(until), "expires_at": at(until), "available_at": at(issued), **bound}
    return attrs.evolve(new, **{**terms, **changes})


def extension(since: int, until: int, place: int = 0, scope: str = "balance") -> Extension:
    return Extension(place, scope, at(since), on(until), at(until))


@pytest.mark.parametrize(
    ("of", "by", "moved"),
    [
        (lot(10), extension(5, 20), 20),
        (lot(10), extension(5, 10), None),  # not to the same day
        (lot(10), extension(5, 9), None),  # never to an earlier one
        (lot(10), extension(10, 20), None),  # the last day has just ended
        (lot(10, issued=6), extension(5, 20), None),  # not issued yet
        (lot(10, issued=5), extension(5, 20), 20),
        (lot(10, available_at=None), extension(5, 20), None),  # a promise
        (lot(10, expires_on=None, expires_at=None), extension(5, 20), None),
        (lot(10, rolling=False), extension(5, 20), 20),
        (lot(10, rolling=False), extension(5, 20, scope="rolling_lots"), None),
        (lot(10), extension(5, 20, scope="rolling_lots"), 20),
        (lot(10, last=15), extension(5, 20), 15),
        (lot(10, last=10), extension(5, 20), None),
        (lot(17, last=15), extension(5, 20), None),  # extended by hand beyond its last day: not shortened
        (lot(10, outstanding=Decimal(0), spent=Decimal(10)), extension(5, 20), 20),  # an undo may give it back
        (lot(10, outstanding=Decimal(0), held=Decimal(10)), extension(5, 20), 20),
        (lot(10, outstanding=Decimal(0), expired=Decimal(10)), extension(5, 20), 20),  # recorded after a sweep
        (lot(10, outstanding=Decimal(0), expired=Decimal(10)), extension(10, 20), None),
        (lot(10, outstanding=Decimal(0), voided=Decimal(10)), extension(5, 20), None),
    ],
)
def test_an_extension_moves_a_lot(of: Lot, by: Extension, moved: int | None) -> None:
    found = extension_of(of, by)
    assert (found.expires_at if found is not None else None) == (at(moved) if moved is not None else None)
    assert Extensions([by]).last_move(of, 0) == found


# Visits on the days 1, 8, 15 and, after a gap, 40: each extends by ten days.
VISITS = [extension(1, 11, 1), extension(8, 18, 2), extension(15, 25, 3), extension(40, 50, 4)]


@pytest.mark.parametrize(
    ("of", "place", "until"),
    [
        (lot(5), 0, 25),  # alive on the 1st, and then on each visit, but not on the 40th
        (lot(1), 0, None),
        (lot(11, issued=1), 2, 25),
        (lot(9, issued=1), 2, 25),
        (lot(8, issued=1), 2, None),  # written by the batch of the first visit, ended before the second
        (lot(45), 0, 50),
        (lot(41, issued=30), 4, 50),
        (lot(5, last=20), 0, 20),
        (lot(5), 5, None),  # written after all of them
    ],
)
def test_a_lot_follows_a_chain_of_visits_to_its_end(of: Lot, place: int, until: int | None) -> None:
    found = Extensions(VISITS).last_move(of, place)
    assert (found.expires_at if found is not None else None) == (at(until) if until is not None else None)


@pytest.mark.parametrize(("day", "until"), [(0, None), (1, 11), (7, 11), (8, 18), (15, 25), (60, 25)])
def test_a_lot_as_of_an_instant_follows_the_visits_until_then(day: int, until: int | None) -> None:
    found = Extensions(VISITS).last_move(lot(5), 0, at(day))
    assert (found.expires_at if found is not None else None) == (at(until) if until is not None else None)


def test_a_late_visit_extends_after_the_others() -> None:
    extensions = Extensions([*VISITS, extension(16, 30, 5)])
    found = extensions.last_move(lot(5), 0)
    assert found is not None
    assert (found.expires_at, found.since) == (at(30), at(16))


def test_the_latest_of_all_that_moved_a_lot_is_told() -> None:
    found = Extensions([extension(9, 20, 1), extension(5, 30, 2)]).last_move(lot(10), 0)
    assert found is not None
    assert (found.expires_at, found.since) == (at(30), at(9))


def in_turn(of: Lot, extensions: list[Extension], place: int, until: datetime | None) -> date | None:
    """Return the last day of a lot after each extension in turn; None if none moves it."""
    last = None
    for each in extensions:
        found = extension_of(of, each) if each.place >= place else None
        if found is not None:
            of = attrs.evolve(of, expires_on=found.expires_on, expires_at=found.expires_at)
            last = found.expires_on if until is None or found.since <= until else last
    return last


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8),
    st.tuples(st.integers(1, 60), st.integers(0, 60), st.none() | st.integers(0, 60)),
    st.integers(0, 9),
    st.none() | st.integers(0, 60),
)
def test_the_bisection_of_chains_finds_what_each_in_turn_does(
    steps: list[tuple[int, int]], terms: tuple[int, int, int | None], place: int, day: int | None
) -> None:
    extensions, since, until = [], 0, 0
    for number, (later, longer) in enumerate(steps):  # neither goes back
        since, until = since + later, max(until + longer, since + later + 1)
        extensions.append(extension(since, until, number))
    of, instant_of_question = lot(*terms), at(day) if day is not None else None
    found = Extensions(extensions).last_move(of, place, instant_of_question)
    assert (found.expires_on if found is not None else None) == in_turn(of, extensions, place, instant_of_question)
