"""Facts about reminders of units that expire soon, and about the members that a ledger knows."""

# mypy: disable-error-code="comparison-overlap"

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.testing.ledgers.facts.till import ANNA, DAYS_30, HOUSEHOLD, Till, earn, fixed, moment, shop

__all__ = ["MemberFacts", "ReminderFacts"]

WHY: dict[str, Any] = {"reason": "goodwill", "by": "desk-3"}
SOON: dict[str, Any] = {"before": {"days": 7}, "least": "15", "communication": {"template": "soon"}}


class ReminderFacts:
    """Facts about reminders. Source: semantics 15.

    Points last 30 days. Those of day 0 end with day 30, which is 14 February, and the reminder is due at the first
    instant of day 23.
    """

    def reminded(self, till: Till, first: datetime, last: datetime) -> list[tuple[str, str, int]]:
        found = till.ledger.reminders(till.program, first, last)
        return [(each.key, each.template, len(each.about)) for each in found]

    @pytest.fixture
    def keeper(self, till: Till) -> Till:
        """Issue 10 points with each sale."""
        rate = {"points": {"redeem": {"points": "1", "value": "1"}, "reminders": [SOON]}}
        till.runs(shop(earn(fixed("10"), expiry=DAYS_30), currencies=rate))
        return till

    def test_lots_that_end_on_one_day_count_together(self, keeper: Till) -> None:
        keeper.sell("T1")
        keeper.sell("T2", member="ben")
        keeper.on(0, 18)
        keeper.sell("T3")
        due = [("acme/reminder/points/anna/2025-02-14/P7D", "soon", 2)]
        assert self.reminded(keeper, moment(20), moment(25)) == due
        (message,) = keeper.ledger.reminders(keeper.program, moment(20), moment(25))
        assert (message.member, message.channels, message.fallbacks) == ("anna", (), ())
        assert message.about == ("acme/T1/p/earn", "acme/T3/p/earn")

    def test_the_first_instant_of_the_day_is_in_the_interval_or_it_is_not_due(self, keeper: Till) -> None:
        keeper.sell("T1")
        keeper.sell("T2")
        assert len(self.reminded(keeper, moment(23, 0), moment(23, 0, 1))) == 1
        assert self.reminded(keeper, moment(23, 0, 1), moment(40)) == []
        assert self.reminded(keeper, moment(20), moment(23, 0)) == []

    def test_units_that_were_spent_by_then_do_not_count_and_held_ones_do(self, keeper: Till) -> None:
        keeper.sell("T1")
        keeper.sell("T2")
        keeper.on(22)
        keeper.ledger.hold(keeper.program, ANNA, "points", Decimal(5), moment(60), event="H1", at=keeper.now)
        assert len(self.reminded(keeper, moment(20), moment(25))) == 1
        keeper.spend("6")
        assert self.reminded(keeper, moment(20), moment(25)) == []

    def test_a_later_change_does_not_change_the_answer(self, keeper: Till) -> None:
        keeper.sell("T1")
        keeper.sell("T2")
        before = self.reminded(keeper, moment(20), moment(25))
        keeper.on(23)
        keeper.spend("20")
        keeper.on(60)
        keeper.expire()
        assert self.reminded(keeper, moment(20), moment(25)) == before

    def test_units_that_were_extended_before_are_not_in_it(self, keeper: Till) -> None:
        for number in (1, 2, 3):
            keeper.sell(f"T{number}")
        keeper.on(22)
        keeper.ledger.extend(keeper.program, moment(50).date(), lot="acme/T1/p/earn", event="X1", at=keeper.now, **WHY)
        assert self.reminded(keeper, moment(20), moment(25)) == [
            ("acme/reminder/points/anna/2025-02-14/P7D", "soon", 2)
        ]

    def test_a_household_is_reminded_under_a_key_of_its_own(self, till: Till) -> None:
        shared = earn(fixed("20"), recipient="member_group", expiry=DAYS_30)
        till.runs(shop(shared, currencies={"points": {"reminders": [SOON]}}))
        member = {"id": "anna", "group": "household"}
        till.process({"type": "transaction", "id": "T1", "amount": "1", "member": member})
        (message,) = till.ledger.reminders(till.program, moment(20), moment(25))
        assert message.key == "acme/reminder/points/group/household/2025-02-14/P7D"
        assert message.member == HOUSEHOLD.id

    def test_of_two_reminders_with_the_same_period_the_first_counts(self, till: Till) -> None:
        many = {**SOON, "least": "100", "communication": {"template": "much"}}
        early = {"before": {"days": 14}, "communication": {"template": "early"}}
        currencies = {"points": {"reminders": [many, SOON, early]}}
        till.runs(shop(earn(fixed("10"), expiry=DAYS_30), currencies=currencies))
        till.sell("T1")
        till.sell("T2")
        for number in range(12):
            till.sell(f"B{number}", member="ben")
        assert self.reminded(till, moment(10), moment(25)) == [
            ("acme/reminder/points/anna/2025-02-14/P14D", "early", 2),
            ("acme/reminder/points/ben/2025-02-14/P14D", "early", 12),
            ("acme/reminder/points/anna/2025-02-14/P7D", "soon", 2),
            ("acme/reminder/points/ben/2025-02-14/P7D", "much", 12),
        ]


class MemberFacts:
    """Facts about the members of the recorded events."""

    def known(self, till: Till) -> list[tuple[str, datetime]]:
        return [(each.member.id, each.last_event) for each in till.ledger.members(till.program)]

    def test_each_member_is_as_in_the_last_event(self, till: Till) -> None:
        till.sell("T1", custom_fields={"note": "figs"})
        till.sell("T2", member=None)
        till.on(3)
        gold = {"id": "anna", "tier": "gold", "extended_fields": {"born": "1990-03-10"}}
        till.process({"type": "registration", "id": "A1", "member": gold})
        till.sell("T3", member="ben")
        (anna, ben) = till.ledger.members(till.program)
        assert (anna.member.tier, anna.member.extended_fields) == ("gold", {"born": "1990-03-10"})
        assert (anna.last_event, ben.last_event) == (moment(3), moment(3))

    def test_the_activities_of_a_schedule_are_no_events_of_the_member(self, till: Till) -> None:
        lapsed = {"activity": "lapsed", "after": {"days": 10}, "since": "last_event"}
        till.runs(shop(earn(fixed("5")), schedules={"win-back": lapsed}))
        till.sell("T1")
        known = till.ledger.members(till.program)
        members, last = [each.member for each in known], {each.member.id: each.last_event for each in known}
        (activity,) = till.program.due(members, moment(0), moment(99), last)
        assert activity.id == "win-back/anna/2025-01-25"
        till.ledger.process(till.program, activity)
        assert self.known(till) == [("anna", moment(0))]

    def test_a_merge_makes_two_members_one_and_a_closed_account_is_left_out(self, till: Till) -> None:
        till.sell("T1")
        till.on(2)
        till.sell("T2", member="ben")
        till.ledger.merge(till.program, "ben", "anna", event="M1", at=till.now, **WHY)
        assert self.known(till) == [("anna", moment(2))]
        till.ledger.forget(till.program, "anna", event="F1", at=till.now, **WHY)
        assert self.known(till) == []
