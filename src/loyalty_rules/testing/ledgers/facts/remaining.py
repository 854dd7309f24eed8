"""The rest of a sale: its award under all actions, and the parts of the bill that came back. Source: semantics 11."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from typing import Any

from loyalty_rules.testing.ledgers.facts.returning import taken
from loyalty_rules.testing.ledgers.facts.till import Till, earn, fixed, proportional, shop

__all__ = ["RemainderFacts"]

SAME = {"type": "multiplier", "percent": "100"}
DOUBLE = {"type": "multiplier", "percent": "200"}


class RemainderFacts:
    """Facts about the rest of a sale: an account keeps its award, at most the amount issued."""

    # -- all actions together

    def test_the_rest_earns_at_another_rate(self, till: Till) -> None:
        # 120 at double points are 240. The rest of 90 earns single points: 240 − 90 = 150 are taken.
        large = {"field": "amount", "at_least": "100"}
        till.runs(
            shop(
                promotions=[
                    {"id": "double", "when": large, "exclusive": "rate", "priority": 1, "actions": [earn(DOUBLE)]},
                    {"id": "single", "exclusive": "rate", "actions": [earn(SAME)]},
                ]
            )
        )
        till.sell("T1", "120")
        assert taken(till.take_back("T1", "30")) == [150]
        assert till.points() == 90

    def test_an_action_that_issued_nothing_counts_whatever_its_policy(self, till: Till) -> None:
        # 100 earned 25. The rest of 40 earns 10 by the other action: 15 are taken.
        large, small = {"field": "amount", "at_least": "50"}, {"field": "amount", "less_than": "50"}
        till.runs(
            shop(
                promotions=[
                    {"id": "large", "when": large, "actions": [earn(fixed("25"))]},
                    {"id": "small", "when": small, "actions": [earn(fixed("10"), on_return="keep")]},
                ]
            )
        )
        till.sell("T1")
        assert taken(till.take_back("T1", "60")) == [15]
        assert till.points() == 10

    def test_a_limit_shared_by_two_promotions_is_free_for_the_rest(self, till: Till) -> None:
        # Food earned 80, wine 20 of 50. With the food back wine alone earns 50: 100 − 50 = 50 are taken.
        day = {"type": "calendar", "unit": "day"}

        def per_category(category: str) -> dict[str, Any]:
            goods = {"type": "line_item_value", "lines": {"field": "category", "is": category}}
            return {"id": category, "actions": [earn({"type": "proportional", "percent": "100", "of": goods})]}

        limits = {"daily": {"currency": "points", "per": "member", "amount": "100", "window": day}}
        till.runs(shop(promotions=[per_category("FOOD"), per_category("WINE")], limits=limits))
        food = {"id": "1", "quantity": "1", "value": "80", "category": "FOOD"}
        till.sell("T1", "130", lines=[food, {"id": "2", "quantity": "1", "value": "50", "category": "WINE"}])
        assert taken(till.take_back("T1", "80", {"1": "1"})) == [50]
        assert till.points() == 50

    def test_the_last_action_loses_its_units_first(self, till: Till) -> None:
        # 50 + 50 were issued. The rest of 60 earns 30 + 30: each action loses 20.
        till.runs(shop(earn(proportional("50"), "first"), earn(proportional("50"), "last")))
        till.sell("T1")
        assert taken(till.take_back("T1", "40")) == [20, 20]
        # The first action loses 10, and the last gains nothing: fixed points stay.
        till.runs(shop(earn(proportional("50"), "first"), earn(fixed("5"), "last")))
        till.sell("T2")
        assert taken(till.take_back("T2", "20")) == [10]

    # -- the parts of the bill and of its lines

    def test_postage_is_kept_if_goods_come_back(self, till: Till) -> None:
        # 110 less 10 earned 100. Without the first line the sale is 60 less 10; the second line is the last.
        base = {"type": "transaction_value", "less": ["shipping"]}
        till.runs(shop(earn({"type": "proportional", "percent": "100", "of": base})))
        lines = [{"id": "1", "quantity": "1", "value": "50"}, {"id": "2", "quantity": "1", "value": "50"}]
        till.sell("T1", "110", shipping="10", lines=lines)
        assert taken(till.take_back("T1", "50", {"1": "1"})) == [50]
        assert taken(till.take_back("T1", "50", {"2": "1"})) == [50]

    def test_postage_comes_back_as_the_return_names_it_or_by_the_amount(self, till: Till) -> None:
        base = {"type": "transaction_value", "less": ["shipping"]}
        till.runs(shop(earn({"type": "proportional", "percent": "100", "of": base})))
        goods = [{"id": "1", "quantity": "2", "value": "100"}]
        till.sell("T1", "110", shipping="10", lines=goods)
        # 110 − 54 less 10 − 4 earns 50, and 110 − 55 less a half of 10 earns 50, too.
        assert taken(till.take_back("T1", "54", {"1": "1"}, shipping="4")) == [50]
        till.sell("T2", "110", shipping="10", lines=goods)
        assert taken(till.take_back("T2", "55")) == [50]

    def test_a_refund_without_goods_is_a_price_adjustment(self, till: Till) -> None:
        till.runs(shop(earn({"type": "proportional", "percent": "100", "of": {"type": "line_item_value"}})))
        till.sell("T1", lines=[{"id": "1", "quantity": "1", "value": "100"}])
        assert taken(till.take_back("T1", "20", lines=[{"id": "1", "quantity": "0", "amount": "20"}])) == [20]

    def test_a_number_of_a_line_comes_back_with_the_quantity_or_as_named(self, till: Till) -> None:
        nights = {"type": "line_item_extended_field", "field": "nights"}
        till.runs(shop(earn({"type": "proportional", "percent": "100", "of": nights})))
        till.sell("T1", "30", lines=[{"id": "1", "quantity": "3", "value": "30", "extended_fields": {"nights": "15"}}])
        assert taken(till.take_back("T1", "10", {"1": "1"})) == [5]
        named = [{"id": "1", "quantity": "1", "extended_fields": {"nights": "6"}}]
        assert taken(till.take_back("T1", "10", lines=named)) == [6]
        assert taken(till.take_back("T1", "10", {"1": "1"})) == [4]

    def test_a_return_without_lines_brings_back_a_part_of_each_line(self, till: Till) -> None:
        till.runs(shop(earn({"type": "proportional", "percent": "100", "of": {"type": "line_item_value"}})))
        till.sell(
            "T1", lines=[{"id": "1", "quantity": "1", "value": "80"}, {"id": "2", "quantity": "1", "value": "20"}]
        )
        assert taken(till.take_back("T1", "25")) == [25]

    def test_a_sale_has_wholly_come_back_with_all_its_lines(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1", lines=[{"id": "1", "quantity": "2", "value": "100"}])
        assert taken(till.take_back("T1", "80", {"1": "2"})) == [10]
