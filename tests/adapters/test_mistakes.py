"""Payloads with any value at any place: every conversion ends, and whatever it returns can be loaded."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.adapters import Conversion, odoo, poslog, saleor, shopify, square, stripe, woocommerce
from loyalty_rules.errors import DocumentError

from . import test_odoo, test_poslog, test_saleor, test_shopify, test_square, test_stripe, test_woocommerce

SYSTEMS: dict[str, tuple[Any, Any]] = {
    "shopify": (shopify.convert, [{**test_shopify.ORDER, "refunds": [test_shopify.REFUND]}, test_shopify.REFUND]),
    "square": (square.convert, [test_square.ORDER, test_square.RETURN]),
    "woocommerce": (woocommerce.convert, [{**test_woocommerce.ORDER, "refunds": [test_woocommerce.REFUND]}]),
    "saleor": (saleor.convert, [test_saleor.ORDER, test_saleor.OLDER]),
    "stripe": (stripe.convert, [test_stripe.SESSION, test_stripe.REFUND]),
    "odoo": (odoo.convert, json.loads(json.dumps([test_odoo.ORDER, test_odoo.REFUND]), parse_float=str)),
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["-1", "1e5", "0", "2026-01-15", "9999-12-31T23:59:59Z", "x" * 200, [], {}, [[]], [0, 0, 0], {"a": 1}]
    ),
    st.lists(st.integers(0, 3), max_size=3),
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place] * bool(place) + [found for key, each in items for found in places(each, (*place, key))]


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return document


def check(conversion: Conversion) -> None:
    for event in conversion.events:
        assert lr.load_event(json.loads(json.dumps(lr.dump(event)))) == event
    for each in conversion.not_carried:
        assert each.path.startswith("$")
        assert each.why


@pytest.mark.parametrize("system", SYSTEMS)
@given(data=st.data())
def test_a_wrong_value_at_any_place_is_listed_or_carried(system: str, data: st.DataObject) -> None:
    convert, document = SYSTEMS[system]
    for _ in range(data.draw(st.integers(1, 2))):
        document = changed(document, data.draw(st.sampled_from(places(document))), data.draw(VALUES))

    check(convert(document, zone="Europe/Berlin"))


@given(st.data())
def test_a_wrong_text_at_any_place_of_a_receipt_is_listed_or_carried(data: st.DataObject) -> None:
    log = test_poslog.log(
        test_poslog.RECEIPT, test_poslog.transaction(test_poslog.line(1, test_poslog.MILK_BACK), "-1.50", number=170)
    )
    start = data.draw(st.integers(0, len(log)))
    text = data.draw(st.sampled_from(["", "x", "-5", "<a/>", "</LineItem>", "999999999999999999"]))
    damaged = log[:start] + text + log[start + data.draw(st.integers(0, 12)) :]

    try:
        check(poslog.convert(damaged, zone="Europe/Berlin"))
    except DocumentError:
        assert damaged != log
