"""The actions on a member's own account, and the actions that spends pay for. Source: semantics 3, 12."""

from __future__ import annotations

import loyalty_rules as lr
from loyalty_rules.engine.account_actions import AccountActions, payers_of
from shop import earn, fixed, program


def spend(name: str, **parts: object) -> dict:
    return {"type": "spend_currency", "id": name, "currency": "points", "amount": "5", **parts}


def promotions(*actions: dict) -> tuple:
    return lr.load_program(program(*actions)).promotions


def test_only_issues_at_once_to_the_member_add_to_its_balance() -> None:
    actions = AccountActions.of(
        promotions(
            earn(fixed("1"), "own"),
            earn(fixed("1"), "later", timing={"type": "delayed", "days": 0}),
            earn(fixed("1"), "household", recipient="member_group"),
            earn(fixed("1"), "friend", recipient={"field": "custom_fields.friend"}),
            {"type": "extend_expiry", "id": "visit", "currency": "points", "after": {"days": 1}},
            spend("pay"),
        )
    )
    assert actions.issues("points") == ("p/own",)
    assert actions.spends("points") == ("p/pay",)
    assert actions.spends("points", "p") == ()
    assert actions.issues("stars") == actions.spends("stars") == ()


def test_a_spend_pays_for_all_other_actions_unless_it_names_them() -> None:
    [promotion] = promotions(spend("one"), earn(fixed("1"), "a"), earn(fixed("1"), "b"), spend("two", **{"for": ["b"]}))

    assert payers_of(promotion) == {"a": ("p/one",), "b": ("p/one", "p/two")}
