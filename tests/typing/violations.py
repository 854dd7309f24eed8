"""Mistakes that the type checkers must report, each in one line that ends with `# refused: ` and the reason.

Pyright accepts any value for a field that may be None: the stubs of attrs give `attrs.converters.optional` no type.
Such a line has `# refused by mypy: `.
"""

from datetime import UTC, datetime
from decimal import Decimal

import loyalty_rules as lr
from loyalty_rules.ledger import AsyncLedger, Ledger, MemoryLedger
from loyalty_rules.rules.base_values import TransactionValue
from loyalty_rules.rules.conditions import Comparison
from loyalty_rules.rules.promotions import Currency, Promotion
from loyalty_rules.rules.proration import Fixed, Proportional
from loyalty_rules.rules.rounding import Rounding

ANNA = lr.Account("member", "anna")
NOON = datetime(2025, 1, 16, 12, tzinfo=UTC)


def program(event: lr.Transaction) -> None:
    Proportional(percent=0.1, of=TransactionValue())  # refused: a float is not exact
    Proportional(percent="10")  # refused: a percentage is of a base value
    Fixed(None)  # refused: an amount is a number
    Rounding(currency="sideways")  # refused: a rounding mode is one of a few words
    Currency("crumbs", decimals="0")  # refused: the number of decimals is an integer
    Comparison(field="store", in_=5)  # refused by mypy: a number is not a list
    Promotion(id="p", actions=[Fixed("5")])  # refused: a proration is not an action
    lr.Member(id="m", tags=[5])  # refused by mypy: a tag is a text
    lr.Transaction(id="T", occurred_at="2025-01-15T10:00:00Z")  # refused: an event has an amount
    lr.load_program(5)  # refused: a number is not a document
    event.amount = Decimal(5)  # refused: values are frozen


def intents(evaluation: lr.Evaluation) -> None:
    for intent in evaluation.intents:
        print(intent.amount)  # refused: not every intent has an amount
        if intent.type == "issue_coupon":
            print(intent.currency)  # refused: a coupon has no currency
        if intent.type == "issue_crumbs":  # refused: there is no such intent
            print(intent)
    evaluation.intents.append(None)  # refused: intents are a tuple


def ledgers(program: lr.Program, event: lr.Transaction) -> None:
    ledger: Ledger = MemoryLedger()
    ledger.spend(program, ANNA, "anna", "crumbs", 5.5, event="P", at=NOON)  # refused: a float is not exact
    ledger.spend(program, ANNA, "anna", "crumbs", Decimal(5), event="P", at="2025-01-16")  # refused: no instant
    ledger.balance(7, ANNA, "crumbs", NOON)  # refused: a query takes a program or its id
    if ledger.process(program, event).status == "refuse":  # refused: there is no such status
        print(event)
    awaited: AsyncLedger = MemoryLedger()  # refused: its operations are not awaited
    print(awaited)


async def awaiting(ledger: AsyncLedger, program: lr.Program, event: lr.Transaction) -> None:
    print(ledger.process(program, event).status)  # refused: the operation is not awaited
