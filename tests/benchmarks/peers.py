"""The same program in other engines, in the style of their users, compiled once if the engine can do so.

zen-engine, a decision engine, returns the promotions that match and the points of each. The others return only the
matches, and plain Python calculates their points and expiries. None builds an intent, a share or a claim. An engine
that accepts only floats works with floats; `inexact` shows the errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import cel
import rule_engine
import zen
from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_TEXT
from business_rules.variables import BaseVariables, numeric_rule_variable, select_multiple_rule_variable
from business_rules.variables import string_rule_variable as text_variable
from hand_written import NEW_YORK, micros, months_after
from json_logic import jsonLogic
from simpleeval import SimpleEval
from workload import Rule

import loyalty_rules as lr

__all__ = ["PEERS", "Award", "Decide", "awards_of", "inexact", "seen_by_peers"]

Decide: TypeAlias = Callable[[lr.Transaction, Mapping[str, Any]], list[tuple[int, int]]]
"""A function from a sale and its plain values to the matching promotions: their places, in order, and points."""

Match: TypeAlias = Callable[[Mapping[str, Any]], list[int]]
"""A function from the plain values of a sale to the places of the matching promotions, in order."""

Award: TypeAlias = tuple[str, int, date]
"""The result that is checked against this library before timing: the promotion, its points, their last day."""


def seen_by_peers(event: lr.Transaction) -> dict[str, Any]:
    """Return a sale as the plain values that the peers accept."""
    return {
        "amount": float(event.amount),
        "store": event.store,
        "categories": [line.category for line in event.lines],
        "lines": [{"category": line.category, "value": float(line.value or 0)} for line in event.lines],
    }


# -- the engines -------------------------------------------------------------------------------------------------------


def zen_tables(rules: Sequence[Rule]) -> Decide:
    """Build a decision table for each category; it runs for each line."""
    engine, by_category = zen.ZenEngine(), {}
    for category in {rule.category for rule in rules}:
        rows = [(place, rule) for place, rule in enumerate(rules) if rule.category == category]
        by_category[category] = engine.create_decision(json.dumps(_decision_table(rows)))

    def decide(_event: lr.Transaction, seen: Mapping[str, Any]) -> list[tuple[int, int]]:
        tables = [by_category[each] for each in set(seen["categories"]) if each in by_category]
        rows = [row for table in tables for row in table.evaluate(seen)["result"]]
        return sorted((int(row["place"]), int(row["points"])) for row in rows)

    return decide


def _decision_table(rows: Sequence[tuple[int, Rule]]) -> dict[str, Any]:
    content = {
        "hitPolicy": "collect",
        "inputs": [{"id": each, "name": each, "field": each} for each in ("store", "amount")],
        "outputs": [{"id": each, "name": each, "field": each} for each in ("place", "points")],
        "rules": [
            {
                "_id": rule.id,
                "store": f"'{rule.store}'" if rule.store is not None else "",
                "amount": f">= {rule.at_least}",
                "place": str(place),
                "points": _points_in_zen(rule),
            }
            for place, rule in rows
        ],
    }
    nodes = [("in", "inputNode", {}), ("table", "decisionTableNode", content), ("out", "outputNode", {})]
    return {
        "nodes": [
            {"id": name, "name": name, "type": kind, "content": inner, "position": {"x": 0, "y": 0}}
            for name, kind, inner in nodes
        ],
        "edges": [
            {"id": f"{start}-{end}", "type": "edge", "sourceId": start, "targetId": end}
            for start, end in (("in", "table"), ("table", "out"))
        ],
    }


def _points_in_zen(rule: Rule) -> str:
    of_lines = f"sum(map(filter(lines, #.category == '{rule.category}'), #.value))"
    base = of_lines if rule.kind == "lines" else "amount"
    base = {"actual": base, "nearest": f"floor({base} + 0.5)", "down": f"floor({base})"}[rule.value_rounding]
    if rule.kind == "steps":
        return f"floor({base} / {rule.rate})"
    amount = f"{base} * {rule.rate} / 100"
    return f"ceil({amount})" if rule.currency_rounding == "up" else f"floor({amount} + 0.5)"


def zen_array(rules: Sequence[Rule]) -> Decide:
    """Build one expression that is an array: the points of each promotion, or 0 if it does not match."""
    items = [f"{_expression(rule, 'and')} ? {_points_in_zen(rule)} : 0" for rule in rules]
    compiled = zen.compile_expression(f"[{', '.join(items)}]")
    return lambda _event, seen: [(place, int(points)) for place, points in enumerate(compiled.evaluate(seen)) if points]


def common_expression_language(rules: Sequence[Rule]) -> Match:
    programs = [cel.compile(_expression(rule, "&&", "{:.2f}")) for rule in rules]

    def match(seen: Mapping[str, Any]) -> list[int]:
        given = {name: seen[name] for name in ("amount", "store", "categories")}  # CEL converts each value on each call
        return [place for place, program in enumerate(programs) if program.execute(given)]

    return match


def _expression(rule: Rule, conjunction: str, number: str = "{}") -> str:
    store = [f"store == '{rule.store}'"] if rule.store is not None else []
    threshold = number.format(Decimal(rule.at_least))
    return f" {conjunction} ".join([*store, f"amount >= {threshold}", f"'{rule.category}' in categories"])


def rule_engine_rules(rules: Sequence[Rule]) -> Match:
    compiled = [rule_engine.Rule(_expression(rule, "and")) for rule in rules]
    return lambda seen: [place for place, rule in enumerate(compiled) if rule.matches(seen)]


def json_logic(rules: Sequence[Rule]) -> Match:
    conditions = [
        {
            "and": [
                *([{"==": [{"var": "store"}, rule.store]}] if rule.store is not None else []),
                {">=": [{"var": "amount"}, float(rule.at_least)]},
                {"in": [rule.category, {"var": "categories"}]},
            ]
        }
        for rule in rules
    ]
    return lambda seen: [place for place, condition in enumerate(conditions) if jsonLogic(condition, seen)]


def simple_eval(rules: Sequence[Rule]) -> Match:
    evaluator = SimpleEval()
    texts = [_expression(rule, "and") for rule in rules]
    parsed = [SimpleEval.parse(text) for text in texts]

    def decide(seen: Mapping[str, Any]) -> list[int]:
        evaluator.names = seen
        pairs = zip(texts, parsed, strict=True)
        return [place for place, (text, tree) in enumerate(pairs) if evaluator.eval(text, previously_parsed=tree)]

    return decide


class _Variables(BaseVariables):  # type: ignore[misc]
    def __init__(self, seen: Mapping[str, Any]) -> None:
        self.seen = seen

    @numeric_rule_variable  # type: ignore[misc]
    def amount(self) -> Any:
        return self.seen["amount"]

    @text_variable()  # type: ignore[misc]
    def store(self) -> Any:
        return self.seen["store"]

    @select_multiple_rule_variable()  # type: ignore[misc]
    def categories(self) -> Any:
        return self.seen["categories"]


class _Actions(BaseActions):  # type: ignore[misc]
    def __init__(self) -> None:
        self.places: list[int] = []

    @rule_action(params={"place": FIELD_TEXT})  # type: ignore[misc]
    def matched(self, place: int) -> None:
        self.places.append(place)


def business_rules(rules: Sequence[Rule]) -> Match:
    documents = [
        {
            "conditions": {
                "all": [
                    *(
                        [{"name": "store", "operator": "equal_to", "value": rule.store}]
                        if rule.store is not None
                        else []
                    ),
                    {"name": "amount", "operator": "greater_than_or_equal_to", "value": float(rule.at_least)},
                    {"name": "categories", "operator": "contains_all", "value": [rule.category]},
                ]
            },
            "actions": [{"name": "matched", "params": {"place": place}}],
        }
        for place, rule in enumerate(rules)
    ]

    def decide(seen: Mapping[str, Any]) -> list[int]:
        actions = _Actions()
        run_all(documents, _Variables(seen), actions)
        return actions.places

    return decide


# -- points and expiry of a match --------------------------------------------------------------------------------------


def awards_of(rules: Sequence[Rule], decide: Decide) -> Callable[[lr.Transaction, Mapping[str, Any]], list[Award]]:
    """Build the function from a sale to the points and the expiry of each matching promotion."""

    def awards(event: lr.Transaction, seen: Mapping[str, Any]) -> list[Award]:
        day = event.occurred_at.astimezone(NEW_YORK).date()
        found = []
        for place, points in decide(event, seen):
            if points:
                rule = rules[place]
                issued = day + timedelta(days=rule.delay)
                ends = months_after(issued, rule.months) if rule.months else issued + timedelta(days=rule.days)
                found.append((rule.id, points, ends))
        return found

    return awards


def _with_points(match: Callable[[Sequence[Rule]], Match]) -> Callable[[Sequence[Rule]], Decide]:
    """Add points calculated in Python to a peer that returns only matches."""

    def decided(rules: Sequence[Rule]) -> Decide:
        matching, terms = match(rules), [_terms(rule) for rule in rules]
        return lambda event, seen: [(place, _points(event, *terms[place])) for place in matching(seen)]

    return decided


PEERS: Mapping[str, Callable[[Sequence[Rule]], Decide]] = {
    "zen-engine, array of expressions": zen_array,
    "zen-engine, a table for each category": zen_tables,
    "common-expression-language (CEL in Rust)": _with_points(common_expression_language),
    "business-rules": _with_points(business_rules),
    "json-logic-qubit": _with_points(json_logic),
    "simpleeval": _with_points(simple_eval),
    "rule-engine": _with_points(rule_engine_rules),
}


def _terms(rule: Rule) -> tuple[Rule, int, int]:
    if rule.kind == "steps":
        return rule, 1, int(rule.rate)
    return rule, int(Decimal(rule.rate) * 10), 1_000


def _points(event: lr.Transaction, rule: Rule, top: int, bottom: int) -> int:
    if rule.kind == "lines":
        base = sum(micros(line.value) for line in event.lines if line.value and line.category == rule.category)
    else:
        base = micros(event.amount)
    if rule.value_rounding == "actual":
        bottom *= 1_000_000
    else:
        base = (base + (500_000 if rule.value_rounding == "nearest" else 0)) // 1_000_000
    if rule.kind == "steps":
        return base // bottom
    return -(-base * top // bottom) if rule.currency_rounding == "up" else (2 * base * top + bottom) // (2 * bottom)


# -- errors of floats --------------------------------------------------------------------------------------------------


def inexact() -> Mapping[str, tuple[str, str]]:
    """Return, by peer, its results for 0.7 + 0.1 >= 0.8 and for 1 % of 123456789012345.67."""
    sums, cent = "a + b >= 0.8", "amount * 0.01"
    tenths, bill = {"a": 0.7, "b": 0.1}, {"amount": 123456789012345.67}
    exact = {"a": Decimal("0.7"), "b": Decimal("0.1"), "amount": Decimal("123456789012345.67")}
    add, times = {"+": [{"var": "a"}, {"var": "b"}]}, {"*": [{"var": "amount"}, 0.01]}
    evaluator = SimpleEval(names={**tenths, **bill})
    found = {
        "zen-engine": (zen.evaluate_expression(sums, tenths), zen.evaluate_expression(cent, bill)),
        "common-expression-language": (cel.evaluate(sums, tenths), cel.evaluate(cent, bill)),
        "json-logic-qubit": (jsonLogic({">=": [add, 0.8]}, tenths), jsonLogic(times, bill)),
        "simpleeval": (evaluator.eval(sums), evaluator.eval(cent)),
        "rule-engine": (rule_engine.Rule(sums).matches(exact), rule_engine.Rule(cent).evaluate(exact)),
    }
    return {name: (str(holds).lower(), str(number)) for name, (holds, number) in found.items()}
