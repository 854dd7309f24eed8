"""The difference of two programs over a history."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty_rules.events import Event
from loyalty_rules.lifecycle import Account
from loyalty_rules.program import Program
from loyalty_rules.reporting.diff import AccountChange, DiffRow, ProgramDiff, diff
from loyalty_rules.reporting.figures import Figures
from properties.examples import examples
from shop import earn, proportional, stepped

from .histories import HISTORY, bought, returned, version

TEN, TWENTY = version("10"), version("20")


def test_the_totals_and_the_cost_are_those_of_each_program() -> None:
    found = diff(TEN, TWENTY, HISTORY)
    [row] = found.totals
    assert (row.old.issued, row.new.issued, row.change.issued) == (16, 32, 16)
    assert (row.old.reversed, row.new.reversed) == (4, 8)
    assert (found.old_cost, found.new_cost, found.cost_change) == (Decimal("0.12"), Decimal("0.24"), Decimal("0.12"))
    assert found.documents == ('$.promotions[p].actions[earn].proration.percent: "10" → "20"',)


def test_the_rows_are_split_by_each_dimension() -> None:
    found = diff(TEN, TWENTY, HISTORY)
    changes = {name: {row.group: row.change.issued for row in rows} for name, rows in found.by.items()}
    assert changes == {
        "promotion": {"p": 16},
        "month": {"2025-01": 15, "2025-02": 1},
        "store": {"A": 11, "B": 5},
        "tier": {None: 16},
        "decile": {"01": 11, "06": 5},
    }


def test_accounts_gain_and_lose_the_largest_change_first() -> None:
    """Points for each whole 50 instead of 10 %: anna has 2 less 1 instead of 7, ben 5 instead of 5."""
    steps = version("0", promotions=[{"id": "p", "actions": [earn(stepped("50", "1"))]}])
    found = diff(TEN, steps, HISTORY)
    anna = AccountChange(Account("member", "anna"), Decimal("0.07"), Decimal("0.01"))
    ben = AccountChange(Account("member", "ben"), Decimal("0.05"), Decimal("0.01"))
    assert (found.gains, found.losses) == ((), (anna, ben))
    back = diff(steps, TEN, HISTORY)
    assert [each.account.id for each in back.gains] == ["anna", "ben"]
    assert back.losses == ()


def test_a_promotion_of_one_program_alone_has_a_row_with_zeros() -> None:
    other = version("0", promotions=[{"id": "q", "actions": [earn(proportional("10"), rounding={"currency": "down"})]}])
    rows = diff(TEN, other, HISTORY).by["promotion"]
    assert [(row.group, row.old.issued, row.new.issued) for row in rows] == [("p", 16, 0), ("q", 0, 16)]


def test_each_program_has_its_own_redeem_rate() -> None:
    dear = version("10", currencies={"points": {"redeem": {"points": "100", "value": "3.00"}}})
    found = diff(TEN, dear, HISTORY)
    assert (found.old_cost, found.new_cost) == (Decimal("0.12"), Decimal("0.36"))


def test_a_currency_without_a_rate_is_named_and_has_no_cost() -> None:
    ten, twenty = (version(percent, currencies={"points": {}}) for percent in ("10", "20"))
    found = diff(ten, twenty, HISTORY)
    assert (found.unvalued, found.old_cost, found.new_cost) == (("points",), 0, 0)


def test_a_sample_has_an_estimate_for_all_members() -> None:
    events = [bought(1 + n % 28, f"M{n}", "10", month=1 + n // 28) for n in range(60)]
    found = diff(TEN, TWENTY, events, members=Decimal(50))
    drawn = found.totals[0].old.issued  # one point for each member that was drawn
    assert 15 < drawn < 45
    assert found.estimate is not None
    assert found.estimate.total == found.cost_change * 2 == drawn / 50
    assert found.estimate.low < found.estimate.total < found.estimate.high
    assert diff(TEN, TWENTY, events).estimate is None


def test_events_that_change_nothing_are_counted() -> None:
    assert diff(TEN, TWENTY, [*HISTORY, HISTORY[0]]).not_counted == {"already_recorded": 1}


def test_the_difference_over_no_events_is_empty() -> None:
    found = diff(TEN, TWENTY, [])
    assert (found.at, found.totals, found.cost_change, found.receipts) == (None, (), 0, ())


# -- laws ------------------------------------------------------------------------------------------------------------

PROGRAMS = st.builds(
    version,
    st.sampled_from(["1", "7.5", "20"]),
    currencies=st.sampled_from(
        [{"points": {"redeem": {"points": "3", "value": "1"}}}, {"points": {"redeem": {"points": "100", "value": "1"}}}]
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    sold = [
        bought(
            day,
            draw(st.sampled_from(["anna", "ben", None])),
            str(draw(st.integers(0, 300))),
            draw(st.sampled_from("AB")),
        )
        for day in range(1, draw(st.integers(1, 5)) + 1)
    ]
    return sold + [returned(day + 10, day, "1") for day in range(1, len(sold) + 1) if draw(st.booleans())]


@examples(60)
@given(PROGRAMS, PROGRAMS, histories())
def test_differences_are_opposite_and_their_totals_are_the_sums_of_their_parts(
    old: Program, new: Program, events: list[Event]
) -> None:
    there, back = diff(old, new, events), diff(new, old, events)
    assert_opposite(there, back)
    for rows in there.by.values():
        for side in ("old", "new"):
            assert total(rows, side) == total(there.totals, side)
    assert_empty(diff(old, old, events))


def assert_opposite(there: ProgramDiff, back: ProgramDiff) -> None:
    assert there.cost_change == -back.cost_change
    assert [(row.group, row.old, row.new) for row in there.by["store"]] == [
        (row.group, row.new, row.old) for row in back.by["store"]
    ]
    assert [(each.account, each.change) for each in there.gains] == [(a.account, -a.change) for a in back.losses]
    assert [(each.event, each.old, each.new) for each in there.receipts] == [
        (each.event, each.new, each.old) for each in back.receipts
    ]


def assert_empty(same: ProgramDiff) -> None:
    assert all(row.old == row.new for row in same.totals)
    assert (same.cost_change, same.documents, same.gains, same.losses, same.receipts) == (0, (), (), (), ())


def total(rows: tuple[DiffRow, ...], side: str) -> Figures:
    return sum((getattr(row, side) for row in rows), Figures())
