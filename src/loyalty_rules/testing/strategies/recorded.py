"""Values that the engine, the lifecycle and a ledger make: intents, lots, coupons, receipts.

Each is read from a recorded history: a drawn program, two sales, and the operations that follow them, in a ledger in
memory. So its parts fit together: the draws of a spend name lots that exist, and the buckets of a lot sum to `issued`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs
from hypothesis import strategies as st

from loyalty_rules.intents import Claim, Intent, IssueCurrency, LotDraw, Release, Share, Skipped
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.ledger.operations import EndNight
from loyalty_rules.ledger.receipts import Receipt, Trim
from loyalty_rules.ledger.records import Balance, Entry, ReportLot, ReportRows
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.testing.strategies.awards import action_caps, expiries, roundings, timings, windows
from loyalty_rules.testing.strategies.events import events, returns, snapshots, transactions, updates
from loyalty_rules.testing.strategies.programs import programs
from loyalty_rules.testing.strategies.scalars import Document, amounts, objects

__all__ = [
    "RecordedHistory",
    "accounts",
    "balances",
    "claims",
    "coupon_records",
    "entries",
    "evaluations",
    "intents_of",
    "lot_draws",
    "lots",
    "receipts",
    "receipts_of",
    "recorded_histories",
    "refusals",
    "releases",
    "report_lots",
    "report_rows",
    "sales",
    "shares",
    "skips",
    "trims",
]

Value = TypeVar("Value")

_A_DAY = timedelta(days=1)
_THREE_YEARS = timedelta(days=3 * 366)


@attrs.frozen
class RecordedHistory:
    """A ledger and everything that was recorded in it: each kind of intent, at least once.

    `began_at` is the instant of the first sale. By `ended_at`, after the last operation, every lot and coupon that can
    expire has expired.
    """

    program: Program
    ledger: MemoryLedger
    evaluations: tuple[Evaluation, ...]
    receipts: tuple[Receipt, ...]
    began_at: datetime
    ended_at: datetime

    def intents(self) -> list[Intent]:
        """Return every recorded intent, in the order of record."""
        return [intent for receipt in self.receipts for intent in receipt.intents]

    def accounts(self) -> list[Account]:
        """Return each account that a currency was issued to, once."""
        return list(dict.fromkeys(lot.lot.account for lot in self.rows(self.ended_at).lots))

    def instants(self) -> list[datetime]:
        """Return instants to read the ledger at: a day after each operation, and after the end."""
        return [*(self.began_at + _A_DAY * day for day in range(8)), self.ended_at]

    def rows(self, at: datetime) -> ReportRows:
        """Return the lots and the coupons as they stood at an instant."""
        return self.ledger.report_rows(self.program.id, at)


# -- a recorded history ----------------------------------------------------------------------------------------------


@st.composite
def recorded_histories(draw: st.DrawFn) -> RecordedHistory:
    """Draw a history: two sales, then confirmations, a spend, a redemption, a return, and the expiry of the rest."""
    program, ledger = load_program(draw(_programs())), MemoryLedger(NamedSerials())
    first, second = draw(_two_sales(program))
    began_at: datetime = load_event(first).occurred_at
    evaluations: list[Evaluation] = []
    receipts: list[Receipt] = []
    for document in (first, second):
        event: Any = load_event(document)
        evaluations.append(program.evaluate(event, ledger.snapshot(program, event), serials=NamedSerials()))
        receipts.append(ledger.process(program, event))
    receipts += _confirmed(program, ledger, began_at + 2 * _A_DAY)
    receipts += _spent(program, ledger, draw(st.integers(1, 50)), receipts[0], began_at + 3 * _A_DAY)
    receipts += _held(program, ledger, receipts[0], began_at + 3 * _A_DAY)
    receipts += _redeemed(program, ledger, {**first, "id": "T3", "occurred_at": _text(began_at + 4 * _A_DAY)})
    back = {**draw(returns(second)), "occurred_at": _text(began_at + 5 * _A_DAY)}
    receipts.append(ledger.process(program, load_event(back)))
    shipped = {"type": "update", "id": "U1", "of": "T1", "status": "Shipped"}
    receipts.append(ledger.process(program, load_event({**shipped, "occurred_at": _text(began_at + 6 * _A_DAY)})))
    amended = {"type": "amendment", "id": "A1", "of": "T1", "custom_fields": {"gift": "yes"}}
    receipts.append(ledger.process(program, load_event({**amended, "occurred_at": _text(began_at + 6 * _A_DAY)})))
    receipts.append(ledger.process(program, load_event(first)))
    receipts += _by_hand(program, ledger, receipts[0], began_at + 6 * _A_DAY)
    ended_at = began_at + _THREE_YEARS
    receipts += [*ledger.settle(program, ended_at), *ledger.expire(program, ended_at)]
    receipts.append(ledger.execute(EndNight(program, ended_at)))
    return RecordedHistory(program, ledger, tuple(evaluations), tuple(receipts), began_at, ended_at)


@st.composite
def _two_sales(draw: st.DrawFn, program: Program) -> tuple[Document, Document]:
    """Draw two sales of one member; the second a day after the first."""

    def sale(id: str) -> Document:
        return draw(transactions(program, id=id, least=1, most_days=30, anonymous=False, odd=False))

    first, second = sale("T1"), sale("T2")
    began_at: datetime = load_event(first).occurred_at
    member = {**first["member"], "contacts": {"email": True}}
    return {**first, "member": member}, {**second, "member": member, "occurred_at": _text(began_at + _A_DAY)}


def _text(at: datetime) -> str:
    return at.isoformat()


def _confirmed(program: Program, ledger: MemoryLedger, at: datetime) -> list[Receipt]:
    """Confirm the promise of the first sale, and cancel that of the second."""
    return [
        ledger.process(
            program,
            load_event(
                {
                    "type": "confirmation",
                    "id": f"C{number}",
                    "occurred_at": _text(at),
                    "promise": f"shop/T{number}/p1/claim",
                    "outcome": outcome,
                }
            ),
        )
        for number, outcome in ((1, "issue"), (2, "cancel"))
    ]


def _spent(program: Program, ledger: MemoryLedger, amount: int, sale: Receipt, at: datetime) -> list[Receipt]:
    """Spend points of the member and undo it; then spend more than there is, which is refused."""
    member = next(intent.member for intent in sale.intents if isinstance(intent, IssueCurrency))
    account = Account("member", member)
    spent = ledger.spend(program, account, member, "points", Decimal(amount), event="S1", at=at)
    undone = ledger.undo_spend(program, _key_of(spent), event="S2", at=at + _A_DAY / 2)
    refused = ledger.spend(program, account, member, "points", Decimal(10**9 + amount), event="S3", at=at)
    return [spent, undone, refused]


def _held(program: Program, ledger: MemoryLedger, sale: Receipt, at: datetime) -> list[Receipt]:
    """Hold points of the member, capture a part of them and release the rest; then undo the spend."""
    member = next(intent.member for intent in sale.intents if isinstance(intent, IssueCurrency))
    account, until = Account("member", member), at + _A_DAY
    held = ledger.hold(program, account, "points", Decimal(2), until, event="H1", at=at)
    captured = ledger.capture(program, _key_of(held), event="H2", at=at, amount=Decimal(1))
    spend = f"{program.id}/H2/spend/points"
    return [held, captured, ledger.undo_spend(program, spend, event="H3", at=at)]


def _by_hand(program: Program, ledger: MemoryLedger, sale: Receipt, at: datetime) -> list[Receipt]:
    """Correct the member's balance, give units and a card to a twin, merge the twin into the member, forget a guest."""
    member = next(intent.member for intent in sale.intents if isinstance(intent, IssueCurrency))
    account, twin = Account("member", member), Account("member", f"{member[:100]}-twin")
    guest = Account("member", f"{member[:100]}-guest")
    why: dict[str, Any] = {"reason": "typed by mistake", "by": "desk-3", "at": at}
    card = {"type": "card_sold", "id": "K1", "occurred_at": _text(at), "member": {"id": member}}
    sold = ledger.process(program, load_event(card))
    key = f"{program.id}/K1/cards/card/1"
    later = (at + 400 * _A_DAY).date()
    return [
        sold,
        ledger.adjust(program, account, "points", Decimal(9), event="A1", expires_on=at.date() + _A_DAY, **why),
        ledger.adjust(program, account, "points", Decimal(-1), event="A2", **why),
        ledger.transfer(program, account, twin, "points", Decimal(1), event="X1", **why),
        ledger.extend(program, later, lot=f"{program.id}/A1/adjust/points", event="E1", **why),
        ledger.extend(program, later, coupon=key, event="E2", **why),
        ledger.top_up(program, key, Decimal(5), event="U3", **why),
        ledger.reassign(program, key, twin.id, event="E3", **why),
        ledger.merge(program, twin.id, member, event="M1", **why),
        ledger.adjust(program, guest, "points", Decimal(3), event="A3", **why),
        ledger.forget(program, guest.id, event="F1", **why),
    ]


def _redeemed(program: Program, ledger: MemoryLedger, sale: Document) -> list[Receipt]:
    """Redeem the coupon of the first sale in another sale, try to void it, which is refused, and undo it."""
    event: Any = load_event(sale)
    redeemed = ledger.redeem(program, "T1-p1-gift-1", event)
    assert redeemed.redemption is not None
    coupon = redeemed.redemption.coupon
    refused = ledger.void(program, coupon, event="V1", at=event.occurred_at + _A_DAY / 4)
    undone = ledger.undo_redemption(program, _key_of(redeemed), event="U2", at=event.occurred_at + _A_DAY / 2)
    return [redeemed, refused, undone]


def _key_of(receipt: Receipt) -> str:
    [intent] = receipt.intents
    return intent.key


# -- the program of a history ----------------------------------------------------------------------------------------


@st.composite
def _programs(draw: st.DrawFn) -> Document:
    """Draw programs with an action for each kind of intent."""
    window = draw(windows())
    return {
        "format": "loyalty-rules/1",
        "id": "shop",
        "time_zone": draw(st.sampled_from(["UTC", "America/New_York"])),
        "currencies": {"points": {"redeem": {"points": "100", "value": "5"}, "transfer": {}}, "stars": {"decimals": 2}},
        "limits": {"monthly": {"currency": "points", "per": "member", "amount": "1000000", "window": window}},
        "shortfall": draw(st.sampled_from(["write_off", "carry"])),
        "trackers": {
            "spend": {"measure": {"type": "line_item_value"}, "target": draw(amounts(1, 500)), "window": window}
        },
        "tiers": {
            "status": {
                "levels": ["basic", "regular"],
                "by": "spend",
                "from": {"regular": "0.01"},
                "lasts": {"type": "fixed_period", "after": {"years": draw(st.integers(1, 5))}, "through": "year"},
            }
        },
        "coupon_types": {
            "gift": {
                "benefit": draw(st.sampled_from(_BENEFITS)),
                "validity": {"expiry": {"type": "fixed_period", "after": {"days": draw(st.integers(7, 400))}}},
            },
            "card": {
                "benefit": {"type": "stored_value", "amount": "50"},
                "validity": {"expiry": {"type": "fixed_period", "after": {"days": 300}}},
            },
        },
        "promotions": [
            {
                "id": "p1",
                "actions": [
                    _welcome(draw(st.sampled_from(["balance", "rolling_lots"]))),
                    draw(_earn()),
                    _claim(draw(_claim_expiries())),
                    {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "on_return": "reverse"},
                    draw(st.sampled_from(_NEVER_ISSUED)),
                ],
            },
            {
                "id": "cards",
                "trigger": "card_sold",
                "actions": [{"type": "issue_coupon", "id": "card", "coupon_type": "card"}],
            },
        ],
    }


def _issue(id: str, amount: str = "50", **parts: Any) -> Document:
    return {
        "type": "issue_currency",
        "id": id,
        "currency": "points",
        "proration": {"type": "fixed", "amount": amount},
        "expiry": {"type": "never"},
        **parts,
    }


def _welcome(scope: str) -> Document:
    rolling = {"type": "rolling", "after": {"days": 30}, "scope": scope}
    communication = {"template": "welcome", "mandatory": ["email"]}
    return _issue("welcome", expiry=rolling, on_return="reverse", communication=communication)


def _claim(expiry: Document) -> Document:
    return _issue("claim", "10", currency="stars", timing={"type": "external"}, expiry=expiry)


@st.composite
def _earn(draw: st.DrawFn) -> Document:
    """Draw an action that issues a part of the value of the lines, with shares, claims and any timing."""
    base = {"type": "line_item_value", "aggregate": draw(st.sampled_from(["total", "each_line"]))}
    optional = {
        "recipient": st.just("member_group"),
        "rounding": roundings(),
        "timing": timings(),
        "caps": action_caps(),
        "on_return": st.sampled_from(["recompute", "proportional", "reverse", "keep"]),
    }
    proration = {"type": "proportional", "percent": draw(amounts(10, 200)), "of": base}
    return _issue("earn", proration=proration, expiry=draw(expiries()), **draw(objects({}, optional)))


def _claim_expiries() -> st.SearchStrategy[Document]:
    """Draw expiries that are still to come when the promise is confirmed, two days after the sale."""
    later = st.integers(7, 400).map(lambda days: {"type": "event_date", "after": {"days": days}})
    return st.just({"type": "never"}) | later


_BENEFITS: tuple[Document, ...] = (  # each takes something off every bill
    {"type": "percent_off", "percent": "10"},
    {"type": "amount_off", "amount": "5"},
    {"type": "stored_value", "amount": "20"},
)

_NEVER_ISSUED = (
    _issue("none", "0"),
    _issue("none", expiry={"type": "fixed_date", "on": "2024-12-31"}),
    _issue("none", expiry={"type": "customer_field", "field": "renewal"}),
    _issue("none", proration={"type": "proportional", "percent": "1", "of": {"type": "line_item_value", "lines": {
        "field": "sku", "is": "NONE"}}}),
)  # fmt: skip


# -- values of a history ---------------------------------------------------------------------------------------------


def _one_of(values_of: Callable[[RecordedHistory], Sequence[Value]]) -> st.SearchStrategy[Value]:
    """Draw one of the values that a function reads from a recorded history."""
    return recorded_histories().map(values_of).filter(len).flatmap(st.sampled_from)


def intents_of(cls: type[Value]) -> st.SearchStrategy[Value]:
    """Draw intents of a class."""
    return _one_of(lambda history: [each for each in history.intents() if isinstance(each, cls)])


def claims() -> st.SearchStrategy[Claim]:
    """Draw claims: those of an issue, and those with a negative amount, of a return or a cancelled promise."""
    return _one_of(lambda history: [claim for intent in history.intents() for claim in getattr(intent, "claims", ())])


def shares() -> st.SearchStrategy[Share]:
    """Draw shares of issues whose amount comes from lines."""
    return _one_of(lambda history: [share for intent in history.intents() for share in getattr(intent, "shares", ())])


def releases() -> st.SearchStrategy[Release]:
    """Draw the releases of promises."""
    return _one_of(
        lambda history: [
            intent.release
            for intent in history.intents()
            if isinstance(intent, IssueCurrency) and intent.release is not None
        ]
    )


def lot_draws() -> st.SearchStrategy[LotDraw]:
    """Draw the draws of spends and returns on lots."""
    return _one_of(
        lambda history: [
            draw for intent in history.intents() for draw in getattr(intent, "draws", ()) if isinstance(draw, LotDraw)
        ]
    )


def skips() -> st.SearchStrategy[Skipped]:
    """Draw skipped actions."""
    return _one_of(lambda history: [skip for evaluation in history.evaluations for skip in evaluation.skipped])


def receipts() -> st.SearchStrategy[Receipt]:
    """Draw receipts: recorded, already recorded, refused."""
    return _one_of(lambda history: history.receipts)


def receipts_of(cls: type[Value]) -> st.SearchStrategy[Value]:
    """Draw receipts of a class: the results of one operation."""
    return _one_of(lambda history: [each for each in history.receipts if isinstance(each, cls)])


def refusals() -> st.SearchStrategy[Refusal]:
    """Draw refusals."""
    return _one_of(lambda history: [each.refusal for each in history.receipts if each.refusal is not None])


def coupon_records() -> st.SearchStrategy[CouponRecord]:
    """Draw coupons as they stood at an instant."""
    return report_rows().map(lambda rows: rows.coupons).filter(len).flatmap(st.sampled_from)


def lots() -> st.SearchStrategy[Lot]:
    """Draw lots as they stood at an instant: promised, live, spent, taken back or expired."""
    return report_lots().map(lambda row: row.lot)


def report_lots() -> st.SearchStrategy[ReportLot]:
    """Draw lots with their entries, as they stood at an instant."""
    return report_rows().map(lambda rows: rows.lots).flatmap(st.sampled_from)


@st.composite
def report_rows(draw: st.DrawFn) -> ReportRows:
    """Draw the rows of reports at an instant."""
    history = draw(recorded_histories())
    return history.rows(draw(st.sampled_from(history.instants())))


@st.composite
def balances(draw: st.DrawFn) -> Balance:
    """Draw balances of an account at an instant."""
    history = draw(recorded_histories())
    account, at = draw(st.sampled_from(history.accounts())), draw(st.sampled_from(history.instants()))
    return history.ledger.balance(history.program.id, account, draw(st.sampled_from(["points", "stars"])), at)


def entries() -> st.SearchStrategy[Entry]:
    """Draw entries of a statement."""
    return _one_of(
        lambda history: [
            entry
            for account in history.accounts()
            for entry in history.ledger.statement(history.program.id, account, history.ended_at)
        ]
    )


# -- values of their own ---------------------------------------------------------------------------------------------


def accounts() -> st.SearchStrategy[Account]:
    """Draw accounts of members and of groups."""
    return st.builds(Account, st.sampled_from(["member", "group"]), st.sampled_from(["M1", "M2", "G1"]))


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Draw evaluations: of an event of a drawn program, with a drawn snapshot."""
    program = load_program(draw(programs()))
    event: Any = load_event(draw(events(program)))
    return program.evaluate(event, load_snapshot(draw(snapshots(program))), serials=NamedSerials())


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Draw sales with the program and the snapshot that decided them, at most one update and at most one return."""
    program = load_program(draw(programs()))
    document = draw(transactions(program))
    changes: Any = [load_event(draw(updates(document, program)))] if draw(st.booleans()) else []
    backs: Any = [load_event(draw(returns(document)))] if draw(st.booleans()) else []
    event: Any = load_event(document)
    return Sale(program, event, load_snapshot(draw(snapshots(program))), tuple(changes), tuple(backs))


@st.composite
def trims(draw: st.DrawFn) -> Trim:
    """Draw trims: two sales are evaluated before either is recorded, and a limit covers less than both."""
    first, second = draw(st.integers(1, 100)), draw(st.integers(1, 100))
    limit = draw(st.integers(first, first + second - 1))
    document = draw(_programs())
    total = {"currency": "points", "per": "total", "amount": str(limit)}
    earn = _issue("earn", proration={"type": "multiplier", "percent": "100"})
    promotions = [{"id": "p1", "actions": [earn]}]
    program = load_program({**document, "limits": {"budget": total}, "promotions": promotions})
    ledger = MemoryLedger()
    decided = []
    for number, amount in enumerate((first, second), 1):
        sale = {"type": "transaction", "id": f"T{number}", "occurred_at": "2025-01-01T12:00:00Z", "amount": amount}
        event: Any = load_event({**sale, "member": {"id": "M1"}})
        decided.append(program.evaluate(event))
    [_, trimmed] = [ledger.record(evaluation) for evaluation in decided]
    return trimmed.trims[0]
