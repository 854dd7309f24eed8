"""The bookings after the sale, a second time: plain dicts, written from the text of the spec alone.

The engine says what a sale, or the rest of one, earns (``interpreter`` checks that). Everything else is worked
out here: what came back, what is due, from where it is taken, what was short, who gets what back, and which
counters and trackers move. Numbers are fractions, time is a list of moves with an instant each.

Readings: the decisions of this file if the spec is silent or ambiguous.

- Of several issues of one action the newest gives first, and of several lots of one issue the soonest to end.
- A settlement releases each promise as of its own instant.
- Issues give their own units from the last in the document to the first, and then take those of other lots from the
  first to the last.
- An extension moves the lots that are recorded by then; it is not decided again for those that come late.
- A promise that is cancelled or lapses gives its counters back at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import loyalty_rules as lr

ZERO = Fraction(0)
EVER = datetime.max.replace(tzinfo=UTC)


class Refused(Exception):
    """All reasons that apply, as the argument."""


def number(value: object) -> Fraction:
    return ZERO if value is None else Fraction(str(value))


def held(value: Fraction) -> Fraction:
    """Return a number at 6 decimals: "half up", and "by magnitude" below zero."""
    sign = -1 if value < 0 else 1
    return sign * Fraction(floor(abs(value) * 10**6 + Fraction(1, 2)), 10**6)


def down(value: Fraction, decimals: int) -> Fraction:
    return Fraction(floor(value * 10**decimals), 10**decimals)


def text(value: Fraction) -> str:
    whole = f"{abs(value.numerator) * 10**6 // value.denominator:07d}"
    digits = f"{whole[:-6]}.{whole[-6:]}".rstrip("0").rstrip(".")
    return f"-{digits}" if value < 0 else digits


def decimals_of(value: Fraction) -> int:
    return next(n for n in range(7) if (value * 10**n).denominator == 1)


def instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


class AfterTheSale:
    """One program, and all that happened under it, as of any instant."""

    def __init__(self, document: dict, serials: object) -> None:
        self.document = document
        self.program = lr.load_program(document)
        self.serials = serials
        self.zone = ZoneInfo(document["time_zone"])
        self.sales: dict[str, dict] = {}
        self.issues: dict[str, dict] = {}
        self.lots: list[dict] = []
        self.shorts: list[dict] = []
        self.spends: dict[str, dict] = {}
        self.holds: dict[str, dict] = {}
        self.coupons: dict[str, dict] = {}
        self.extensions: list[dict] = []
        self.contributions: list[dict] = []
        self.places = {
            (promotion["id"], action["id"]): (place, action)
            for place, (promotion, action) in enumerate(
                (promotion, action) for promotion in document["promotions"] for action in promotion["actions"]
            )
        }

    # --- time ---------------------------------------------------------------------------------------------------

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def midnight_after(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(0), self.zone).astimezone(UTC)

    def last_day(self, lot: dict, at: datetime) -> date | None:
        """Return the last day of a lot as of an instant, with every extension that it lived to see."""
        day = lot["day"]
        for extension in sorted(self.extensions, key=lambda each: each["at"]):
            if extension["account"] != lot["account"] or extension["currency"] != lot["currency"]:
                continue
            if extension["at"] > at or extension["at"] < lot["at"] or day is None:
                continue
            if lot["order"] >= extension["lots"]:
                continue
            if extension["scope"] == "rolling_lots" and not lot["rolling"]:
                continue
            if extension["at"] < self.midnight_after(day):
                day = max(day, extension["day"])
                day = min(day, lot["by"]) if lot["by"] else day
        return day

    def is_live(self, lot: dict, at: datetime) -> bool:
        day = self.last_day(lot, at)
        return lot["at"] <= at and (day is None or at < self.midnight_after(day))

    @staticmethod
    def standing(moves: list, at: datetime) -> Fraction:
        return sum((amount for when, amount in moves if when <= at), ZERO)

    @classmethod
    def free(cls, moves: list, at: datetime) -> Fraction:
        """Return "what was there at its instant and at every later one"."""
        instants = {at, *(when for when, _ in moves if when > at)}
        return max(ZERO, min(cls.standing(moves, when) for when in instants))

    def live_lots(self, account: tuple, currency: str, at: datetime) -> list[dict]:
        """Return the live lots, "soonest expiry first, never-expiring lots last, then in the order of issue"."""
        lots = [lot for lot in self.lots if (lot["account"], lot["currency"]) == (account, currency)]
        lots = [lot for lot in lots if self.is_live(lot, at)]
        return sorted(lots, key=lambda lot: (self.last_day(lot, at) or date.max, lot["order"]))

    def balance(self, account: tuple, currency: str, at: datetime) -> dict:
        issues = [i for i in self.issues.values() if (i["account"], i["currency"]) == (account, currency)]
        lots = self.live_lots(account, currency, at)
        holds = [h for h in self.holds.values() if (h["account"], h["currency"]) == (account, currency)]
        return {
            "available": sum((self.standing(lot["moves"], at) for lot in lots), ZERO),
            "promised": sum((self.standing(issue["promised"], at) for issue in issues), ZERO),
            "debt": self.debt(account, currency),
            "held": sum((hold["left"] for hold in holds if at < hold["until"]), ZERO),
        }

    def by_day(self, account: tuple, currency: str, at: datetime) -> dict:
        days: dict = defaultdict(Fraction)
        for lot in self.live_lots(account, currency, at):
            days[str(self.last_day(lot, at) or "never")] += self.standing(lot["moves"], at)
        return {day: amount for day, amount in days.items() if amount}

    def debt(self, account: tuple, currency: str) -> Fraction:
        return sum((s["open"] for s in self.open_shorts(account, currency) if s["carried"]), ZERO)

    def open_shorts(self, account: tuple, currency: str) -> list[dict]:
        return [s for s in self.shorts if (s["account"], s["currency"]) == (account, currency) and s["open"]]

    # --- what a sale sees -----------------------------------------------------------------------------------------

    def window_sum(self, window: dict | None, day: date, rows: list[tuple[date, Fraction]], cap: bool) -> Fraction:
        """Return the sum in the window of a day; for a cap "the fullest sum over the windows D … D+N-1"."""
        kind = (window or {}).get("type", "lifetime")
        if kind == "lifetime":
            return sum((value for _, value in rows), ZERO)
        if kind == "calendar":
            return sum((value for when, value in rows if same_unit(when, day, window["unit"])), ZERO)
        length = timedelta(days=window["days"] - 1)
        ends = [day + timedelta(days=n) for n in range(window["days"])] if cap else [day]
        return max(sum((v for when, v in rows if end - length <= when <= end), ZERO) for end in ends)

    def snapshot(self, event: dict, without: str | None = None) -> dict:
        """Return trackers, counters and balances "of the windows that hold the event, before it"."""
        day = self.day(instant(event["occurred_at"]))
        member = (event.get("member") or {}).get("id")
        drawn: dict = {"trackers": {}, "issued": {}, "limits": {}, "coupons": {}, "balances": {}}
        for name, tracker in (self.document.get("trackers") or {}).items():
            rows = [(c["day"], c["value"] - c["back"]) for c in self.contributions if c["tracker"] == name]
            mine = [
                (c["day"], c["value"] - c["back"])
                for c in self.contributions
                if (c["tracker"], c["member"]) == (name, member) and c["sale"] != without
            ]
            drawn["trackers"][name] = (
                text(self.window_sum(tracker.get("window"), day, mine, cap=False)) if rows else "0"
            )
        issues = [issue for issue in self.issues.values() if issue["sale"] != without]
        for (promotion, action), (_, what) in self.places.items():
            caps = what.get("caps") or {}
            own = [i for i in issues if (i["promotion"], i["action"]) == (promotion, action)]
            counts = {}
            for per in ("member", "total"):
                cap = caps.get("per_member" if per == "member" else "total")
                if cap:
                    rows = [i for i in own if per == "total" or i["earner"] == member]
                    counts[per] = self.counted(cap, day, rows)
            if counts:
                drawn["issued"][f"{promotion}/{action}"] = counts
        for name, limit in (self.document.get("limits") or {}).items():
            rows = [i for i in issues if i["currency"] == limit["currency"]]
            if limit["per"] == "member":
                rows = [i for i in rows if i["earner"] == member]
            if limit["per"] == "store":
                rows = [i for i in rows if i["store"] == event.get("store")]
            amounts = [(i["event_day"], kept(i)) for i in rows]
            drawn["limits"][name] = text(self.window_sum(limit.get("window"), day, amounts, cap=True))
        for name in self.document.get("coupon_types") or {}:
            rows = [c for c in self.coupons.values() if c["type"] == name and c["state"] != "voided"]
            rows = [c for c in rows if c["sale"] != without]
            mine = [c for c in rows if c["member"] == member]
            drawn["coupons"][name] = {"member": len(mine), "total": len(rows)}
        for name in self.document["currencies"] if member else ():
            has = self.balance(("member", member), name, instant(event["occurred_at"]))
            drawn["balances"][name] = text(has["available"] - has["debt"])
        return drawn

    def counted(self, cap: dict, day: date, issues: list[dict]) -> dict:
        amounts = [(i["event_day"], kept(i)) for i in issues]
        once = {(i["sale"], i["earner"]): i["event_day"] for i in issues if kept(i) > 0}
        times = [(day_, Fraction(1)) for day_ in once.values()]
        if "times" in cap:
            return {"times": int(self.window_sum(cap.get("window"), day, times, cap=True))}
        return {"amount": text(self.window_sum(cap.get("window"), day, amounts, cap=True))}

    # --- the sale ---------------------------------------------------------------------------------------------------

    def process(self, event: dict) -> dict:
        """Return what an event gave: ``status``, ``reasons``, and sums of what was moved."""
        try:
            return {"status": "recorded", **getattr(self, f"on_{event['type']}", self.on_transaction)(event)}
        except Refused as refused:
            return {"status": "refused", "reasons": sorted(refused.args[0])}

    def on_transaction(self, event: dict) -> dict:
        at = instant(event["occurred_at"])
        self.end_holds(at)
        snapshot = self.snapshot(event)
        sale = {"doc": event, "at": at, "snapshot": snapshot, "returns": [], "id": event["id"]}
        sale |= {"base": number(event.get("amount")), "lowered": ZERO}
        self.sales[event["id"]] = sale
        issued: dict = defaultdict(Fraction)
        for intent in self.intents(event, snapshot):
            self.book(sale, intent, at, issued)
        return {"issued": dict(issued)}

    def intents(self, event: dict, snapshot: dict) -> list[dict]:
        evaluation = self.program.evaluate(lr.load_event(event), lr.load_snapshot(snapshot), serials=self.serials)
        return lr.dump(evaluation)["intents"]

    def book(self, sale: dict, intent: dict, at: datetime, issued: dict) -> None:
        kind = intent["type"]
        if kind == "issue_currency":
            issued[account_of(intent), intent["currency"]] += number(intent["amount"])
            self.add_issue(sale, intent, at)
        elif kind == "issue_coupon":
            issued["coupon", intent["coupon_type"]] += 1
            self.add_coupon(sale, intent)
        elif kind == "extend_expiry":
            where = {"account": account_of(intent), "currency": intent["currency"], "at": at}
            self.extensions.append(
                where
                | {"day": date.fromisoformat(intent["expires_on"]), "scope": intent["scope"], "lots": len(self.lots)}
            )
        elif kind == "advance_tracker":
            row = {"tracker": intent["tracker"], "member": intent["member"], "sale": sale["id"]}
            row |= {"day": self.day(sale["at"]), "value": number(intent["value"]), "back": ZERO}
            self.contributions.append(row)

    def add_issue(self, sale: dict, intent: dict, at: datetime) -> None:
        amount = number(intent["amount"])
        place, action = self.places[intent["promotion"], intent["action"]]
        issue = {
            "key": intent["key"],
            "sale": sale["id"],
            "promotion": intent["promotion"],
            "action": intent["action"],
            "place": place,
            "policy": action.get("on_return") or "recompute",
            "account": account_of(intent),
            "earner": intent["member"],
            "store": sale["doc"].get("store"),
            "currency": intent["currency"],
            "amount": amount,
            "promised": [],
            "taken": ZERO,
            "counted": ZERO,
            "ended": ZERO,
            "counted_ended": ZERO,
            "released": ZERO,
            "delivered": defaultdict(Fraction),
            "event_day": self.day(sale["at"]),
            "due_at": instant(intent["due_at"]) if intent["due_at"] else None,
            "intent": intent,
            "order": len(self.issues),
            "lots": [],
        }
        self.issues[issue["key"]] = issue
        if intent["state"] == "promised":
            issue["promised"].append((at, amount))
        else:
            self.add_lot(issue, at, amount, intent["expires_on"], intent["expires_by"])

    def add_lot(self, issue: dict, at: datetime, amount: Fraction, day: str | None, by: str | None) -> None:
        """Add live units: "new units pay a debt first", the oldest first."""
        expiry = self.places[issue["promotion"], issue["action"]][1]["expiry"]
        lot = {"issue": issue, "account": issue["account"], "currency": issue["currency"], "at": at}
        lot |= {"day": date.fromisoformat(day) if day else None, "by": date.fromisoformat(by) if by else None}
        lot |= {"rolling": expiry["type"] == "rolling", "order": len(self.lots), "moves": [(at, amount)]}
        self.lots.append(lot)
        issue["lots"].append(lot)
        self.pay(lot, at, amount)

    def pay(self, lot: dict, at: datetime, amount: Fraction) -> Fraction:
        for short in self.open_shorts(lot["account"], lot["currency"]):
            if short["carried"]:
                paid = min(short["open"], amount)
                short["open"] -= paid
                amount -= paid
                lot["moves"].append((at, -paid))
        return amount

    def add_coupon(self, sale: dict, intent: dict) -> None:
        place, action = self.places[intent["promotion"], intent["action"]]
        self.coupons[intent["key"]] = {
            "key": intent["key"],
            "sale": sale["id"],
            "type": intent["coupon_type"],
            "member": intent["member"],
            "place": place,
            "policy": action.get("on_return") or "void_if_unredeemed",
            "state": "issued",
            "serial": intent["serial"],
            "start": instant(intent["valid_from"]),
            "end": instant(intent["expires_at"]) if intent["expires_at"] else None,
            "due": False,
            "redeemed": None,
            "order": len(self.coupons),
        }

    def coupon_state(self, coupon: dict, at: datetime) -> str:
        if coupon["state"] == "issued" and coupon["end"] is not None and at >= coupon["end"]:
            return "expired"
        return coupon["state"]

    # --- what came back -------------------------------------------------------------------------------------------

    def on_return(self, event: dict) -> dict:
        at = instant(event["occurred_at"])
        sale = self.sales.get(event["of"])
        if sale is None:
            raise Refused(["unknown_sale"])
        reasons = {"too_early"} if at < sale["at"] else set()
        known = {line["id"] for line in sale["doc"].get("lines") or []}
        if any(line["id"] not in known for line in event.get("lines") or []):
            reasons.add("unknown_line")
        if is_too_much(sale["doc"], [*sale["returns"], event]):
            reasons.add("more_than_bought")
        if reasons:
            raise Refused(reasons)
        self.end_holds(at)
        sale["returns"].append(event)
        return self.change(sale, at, event["id"])

    def rest(self, sale: dict) -> tuple[dict, bool, Fraction]:
        """Return what stays of a sale, whether it wholly came back, and the part of the bill that did."""
        doc, returns = sale["doc"], sale["returns"]
        if "amount" not in doc:
            return doc, bool(returns), Fraction(bool(returns))
        bill = number(doc["amount"])
        amount = sum((number(each.get("amount")) for each in returns), ZERO)
        lines = doc.get("lines") or []
        plain = [each for each in returns if not each.get("lines")]
        spread = sum((part_of(each, doc) for each in plain), ZERO)
        rest = dict(doc, lines=[each for line in lines if (each := self.rest_of(line, returns, spread)) is not None])
        rest["amount"] = text(held(bill - amount))
        whole_lines = bool(lines) and all(came_back(line, returns, spread)[1] for line in lines)
        if bill > 0:
            wholly = amount >= most_back(doc) or whole_lines
        else:
            wholly = (whole_lines and bool(returns)) or bool(plain)
        for part in ("tax", "shipping", "tip"):
            if doc.get(part) is not None:
                back = sum((self.part_back(part, each, doc) for each in returns), ZERO)
                rest[part] = text(number(doc[part]) - held(min(number(doc[part]), back)))
        if doc.get("tenders"):
            rest["tenders"] = tenders_left(doc, returns)
        share = min(Fraction(1), amount / bill) if bill > 0 else Fraction(wholly)
        return rest, wholly, share

    def rest_of(self, line: dict, returns: list[dict], spread: Fraction) -> dict | None:
        quantity, value = number(line["quantity"]), value_of(line)
        named = [each for back in returns for each in back.get("lines") or [] if each["id"] == line["id"]]
        part, _ = came_back(line, returns, spread)
        quantity_back = held(min(Fraction(1), part) * quantity)
        value_back = spread * value
        for each in named:
            value_back += (
                number(each["amount"])
                if each.get("amount") is not None
                else value * number(each["quantity"]) / quantity
            )
        value_back = min(value, held(value_back)) if value >= 0 else max(value, held(value_back))
        rest = dict(line, quantity=text(quantity - quantity_back), value=text(value - value_back))
        if quantity == quantity_back and value == value_back:
            return None
        for name in ("discount", "tax"):
            if line.get(name) is not None:
                rest[name] = text(number(line[name]) - held(min(Fraction(1), part) * number(line[name])))
        fields = dict(line.get("extended_fields") or {})
        for name in fields:
            says = [each for each in named if name in (each.get("extended_fields") or {})]
            if name in self.read_fields() or says:
                back = spread * number(fields[name])
                for each in named:
                    own = (each.get("extended_fields") or {}).get(name)
                    back += (
                        number(own) if own is not None else number(fields[name]) * number(each["quantity"]) / quantity
                    )
                fields[name] = text(number(fields[name]) - held(min(back, number(fields[name]))))
        if fields:
            rest["extended_fields"] = fields
        return rest

    def read_fields(self) -> set[str]:
        found: set[str] = set()

        def walk(node: object) -> None:
            if isinstance(node, dict):
                if node.get("type") == "line_item_extended_field":
                    found.add(node["field"])
                for each in node.values():
                    walk(each)
            elif isinstance(node, list):
                for each in node:
                    walk(each)

        walk(self.document)
        return found

    @staticmethod
    def part_back(part: str, event: dict, doc: dict) -> Fraction:
        """Return how much of tax, shipping or tip one return brought back: the table of section 11."""
        if event.get(part) is not None:
            return number(event[part])
        lines = doc.get("lines") or []
        if part == "tax" and lines and all(line.get("tax") is not None for line in lines) and event.get("lines"):
            back = {each["id"]: number(each["quantity"]) for each in event["lines"]}
            return sum((number(x["tax"]) * back.get(x["id"], ZERO) / number(x["quantity"]) for x in lines), ZERO)
        if part != "tax" and event.get("lines"):
            return ZERO
        return number(doc[part]) * part_of(event, doc)

    # --- what is due ------------------------------------------------------------------------------------------------

    def change(self, sale: dict, at: datetime, event: str, *, amended: bool = False) -> dict:
        """Book the difference between what a sale has given and what its present state earns."""
        rest, wholly, share = self.rest(sale)
        undone = {} if amended else self.give_back(sale, at, wholly, share)
        snapshot = dict(sale["snapshot"])
        if amended:  # "rules see the frozen snapshot, caps the present counters of the sale's windows"
            now = self.snapshot(sale["doc"], without=sale["id"])
            snapshot |= {part: now[part] for part in ("issued", "limits", "coupons")}
        intents = [] if wholly else self.intents(rest, snapshot)
        issues = [issue for issue in self.issues.values() if issue["sale"] == sale["id"]]
        if amended:
            came_back = sale["is_lowered"]  # "downward it is as a return"
        else:
            came_back = True
        returned = sum((number(each.get("amount")) for each in sale["returns"]), ZERO)
        part = (sale["lowered"] + returned) / sale["base"] if sale["base"] else Fraction(wholly)
        dues = self.dues(issues, intents, wholly, part if came_back else ZERO, came_back=came_back)
        if sale.get("moved"):
            left = {i["key"]: i["amount"] - i["taken"] for i in issues if i["earner"] in sale["moved"]}
            dues = {key: due for key, due in (dues | left).items() if due}
        reversed_ = self.take(sale, dues, at)
        voided, used = self.take_coupons(sale, intents, wholly, at, came_back)
        for key, value in self.tracked(sale).items():
            now = ZERO if wholly else awarded_by(intents, key)
            self.contribute(sale, key, min(ZERO, now - value))
        issued: dict = defaultdict(Fraction)
        if amended and not wholly:
            self.issue_more(sale, intents, at, event, issued)
        return {"reversed": reversed_, "undone": undone, "voided": voided, "used": used, "issued": dict(issued)}

    def dues(self, issues: list, intents: list, wholly: bool, share: Fraction, *, came_back: bool) -> dict:
        """Return what is newly due of each issue, by the policy of its action."""
        dues: dict = {}
        for issue in issues:
            if (issue["policy"] == "reverse" and came_back) or (wholly and issue["policy"] != "keep"):
                dues[issue["key"]] = issue["amount"] - issue["taken"]
            elif issue["policy"] == "proportional":
                unit = max(
                    self.document["currencies"][issue["currency"]].get("decimals", 0), decimals_of(issue["amount"])
                )
                dues[issue["key"]] = max(ZERO, down(issue["amount"] * share, unit) - issue["taken"])
        pools = defaultdict(list)
        for issue in issues:
            if issue["policy"] == "recompute" and not wholly:
                pools[issue["account"], issue["currency"]].append(issue)
        for pool, members in pools.items():
            dues |= self.recomputed(pool, members, issues, intents)
        return {key: due for key, due in dues.items() if due > 0}

    def recomputed(self, pool: tuple, members: list, issues: list, intents: list) -> dict:
        """Return the dues of a pool: "due = issued - rest, held between what was taken before and what was issued"."""
        rest = self.rest_of_pool(pool, issues, intents)
        issued = sum((issue["amount"] for issue in members), ZERO)
        taken = sum((issue["taken"] for issue in members), ZERO)
        newly = min(max(issued - sum(rest.values(), ZERO), taken), issued) - taken
        dues: dict = {}
        for place in sorted({issue["place"] for issue in members}, reverse=True):
            own = [issue for issue in members if issue["place"] == place]
            loss = sum((i["amount"] - i["taken"] for i in own), ZERO) - rest.get(place, ZERO)
            given = max(ZERO, min(newly, loss))
            newly -= given
            for issue in sorted(own, key=lambda each: -each["order"]):
                dues[issue["key"]] = min(given, issue["amount"] - issue["taken"])
                given -= dues[issue["key"]]
        return dues

    def rest_of_pool(self, pool: tuple, issues: list, intents: list) -> dict[int, Fraction]:
        """Return, by action, what the rest earns for a pool: recompute actions, and those that issued nothing."""
        gave = {issue["place"] for issue in issues}
        rest: dict[int, Fraction] = defaultdict(Fraction)
        for intent in intents:
            if intent["type"] == "issue_currency" and (account_of(intent), intent["currency"]) == pool:
                place, action = self.places[intent["promotion"], intent["action"]]
                if (action.get("on_return") or "recompute") == "recompute" or place not in gave:
                    rest[place] += number(intent["amount"])
        return rest

    # --- where it is taken from -------------------------------------------------------------------------------------

    def take(self, sale: dict, dues: dict, at: datetime) -> dict:
        """Take what is due: each issue gives its own units, then other lots give, and what is left is short."""
        ordered = sorted(dues, key=lambda key: (-self.issues[key]["place"], -self.issues[key]["order"]))
        left = {key: self.take_own(self.issues[key], dues[key], at) for key in ordered}
        result = {}
        for key in reversed(ordered):
            issue = self.issues[key]
            issue["taken"] += dues[key]
            short = left[key]
            for lot in self.live_lots(issue["account"], issue["currency"], at):
                short -= self.draw(lot["moves"], short, at)
            if short:
                carried = self.document.get("shortfall") == "carry"
                row = {"issue": key, "account": issue["account"], "currency": issue["currency"]}
                self.shorts.append(row | {"open": short, "carried": carried, "at": at})
            result[key] = (dues[key], short)
        return result

    def take_own(self, issue: dict, due: Fraction, at: datetime) -> Fraction:
        """Take the promise first, live units of the issue, then count those that have ended; return what is left."""
        due -= self.draw(issue["promised"], due, at)
        for lot in issue["lots"]:  # of a late return: what was a promise then, and has been released since
            if lot["at"] > at:
                released = self.draw(lot["moves"], due, lot["at"])
                issue["promised"] += [(at, -released), (lot["at"], released)]
                due -= released
        lots = sorted(issue["lots"], key=lambda lot: (self.last_day(lot, at) or date.max, lot["order"]))
        for lot in lots:
            if self.is_live(lot, at):
                due -= self.draw(lot["moves"], due, at)
        dead = sum((self.standing(lot["moves"], EVER) for lot in lots if not self.is_live(lot, at)), ZERO)
        counts = max(ZERO, min(due, dead - issue["counted"]))
        issue["counted"] += counts
        ended = min(due - counts, issue["ended"] - issue["counted_ended"])
        issue["counted_ended"] += ended
        return due - counts - ended

    def draw(self, moves: list, wanted: Fraction, at: datetime) -> Fraction:
        given = min(wanted, self.free(moves, at))
        if given:
            moves.append((at, -given))
        return given

    # --- what it was paid with --------------------------------------------------------------------------------------

    def give_back(self, sale: dict, at: datetime, wholly: bool, share: Fraction) -> dict:
        """Return the spends that are undone, "before anything is taken"."""
        how = self.document.get("give_back") or "whole"
        undone: dict = {}
        if how == "never":
            return undone
        for spend in [s for s in self.spends.values() if s["event"] == sale["id"] and s["at"] <= at]:
            unit = self.document["currencies"][spend["currency"]].get("decimals", 0)
            target = (
                spend["amount"] if wholly else down(spend["amount"] * share, unit) if how == "proportional" else ZERO
            )
            if target > spend["undone"]:
                undone[spend["key"]] = self.undo(spend, target - spend["undone"], at)
        for coupon in self.coupons.values():
            if wholly and coupon["state"] == "redeemed" and coupon["redeemed"] == sale["id"]:
                self.reinstate(coupon, at)
        return undone

    def undo(self, spend: dict, amount: Fraction, at: datetime) -> tuple[Fraction, Fraction]:
        """Return the units that come back and those that have expired: "lot by lot, those drawn last first"."""
        spend["undone"] += amount
        back = expired = ZERO
        for draw in reversed(spend["draws"]):
            part = min(draw["left"], amount)
            draw["left"] -= part
            amount -= part
            if part:
                free, gone = self.come_back(draw["lot"], part, spend["at"], at)
                back, expired = back + free, expired + gone
        return back, expired

    def come_back(self, lot: dict, amount: Fraction, since: datetime, at: datetime) -> tuple[Fraction, Fraction]:
        """Settle its own shortfall, those that arose after the spend, then the debt; the rest is there again."""
        live = self.is_live(lot, at)
        shorts = self.open_shorts(lot["account"], lot["currency"])
        own = [short for short in shorts if short["issue"] == lot["issue"]["key"]]
        later = [short for short in shorts if short["at"] > since] if live else []
        debts = [short for short in shorts if short["carried"]] if live else []
        for short in [*own, *later, *debts]:
            paid = min(short["open"], amount)
            short["open"] -= paid
            amount -= paid
        if amount:
            lot["moves"].append((at, amount))
        return (amount, ZERO) if live else (ZERO, amount)

    # --- coupons ------------------------------------------------------------------------------------------------------

    def take_coupons(self, sale: dict, intents: list, wholly: bool, at: datetime, came_back: bool) -> tuple[dict, list]:
        """Void what the rest would not have given, "the newest of those not redeemed first"."""
        mine = [coupon for coupon in self.coupons.values() if coupon["sale"] == sale["id"]]
        gave = {coupon["place"] for coupon in mine}
        voided: Counter = Counter()
        used = []
        pools = defaultdict(list)
        for coupon in mine:
            if coupon["policy"] == "reverse" or coupon["member"] in sale.get("moved", ()):
                pools["reverse", coupon["key"]].append(coupon)
            elif coupon["policy"] == "void_if_unredeemed":
                pools[coupon["type"], coupon["member"]].append(coupon)
        for pool, members in pools.items():
            rest = sum(1 for i in intents if i["type"] == "issue_coupon" and self.counts(i, pool, gave))
            if sale.get("moved") and members[0]["member"] in sale["moved"]:
                rest = 0
            elif pool[0] == "reverse" and not came_back and not wholly:
                continue
            newly = max(0, len(members) - (0 if wholly else rest) - sum(1 for each in members if each["due"]))
            unused = [each for each in members if not each["due"] and each["state"] != "redeemed"]
            redeemed = [each for each in members if not each["due"] and each["state"] == "redeemed"]
            order = [*sorted(unused, key=newest), *sorted(redeemed, key=newest)]
            for coupon in order[:newly]:
                coupon["due"] = True
                if coupon["state"] == "redeemed":
                    used += [coupon["key"]] * (coupon["policy"] != "keep")
                elif self.coupon_state(coupon, at) == "issued":
                    voided[coupon["type"]] += 1
                    coupon["state"] = "voided"
        return dict(voided), sorted(used)

    def counts(self, intent: dict, pool: tuple, gave: set) -> bool:
        place, action = self.places[intent["promotion"], intent["action"]]
        policy = action.get("on_return") or "void_if_unredeemed"
        in_pool = (intent["coupon_type"], intent["member"]) == pool
        return in_pool and (policy == "void_if_unredeemed" or place not in gave)

    def reinstate(self, coupon: dict, at: datetime) -> None:
        """Reinstate a coupon "unless returns of its own sale were due more coupons than they could void"."""
        coupon["state"], coupon["redeemed"] = "issued", None
        same = [
            c
            for c in self.coupons.values()
            if (c["sale"], c["type"], c["member"]) == (coupon["sale"], coupon["type"], coupon["member"])
        ]
        owed = [c for c in same if c["due"] and c["policy"] == coupon["policy"] and c["state"] == "redeemed"]
        if coupon["due"] or owed:
            if not coupon["due"]:
                owed[0]["due"] = False
            coupon["due"], coupon["state"] = True, "voided"

    def redeem(self, key: str, event: str, at: datetime) -> dict:
        coupon = self.coupons[key]
        if event in coupon.get("events", ()):
            return {"status": "conflict"}
        state = self.coupon_state(coupon, at)
        reasons = [] if state == "issued" else [{"redeemed": "already_redeemed"}.get(state, state)]
        if coupon["end"] is not None and at >= coupon["end"] and "expired" not in reasons:
            reasons.append("expired")
        if at < coupon["start"]:
            reasons.append("not_yet_valid")
        if coupon["sale"] == event:
            reasons.append("same_transaction")
        if reasons:
            return {"status": "refused", "reasons": sorted(reasons)}
        coupon["state"], coupon["redeemed"] = "redeemed", event
        coupon.setdefault("events", set()).add(event)
        return {"status": "recorded"}

    # --- trackers -----------------------------------------------------------------------------------------------------

    def tracked(self, sale: dict) -> dict:
        found: dict = defaultdict(Fraction)
        for row in self.contributions:
            if row["sale"] == sale["id"]:
                found[row["tracker"], row["member"]] += row["value"] - row["back"]
        return found

    def contribute(self, sale: dict, key: tuple, value: Fraction) -> None:
        if value:
            row = {"tracker": key[0], "member": key[1], "sale": sale["id"], "day": self.day(sale["at"])}
            self.contributions.append(row | {"value": value, "back": ZERO})

    # --- amendments ---------------------------------------------------------------------------------------------------

    def on_amendment(self, event: dict) -> dict:
        at = instant(event["occurred_at"])
        sale = self.sales.get(event["of"])
        if sale is None:
            raise Refused(["unknown_sale"])
        given = {key: value for key, value in event.items() if key not in ("type", "id", "of", "occurred_at")}
        doc = {**sale["doc"], **given}
        reasons = {"too_early"} if at < sale["at"] else set()
        if sale["returns"] and is_too_much(doc, sale["returns"]):
            reasons.add("more_than_bought")
        if reasons:
            raise Refused(reasons)
        self.end_holds(at)
        before = (sale["doc"].get("member") or {}).get("id")
        after = (doc.get("member") or {}).get("id")
        step = number(doc["amount"]) - number(sale["doc"]["amount"])
        sale["base"] += max(step, ZERO)
        sale["lowered"] += max(-step, ZERO)
        sale["doc"] = doc
        sale["is_lowered"] = step < 0
        if before != after:
            own = self.snapshot(dict(doc, occurred_at=sale["doc"]["occurred_at"]), without=sale["id"])
            sale["snapshot"] = own
            sale["moved"] = {before} - {None}
        result = self.change(sale, at, event["id"], amended=True)
        sale.pop("moved", None)
        sale.pop("is_lowered")
        return result

    def issue_more(self, sale: dict, intents: list, at: datetime, event: str, issued: dict) -> None:
        """Issue "what the new state earns above what the sale has issued less what was taken back"."""
        moved = sale.get("moved", ())
        issues = [i for i in self.issues.values() if i["sale"] == sale["id"] and i["earner"] not in moved]
        gains: dict = {}
        room: dict = {}
        for intent in intents:
            if intent["type"] != "issue_currency":
                continue
            pool = account_of(intent), intent["currency"]
            place, action = self.places[intent["promotion"], intent["action"]]
            gave = any(i["place"] == place and i["account"] == pool[0] for i in issues)
            policy = (action.get("on_return") or "recompute") if gave else "recompute"
            own = [i for i in issues if (i["account"], i["currency"]) == pool]
            holds_ = sum((i["amount"] - i["taken"] for i in own if i["place"] == place), ZERO)
            gain = number(intent["amount"]) - holds_
            if policy in ("reverse", "proportional") and (sale["returns"] or sale["lowered"]):
                gain = ZERO
            if policy == "recompute" and pool not in room:
                rest = sum(self.rest_of_pool(pool, own, intents).values(), ZERO)
                room[pool] = rest - sum((i["amount"] - i["taken"] for i in own if i["policy"] == "recompute"), ZERO)
            if policy == "recompute":
                gain = min(gain, room[pool])
                room[pool] -= max(gain, ZERO)
            gains[intent["key"]] = (intent, gain)
        extensions: list[dict] = []
        for intent, gain in gains.values():
            due = instant(intent["due_at"]) if intent["due_at"] else None
            state = "issued" if due and due <= at else intent["state"]
            timing = self.places[intent["promotion"], intent["action"]][1].get("timing") or {}
            if timing.get("type") == "transaction_update" and sale["doc"].get("status") == timing["when"]["is"]:
                state = "issued"
                intent = self.resolved(intent, at)
            if intent["expires_at"] and instant(intent["expires_at"]) <= at:
                continue
            gain = self.trimmed(sale, intent, gain)
            if gain <= 0:
                continue
            key = f"{self.document['id']}/{event}/{intent['promotion']}/{intent['action']}"
            extends = [i for i in intents if i["type"] == "extend_expiry" and i["key"] == intent["key"] + "/extend"]
            shares = self.split(intent, gain)
            intent = dict(intent, key=key, amount=text(gain), state=state, shares=shares)
            self.book(sale, intent, at, issued)
            extensions += extends
        for each in extensions:
            self.book(sale, each, at, issued)
        self.more_coupons(sale, intents, event, at, issued)
        for intent in intents:
            if intent["type"] == "advance_tracker":
                key = intent["tracker"], intent["member"]
                self.contribute(sale, key, max(ZERO, awarded_by(intents, key) - self.tracked(sale)[key]))

    def resolved(self, intent: dict, at: datetime) -> dict:
        """Return a promise, whose condition holds already, with the dates of a release at that instant."""
        expiry = self.places[intent["promotion"], intent["action"]][1]["expiry"]
        if intent["expires_on"] is not None or expiry["type"] != "fixed_period":
            return intent
        day = self.day(at) + timedelta(days=expiry["after"]["days"])
        return dict(intent, expires_on=str(day), expires_at=self.midnight_after(day).isoformat())

    def split(self, intent: dict, amount: Fraction) -> list[dict]:
        """Return the shares of a part of an issue: "largest remainder", "ties to the larger weight", then in order."""
        weights = [number(share["amount"]) for share in intent["shares"]]
        if not weights or not sum(weights):
            return intent["shares"]
        decimals = self.document["currencies"][intent["currency"]].get("decimals", 0)
        unit = Fraction(1, 10 ** max(decimals, decimals_of(amount)))
        exact = [amount * weight / sum(weights) for weight in weights]
        whole = [floor(each / unit) * unit for each in exact]
        order = sorted(range(len(weights)), key=lambda n: (-(exact[n] - whole[n]), -weights[n], n))
        for n in order[: int((amount - sum(whole)) / unit)]:
            whole[n] += unit
        return [dict(share, amount=text(each)) for share, each in zip(intent["shares"], whole, strict=True)]

    def trimmed(self, sale: dict, intent: dict, gain: Fraction) -> Fraction:
        """Return a gain "trimmed by caps as they stand now"."""
        now = self.snapshot(sale["doc"])
        caps = self.places[intent["promotion"], intent["action"]][1].get("caps") or {}
        counted = now["issued"].get(f"{intent['promotion']}/{intent['action']}", {})
        for per in ("member", "total"):
            cap = caps.get("per_member" if per == "member" else "total") or {}
            if "amount" in cap:
                gain = min(gain, number(cap["amount"]) - number(counted[per]["amount"]))
        for name, limit in (self.document.get("limits") or {}).items():
            if limit["currency"] == intent["currency"] and (limit["per"] != "store" or sale["doc"].get("store")):
                gain = min(gain, number(limit["amount"]) - number(now["limits"][name]))
        return gain

    def more_coupons(self, sale: dict, intents: list, event: str, at: datetime, issued: dict) -> None:
        before = [c for c in self.coupons.values() if c["sale"] == sale["id"]]
        wanted: Counter = Counter()
        numbers: Counter = Counter()
        for intent in intents:
            if intent["type"] != "issue_coupon":
                continue
            place, action = self.places[intent["promotion"], intent["action"]]
            has_issued = any(c["place"] == place and c["member"] not in sale.get("moved", ()) for c in before)
            if has_issued and action.get("on_return") in ("reverse", "keep"):
                continue
            wanted[place] += 1
            mine = [c for c in self.coupons.values() if c["sale"] == sale["id"] and not c["due"]]
            mine = [c for c in mine if (c["type"], c["member"]) == (intent["coupon_type"], intent["member"])]
            total = sum(1 for i in intents if i["type"] == "issue_coupon" and i["coupon_type"] == intent["coupon_type"])
            at_place = sum(1 for c in mine if c["place"] == place)
            gone = intent["expires_at"] is not None and instant(intent["expires_at"]) <= at
            if len(mine) < total and at_place < wanted[place] and not gone:
                numbers[place] += 1
                key = f"{self.document['id']}/{event}/{intent['promotion']}/{intent['action']}/{numbers[place]}"
                self.book(sale, dict(intent, key=key), at, issued)

    # --- promises -----------------------------------------------------------------------------------------------------

    def settle(self, at: datetime) -> dict:
        self.end_holds(at)
        released: dict = {}
        for issue in sorted(self.issues.values(), key=lambda each: (each["due_at"] or at, each["order"])):
            if issue["due_at"] is not None and issue["due_at"] <= at:
                left = self.standing(issue["promised"], at)
                self.release(issue, left, issue["due_at"], issue["intent"]["issue_on"], released)
        return {"status": "recorded", "released": released}

    def release(self, issue: dict, amount: Fraction, at: datetime, issue_on: str, released: dict) -> None:
        """Release units of a promise, or let them lapse if their expiry would already be past."""
        amount = min(amount, self.free(issue["promised"], at))
        if amount <= 0:
            return
        expiry = self.places[issue["promotion"], issue["action"]][1]["expiry"]
        day = issue["intent"]["expires_on"]
        if day is None and expiry["type"] == "fixed_period":
            day = str(date.fromisoformat(issue_on) + timedelta(days=expiry["after"]["days"]))
        issue["promised"].append((at, -amount))
        issue["released"] += amount
        if day and (day < issue_on or self.midnight_after(date.fromisoformat(day)) <= at):
            issue["ended"] += amount
            return
        released[issue["key"]] = released.get(issue["key"], ZERO) + amount
        self.add_lot(issue, at, amount, day, issue["intent"]["expires_by"])

    def on_confirmation(self, event: dict) -> dict:
        at = instant(event["occurred_at"])
        issue = self.issues.get(event["promise"])
        if issue is None:
            raise Refused(["unknown_promise"])
        self.end_holds(at)
        left = self.free(issue["promised"], max(at, self.sales[issue["sale"]]["at"]))
        amount = number(event["amount"]) if event.get("amount") is not None else left
        reasons = {"too_early"} if at < self.sales[issue["sale"]]["at"] else set()
        if left == 0:
            reasons.add("already_resolved")
        elif event.get("amount") is not None and amount > left:
            reasons.add("more_than_promised")
        unit = self.document["currencies"][issue["currency"]].get("decimals", 0)
        if decimals_of(amount) > unit and event.get("amount") is not None:
            reasons.add("not_a_unit")
        if reasons:
            raise Refused(reasons)
        released: dict = {}
        if event["outcome"] == "cancel":
            issue["promised"].append((at, -amount))
            issue["ended"] += amount
        else:
            self.release(issue, amount, at, str(self.day(at)), released)
        return {"released": released}

    def on_update(self, event: dict) -> dict:
        at = instant(event["occurred_at"])
        sale = self.sales.get(event["of"])
        if sale is None:
            raise Refused(["unknown_sale"])
        reasons = {"too_early"} if at < sale["at"] else set()
        bought = {line["id"]: number(line["quantity"]) for line in sale["doc"].get("lines") or []}
        if any(line["id"] not in bought for line in event.get("lines") or []):
            reasons.add("unknown_line")
        if reasons:
            raise Refused(reasons)
        self.end_holds(at)
        kept = {key: value for key, value in event.items() if key in ("status", "custom_fields", "extended_fields")}
        sale["doc"] = {**sale["doc"], **kept}
        released: dict = {}
        for issue in [each for each in self.issues.values() if each["sale"] == sale["id"]]:
            timing = self.places[issue["promotion"], issue["action"]][1].get("timing") or {}
            if timing.get("type") != "transaction_update" or sale["doc"].get("status") != timing["when"]["is"]:
                continue
            left = self.standing(issue["promised"], at)
            self.release(issue, self.deliverable(sale, issue, event, left), at, str(self.day(at)), released)
        return {"released": released}

    def deliverable(self, sale: dict, issue: dict, event: dict, left: Fraction) -> Fraction:
        if not event.get("lines"):
            return left
        for line in event["lines"]:
            issue["delivered"][line["id"]] += number(line["quantity"])
        shares = {share["line"]: number(share["amount"]) for share in issue["intent"]["shares"]}
        total, everything = ZERO, True
        for line in sale["doc"]["lines"]:
            there = issue["delivered"][line["id"]] + sum(
                (
                    number(x["quantity"])
                    for back in sale["returns"]
                    for x in back.get("lines") or []
                    if x["id"] == line["id"]
                ),
                ZERO,
            )
            part = min(Fraction(1), there / number(line["quantity"]))
            everything = everything and part == 1
            total += shares.get(line["id"], ZERO) * part
        unit = self.document["currencies"][issue["currency"]].get("decimals", 0)
        return left if everything else max(ZERO, min(left, down(total, unit) - issue["released"]))

    # --- spending -----------------------------------------------------------------------------------------------------

    def draws(self, account: tuple, currency: str, amount: Fraction, at: datetime) -> list | None:
        lots = self.live_lots(account, currency, at)
        if sum((self.free(lot["moves"], at) for lot in lots), ZERO) < amount:
            return None
        found = []
        for lot in lots:
            given = self.draw(lot["moves"], amount, at)
            amount -= given
            if given:
                found.append({"lot": lot, "left": given})
        return found

    def spend(self, member: str, currency: str, amount: Fraction, event: str, at: datetime) -> dict:
        self.end_holds(at)
        account = ("member", member)
        key = f"{self.document['id']}/{event}/spend/{currency}"
        if key in self.spends:
            same = (self.spends[key]["account"], self.spends[key]["amount"]) == (account, amount)
            return {"status": "already_recorded" if same else "conflict"}
        if not self.document["currencies"][currency].get("redeem"):
            there = sum((self.free(lot["moves"], at) for lot in self.live_lots(("member", member), currency, at)), ZERO)
            return {"status": "refused", "reasons": ["insufficient"] * (there < amount) + ["not_redeemable"]}
        draws = self.draws(account, currency, amount, at)
        if draws is None:
            return {"status": "refused", "reasons": ["insufficient"]}
        row = {"key": key, "account": account, "currency": currency, "amount": amount, "undone": ZERO, "event": event}
        self.spends[key] = row | {"at": at, "draws": draws}
        return {"status": "recorded"}

    def undo_spend(self, key: str, amount: Fraction | None, at: datetime) -> dict:
        spend = self.spends[key]
        self.end_holds(at)
        reasons = ["too_early"] if at < spend["at"] else []
        left = spend["amount"] - spend["undone"]
        if amount is not None and amount > left:
            reasons.append("more_than_spent")
        if reasons:
            return {"status": "refused", "reasons": sorted(reasons)}
        return {"status": "recorded", "undone": {key: self.undo(spend, left if amount is None else amount, at)}}

    # --- holds --------------------------------------------------------------------------------------------------------

    def hold(self, member: str, currency: str, amount: Fraction, until: datetime, event: str, at: datetime) -> dict:
        self.end_holds(at)
        if not self.document["currencies"][currency].get("redeem"):
            there = sum((self.free(lot["moves"], at) for lot in self.live_lots(("member", member), currency, at)), ZERO)
            return {"status": "refused", "reasons": ["insufficient"] * (there < amount) + ["not_redeemable"]}
        draws = self.draws(("member", member), currency, amount, at)
        if draws is None:
            return {"status": "refused", "reasons": ["insufficient"]}
        row = {"account": ("member", member), "currency": currency, "amount": amount, "left": amount, "until": until}
        self.holds[event] = row | {"at": at, "draws": draws, "ended": False}
        return {"status": "recorded"}

    def end_holds(self, at: datetime) -> None:
        """End the holds whose time is over: their units settle "as of that instant"."""
        for hold in sorted(self.holds.values(), key=lambda each: each["until"]):
            if not hold["ended"] and hold["until"] <= at:
                self.let_go(hold, hold["left"], hold["until"])
                hold["ended"] = True

    def let_go(self, hold: dict, amount: Fraction, at: datetime) -> None:
        hold["left"] -= amount
        for draw in reversed(hold["draws"]):
            part = min(draw["left"], amount)
            draw["left"] -= part
            amount -= part
            if part:
                self.come_back(draw["lot"], part, hold["at"], at)

    def capture(self, name: str, amount: Fraction | None, event: str, at: datetime) -> dict:
        self.end_holds(at)
        hold = self.holds[name]
        reasons = ["too_early"] if at < hold["at"] else []
        if hold["ended"]:
            reasons.append("hold_ended")
        elif amount is not None and amount > hold["left"]:
            reasons.append("more_than_held")
        if reasons:
            return {"status": "refused", "reasons": sorted(reasons)}
        amount = hold["left"] if amount is None else amount
        self.let_go(hold, hold["left"] - amount, at)
        key = f"{self.document['id']}/{event}/spend/{hold['currency']}"
        row = {"key": key, "account": hold["account"], "currency": hold["currency"], "amount": amount, "undone": ZERO}
        self.spends[key] = row | {
            "event": event,
            "at": at,
            "draws": [dict(draw) for draw in hold["draws"] if draw["left"]],
        }
        hold["left"], hold["ended"] = ZERO, True
        return {"status": "recorded"}

    def let_hold_go(self, name: str, at: datetime) -> dict:
        self.end_holds(at)
        hold = self.holds[name]
        reasons = ["too_early"] if at < hold["at"] else []
        if hold["ended"]:
            reasons.append("hold_ended")
        if reasons:
            return {"status": "refused", "reasons": sorted(reasons)}
        self.let_go(hold, hold["left"], at)
        hold["ended"] = True
        return {"status": "recorded"}


# --- small words ------------------------------------------------------------------------------------------------------


def account_of(intent: dict) -> tuple[str, str]:
    return ("group", intent["group"]) if intent["group"] else ("member", intent["member"])


def awarded_by(intents: list, key: tuple) -> Fraction:
    advances = [i for i in intents if i["type"] == "advance_tracker" and (i["tracker"], i["member"]) == key]
    return sum((number(intent["value"]) for intent in advances), ZERO)


def kept(issue: dict) -> Fraction:
    """Return what counters count: what was issued or promised, less what was taken back or ended as a promise."""
    return issue["amount"] - issue["taken"] - (issue["ended"] - issue["counted_ended"])


def newest(coupon: dict) -> int:
    return -coupon["order"]


def same_unit(one: date, other: date, unit: str) -> bool:
    if unit == "week":
        return one.isocalendar()[:2] == other.isocalendar()[:2]
    quarter = (one.month - 1) // 3 == (other.month - 1) // 3
    same = {"day": one == other, "month": one.month == other.month, "quarter": quarter, "year": True}
    return one.year == other.year and same[unit]


def value_of(line: dict) -> Fraction:
    if line.get("value") is not None:
        return number(line["value"])
    return number(line["quantity"]) * number(line["unit_price"]) - number(line.get("discount"))


def part_of(event: dict, doc: dict) -> Fraction:
    """Return "the part that the returned amount is of the bill"; all of a bill of zero or less."""
    bill = number(doc["amount"])
    return min(Fraction(1), number(event.get("amount")) / bill) if bill > 0 else Fraction(1)


def most_back(doc: dict) -> Fraction:
    bill = number(doc["amount"])
    values = [value_of(line) for line in doc.get("lines") or []]
    if any(value < 0 for value in values):
        return max(bill, sum((value for value in values if value > 0), ZERO))
    return bill


def is_too_much(doc: dict, returns: list[dict]) -> bool:
    """Return whether returns brought back more of a line, or of the bill, than was bought."""
    if "amount" not in doc:
        return False
    if sum((number(each.get("amount")) for each in returns), ZERO) > max(ZERO, most_back(doc)):
        return True
    lines = {line["id"]: line for line in doc.get("lines") or []}
    for name in {each["id"] for back in returns for each in back.get("lines") or []}:
        named = [each for back in returns for each in back.get("lines") or [] if each["id"] == name]
        line = lines.get(name)
        if line is None:
            continue
        quantity = sum((number(each["quantity"]) for each in named), ZERO)
        amount = sum((number(each.get("amount")) for each in named), ZERO)
        if quantity > max(ZERO, number(line["quantity"])) or amount > max(ZERO, value_of(line)):
            return True
        if number(line["quantity"]) <= 0 and (quantity or amount):
            return True
    return False


def came_back(line: dict, returns: list[dict], spread: Fraction) -> tuple[Fraction, bool]:
    """Return the part of a line's quantity that came back, and whether it is the whole of it."""
    quantity = number(line["quantity"])
    named = [each for back in returns for each in back.get("lines") or [] if each["id"] == line["id"]]
    if quantity <= 0:
        return spread, True
    part = spread + sum((number(each["quantity"]) for each in named), ZERO) / quantity
    return part, held(part * quantity) >= quantity


def tenders_left(doc: dict, returns: list[dict]) -> list[dict]:
    paid: dict = defaultdict(Fraction)
    for tender in doc["tenders"]:
        paid[tender["type"]] += number(tender["amount"])
    back: dict = defaultdict(Fraction)
    for each in returns:
        if each.get("tenders") is not None:
            for tender in each["tenders"]:
                back[tender["type"]] += number(tender["amount"])
        else:
            for kind, amount in paid.items():
                back[kind] += amount * part_of(each, doc)
    left = {kind: amount - held(min(amount, back[kind])) for kind, amount in paid.items()}
    return [{"type": kind, "amount": text(amount)} for kind, amount in left.items()]
