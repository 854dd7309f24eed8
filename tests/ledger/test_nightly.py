"""The nightly job: its steps, and that a run that was killed anywhere is made good by the next one."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.intents import Intent
from loyalty_rules.ledger import Operation, SQLLedger
from loyalty_rules.ledger.nightly import STEPS, NightlyStep, last_run, nightly
from loyalty_rules.ledger.receipts import ReceiptT
from loyalty_rules.program import Program
from loyalty_rules.testing.ledgers.facts.till import (
    DAYS_30,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    shop,
)

from .sql.sqlite_files import execute

SINCE, UNTIL = moment(20), moment(32)  # 4 and 16 February


def bakery() -> Program:
    """Return a program in which each step of a night has something to do, and the birthday brings a coupon."""
    gift = {"id": "gift", "trigger": "birthday", "actions": [earn(fixed("5"), "five"), hand_out()]}
    base = {
        "id": "base",
        "actions": [
            earn(fixed("10"), expiry=DAYS_30, communication={"template": "hello"}),
            earn(fixed("3"), "later", timing={"type": "delayed", "days": 25}),
        ],
    }
    lasts = {"type": "fixed_period", "after": {"days": 20}}
    return shop(
        promotions=[base, gift],
        coupon_types=coupon_type(),
        currencies={"points": {"reminders": [{"before": {"days": 7}, "communication": {"template": "soon"}}]}},
        trackers={"spend": {"measure": {"type": "transaction_value"}, "target": "1"}},
        tiers={"status": {"levels": ["basic", "gold"], "by": "spend", "from": {"gold": "100"}, "lasts": lasts}},
        schedules={"birthday": {"activity": "birthday", "on": {"anniversary": "member.extended_fields.born"}}},
    )


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger before the night: two members, sales of day 0, 5 and 12, and a past night."""
    path = tmp_path_factory.mktemp("evening") / "shop.db"
    with closing(SQLLedger.open(f"sqlite:///{path}", serials=SERIALS)) as ledger:
        till = Till(ledger)
        till.runs(bakery())
        for number, day, member in ((1, 0, "anna"), (2, 5, "ben"), (3, 12, "anna")):
            till.on(day)
            born = {"extended_fields": {"born": f"1990-02-0{number + 4}"}}
            document = {"type": "transaction", "id": f"T{number}", "amount": "100", "member": {"id": member, **born}}
            till.process(document)
        assert [*nightly(ledger, till.program, SINCE)]
    execute(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def night(evening: Path, tmp_path: Path) -> Path:
    """Return a copy of the ledger before the night."""
    return Path(shutil.copyfile(evening, tmp_path / "shop.db"))


class Killed(Exception):
    """The end of a process."""


class DyingLedger(SQLLedger):
    """A ledger whose process dies after so many operations."""

    left = 0

    def execute(self, operation: Operation[ReceiptT]) -> ReceiptT:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().execute(operation)


def run(path: Path, kind: type[SQLLedger] = SQLLedger, left: int = 0, until: Any = UNTIL) -> list[NightlyStep]:
    with closing(kind.open(f"sqlite:///{path}", serials=SERIALS)) as ledger:
        if isinstance(ledger, DyingLedger):
            ledger.left = left
        return [*nightly(ledger, bakery(), until, serials=SERIALS)]


def intents_of(steps: list[NightlyStep]) -> list[Intent]:
    return [intent for step in steps for intent in step.intents]


QUERIES = [
    "SELECT program, event, phase, inputs, at, recorded_at FROM loyalty_batches ORDER BY event, phase",
    "SELECT key, account, promised, outstanding, expired, expires_on FROM loyalty_lots ORDER BY key",
    "SELECT key, member, state, code, fingerprint FROM loyalty_coupons ORDER BY key",
    "SELECT key, document FROM loyalty_levels ORDER BY key",
    "SELECT key, document FROM loyalty_nightly_runs",
    "SELECT name, day, value FROM loyalty_counters ORDER BY name, day",
]


def records_in(path: Path) -> list[Any]:
    return [execute(path, query) for query in QUERIES]


def test_the_steps_come_in_their_order_and_each_has_something_to_do(night: Path) -> None:
    steps = run(night)

    assert tuple(each.step for each in steps) == STEPS
    # 3 points of T1 are due since day 25, of T2 since day 30. 10 points of T1 end with day 30. Ben's gold ends with day
    # 25, Anna's with day 32, which has not passed. Birthdays are on 6 (Ben) and 7 February (Anna, by her last sale).
    # Reminders of day 30 (T1) are due on day 23, of day 35 (T2) on day 28.
    assert [(each.count, len(each.intents)) for each in steps] == [(2, 2), (1, 1), (1, 1), (2, 4), (2, 2), (0, 0)]
    assert [each.key for each in steps[3].intents] == [
        *("acme/birthday%2Fben%2F2025-02-06/gift/five", "acme/birthday%2Fben%2F2025-02-06/gift/thanks/1"),
        *("acme/birthday%2Fanna%2F2025-02-07/gift/five", "acme/birthday%2Fanna%2F2025-02-07/gift/thanks/1"),
    ]
    assert [each.key for each in steps[4].intents] == [
        *("acme/reminder/points/anna/2025-02-14/P7D", "acme/reminder/points/ben/2025-02-19/P7D")
    ]


def test_a_second_run_records_and_prints_nothing(night: Path) -> None:
    run(night)
    before = records_in(night)

    assert intents_of(run(night)) == []
    assert records_in(night) == before


def test_a_run_that_is_killed_after_any_operation_is_made_good_by_the_next(night: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.db"
    shutil.copyfile(night, whole)
    intents, records, killed = intents_of(run(whole)), records_in(whole), 0
    while True:
        path = Path(shutil.copyfile(night, tmp_path / f"killed-{killed}.db"))
        try:
            run(path, DyingLedger, killed)
        except Killed:
            killed += 1
        else:
            break
        assert intents_of(run(path)) == intents
        assert records_in(path) == records
    assert killed == 7  # 2 settlements, 1 expiry, 1 review, 2 activities, and the end


def test_the_intents_of_a_killed_run_are_in_a_later_one(night: Path) -> None:
    with pytest.raises(Killed):
        run(night, DyingLedger, 3)

    later = run(night, until=moment(33))

    assert [each.count for each in later[:3]] == [2, 1, 2]  # Anna's gold has ended, too


def test_a_member_who_changed_after_a_killed_run_has_one_birthday(night: Path) -> None:
    with pytest.raises(Killed):
        run(night, DyingLedger, 5)
    with closing(SQLLedger.open(f"sqlite:///{night}", serials=SERIALS)) as ledger:
        till = Till(ledger)
        till.runs(bakery())
        till.on(31)
        till.process({"type": "registration", "id": "A1", "member": {"id": "ben", "tags": ["new"], **BORN}})

    steps = run(night)

    assert [each.key.split("/")[1] for each in steps[3].intents[::2]] == [
        *("birthday%2Fben%2F2025-02-06", "birthday%2Fanna%2F2025-02-07")
    ]


BORN = {"extended_fields": {"born": "1990-02-06"}}


def test_the_first_run_begins_a_day_before_its_end_or_where_the_host_says(tmp_path: Path) -> None:
    with closing(SQLLedger.open(f"sqlite:///{tmp_path / 'new.db'}", serials=SERIALS)) as ledger:
        till = Till(ledger)
        till.runs(bakery())
        till.process({"type": "transaction", "id": "T1", "amount": "9", "member": {"id": "ben", **BORN}})
        assert last_run(ledger, till.program) is None
        days = [[*nightly(ledger, till.program, until, since=since)][3].count for until, since in (
            (moment(22), moment(5)), (moment(22), None)
        )]  # fmt: skip
        assert last_run(ledger, till.program) == moment(22)
    assert days == [1, 0]


def test_the_end_of_an_earlier_night_does_not_move_the_last_one_back(night: Path) -> None:
    run(night)
    run(night, until=moment(25))

    with closing(SQLLedger.open(f"sqlite:///{night}")) as ledger:
        assert last_run(ledger, bakery()) == UNTIL


def test_a_refused_activity_is_named(night: Path) -> None:
    program = bakery()
    with closing(SQLLedger.open(f"sqlite:///{night}", serials=SERIALS)) as ledger:
        nights = nightly(ledger, program, UNTIL, serials=SERIALS)
        known = ledger.members(program)
        ledger.forget(program, "ben", reason="asked", by="desk", event="F1", at=UNTIL)
        ledger.members = lambda _: known  # type: ignore[method-assign]  # as it was before
        steps = [*nights]
    assert steps[3].refused == ("birthday/ben/2025-02-06: closed_account",)
    assert steps[3].count == 1


def test_the_verification_finds_a_forgery_and_can_be_left_out(night: Path) -> None:
    execute(night, "UPDATE loyalty_counters SET value = value + 1")
    with closing(SQLLedger.open(f"sqlite:///{night}", serials=SERIALS)) as ledger:
        found = [*nightly(ledger, bakery(), UNTIL, serials=SERIALS)][-1]
        without = [*nightly(ledger, bakery(), moment(40), serials=SERIALS, verify=False)][-1]
    assert found.step == "verify"
    assert found.count == len(found.violations) > 0
    assert without.step == "reminders"
