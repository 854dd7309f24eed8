"""A till for the contract: programs in a few words, and what happens at it, day by day.

The clock stands at ten in the morning of day 0, 15 January 2025 in UTC, until a test moves it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.protocol import Entry, Ledger, Receipt
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
    """Give an instant, counted in days from 15 January 2025."""
    return datetime(2025, 1, 15, hour, minute, second, tzinfo=UTC) + timedelta(days=day)


# -- programs --------------------------------------------------------------------------------------------------------


def shop(*actions: Document, **parts: Any) -> Program:
    """A program of one promotion, `p`, with these actions; `parts` are other parts of the document."""
    promotions = [{"id": "p", "actions": list(actions)}] if actions else []
    return load_program(
        {
            "format": "loyalty-rules/1",
            "id": "acme",
            "time_zone": "UTC",
            "currencies": {"points": {}},
            "promotions": promotions,
            **parts,
        }
    )


def earn(proration: Document, name: str = "earn", **parts: Any) -> Document:
    """An action that issues points that never expire."""
    return {
        "type": "issue_currency",
        "id": name,
        "currency": "points",
        "proration": proration,
        "expiry": NEVER,
        **parts,
    }


def hand_out(coupon: str = "next-visit", name: str = "thanks", **parts: Any) -> Document:
    """An action that issues a coupon."""
    return {"type": "issue_coupon", "id": name, "coupon_type": coupon, **parts}


def coupon_type(benefit: Document | None = None, **parts: Any) -> dict[str, Document]:
    """A type of coupons, `next-visit`: 15 % off the next visit, with a serial, unless told otherwise."""
    return {"next-visit": {"benefit": benefit or {"type": "percent_off", "percent": "15"}, **parts}}


def fixed(amount: str) -> Document:
    """So many points, whatever was bought."""
    return {"type": "fixed", "amount": amount}


def stepped(size: str, points: str) -> Document:
    """So many points for each step of the bill."""
    return {"type": "stepped", "step_size": size, "points_per_step": points}


def proportional(percent: str) -> Document:
    """So many percent of the bill."""
    return {"type": "proportional", "percent": percent, "of": {"type": "transaction_value"}}


# -- the till --------------------------------------------------------------------------------------------------------


class Till:
    """Where things happen to a ledger, under the program that the shop runs, at the hour that its clock shows."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.program = shop()
        self.serials: SerialGenerator | None = SERIALS
        self.now = moment(0)
        self.journal: list[tuple[Document, Receipt]] = []
        """What went through the till, each event as a document with what became of it: shown where a test fails."""
        self._count = 0

    def runs(self, program: Program) -> Program:
        """From now on, this program is the shop's."""
        self.program = program
        return program

    def on(self, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> None:
        """The clock is set."""
        self.now = moment(day, hour, minute, second)

    def _id(self) -> str:
        self._count += 1
        return f"E{self._count}"

    # what comes in

    def bill(self, event: str, amount: str = "100", *, member: str | None = "anna", **parts: Any) -> Any:
        """Write a bill to Anna."""
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
        """Decide a sale by what the ledger holds now, and record nothing yet."""
        bill = self.bill(event, amount, **parts)
        return self.program.evaluate(bill, self.ledger.snapshot(self.program, bill), serials=self.serials)

    def activity(self, event: str, kind: str = "registration", member: str = "anna") -> Receipt:
        return self.process({"type": kind, "id": event, "member": {"id": member}})

    def take_back(
        self, sale: str, amount: str, pieces: Mapping[str, str] | None = None, event: str | None = None
    ) -> Receipt:
        """Goods of a sale come back: an amount, and how many pieces of which lines."""
        lines = [{"id": line, "quantity": quantity} for line, quantity in (pieces or {}).items()]
        return self.process({"type": "return", "id": event or self._id(), "of": sale, "amount": amount, "lines": lines})

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

    # what the host asks for

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

    def undo_spend(self, spend: Receipt, event: str | None = None) -> Receipt:
        key = spend.intents[0].key
        return self.ledger.undo_spend(self.program, key, event=event or self._id(), at=self.now)

    def redeem(self, code: str, event: str, amount: str = "100", **parts: Any) -> Receipt:
        bill = self.bill(event, amount, **parts)
        return self._noted({**dump(bill), "type": "redeem"}, self.ledger.redeem(self.program, code, bill))

    def undo_redemption(self, redemption: Receipt, event: str | None = None) -> Receipt:
        key = redemption.intents[0].key
        return self.ledger.undo_redemption(self.program, key, event=event or self._id(), at=self.now)

    def void(self, coupon: str, event: str | None = None) -> Receipt:
        return self.ledger.void(self.program, coupon, event=event or self._id(), at=self.now)

    # what the ledger says

    def points(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        """What can be spent."""
        return self.ledger.balance("acme", account, currency, at or self.now).available

    def promised(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        return self.ledger.balance("acme", account, currency, at or self.now).promised

    def debt(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Decimal:
        return self.ledger.balance("acme", account, currency, at or self.now).debt

    def lots(self, account: Account = ANNA, currency: str = "points", at: datetime | None = None) -> Sequence[Lot]:
        return self.ledger.lots("acme", account, currency, at or self.now)

    def promises(self, at: datetime | None = None) -> list[str]:
        """The keys of the open promises."""
        return [lot.key for lot in self.ledger.promises("acme", at or self.now)]

    def statement(self, account: Account = ANNA, at: datetime | None = None) -> list[Entry]:
        return [*self.ledger.statement("acme", account, at or self.now)]

    def coupon(self, receipt: Receipt, number: int = 1) -> CouponRecord:
        """Look a coupon up by the serial or code under which a sale issued it."""
        issues = [intent for intent in receipt.intents if isinstance(intent, IssueCoupon)]
        issue = issues[number - 1]
        coupon = self.ledger.coupon("acme", issue.serial or issue.code or "")
        assert coupon is not None
        return coupon

    def everything(self) -> object:
        """All that the ledger says of Anna, of Ben and of what they hold: what a replay must not change."""
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
    """The serial of the coupon that a sale handed out."""
    serials = [intent.serial for intent in receipt.intents if isinstance(intent, IssueCoupon)]
    serial = serials[number - 1]
    assert serial is not None
    return serial
