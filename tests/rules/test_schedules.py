"""Schedules: anniversaries and times since the last event, as activities with ids of their own."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.program import Program
from rules.actions import problem_of
from shop import program

BIRTHDAY: dict[str, Any] = {
    "activity": "birthday",
    "on": {"anniversary": "member.extended_fields.born"},
    "at": "09:00",
}
LAPSED: dict[str, Any] = {"activity": "lapsed", "after": {"months": 6}, "since": "last_event"}


def scheduled(zone: str = "UTC", **schedules: Any) -> Program:
    return lr.load_program(program(time_zone=zone, schedules=schedules))


def member(born: Any = "1990-03-10", name: str = "M1") -> lr.Member:
    return lr.Member(name, extended_fields={"born": born} if born is not None else {})


def days(of: Program, who: lr.Member, start: str, end: str, last: str | None = None) -> list[tuple[str, str]]:
    """Return the id and the instant of each activity that is due."""
    last_events = {who.id: datetime.fromisoformat(last)} if last is not None else {}
    due = of.due([who], datetime.fromisoformat(start), datetime.fromisoformat(end), last_events)
    return [(each.id, each.occurred_at.isoformat()) for each in due]


def test_an_anniversary_is_due_in_each_year_after_its_date() -> None:
    found = days(scheduled(birthday=BIRTHDAY), member("2023-03-10"), "2023-01-01T00:00Z", "2026-01-01T00:00Z")

    assert found == [
        ("birthday/M1/2024-03-10", "2024-03-10T09:00:00+00:00"),
        ("birthday/M1/2025-03-10", "2025-03-10T09:00:00+00:00"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "is_due"),
    [
        ("2025-03-10T09:00:00Z", "2025-03-10T09:00:01Z", True),
        ("2025-03-10T08:00:00Z", "2025-03-10T09:00:00Z", False),
        ("2025-03-10T09:00:01Z", "2025-03-11T09:00:00Z", False),
        ("2025-03-10T09:00:00Z", "2025-03-10T09:00:00Z", False),
    ],
)
def test_the_interval_has_its_start_and_not_its_end(start: str, end: str, is_due: bool) -> None:
    assert bool(days(scheduled(birthday=BIRTHDAY), member(), start, end)) == is_due


def test_the_29th_of_february_counts_as_the_28th_in_common_years() -> None:
    found = days(scheduled(birthday=BIRTHDAY), member("2000-02-29"), "2023-01-01T00:00Z", "2025-01-01T00:00Z")

    assert [name for name, _ in found] == ["birthday/M1/2023-02-28", "birthday/M1/2024-02-29"]


def test_the_time_of_day_is_local() -> None:
    (found,) = days(scheduled("America/New_York", b=BIRTHDAY), member(), "2025-03-01T00:00Z", "2025-04-01T00:00Z")

    assert found == ("b/M1/2025-03-10", "2025-03-10T09:00:00-04:00")


def test_a_wall_time_that_the_clocks_skip_moves_forward_and_a_doubled_one_is_the_first() -> None:
    early = scheduled("Europe/Lisbon", b={**BIRTHDAY, "at": "01:30"})

    skipped = days(early, member("1990-03-30"), "2025-03-29T00:00Z", "2025-03-31T00:00Z")
    doubled = days(early, member("1990-10-26"), "2025-10-25T00:00Z", "2025-10-27T00:00Z")

    assert skipped == [("b/M1/2025-03-30", "2025-03-30T02:30:00+01:00")]
    assert doubled == [("b/M1/2025-10-26", "2025-10-26T01:30:00+01:00")]


@pytest.mark.parametrize("born", [None, "10 March", 19900310, "1990-02-30", True])
def test_a_member_without_a_date_has_no_anniversary(born: Any) -> None:
    assert days(scheduled(birthday=BIRTHDAY), member(born), "2025-01-01T00:00Z", "2026-01-01T00:00Z") == []


def test_the_date_may_be_that_of_the_registration() -> None:
    welcome = scheduled(w={"activity": "welcome", "on": {"anniversary": "member.registered_on"}})
    anna = lr.Member("M1", registered_on="2020-05-06")  # type: ignore[arg-type]

    assert days(welcome, anna, "2025-05-01T00:00Z", "2025-06-01T00:00Z") == [
        ("w/M1/2025-05-06", "2025-05-06T00:00:00+00:00")
    ]


def test_a_period_counts_from_the_local_date_of_the_last_event() -> None:
    lapsed = scheduled("Europe/Lisbon", **{"win-back": LAPSED})

    found = days(lapsed, member(), "2023-01-01T00:00Z", "2025-01-01T00:00Z", "2023-08-31T23:30:00+00:00")

    assert found == [("win-back/M1/2024-03-01", "2024-03-01T00:00:00+00:00")]  # 1 September there, at 0:30
    assert days(lapsed, member(), "2023-01-01T00:00Z", "2025-01-01T00:00Z") == []


def test_asking_for_parts_of_an_interval_gives_the_same_activities() -> None:
    every = scheduled(birthday=BIRTHDAY, w=LAPSED)
    cuts = ["2024-01-01T00:00Z", "2024-03-10T09:00:00Z", "2024-07-31T00:00Z", "2024-08-01T00:00Z", "2025-06-01T00:00Z"]
    parts = [days(every, member(), *each, "2024-02-01T10:00:00+00:00") for each in itertools.pairwise(cuts)]

    assert sorted(itertools.chain(*parts)) == sorted(
        days(every, member(), cuts[0], cuts[-1], "2024-02-01T10:00:00+00:00")
    )
    assert [len(each) for each in parts] == [0, 1, 0, 2]


def test_the_member_in_the_id_is_escaped_and_the_id_may_be_long() -> None:
    name = "a/b%" + "x" * 124
    (activity,) = scheduled(**{"y" * 64: BIRTHDAY}).due(
        [member(name=name)], *(datetime.fromisoformat(f"{each}T00:00Z") for each in ("2025-03-01", "2025-04-01"))
    )

    assert activity.id == "y" * 64 + "/a%2Fb%25" + "x" * 124 + "/2025-03-10"
    assert lr.load_event(lr.dump(activity)) == activity


def test_an_activity_takes_the_type_of_the_schedule_and_the_member() -> None:
    anna = member()
    (activity,) = scheduled(birthday=BIRTHDAY).due(
        [anna], *(datetime.fromisoformat(f"{each}T00:00Z") for each in ("2025-03-01", "2025-04-01"))
    )

    assert (activity.type, activity.member) == ("birthday", anna)


@pytest.mark.parametrize(
    ("parts", "path", "code"),
    [
        ({"on": None}, "$.schedules.b", "required"),
        ({"after": {"days": 1}, "since": "last_event"}, "$.schedules.b", "required"),
        ({"on": None, "after": {"days": 1}}, "$.schedules.b.since", "required"),
        ({"since": "last_event"}, "$.schedules.b.after", "required"),
        ({"on": {"anniversary": "member.born"}}, "$.schedules.b.on.anniversary", "unknown_path"),
        ({"at": "9:00"}, "$.schedules.b.at", "not_a_time"),
        ({"at": "24:00"}, "$.schedules.b.at", "not_a_time"),
        ({"activity": "transaction"}, "$.schedules.b.activity", "not_a_choice"),
        ({"each": "year"}, "$.schedules.b.each", "unknown_key"),
    ],
)
def test_a_wrong_schedule_is_a_problem(parts: dict[str, Any], path: str, code: str) -> None:
    assert problem_of(program(schedules={"b": {**BIRTHDAY, **parts}}))[:2] == (path, code)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([member()], datetime(2025, 1, 1), datetime.fromisoformat("2025-01-02T00:00Z")), "start"),
        (([member()], datetime.fromisoformat("2025-01-02T00:00Z"), "tomorrow"), "end"),
    ],
)
def test_an_instant_that_cannot_be_read_is_named(arguments: Any, name: str) -> None:
    with pytest.raises(lr.InvalidValueError) as error:
        scheduled(birthday=BIRTHDAY).due(*arguments)
    assert error.value.name == name


def test_a_member_must_be_one() -> None:
    start = datetime.fromisoformat("2025-01-01T00:00Z")
    with pytest.raises(lr.InvalidValueError, match="expected a Member, found the text 'M1'"):
        next(scheduled(birthday=BIRTHDAY).due(["M1"], start, start))  # type: ignore[list-item]
