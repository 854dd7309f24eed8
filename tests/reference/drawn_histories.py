"""Random histories of one account or two, replayed on a ledger and on the second implementation side by side."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import loyalty_rules as lr
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.lifecycle import Account

from .after_the_sale import AfterTheSale, instant, number, text

FAR = datetime(2030, 1, 1, tzinfo=UTC)
START = datetime(2025, 1, 10, 9, tzinfo=UTC)
MEMBERS = ("anna", "ben")
PROBED = [{"id": name, "category": name, "quantity": "1", "value": "0"} for name in ("food", "wine")]


# --- programs -----------------------------------------------------------------------------------------------------


def drawn_program(d: random.Random) -> dict:
    """Draw a program with one to four actions that lean on each other."""
    currencies = {"points": {"redeem": {"points": "1", "value": "0.01"}}}
    if d.random() < 0.3:
        currencies["miles"] = {"decimals": 2, "redeem": {"points": "1", "value": "0.01"}}
    document = {
        "format": "loyalty-rules/1",
        "id": "shop",
        "time_zone": d.choice(["UTC", "Europe/Lisbon", "Asia/Kolkata"]),
        "currencies": currencies,
        "shortfall": d.choice(["write_off", "carry"]),
        "give_back": d.choice(["whole", "proportional", "never"]),
    }
    if d.random() < 0.5:
        document["trackers"] = {
            "spend": {"measure": {"type": d.choice(["transaction_value", "line_item_value", "count"])}, "target": "150"}
        }
        if d.random() < 0.5:
            document["trackers"]["spend"]["window"] = drawn_window(d)
    if d.random() < 0.4:
        document["coupon_types"] = {"five": {"benefit": {"type": "amount_off", "amount": "5"}}}
        if d.random() < 0.4:
            document["coupon_types"]["five"]["validity"] = {
                "expiry": {"type": "fixed_period", "after": {"days": d.choice([2, 5, 20])}}
            }
        if d.random() < 0.3:
            document["coupon_types"]["five"]["caps"] = {
                d.choice(["per_member", "total", "per_transaction"]): d.choice([1, 2, 3])
            }
    if d.random() < 0.4:
        amount = d.choice(["60", "100", "150"])
        limit = {
            "currency": "points",
            "per": d.choice(["member", "total", "store"]),
            "amount": amount,
            "window": drawn_window(d),
        }
        document["limits"] = {"cap": limit}
    document["promotions"] = [drawn_promotion(d, n, document) for n in range(d.randint(1, 4))]
    return document


def drawn_window(d: random.Random) -> dict:
    return d.choice(
        [
            {"type": "lifetime"},
            {"type": "calendar", "unit": "day"},
            {"type": "calendar", "unit": "week"},
            {"type": "rolling", "days": 3},
        ]
    )


def drawn_promotion(d: random.Random, n: int, document: dict) -> dict:
    promotion = {"id": f"p{n}", "actions": [drawn_action(d, document)]}
    if d.random() < 0.5:
        promotion["when"] = drawn_condition(d, document)
    if d.random() < 0.35:
        promotion["exclusive"] = "x"
        promotion["priority"] = d.choice([0, 1])
    return promotion


def drawn_condition(d: random.Random, document: dict) -> dict:
    amount = d.choice(["30", "50", "80", "100"])
    choices = [
        {"field": "amount", "at_least": amount},
        {"not": {"field": "amount", "at_least": amount}},
        {"field": "amount", "less_than": amount},
        {"lines": {"field": "category", "is": "food"}, "value": {"at_least": "20"}},
        {"not": {"lines": {"field": "category", "is": "wine"}}},
        {"lines": {"field": "quantity", "at_least": "1"}, "quantity": {"at_least": "3"}},
        {"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": amount},
    ]
    if "trackers" in document:
        choices += [{"tracker": "spend", "reached": d.choice([True, False])}, {"tracker": "spend", "crossed": True}]
    return d.choice(choices)


def drawn_base(d: random.Random, document: dict) -> dict:
    choices = [
        {"type": "transaction_value"},
        {"type": "transaction_value", "less": d.choice([["shipping"], ["tax"], ["tip", "tenders.gift"]])},
        {"type": "line_item_value"},
        {"type": "line_item_value", "lines": {"field": "category", "is": "food"}},
        {"type": "line_item_value", "aggregate": d.choice(["each_line", "each_unit"])},
        {"type": "line_item_value", "less": d.choice([["tax"], ["tenders.gift"]])},
        {"type": "line_item_quantity"},
        {"type": "line_item_extended_field", "field": "nights"},
    ]
    if "trackers" in document:
        choices += [{"type": kind, "tracker": "spend"} for kind in ("event_value", "surplus", "gap_before")]
    return d.choice(choices)


def drawn_action(d: random.Random, document: dict) -> dict:
    if "coupon_types" in document and d.random() < 0.35:
        quantity = d.choice([1, 2, {"type": "stepped", "step_size": "40", "points_per_step": "1"}])
        action = {"type": "issue_coupon", "id": "a", "coupon_type": "five", "quantity": quantity}
        if d.random() < 0.3:
            action["on_return"] = d.choice(["keep", "reverse"])
        return action
    base = drawn_base(d, document)
    proration = d.choice(
        [
            {"type": "multiplier", "percent": d.choice(["100", "50", "200", "33.3"]), "of": base},
            {"type": "proportional", "percent": d.choice(["100", "10", "50"]), "of": base},
            {"type": "stepped", "step_size": d.choice(["10", "25"]), "points_per_step": d.choice(["1", "7"])},
            {"type": "fixed", "amount": d.choice(["20", "25"])},
            {"type": "multiplier", "percent": "100"},
        ]
    )
    currency = d.choice([*document["currencies"]])
    expiry = d.choice(
        [
            {"type": "never"},
            {"type": "fixed_period", "after": {"days": d.choice([1, 3, 10])}},
            {"type": "event_date", "after": {"days": d.choice([2, 6])}},
            {"type": "rolling", "after": {"days": d.choice([2, 4])}},
        ]
    )
    action = {"type": "issue_currency", "id": "a", "currency": currency, "proration": proration, "expiry": expiry}
    if d.random() < 0.7:
        action["rounding"] = {"currency": d.choice(["down", "nearest", "up"])}
    if d.random() < 0.35:
        action["timing"] = d.choice(
            [
                {"type": "delayed", "days": d.choice([1, 3])},
                {"type": "external"},
                {"type": "transaction_update", "when": {"field": "status", "is": "shipped"}},
            ]
        )
    if d.random() < 0.35:
        action["on_return"] = d.choice(["proportional", "reverse", "keep", "recompute"])
    if d.random() < 0.25:
        caps = {"amount": d.choice(["40", "90"])} if d.random() < 0.7 else {"times": d.choice([1, 2])}
        action["caps"] = {d.choice(["per_member", "total"]): {**caps, "window": drawn_window(d)}}
    return action


# --- histories ----------------------------------------------------------------------------------------------------


def drawn_sale(d: random.Random, n: int, at: str) -> dict:
    event = {"type": "transaction", "id": f"T{n}", "occurred_at": at, "store": d.choice(["S1", "S2"])}
    if d.random() < 0.93:
        event["member"] = {"id": d.choice(MEMBERS) if d.random() < 0.3 else "anna"}
    value = Fraction(0)
    if d.random() < 0.75:
        event["lines"] = [drawn_line(d, k) for k in range(d.randint(1, 3))]
        if d.random() < 0.25:
            for line in event["lines"]:
                line["tax"] = d.choice(["0", "1", "2.50"])
        value = sum((number(line["value"]) for line in event["lines"]), Fraction(0))
    else:
        value = Fraction(d.choice(["21.90", "60", "100", "120", "33.33"]))
    if d.random() < 0.25:
        event["shipping"] = "5"
        value += 5
    if d.random() < 0.15:
        event["tip"] = "3"
        value += 3
    if d.random() < 0.2:
        event["tax"] = "6"
    event["amount"] = text(max(value, Fraction(0)))
    if d.random() < 0.2:
        event["tenders"] = [
            {"type": "gift", "amount": "10"},
            {"type": "card", "amount": text(max(value - 10, Fraction(0)))},
        ]
    if d.random() < 0.3:
        event["status"] = "placed"
    return event


def drawn_line(d: random.Random, k: int) -> dict:
    line = {"id": str(k), "category": d.choice(["food", "wine"]), "quantity": d.choice(["1", "2", "3", "1"])}
    line["value"] = d.choice(["10", "20", "33.34", "50", "75", "12.5"])
    if d.random() < 0.3:
        line["extended_fields"] = {"nights": d.choice(["2", "3", "10"])}
    return line


def drawn_return(d: random.Random, n: int, at: str, sale: dict) -> dict:
    bill = number(sale["amount"])
    event = {"type": "return", "id": f"R{n}", "occurred_at": at, "of": sale["id"]}
    lines = sale.get("lines") or []
    if lines and d.random() < 0.65:
        chosen = [line for line in lines if d.random() < 0.6] or [lines[0]]
        event["lines"] = []
        amount = Fraction(0)
        for line in chosen:
            quantity = d.choice(["1", line["quantity"], line["quantity"]])
            row = {"id": line["id"], "quantity": quantity}
            worth = number(line["value"]) * number(quantity) / number(line["quantity"])
            if d.random() < 0.2:
                row["quantity"] = d.choice(["0", quantity])
                row["amount"] = d.choice(["5", text(worth)])
                worth = number(row["amount"])
            if "extended_fields" in line and d.random() < 0.3:
                row["extended_fields"] = {"nights": "1"}
            event["lines"].append(row)
            amount += number(text(worth))
        event["amount"] = text(min(amount, bill))
    else:
        event["amount"] = d.choice([text(bill), text(bill), text(bill / 2), text(bill / 3), "10", "5"])
    for part in ("shipping", "tip", "tax"):
        if part in sale and d.random() < 0.2:
            event[part] = d.choice(["1", sale[part]])
    if "tenders" in sale and d.random() < 0.3:
        event["tenders"] = [{"type": d.choice(["gift", "card"]), "amount": event["amount"]}]
    return event


def drawn_history(d: random.Random, model: AfterTheSale, features: set[str]) -> Iterator[dict]:
    """Yield operations; each is drawn from what the model knows after the ones before."""
    at = START
    promised = [a for p in model.document["promotions"] for a in p["actions"] if a.get("timing")]
    for n in range(d.randint(3, 12)):
        at += timedelta(hours=d.choice([1, 5, 20, 30, 50]), minutes=d.randint(1, 50))
        when = at
        if "late" in features and n and d.random() < 0.25:
            when = at - timedelta(hours=d.choice([3, 25, 60, 100]), minutes=d.randint(1, 50))
            when = max(when, START + timedelta(minutes=n))
        stamp = when.isoformat()
        sales = [*model.sales.values()]
        choices = ["sale"] * (1 if sales else 20) + ["return"] * 5 + ["spend"] * 3
        choices += ["undo"] * 2 * bool(model.spends) + ["redeem"] * 2 * any(
            c["state"] == "issued" for c in model.coupons.values()
        )
        if len(sales) < 3:
            choices += ["sale"] * 2
        if promised:
            choices += ["settle"] * 2 + ["confirm"] * 2 + ["update"] * 2
        if "hold" in features:
            choices += ["hold"] + ["capture", "release"] * bool(model.holds)
        if "amend" in features and sales:
            choices += ["amend"] * 3
        choices += ["expire"]
        yield from drawn_operation(d, d.choice(choices), n, stamp, model)


def drawn_operation(d: random.Random, what: str, n: int, at: str, model: AfterTheSale) -> Iterator[dict]:
    sales = [*model.sales.values()]
    if what == "sale":
        yield {"do": "process", "event": drawn_sale(d, n, at)}
    elif what == "return" and sales:
        sale = d.choice(sales)
        yield {"do": "process", "event": drawn_return(d, n, at, sale["doc"])}
    elif what == "amend":
        yield {"do": "process", "event": drawn_amendment(d, n, at, d.choice(sales)["doc"])}
    elif what in ("spend", "hold"):
        currency = d.choice([*model.document["currencies"]])
        has = model.balance(("member", "anna"), currency, instant(at))["available"]
        amount = d.choice([Fraction(int(has)), Fraction(int(has / 2)), Fraction(10), Fraction(25)])
        if amount > 0:
            row = {"do": what, "member": "anna", "currency": currency, "amount": text(amount), "at": at}
            event = d.choice([f"B{n}", *(sale["id"] for sale in sales)]) if what == "spend" else f"H{n}"
            until = instant(at) + timedelta(hours=d.choice([2, 30]))
            yield row | {"event": event} | ({"until": until.isoformat()} if what == "hold" else {})
    elif what == "undo" and model.spends:
        spend = d.choice([*model.spends.values()])
        left = spend["amount"] - spend["undone"]
        row = {"do": "undo_spend", "spend": spend["key"], "event": f"U{n}", "at": at}
        if d.random() < 0.5:
            row["amount"] = text(max(Fraction(int(left / 2)), Fraction(1)))
        if left > 0:
            yield row
    elif what == "redeem":
        key = d.choice([c["key"] for c in model.coupons.values()])
        event = d.choice([f"B{n}", *(sale["id"] for sale in sales)])
        yield {"do": "redeem", "coupon": key, "event": event, "at": at}
    elif what in ("settle", "expire"):
        yield {"do": what, "at": at}
    elif what == "confirm":
        promises = [
            i for i in model.issues.values() if i["intent"]["release"] and i["intent"]["release"]["type"] == "external"
        ]
        if promises:
            event = {"type": "confirmation", "id": f"C{n}", "occurred_at": at, "promise": d.choice(promises)["key"]}
            event["outcome"] = d.choice(["issue", "issue", "cancel"])
            if event["outcome"] == "issue" and d.random() < 0.5:
                event["amount"] = d.choice(["5", "20"])
            yield {"do": "process", "event": event}
    elif what == "update" and sales:
        sale = d.choice(sales)["doc"]
        event = {"type": "update", "id": f"U{n}", "occurred_at": at, "of": sale["id"], "status": "shipped"}
        if sale.get("lines") and d.random() < 0.6:
            event["lines"] = [{"id": d.choice(sale["lines"])["id"], "quantity": "1"}]
        yield {"do": "process", "event": event}
    elif what in ("capture", "release") and model.holds:
        name = d.choice([*model.holds])
        row = {
            "do": what,
            "hold": f"shop/{name}/hold/{model.holds[name]['currency']}",
            "name": name,
            "at": at,
            "event": f"K{n}",
        }
        if what == "capture" and d.random() < 0.3:
            row["amount"] = "5"
        yield row


def drawn_amendment(d: random.Random, n: int, at: str, sale: dict) -> dict:
    event = {"type": "amendment", "id": f"A{n}", "occurred_at": at, "of": sale["id"]}
    if d.random() < 0.2:
        event["member"] = {"id": d.choice(MEMBERS)}
        return event
    bill = number(sale["amount"])
    if sale.get("lines") and d.random() < 0.6:
        lines = [dict(line) for line in sale["lines"]]
        line = d.choice(lines)
        more = Fraction(d.choice([10, 30, -5, -10]))
        more = max(more, -number(line["value"]))
        line["value"] = text(number(line["value"]) + more)
        event["lines"] = lines
        event["amount"] = text(max(bill + more, Fraction(0)))
    else:
        event["amount"] = text(max(bill + d.choice([10, 40, -10, -40]), Fraction(1)))
    return event


# --- both sides -----------------------------------------------------------------------------------------------------


def on_model(model: AfterTheSale, step: dict) -> dict:
    what = step["do"]
    at = instant(step["at"]) if "at" in step else None
    amount = number(step["amount"]) if step.get("amount") is not None else None
    if what == "process":
        return model.process(step["event"])
    if what == "spend":
        return model.spend(step["member"], step["currency"], amount, step["event"], at)
    if what == "undo_spend":
        return model.undo_spend(step["spend"], amount, at)
    if what == "redeem":
        return model.redeem(step["coupon"], step["event"], at)
    if what == "hold":
        return model.hold(step["member"], step["currency"], amount, instant(step["until"]), step["event"], at)
    if what == "capture":
        return model.capture(step["name"], amount, step["event"], at)
    if what == "release":
        return model.let_hold_go(step["name"], at)
    if what == "settle":
        return model.settle(at)
    model.end_holds(at)
    return {"status": "recorded"}


def on_ledger(ledger: object, program: object, serials: object, model: AfterTheSale, step: dict) -> object:
    what = step["do"]
    at = datetime.fromisoformat(step["at"]) if "at" in step else None
    amount = Decimal(step["amount"]) if step.get("amount") is not None else None
    anna = Account("member", step.get("member", "anna"))
    if what == "process":
        return ledger.process(program, lr.load_event(step["event"]), serials=serials)
    if what == "spend":
        given = {"account": anna, "member": step["member"], "currency": step["currency"], "amount": amount}
        return ledger.spend(program=program, **given, event=step["event"], at=at)
    if what == "undo_spend":
        return ledger.undo_spend(program=program, spend=step["spend"], event=step["event"], at=at, amount=amount)
    if what == "redeem":
        bill = {
            "type": "transaction",
            "id": step["event"],
            "occurred_at": step["at"],
            "amount": "200",
            "member": {"id": "anna"},
        }
        code = next(c.issue.serial for c in ledger.report_rows("shop", FAR).coupons if c.key == step["coupon"])
        return ledger.redeem(program=program, code=code, transaction=lr.load_event(bill))
    if what == "hold":
        given = {
            "account": anna,
            "currency": step["currency"],
            "amount": amount,
            "until": datetime.fromisoformat(step["until"]),
        }
        return ledger.hold(program=program, **given, event=step["event"], at=at)
    if what == "capture":
        return ledger.capture(program=program, hold=step["hold"], amount=amount, event=step["event"], at=at)
    if what == "release":
        return ledger.release(program=program, hold=step["hold"], event=step["event"], at=at)
    return getattr(ledger, what)(program=program, at=at)


def plain(result: object) -> dict:
    """Return what a ledger gave in the words of the model."""
    receipts = [*result] if isinstance(result, (list, tuple)) else [result]
    out: dict = {
        "status": "recorded",
        "reversed": {},
        "undone": {},
        "voided": Counter(),
        "used": [],
        "issued": defaultdict(Fraction),
        "released": {},
    }
    for receipt in receipts:
        refusal = getattr(receipt, "refusal", None) or (receipt if type(receipt).__name__ == "Refusal" else None)
        if refusal is not None:
            return {"status": "refused", "reasons": sorted(refusal.reasons)}
        out["status"] = receipt.status
        for intent in receipt.intents:
            note(out, intent)
        out["used"] += [each.coupon for each in getattr(receipt, "unrecovered", ()) if hasattr(each, "coupon")]
    return {**out, "voided": dict(out["voided"]), "issued": dict(out["issued"]), "used": sorted(out["used"])}


def note(out: dict, intent: object) -> None:
    kind = intent.type
    if kind == "reverse_currency":
        out["reversed"][intent.issue] = (Fraction(intent.amount), Fraction(intent.shortfall))
    elif kind == "undo_spend":
        back = (
            sum((Fraction(draw.amount) for draw in intent.draws), Fraction(0)),
            sum((Fraction(x.amount) for x in intent.expired), Fraction(0)),
        )
        out["undone"][intent.spend] = back
    elif kind == "void_coupon":
        out["voided"][intent.coupon] += 1
    elif kind == "issue_currency":
        out["issued"]["group" if intent.group else "member", intent.group or intent.member, intent.currency] += (
            Fraction(intent.amount)
        )
    elif kind == "issue_coupon":
        out["issued"]["coupon", intent.coupon_type] += 1
    elif kind == "release_promise":
        out["released"][intent.promise] = out["released"].get(intent.promise, Fraction(0)) + Fraction(intent.amount)


def differences(wanted: dict, got: dict) -> Iterator[str]:
    if (wanted["status"], wanted.get("reasons")) != (got["status"], got.get("reasons")):
        mine, theirs = (f"{side['status']} {side.get('reasons')}" for side in (wanted, got))
        yield f"status: the model says {mine}, the ledger {theirs}"
        return
    for key in ("reversed", "undone", "voided", "used", "issued", "released"):
        own = wanted.get(key) or ([] if key == "used" else {})
        if key == "issued":
            own = {(*k[0], k[1]) if isinstance(k[0], tuple) else k: v for k, v in own.items() if v}
        if key == "voided":
            own, there = sum(own.values()), sum(got.get(key, {}).values())
        else:
            there = got.get(key) or type(own)()
        if own != there and got["status"] == "recorded":
            yield f"{key}: the model says {shown(own)}, the ledger {shown(there)}"


def shown(value: object) -> str:
    if isinstance(value, Fraction):
        return text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    return str(value)


def states(ledger: object, program: object, model: AfterTheSale, at: datetime) -> Iterator[str]:
    """Yield where the two differ in what they hold as of an instant."""
    model.end_holds(at)
    for member in MEMBERS:
        for currency in model.document["currencies"]:
            account = Account("member", member)
            balance = ledger.balance("shop", account, currency, at)
            own = model.balance(("member", member), currency, at)
            there = {key: Fraction(getattr(balance, key)) for key in own}
            if own != there:
                yield f"balance of {member} in {currency}: the model says {shown(own)}, the ledger {shown(there)}"
            days: dict = defaultdict(Fraction)
            for lot in ledger.lots("shop", account, currency, at):
                if lot.is_live(at) and lot.outstanding:
                    days[str(lot.expires_on or "never")] += Fraction(lot.outstanding)
            wanted = model.by_day(("member", member), currency, at)
            if wanted != dict(days):
                yield f"lots of {member} in {currency}: the model says {shown(wanted)}, the ledger {shown(dict(days))}"
        probe = {
            "type": "transaction",
            "id": "probe",
            "occurred_at": at.isoformat(),
            "amount": "0",
            "store": "S1",
            "member": {"id": member},
            "lines": PROBED,
        }
        yield from snapshots(
            lr.load_snapshot(model.snapshot(probe)), ledger.snapshot(program, lr.load_event(probe)), member
        )
    records = {record.key: record.state_at(at) for record in ledger.report_rows("shop", at).coupons}
    own_states = {key: model.coupon_state(coupon, at) for key, coupon in model.coupons.items()}
    counted = [
        Counter((key.rpartition("/")[0], state) for key, state in side.items()) for side in (own_states, records)
    ]
    if counted[0] != counted[1]:
        yield f"coupons: the model says {own_states}, the ledger {records}"


def snapshots(own: object, there: object, member: str) -> Iterator[str]:
    for part in ("trackers", "limits"):
        mine = {key: value for key, value in getattr(own, part).items() if value}
        theirs = {key: value for key, value in getattr(there, part).items() if value}
        if mine != theirs:
            yield f"{part} of {member}: the model says {mine}, the ledger {theirs}"
    for name, issued in own.issued.items():
        other = there.issued.get(name)
        for per in ("member", "total"):
            one, two = getattr(issued, per, None), getattr(other, per, None)
            if (
                one is not None
                and two is not None
                and (one.amount, one.times) != (two.amount, two.times)
                and two.amount is not None
            ):
                yield f"issued {name} {per} for {member}: the model says {one}, the ledger {two}"


class Replay:
    """One history, on the model and on a ledger, until the first difference."""

    def __init__(
        self, document: dict, ledger: object, serials: object, model: type[AfterTheSale] = AfterTheSale
    ) -> None:
        self.model = model(document, serials)
        self.ledger, self.serials = ledger, serials
        self.program = self.model.program
        self.now = START

    def step(self, step: dict) -> list[str]:
        wanted = on_model(self.model, step)
        try:
            got = plain(on_ledger(self.ledger, self.program, self.serials, self.model, step))
        except IdempotencyConflict:
            got = {"status": "conflict"}
        found = [*differences(wanted, got)]
        if found:
            return found
        at = instant(step.get("at") or step["event"]["occurred_at"])
        self.now = max(self.now, at + timedelta(seconds=1))
        return [*states(self.ledger, self.program, self.model, self.now)]

    def end(self) -> list[str]:
        found = [f"check_invariants: {each}" for each in self.ledger.check_invariants()]
        verify = getattr(self.ledger, "verify", tuple)
        return found + [f"verify: {each}" for each in verify()]


def first_difference(
    document: dict, steps: list[dict], ledger: object, serials: object, model: type[AfterTheSale] = AfterTheSale
) -> list[str]:
    replay = Replay(document, ledger, serials, model)
    for number_, step in enumerate(steps):
        if found := replay.step(step):
            return [f"step {number_}: {each}" for each in found]
    return replay.end()


def drawn(
    seed: int, features: set[str], ledger: object, serials: object, model: type[AfterTheSale] = AfterTheSale
) -> tuple:
    """Return a program, the steps of a history of it, and the first differences found."""
    d = random.Random(seed)
    document = drawn_program(d)
    replay = Replay(document, ledger, serials, model)
    steps = []
    for step in drawn_history(d, replay.model, features):
        steps.append(json.loads(json.dumps(step)))
        if found := replay.step(step):
            return document, steps, found
    return document, steps, replay.end()
