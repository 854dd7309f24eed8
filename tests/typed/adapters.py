"""The events of a conversion are told apart by `type`, with mypy and with pyright."""

from decimal import Decimal
from typing import assert_type

import loyalty_rules as lr
from loyalty_rules.adapters import Conversion, NotCarried, poslog, shopify, ucp


def amounts(text: str) -> list[tuple[str, Decimal | None]]:
    conversion = shopify.convert(text, zone="Europe/Berlin", enrich=lambda line: {"category": line["sku"]})
    assert_type(conversion, Conversion)
    assert_type(conversion.not_carried, tuple[NotCarried, ...])
    found: list[tuple[str, Decimal | None]] = []
    for event in conversion.events:
        if event.type == "transaction":
            assert_type(event, lr.Transaction)
            found.append((event.id, event.amount))
        elif event.type == "return":
            found.append((event.of, event.amount))
    return found


def later(sales: list[lr.Transaction], log: bytes) -> Conversion:
    return poslog.convert(log, zone="Asia/Tokyo", known=sales, tax_in_prices=True)


def forecast(evaluation: lr.Evaluation) -> object:
    membership = ucp.membership(evaluation, membership_id="1", name="Acme", provisional=False)
    return ucp.loyalty("com.acme.rewards", membership)
