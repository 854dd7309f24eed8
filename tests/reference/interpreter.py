"""A plain, slow interpreter of the semantics, over raw documents.

Written sentence by sentence from the text of the spec; ``amounts``, ``dates``, ``conditions``, ``bases``, ``expiry``,
``caps`` and ``messages`` are the parts that it combines.

Readings: the decisions of the interpreter if the spec is silent or ambiguous.

Numbers and free-form fields
- A free-form value is a decimal if it is an int of at most 15 digits or a string of the decimal grammar. A
  boolean, a float, ``"1e5"``, ``" 5"`` or a longer int is none: invalid_field in a base, no comparison as a number.
- A base of a numeric field below zero stops at zero, and so gives zero_amount.
- An award that goes line by line is rounded to 6 decimals once, on the sum.
- An amount that becomes zero at 6 decimals (0.0000001) is zero_amount.

Bases and trackers
- ``line_item_extended_field`` without a selected line is no_matching_lines, never missing_field; the lines are
  selected before a rate is asked for, so no_matching_lines comes before no_exchange_rate.
- One selected line with no number is invalid_field, regardless of the other lines.
- ``less`` is subtracted in the event's currency, before the rate: (amount - less) x rate.
- Several tenders of one type add up; a type whose sum is zero has paid nothing and is absent.
- A measure of ``each_line`` stops each line at zero, as a base does; nothing else of ``aggregate`` applies to it.
- A field without a number contributes nothing to a tracker, like an absent one.
- "E is 0 then (without a rate, too)": if an event lacks a line, if ``when`` is false, and for activities, E is
  zero even without a rate, so ``event_value`` and ``surplus`` give zero_amount and ``gap_after`` the gap; only an
  event that would contribute money gives no_exchange_rate, be the amount zero or not.
- Windows of trackers, caps and limits contain the event date: the business date if there is one.

Conditions
- Without a rate, anything on ``amount``, ``value`` or ``unit_price`` and a line test by ``value`` is false, for
  activities, for no lines and for ``{"exists": false}`` too; ``not`` of it is true.
- ``exists`` holds for any value but null: false, empty text and empty lists exist.
- An operand of another kind than the path is false; one that stands against ids and names is text alone (the
  operand 7 is not the store "7").
- "Booleans take is, is_not, in, not_in alone" is about order: ``exists`` holds for them, and ``has``
  finds one in a list.
- ``has`` compares items of ``tags`` as text, and of a free-form list as free-form values.
- An anniversary may be of any year; one at a path without a date is false.

Expiry, timing and coupons
- The years 1970 to 9998 bind the date that results (the expiry, the issue date, the start of a coupon), not the date
  that a field holds on the way to it; none of it is already_expired first.
- The issue date of an immediate award is the event date, hence the business date; the instant is ``occurred_at``.
- A coupon whose validity starts after it ends is issued all the same.
- A coupon's ``already_expired`` goes by the event date and ``occurred_at``.
- Instants are written as the standard library does: a fraction of a second has six digits.
- Without a generator, a serial is the key of the intent itself.
- One action asks for 10,000 coupons at most; what goes over is dropped, before the caps.

Caps, shares and messages
- Every counter that binds an issue is claimed, whether it trimmed or not, with the amount after all trimming.
- An action issues once, so its own caps go by the snapshot alone; limits and coupon caps count earlier actions too.
- ``per_transaction`` counts the coupons of a type that the event has issued over all promotions.
- Lines share by value in the event's own currency: a rate changes no share.
- A contact's ``to`` counts as the contact would: an empty text is not reachable.
- Fallbacks are the reachable priority channels that ``channels`` does not hold, whichever of them was chosen.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction

from .amounts import given, held, rounded, split, text
from .bases import TRACKER_BASES, Award, award, base_value, contribution
from .caps import coupon_counters, currency_counters, escaped
from .conditions import event_field, holds
from .dates import is_before, later, start_of, window_dates
from .expiry import Issue, Life, issue_of, life_of, valid_from
from .facts import Facts, Skip, gather, line_value
from .messages import channels_for
from .texts import till_message
from .tiers import tier_changes

MAX_COUPONS = 10_000
MAX_ID = 128


def evaluate(
    program: dict,
    event: dict,
    snapshot: dict | None = None,
    serial: Callable[[str], str] | None = None,
) -> dict:
    """Return the evaluation of a transaction or an activity, without ``program_version`` and details."""
    facts = gather(program, event, snapshot)
    facts.contributions = {
        name: contribution(tracker, facts) for name, tracker in (program.get("trackers") or {}).items()
    }
    evaluator = Evaluator(facts, serial or (lambda key: key))
    kept: dict[str, list[str]] = {}
    for promotion in program["promotions"]:
        if fires(promotion, facts):
            group = promotion.get("exclusive")
            # "The choice is made at the group's first promotion that fires, from what has been awarded before it."
            if group is not None and group not in kept:
                kept[group] = evaluator.kept_of(group)
            evaluator.promotion(promotion, excluded=group is not None and promotion["id"] not in kept[group])
    count_awards(facts, evaluator.issues)
    return {
        "event": event["id"],
        "program": program["id"],
        "intents": evaluator.issues + evaluator.extensions + tracker_advances(facts) + changes_of_tiers(facts),
        "skipped": evaluator.skipped,
        "trace": [],
    }


# --- which promotions fire ------------------------------------------------------------------------------------


def fires(promotion: dict, facts: Facts) -> bool:
    """Return whether a promotion fires.

    "A promotion fires when its trigger, its active window and its condition hold, whatever its actions then
    issue."
    """
    return (
        (promotion.get("trigger") or "transaction") == facts.event["type"]
        and is_active(promotion, facts.occurred_at)
        and holds(promotion.get("when"), facts)
    )


def is_active(promotion: dict, at: datetime) -> bool:
    """Return whether it is active: "The active window is half open: starts_at <= occurred_at < ends_at."""
    starts_at, ends_at = promotion.get("starts_at"), promotion.get("ends_at")
    has_begun = starts_at is None or not is_before(at, datetime.fromisoformat(starts_at))
    return has_begun and (ends_at is None or is_before(at, datetime.fromisoformat(ends_at)))


# --- what they issue ------------------------------------------------------------------------------------------


class Evaluator:
    """The actions of one evaluation, in document order, with what earlier ones have issued."""

    def __init__(self, facts: Facts, serial: Callable[[str], str]) -> None:
        self.facts = facts
        self.serial = serial
        self.issues: list[dict] = []
        self.extensions: list[dict] = []
        self.skipped: list[dict] = []
        self.awarded: dict[str, Fraction] = {}
        self.issued_by_limit: dict[str, Fraction] = {}
        self.issued_coupons: dict[str, int] = {}
        # The amounts before caps, and the actions that gave less than they asked, of the present promotion.
        self.before_caps: dict[str, Fraction] = {}
        self.trimmed: set[str] = set()
        self.spent: dict[str, Fraction] = {}
        self.handlers = {
            "issue_currency": self.issue_currency,
            "issue_coupon": self.issue_coupons,
            "extend_expiry": self.extend,
            "spend_currency": self.spend,
        }

    # -- exclusive groups

    def kept_of(self, group: str) -> list[str]:
        """Return the promotions of a group that count.

        "Only the first that fires counts: by priority (higher first), then document order"; ``most`` keeps the one
        "whose actions would award most of that currency before caps (ties: priority, then document order)".
        """
        settings = (self.facts.program.get("groups") or {}).get(group) or {}
        firing = [
            rival
            for rival in self.facts.program["promotions"]
            if rival.get("exclusive") == group and fires(rival, self.facts)
        ]
        sign = {"most": -1, "least": 1}.get(settings.get("choose"))
        worth = {
            rival["id"]: Fraction(0) if sign is None else sign * self.would_award(rival, settings.get("of"))
            for rival in firing
        }
        # A stable sort keeps document order among equals.
        ranked = sorted(firing, key=lambda rival: (worth[rival["id"]], -(rival.get("priority") or 0)))
        return [rival["id"] for rival in ranked[: settings.get("keep") or 1]]

    def would_award(self, promotion: dict, currency: str) -> Fraction:
        """Return the amount of a currency before caps.

        "An action that would be skipped for another reason than cap_reached counts 0, and so do a coupon and other
        currencies"; "amounts are before caps and limits, promised ones included".
        """
        saved = self.saved()
        self.promotion(promotion, excluded=False)
        reasons = {entry["action"]: entry["reason"] for entry in self.skipped if entry["promotion"] == promotion["id"]}
        amount = sum(
            (
                self.before_caps.get(action["id"], Fraction(0))
                for action in promotion["actions"]
                if action.get("currency") == currency and reasons.get(action["id"], "cap_reached") == "cap_reached"
            ),
            Fraction(0),
        )
        self.restore(saved)
        return amount

    def saved(self) -> tuple:
        """Return a copy of all that has been decided so far."""
        return copy.deepcopy(
            (
                self.issues,
                self.extensions,
                self.skipped,
                self.awarded,
                self.issued_by_limit,
                self.issued_coupons,
                self.facts.moved,
            )
        )

    def restore(self, saved: tuple) -> None:
        (
            self.issues,
            self.extensions,
            self.skipped,
            self.awarded,
            self.issued_by_limit,
            self.issued_coupons,
            self.facts.moved,
        ) = saved

    # -- promotions

    def promotion(self, promotion: dict, excluded: bool) -> None:
        """Decide the actions of a promotion; without a spend each for itself, else all or nothing."""
        self.before_caps, self.trimmed, self.spent = {}, set(), {}
        saved, actions = self.saved(), promotion["actions"]
        if excluded:
            reasons = {action["id"]: "excluded_by" for action in actions}
        else:
            reasons = {action["id"]: self.reason_to_skip(promotion, action) for action in actions}
            stop = self.stop_of(actions, reasons)
            if stop is not None:
                self.restore(saved)
                reasons = dict.fromkeys(reasons, stop)
            self.settle_spends(promotion)
        self.skipped += [
            {"promotion": promotion["id"], "action": name, "reason": reason}
            for name, reason in reasons.items()
            if reason is not None
        ]

    def reason_to_skip(self, promotion: dict, action: dict) -> str | None:
        """Decide one action; return the reason if it gives nothing."""
        try:
            self.handlers[action["type"]](promotion, action)
        except Skip as skip:
            return skip.reason
        return None

    def stop_of(self, actions: list[dict], reasons: dict[str, str | None]) -> str | None:
        """Return the reason that stops a promotion with a spend.

        "If several reasons stop a promotion with a spend, the spend's own comes first, then that of the first action it
        pays for, in document order"; "zero, a cap, a missing field", also "less than it asks".
        """
        spends = [action for action in actions if action["type"] == "spend_currency"]
        paid = {name for spend in spends for name in paid_for(spend, actions)}
        own = [reasons[spend["id"]] for spend in spends]
        for action in actions:
            if action["id"] in paid:
                own.append("cap_reached" if action["id"] in self.trimmed else reasons[action["id"]])
        return next((reason for reason in own if reason is not None), None)

    def settle_spends(self, promotion: dict) -> None:
        """Take what the promotion spent from the balances, and name the spends in what they pay for."""
        moved = self.facts.moved
        spends = {
            intent["action"]: intent["key"]
            for intent in self.issues
            if intent["type"] == "spend_currency" and intent["promotion"] == promotion["id"]
        }
        if not spends:
            return
        for currency, amount in self.spent.items():
            moved[currency] = moved.get(currency, Fraction(0)) - amount
        for intent in self.issues:
            if intent.get("promotion") == promotion["id"] and "depends_on" in intent:
                intent["depends_on"] = [
                    spends[action["id"]]
                    for action in promotion["actions"]
                    if action["id"] in spends and intent["action"] in paid_for(action, promotion["actions"])
                ]

    # -- actions on an account

    def spend(self, promotion: dict, action: dict) -> None:
        """Add a spend: "Where the account (base balance) has less than the amount": not_enough."""
        facts, currency = self.facts, action["currency"]
        if facts.member is None:
            raise Skip("no_member")
        amount = action["amount"]
        proration = amount if isinstance(amount, dict) else {"type": "fixed", "amount": amount}
        decimals = facts.program["currencies"][currency].get("decimals") or 0
        cost = self.currency_award({**action, "proration": proration}, decimals).amount
        if cost == 0:
            raise Skip("zero_amount")
        # "A second spend of a currency in the same evaluation sees what the first left".
        available = facts.balance(currency) + facts.moved.get(currency, 0) - self.spent.get(currency, 0)
        if available < cost:
            raise Skip("not_enough")
        self.spent[currency] = self.spent.get(currency, Fraction(0)) + cost
        key = issue_key(f"{promotion['id']}/{action['id']}", facts)
        self.issues.append(
            {
                "type": "spend_currency",
                "key": key,
                "promotion": promotion["id"],
                "action": action["id"],
                "event": facts.event["id"],
                "member": facts.member["id"],
                "group": None,
                "currency": currency,
                "amount": text(cost),
            }
        )
        extends = (facts.program["currencies"][currency].get("redeem") or {}).get("extends")
        if extends is not None:
            # "An extension by redeem.extends whose date is past is left out, and the spend stands."
            with contextlib.suppress(Skip):
                life = extended_to(extends, facts)
                self.add_extension(key, facts.member["id"], None, currency, extends.get("scope"), life)

    def extend(self, promotion: dict, action: dict) -> None:
        """Add an extension without an issue: it "skips as an expiry does (no_member, already_expired)"."""
        if self.facts.member is None:
            raise Skip("no_member")
        life = extended_to(action, self.facts)
        key = issue_key(f"{promotion['id']}/{action['id']}", self.facts)
        self.add_extension(key, self.facts.member["id"], None, action["currency"], action.get("scope"), life)

    def add_extension(
        self, key: str, member: str, group: str | None, currency: str, scope: str | None, life: Life
    ) -> None:
        """Add an extension; it "carries the date before most"."""
        day = life.before_most
        self.extensions.append(
            {
                "type": "extend_expiry",
                "key": f"{key}/extend",
                "member": member,
                "group": group,
                "currency": currency,
                "scope": scope or "balance",
                "expires_on": day_text(day),
                "expires_at": instant_text(start_of(later(day, 1), self.facts.zone)),
            }
        )

    # -- issues

    # The steps follow the order of reasons: recipient, base, zero, expiry, caps.
    def issue_currency(self, promotion: dict, action: dict) -> None:
        facts, reference = self.facts, f"{promotion['id']}/{action['id']}"
        member, group, is_own = recipient(action, facts)
        decimals = facts.program["currencies"][action["currency"]].get("decimals") or 0
        earned = self.currency_award(action, decimals)
        if earned.amount == 0:
            raise Skip("zero_amount")
        issue = issue_of(action.get("timing"), facts)
        life = life_of(action["expiry"], issue, facts, is_own)
        self.before_caps[action["id"]] = earned.amount
        amount, claims = self.capped(action, reference, earned.amount, None if is_own else member)
        key = issue_key(reference, facts)
        self.issues.append(
            {
                "type": "issue_currency",
                "key": key,
                "promotion": promotion["id"],
                "action": action["id"],
                "event": facts.event["id"],
                "member": member,
                "group": group,
                "currency": action["currency"],
                "amount": text(amount),
                "state": issue.state,
                "issue_on": day_text(issue.issue_on),
                "due_at": instant_text(issue.due_at),
                "release": issue.release,
                "expires_on": day_text(life.expires_on),
                "expires_at": instant_text(life.expires_at),
                "shares": shares(amount, earned, decimals, facts),
                "claims": claims,
                "expires_by": day_text(life.expires_by),
                "depends_on": [],
            }
        )
        self.awarded[reference] = amount
        if amount < earned.amount:
            self.trimmed.add(action["id"])
        # "plus what earlier actions of this evaluation issued at once": to the member, no promise and no group's.
        if is_own and group is None and issue.state == "issued":
            facts.moved[action["currency"]] = facts.moved.get(action["currency"], Fraction(0)) + amount
        self.send_message(action, reference, [key], issue.state == "promised", None if is_own else member)
        if action["expiry"]["type"] == "rolling":
            self.add_extension(key, member, group, action["currency"], action["expiry"].get("scope"), life)

    def currency_award(self, action: dict, decimals: int) -> Award:
        rounding = action.get("rounding") or {}
        mode = rounding.get("currency") or "actual"
        earned = award(
            action["proration"],
            self.facts,
            self.awarded,
            rounding.get("value") or "actual",
            lambda result: rounded(result, mode, decimals),
        )
        # "An amount that is issued is held to 6 decimals": once, on the sum of an award that goes line by line.
        return Award(held(earned.amount), earned.lines)

    def capped(self, action: dict, reference: str, amount: Fraction, other: str | None) -> tuple[Fraction, list[dict]]:
        """Trim an amount to its caps.

        "Applied after rounding, the action's caps first; the trimmed amount is not rounded again."
        """
        per_event = (action.get("caps") or {}).get("per_event")
        if per_event is not None:
            amount = min(amount, given(per_event))
        counters = currency_counters(action, reference, self.facts, self.issued_by_limit, other)
        for counter in counters:
            amount = counter.trim(amount)
        if amount == 0:
            raise Skip("cap_reached")
        # "What this evaluation has already issued counts."
        for counter in counters:
            if counter.name.startswith("limit/"):
                self.issued_by_limit[counter.name] = self.issued_by_limit.get(counter.name, Fraction(0)) + amount
        return amount, [counter.claim(amount) for counter in counters]

    def issue_coupons(self, promotion: dict, action: dict) -> None:
        facts, name = self.facts, action["coupon_type"]
        coupon_type = facts.program["coupon_types"][name]
        check_holder(action, coupon_type, facts)
        quantity, worth = self.coupon_quantity(action), worth_of(coupon_type, facts)
        if 0 in (quantity, worth):
            raise Skip("zero_amount")
        validity = coupon_type.get("validity") or {}
        # A coupon's expiry is "counted from the event date", on which it is issued.
        # "From the expiry missing_field, invalid_field, already_expired": a start out of range is an invalid_field.
        try:
            life = life_of(validity.get("expiry"), Issue("issued", facts.event_date, None, None), facts)
        except Skip as skip:
            if skip.reason == "already_expired":
                valid_from(validity, facts)
            raise
        starts_at = valid_from(validity, facts)
        count, claims = self.coupons_left(name, coupon_type, quantity)
        reference = f"{promotion['id']}/{action['id']}"
        if count < quantity:
            self.trimmed.add(action["id"])
        worths = [None] * count if worth is None else evenly(worth, count, cent_decimals(facts))
        keys = [f"{issue_key(reference, facts)}/{number}" for number in range(1, count + 1)]
        for key, each in zip(keys, worths, strict=True):
            serial = self.serial(key) if is_serial_managed(coupon_type) else None
            code = None if is_serial_managed(coupon_type) else coupon_type["code"]
            self.issues.append(
                {
                    "type": "issue_coupon",
                    "key": key,
                    "promotion": promotion["id"],
                    "action": action["id"],
                    "event": facts.event["id"],
                    "member": None if facts.member is None else facts.member["id"],
                    "store": facts.event.get("store"),
                    "coupon_type": name,
                    "serial": serial,
                    "code": code,
                    "issued_at": instant_text(facts.occurred_at),
                    "valid_from": instant_text(starts_at),
                    "expires_on": day_text(life.expires_on),
                    "expires_at": instant_text(life.expires_at),
                    "till_message": till_message(coupon_type, serial or code, day_text(life.expires_on)),
                    "claims": claims,
                    "title": coupon_type.get("title"),
                    "terms": coupon_type.get("terms"),
                    "depends_on": [],
                    "worth": None if each is None else text(each),
                }
            )
        self.send_message(action, reference, keys, promised=False, other=None)

    def coupon_quantity(self, action: dict) -> int:
        """Return the number of coupons.
        "A whole number or a proration …; its result is rounded by rounding.currency, nearest by default".
        """
        quantity = action.get("quantity")
        if quantity is None:
            return 1
        if not isinstance(quantity, dict):
            return int(quantity)
        rounding = action.get("rounding") or {}
        mode = rounding.get("currency") or "nearest"
        earned = award(
            quantity,
            self.facts,
            self.awarded,
            rounding.get("value") or "actual",
            lambda result: rounded(result, mode),
        )
        return min(int(earned.amount), MAX_COUPONS)

    def coupons_left(self, name: str, coupon_type: dict, quantity: int) -> tuple[int, list[dict]]:
        """Return the number of coupons that the caps allow, and their claims.

        "Where a cap leaves fewer coupons than quantity, that many are issued"; one claim of 1 for each coupon.
        """
        issued = self.issued_coupons.get(name, 0)
        counters = coupon_counters(name, self.facts, issued)
        count = quantity
        per_transaction = (coupon_type.get("caps") or {}).get("per_transaction")
        if per_transaction is not None:
            count = min(count, max(per_transaction - issued, 0))
        for counter in counters:
            count = min(count, int(counter.left))
        if count == 0:
            raise Skip("cap_reached")
        self.issued_coupons[name] = issued + count
        return count, [counter.claim(Fraction(1)) for counter in counters]

    def send_message(self, action: dict, reference: str, about: list[str], promised: bool, other: str | None) -> None:
        """Add a message.

        "One for each action, about all that the action issued"; "A promise sends its own promised_template, where
        there is one, and the template on release". "An anonymous event sends nothing."
        """
        communication = action.get("communication")
        member = self.facts.member if other is None else {"id": other}
        if communication is None or member is None:
            return
        template = communication.get("promised_template") if promised else communication["template"]
        # "A message for [a recipient by field] carries the recipient's id and no channels: the host knows them."
        channels, fallbacks = ([], [])
        if other is None:
            channels, fallbacks = channels_for(communication, member.get("contacts"))
        if template is None or not (channels or other):
            return
        self.issues.append(
            {
                "type": "send_message",
                "key": f"{issue_key(reference, self.facts)}/message",
                "about": about,
                "member": member["id"],
                "template": template,
                "channels": channels,
                "fallbacks": fallbacks,
            }
        )


def paid_for(spend: dict, actions: list[dict]) -> list[str]:
    """Return the actions that a spend pays for: "ids of actions of the same promotion; default: all others"."""
    named = spend.get("for")
    return named if named is not None else [action["id"] for action in actions if action["id"] != spend["id"]]


def extended_to(document: dict, facts: Facts) -> Life:
    """Return the date of an extension: the event date + ``after``, moved by ``through``."""
    return life_of({**document, "type": "event_date"}, Issue("issued", facts.event_date, None, None), facts)


def recipient(action: dict, facts: Facts) -> tuple[str, str | None, bool]:
    """Return the recipient's id and group, and whether it is the event's own member or group.

    "Where the recipient is the member's group, group is set too"; no_member comes before no_group. By field: "Absent:
    no_member; the event's own member: same_member"; "A field that holds no id is invalid_field".
    """
    named = action.get("recipient") or "member"
    if isinstance(named, dict):
        _, value = event_field(named["field"], facts)
        if value is None:
            raise Skip("no_member")
        if not is_id(value):
            raise Skip("invalid_field")
        if facts.member is not None and value == facts.member["id"]:
            raise Skip("same_member")
        return value, None, False
    if facts.member is None:
        raise Skip("no_member")
    if named == "member":
        return facts.member["id"], None, True
    if facts.member.get("group") is None:
        raise Skip("no_group")
    return facts.member["id"], facts.member["group"], True


def is_id(value: object) -> bool:
    """Return whether a value is an id: "1 to 128 printable characters, no white space at the ends"."""
    is_name = isinstance(value, str) and 1 <= len(value) <= MAX_ID
    return is_name and value.isprintable() and value == value.strip()


def worth_of(coupon_type: dict, facts: Facts) -> Fraction | None:
    """Return the worth of the coupons of one action together: "the base (rounded to the cent)"."""
    benefit = coupon_type.get("benefit") or {}
    if benefit.get("type") != "stored_value" or not isinstance(benefit["amount"], dict):
        return None
    return rounded(base_value(benefit["amount"], facts, {}).total, "nearest", cent_decimals(facts))


def cent_decimals(facts: Facts) -> int:
    """Return "the smallest unit of the program's money by ISO 4217"; the drawn moneys all have cents but these."""
    return {"JPY": 0, "KWD": 3}.get(facts.program.get("money"), 2)


def evenly(worth: Fraction, count: int, decimals: int) -> list[Fraction]:
    """Return the parts: "split evenly over them, odd cents to the first"."""
    cents, odd = divmod(worth * 10**decimals, count)
    return [Fraction(cents + (1 if index < odd else 0), 10**decimals) for index in range(count)]


def check_holder(action: dict, coupon_type: dict, facts: Facts) -> None:
    """Raise the reason if the event has no member that the coupon needs.

    "A type capped per_member is not issued to an anonymous event (no_member)", and "for an anonymous event a
    tracker base gives no_member".
    """
    if facts.member is not None:
        return
    quantity = action.get("quantity")
    of = (quantity.get("of") or {}) if isinstance(quantity, dict) else {}
    per_member = (coupon_type.get("caps") or {}).get("per_member")
    if per_member is not None or of.get("type") in TRACKER_BASES:
        raise Skip("no_member")


def is_serial_managed(coupon_type: dict) -> bool:
    return coupon_type.get("serial_managed") is not False


def shares(amount: Fraction, earned: Award, decimals: int, facts: Facts) -> list[dict]:
    """Return the shares of an issue by line.

    "The selected lines weighted by what each gave to a line base before it was rounded, zeros listed too, all lines
    weighted by value otherwise (…; no lines: no shares)".
    """
    weighted = earned.lines
    if weighted is None:
        weighted = [(line["id"], line_value(line)) for line in facts.lines]
    if not weighted:
        return []
    parts = split(amount, [weight for _, weight in weighted], decimals)
    return [{"line": line, "amount": text(part)} for (line, _), part in zip(weighted, parts, strict=True)]


# --- what they advance ----------------------------------------------------------------------------------------


def tracker_advances(facts: Facts) -> list[dict]:
    """Return the advances of the trackers.

    "Every tracker to which an event contributes more than zero advances, whether a promotion reads it or not; zero
    gives no intent."
    """
    return [
        advance(name, facts.program["trackers"][name], value, facts)
        for name, value in facts.contributions.items()
        if value
    ]


def count_awards(facts: Facts, issues: list[dict]) -> None:
    """Set the contributions of trackers of awards.

    "An awarded tracker counts what is booked to the event's own member (per group: to the group's account)".
    """
    if facts.member is None:
        return
    for name, tracker in (facts.program.get("trackers") or {}).items():
        if tracker["measure"]["type"] != "awarded" or not holds(tracker.get("when"), facts):
            continue
        account = facts.group if tracker.get("per") == "member_group" else None
        if tracker.get("per") == "member_group" and account is None:
            continue
        facts.contributions[name] = sum(
            (
                given(issue["amount"])
                for issue in issues
                if issue["type"] == "issue_currency"
                and issue["currency"] == tracker["measure"]["currency"]
                and issue["group"] == account
                and issue["member"] == facts.member["id"]
            ),
            Fraction(0),
        )


def advance(name: str, tracker: dict, value: Fraction, facts: Facts) -> dict:
    dates = window_dates(tracker.get("window"), facts.event_date)
    starts_at = ends_at = None
    if dates is not None:
        starts_at, ends_at = start_of(dates[0], facts.zone), start_of(later(dates[1], 1), facts.zone)
    return {
        "type": "advance_tracker",
        "key": issue_key(f"tracker/{name}", facts),
        "tracker": name,
        "member": facts.member["id"],
        "value": text(value),
        "window_starts_at": instant_text(starts_at),
        "window_ends_at": instant_text(ends_at),
        "group": facts.group if tracker.get("per") == "member_group" else None,
    }


def changes_of_tiers(facts: Facts) -> list[dict]:
    return [
        {
            "type": "change_tier",
            "key": issue_key(f"tier/{name}", facts),
            "tier": name,
            "member": facts.member["id"],
            "group": facts.group if is_of_group(facts.program["tiers"][name], facts) else None,
            "from_level": before,
            "to_level": after,
            "on": day_text(facts.event_date),
            "until": day_text(until),
        }
        for name, before, after, until in tier_changes(facts)
    ]


def is_of_group(tier: dict, facts: Facts) -> bool:
    """Return whether it is a group's: "A tier by a tracker per: member_group is the group's"."""
    return facts.program["trackers"][tier["by"]].get("per") == "member_group"


# --- text -----------------------------------------------------------------------------------------------------


def issue_key(reference: str, facts: Facts) -> str:
    """Return the key of an issue.

    "Keys join with /": PROGRAM/EVENT/…, the event's id escaped.
    """
    return f"{facts.program['id']}/{escaped(facts.event['id'])}/{reference}"


def day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def instant_text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
