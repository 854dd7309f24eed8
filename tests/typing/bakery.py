"""A shop in the idiom of the documentation, without a cast or an ignored error.

`test_checkers.py` checks the types of it. `violations.py` has the code that the type checkers must refuse.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import loyalty_rules as lr
from loyalty_rules.ledger import AsyncLedger, Ledger, MemoryLedger, Receipt, SQLLedger
from loyalty_rules.ledger.reports import conversion, issuance, liability
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.linting import lint
from loyalty_rules.rules.base_values import LineItemValue, TransactionValue
from loyalty_rules.rules.caps import Limit
from loyalty_rules.rules.conditions import AllOf, Comparison, LineTest, Measure
from loyalty_rules.rules.coupons import CouponType, PercentOff
from loyalty_rules.rules.expiry import FixedPeriod, Never
from loyalty_rules.rules.promotions import CouponAction, Currency, CurrencyAction, Promotion
from loyalty_rules.rules.proration import Fixed, Proportional
from loyalty_rules.rules.rounding import Rounding
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.testing import check, load_vectors
from loyalty_rules.values.dates import Period

MASTER = b"thirty-two random bytes or more, kept by your application"

# -- the program -------------------------------------------------------------------------------------------------------

PROGRAM = lr.Program(
    id="bakery",
    time_zone="Europe/Lisbon",
    money="EUR",
    currencies=[Currency("crumbs", decimals=0)],
    limits=[Limit("daily", "crumbs", "member", "500")],
    trackers=[Tracker("spend", TransactionValue(less=["tax"]), target="100")],
    coupon_types=[CouponType("next-visit", benefit=PercentOff("15", most="50"))],
    promotions=[
        Promotion(
            id="base",
            actions=[
                CurrencyAction(
                    id="earn",
                    currency="crumbs",
                    proration=Proportional(percent="10", of=TransactionValue()),
                    rounding=Rounding(currency="down"),
                    expiry=FixedPeriod(after=Period(days=90)),
                ),
                CouponAction(id="thanks", coupon_type="next-visit"),
            ],
        ),
        Promotion(
            id="bread-friday",
            starts_at="2025-01-01T00:00:00+00:00",
            when=AllOf(
                [
                    Comparison(field="weekday", is_="fri"),
                    Comparison(field="store", in_=["S1", "S2"]),
                    LineTest(lines=Comparison(field="category", is_="BREAD"), quantity=Measure(at_least=2)),
                ]
            ),
            actions=[
                CurrencyAction(id="bonus", currency="crumbs", proration=Fixed("5"), expiry=Never()),
                CurrencyAction(
                    id="per-loaf",
                    currency="crumbs",
                    proration=Proportional(
                        percent=5, of=LineItemValue(lines=Comparison(field="category", is_="BREAD"))
                    ),
                    expiry=Never(),
                ),
            ],
        ),
    ],
)


def sale(number: str, amount: Decimal | str | int) -> lr.Transaction:
    return lr.Transaction(
        id=number,
        occurred_at="2025-01-15T10:00:00+00:00",
        amount=amount,
        tax="1.20",
        member=lr.Member(id="anna", tags=["staff"], registered_on=date(2024, 5, 1)),
        lines=[lr.Line(id="1", category="BREAD", quantity=3, value="4.50", tags=["rye"])],
        tenders=[lr.Tender(type="card", amount=amount)],
        custom_fields={"till": 4, "notes": ["warm"]},
    )


def loaded(path: Path) -> tuple[lr.Program, lr.Transaction | None]:
    program = lr.load_program(path)
    event = lr.load_event({"type": "transaction", "id": "T", "occurred_at": "2025-01-15T10:00:00Z", "amount": "5"})
    return program, event if isinstance(event, lr.Transaction) else None


# -- evaluation --------------------------------------------------------------------------------------------------------


def in_words(evaluation: lr.Evaluation) -> Iterator[str]:
    for intent in evaluation.intents:
        if intent.type == "issue_currency":
            amount: Decimal = intent.amount
            until: date | None = intent.expires_on
            yield f"{amount} {intent.currency} until {until}"
        elif intent.type == "issue_coupon":
            serial: str | None = intent.serial
            yield f"coupon {serial or intent.coupon_type}"
        elif intent.type == "advance_tracker":
            yield f"{intent.tracker} by {intent.value:f}"
        else:
            yield intent.key
    for skipped in evaluation.skipped:
        yield f"{skipped.promotion}: {skipped.reason}"
    yield str(evaluation.explain())


def points_of(intents: tuple[lr.Intent, ...]) -> Decimal:
    return sum((each.amount for each in intents if isinstance(each, lr.IssueCurrency)), Decimal(0))


def evaluated(event: lr.Transaction) -> list[str]:
    known = lr.Snapshot(trackers={"spend": "95.50"}, limits={"daily": 0})
    evaluation = PROGRAM.evaluate(event, known, serials=lr.DerivedSerials.from_master(MASTER))
    document: dict[str, object] = lr.dump(evaluation)
    return [*in_words(evaluation), *sorted(document)]


# -- ledgers -----------------------------------------------------------------------------------------------------------

ANNA = lr.Account("member", "anna")
NOON = datetime(2025, 1, 16, 12, tzinfo=UTC)


def refused_for(receipt: Receipt) -> tuple[str, ...]:
    if receipt.status == "refused" and receipt.refusal is not None:
        return tuple(receipt.refusal.reasons)
    return ()


def a_day(ledger: Ledger) -> Decimal:
    """Run a day of the shop in any ledger."""
    event, keys = sale("T-1", "42.50"), lr.DerivedSerials.from_master(MASTER)
    recorded = ledger.record(PROGRAM.evaluate(event, ledger.snapshot(PROGRAM, event), serials=keys))
    again = ledger.process(PROGRAM, event, serials=keys)
    assert again.status == "already_recorded" or refused_for(recorded)
    spent = ledger.spend(PROGRAM, ANNA, "anna", "crumbs", Decimal(2), event="P-1", at=NOON)
    for intent in spent.intents:
        if intent.type == "spend_currency":
            ledger.undo_spend(PROGRAM, intent.key, event="X-1", at=NOON)
    for coupon in ledger.coupons("bakery", "anna"):
        if coupon.issue.serial is not None:
            redeemed = ledger.redeem(PROGRAM, coupon.issue.serial, sale("T-2", 20))
            (redemption,) = (each for each in redeemed.intents if each.type == "redeem_coupon")
            discount: Decimal = redemption.discount
            ledger.undo_redemption(PROGRAM, redemption.key, event=f"X-{discount}", at=NOON)
    ledger.settle(PROGRAM, NOON)
    ledger.expire(PROGRAM, NOON)
    rows = ledger.report_rows("bakery", NOON)
    owed = liability(PROGRAM, rows, {"crumbs": Decimal("0.01")})
    for issued in issuance(PROGRAM, rows, by=["promotion", "month"]):
        print(issued)
    print(owed, conversion(PROGRAM, rows, date(2025, 1, 1), date(2025, 1, 31), by=["store"]), ledger.check_invariants())
    return ledger.balance("bakery", ANNA, "crumbs", NOON).available


async def a_day_of(ledger: AsyncLedger) -> Decimal:
    receipt = await ledger.process(PROGRAM, sale("T-1", "42.50"))
    points = points_of(receipt.intents)
    balance = await ledger.balance("bakery", ANNA, "crumbs", NOON)
    return balance.available - points


async def opened() -> Decimal:
    ledger = await AsyncSQLLedger.open("sqlite+aiosqlite:///shop.db", serials=lr.DerivedSerials.from_master(MASTER))
    return await a_day_of(ledger)


def every_ledger() -> list[Decimal]:
    stored = SQLLedger.open("sqlite:///shop.db", serials=lr.DerivedSerials.from_master(MASTER))
    with stored.transaction() as tx:
        tx.process(PROGRAM, sale("T-3", 10))
    return [a_day(MemoryLedger()), a_day(stored), asyncio.run(opened())]


# -- tests -------------------------------------------------------------------------------------------------------------


def failures(folder: Path) -> list[str]:
    found = [f"{vector}: {each}" for vector in load_vectors(folder) for each in check(vector)]
    return found + [str(finding) for finding in lint(PROGRAM)]


def problems_of(source: str) -> list[tuple[str, str]]:
    try:
        lr.load_program(source)
    except lr.DocumentError as error:
        return [(problem.path, problem.code) for problem in error.problems]
    return []
