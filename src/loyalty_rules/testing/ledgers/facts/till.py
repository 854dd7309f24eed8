"""A till for the contract: short programs, and operations of a ledger at a settable time.

The clock shows 10:00 UTC of day 0, which is 15 January 2025, until a test sets it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.ledger.receipts import Receipt, RedeemReceipt
from loyalty_rules.ledger.records import Entry
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot
from loyalty_rules.loading import dump, load_event, load_program
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import DerivedSerials, SerialGenerator

__all__ = [
    "ANNA",
    "BEN",
    "HOUSEHOLD",
    "Document",
    "Till",
    "coupon_type",
    "earn",
    "fixed",
    "hand_out",
    "moment",
    "proportional",
    "serial_of",
    "shop",
    "stepped",
]

Document = dict[str, Any]

ANNA = Account("member", "anna")
BEN = Account("member", "ben")
HOUSEHOLD = Account("group", "household")

NEVER: Document = {"type": "never"}
DAYS_30: Document = {"type": "fixed_period", "after": {"days": 30}}
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")


def moment(day: int, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    """Return an instant in UTC, `day` days after 15 January 2025."""
    return datetime(2025, 1, 15, hour, minute, second, tzinfo=UTC) + timedelta(days=day)


# -- programs --------------------------------------------------------------------------------------------------------


def shop(*actions: Document, **parts: Any) -> Program:
    """Return a program of one promotion, `p`, with these actions; `parts` are other keys of the document."""
    promotions = [{"id": "p", "actions": list(actions)}] if actions else []
    return load_program(
        {
            "format": "loyalty-rules/1",
            "id": "acme",
            "time_zone": "UTC",
            "currencies": {"points": {"redeem": {"points": "100", "value": "1.00"}}},
            "promotions": promotions,
            **parts,
        }
    )


def earn(proration: Document, name: str = "earn", **parts: Any) -> Document:
    """Return an action that issues points that never expire."""
    return {
        "type": "issue_currency",
        "id": name,
        "currency": "points",
        "proration": proration,
        "expiry": NEVER,
        **parts,
    }


def hand_out(coupon: str = "next-visit", name: str = "thanks", **parts: Any) -> Document:
    """Return an action that issues a coupon."""
    return {"type": "issue_coupon", "id": name, "coupon_type": coupon, **parts}


def coupon_type(benefit: Document | None = None, **parts: Any) -> dict[str, Document]:
    """Return the coupon type `next-visit`: by default 15 % off, with a serial."""
    return {"next-visit": {"benefit": benefit or {"type": "percent_off", "percent": "15"}, **parts}}


def fixed(amount: str) -> Document:
    """Return a proration of a fixed amount."""
    return {"type": "fixed", "amount": amount}


def stepped(size: str, points: str) -> Document:
    """Return a proration of `points` for each step of the bill."""
    return {"type": "stepped", "step_size": size, "points_per_step": points}


def proportional(percent: str) -> Document:
    """Return a proration of a percentage of the bill."""
    return {"type": "proportional", "percent": percent, "of": {"type": "transaction_value"}}


# -- the till --------------------------------------------------------------------------------------------------------


class Till:
    """A ledger with the current program of a shop and a clock: each method is one operation at that time."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.program = shop()
        self.serials: SerialGenerator | None = SERIALS
        self.now = moment(0)
        self.journal: list[tuple[Document, Receipt]] = []
        """The processed events as documents, each with its receipt; a failing test shows them."""
        self._count = 0

    def runs(self, program: Program) -> Program:
        """Set the program of the shop, and return it."""
        self.program = program
        return program

    def on(self, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> None:
        """Set the clock."""
        self.now = moment(day, hour, minute, second)

    def _id(self) -> str:
        self._count += 1
        return f"E{self._count}"

    # -- events

    def bill(self, event: str, amount: str = "100", *, member: str | None = "anna", **parts: Any) -> Any:
        """Return a sale to a member, by default to Anna."""
        return load_event(
            {
                "type": "transaction",
                "id": event,
                "occurred_at": self.now.isoformat(),
                "amount": amount,
                "member": {"id": member} if member is not None else None,
                **parts,
            }
        )

    def sell(self, event: str, amount: str = "100", **parts: Any) -> Receipt:
        return self._processed(self.bill(event, amount, **parts))

    def decide(self, event: str, amount: str = "100", **parts: Any) -> Evaluation:
        """Evaluate a sale with the current snapshot, and record nothing."""
        bill = self.bill(event, amount, **parts)
        return self.program.evaluate(bill, self.ledger.snapshot(self.program, bill), serials=self.serials)

    def activity(self, event: str, kind: str = "registration", member: str = "anna") -> Receipt:
        return self.process({"type": kind, "id": event, "member": {"id": member}})

    def take_back(
        self,
        sale: str,
        amount: str | None = None,
        pieces: Mapping[str, str] | None = None,
        event: str | None = None,
        **parts: Any,
    ) -> Receipt:
        """Return a part of a sale: an amount, and `pieces` as quantities by line; `parts` are other keys."""
        lines = [{"id": line, "quantity": quantity} for line, quantity in (pieces or {}).items()]
        goods = {"id": event or self._id(), "of": sale, "amount": amount, "lines": lines}
        return self.process({"type": "return", **goods, **parts})

    def update(self, sale: str, status: str, event: str | None = None) -> Receipt:
        return self.process({"type": "update", "id": event or self._id(), "of": sale, "status": status})

    def confirm(self, promise: str, outcome: str = "issue", event: str | None = None) -> Receipt:
        return self.process({"type": "confirmation", "id": event or self._id(), "promise": promise, "outcome": outcome})

    def process(self, document: Document) -> Receipt:
        return self._processed(load_event({"occurred_at": self.now.isoformat(), **document}))

    def _processed(self, event: Any) -> Receipt:
        return self._noted(dump(event), self.ledger.process(self.program, event, serials=self.serials))

    def _noted(self, document: Document, receipt: Receipt) -> Receipt:
        self.journal.append((document, receipt))
        return receipt

    # -- other operations

    def settle(self) -> Sequence[Receipt]:
        return self.ledger.settle(self.program, self.now)

    def expire(self) -> Sequence[Receipt]:
        return self.ledger.expire(self.program, self.now)

    def spend(
        self, amount: str, event: str | None = None, account: Account = ANNA, currency: str = "points"
    ) -> Receipt:
        event = event or self._id()
        receipt = self.ledger.spend(self.program, account, "anna", currency, Decimal(amount), event=event, at=self.now)
        return self._noted({"type": "spend", "id": event, "occurred_at": self.now.isoformat()}, receipt)

    def undo_spend(self, spend: Receipt, event: str | None = None, amount: str | None = None) -> Receipt:
        key, part = spend.intents[0].key, Decimal(amount) if amount is not None else None
        return self.ledger.undo_spend(self.program, key, event=event or self._id(), at=self.now, amount=part)

    def redeem(self, code: str, event: str, amount: str = "100", **parts: Any) -> RedeemReceipt:
        bill = self.bill(event, amount, **parts)
        receipt = self.ledger.redeem(self.program, code, bill)
        self._noted({**dump(bill), "type": "redeem"}, receipt)
        return receipt

    def undo_redemption(self, redemption: Receipt, event: str | None = None) -> Receipt:
        key = redemption.intents[-1].key
        return self.ledger.undo_redemption(self.program, key, event=event or self._id(), at=self.now)

    def void(self, coupon: str, event: str | None = None) -> Receipt:
        return self.ledger.void(self.program, coupon, event=event or self._id(), at=self.now)

    # -- queries

    def points(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        """Return the available balance."""
        return self.ledger.balance("acme", account, currency, at or self.now).available

    def promised(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        return self.ledger.balance("acme", account, currency, at or self.now).promised

    def debt(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        return self.ledger.balance("acme", account, currency, at or self.now).debt

    def lots(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Sequence[Lot]:
        return self.ledger.lots("acme", account, currency, at or self.now)

    def promises(self, at: datetime | None = None) -> list[str]:
        """Return the keys of the open promises."""
        return [lot.key for lot in self.ledger.promises("acme", at or self.now)]

    def statement(self, account: Account = ANNA, at: datetime | None = None) -> list[Entry]:
        return [*self.ledger.statement("acme", account, at or self.now)]

    def coupon(self, receipt: Receipt, number: int = 1) -> CouponRecord:
        """Return a coupon by the serial or code with which a sale issued it."""
        issues = [intent for intent in receipt.intents if isinstance(intent, IssueCoupon)]
        issue = issues[number - 1]
        coupon = self.ledger.coupon("acme", issue.serial or issue.code or "")
        assert coupon is not None
        return coupon

    def everything(self) -> object:
        """Return the statements, balances, lots, coupons, snapshots and promises of all accounts.

        A retry must not change them.
        """
        accounts = (ANNA, BEN, HOUSEHOLD)
        return (
            [self.statement(each) for each in accounts],
            [self.ledger.balance("acme", each, "points", self.now) for each in accounts],
            [self.lots(each) for each in accounts],
            [self.ledger.coupons("acme", each.id) for each in accounts],
            [
                self.ledger.snapshot(self.program, self.bill("probe", member=name, store="S1"))
                for name in ("anna", "ben")
            ],
            self.promises(),
        )


def serial_of(receipt: Receipt, number: int = 1) -> str:
    """Return the serial of a coupon that a sale issued."""
    serials = [intent.serial for intent in receipt.intents if isinstance(intent, IssueCoupon)]
    serial = serials[number - 1]
    assert serial is not None
    return serial
