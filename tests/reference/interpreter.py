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

from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction

from .amounts import given, held, rounded, split, text
from .bases import TRACKER_BASES, Award, award, contribution
from .caps import coupon_counters, currency_counters, escaped
from .conditions import holds
from .dates import is_before, later, start_of, window_dates
from .expiry import Issue, Life, issue_of, life_of, valid_from
from .facts import Facts, Skip, gather, line_value
from .messages import channels_for

MAX_COUPONS = 10_000


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
    for promotion in program["promotions"]:
        if fires(promotion, facts):
            evaluator.promotion(promotion, excluded=is_excluded(promotion, facts))
    count_awards(facts, evaluator.issues)
    return {
        "event": event["id"],
        "program": program["id"],
        "intents": evaluator.issues + evaluator.extensions + tracker_advances(facts),
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


def is_excluded(promotion: dict, facts: Facts) -> bool:
    """Return whether another promotion of the group counts instead.

    "Of the promotions with the same exclusive group, only the first that fires counts: by priority (higher first),
    then document order."
    """
    group = promotion.get("exclusive")
    if group is None:
        return False
    rivals = [rival for rival in facts.program["promotions"] if rival.get("exclusive") == group and fires(rival, facts)]
    # A stable sort keeps document order among equals.
    first = sorted(rivals, key=lambda rival: -(rival.get("priority") or 0))[0]
    return first is not promotion


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

    def promotion(self, promotion: dict, excluded: bool) -> None:
        for action in promotion["actions"]:
            try:
                if excluded:
                    raise Skip("excluded_by")
                if action["type"] == "issue_currency":
                    self.issue_currency(promotion, action)
                else:
                    self.issue_coupons(promotion, action)
            except Skip as skip:
                entry = {"promotion": promotion["id"], "action": action["id"], "reason": skip.reason}
                self.skipped.append(entry)

    # The steps follow the order of reasons: recipient, base, zero, expiry, caps.
    def issue_currency(self, promotion: dict, action: dict) -> None:
        facts, reference = self.facts, f"{promotion['id']}/{action['id']}"
        group = recipient_group(action, facts)
        decimals = facts.program["currencies"][action["currency"]].get("decimals") or 0
        earned = self.currency_award(action, decimals)
        if earned.amount == 0:
            raise Skip("zero_amount")
        issue = issue_of(action.get("timing"), facts)
        life = life_of(action["expiry"], issue, facts)
        amount, claims = self.capped(action, reference, earned.amount)
        key = issue_key(reference, facts)
        self.issues.append(
            {
                "type": "issue_currency",
                "key": key,
                "promotion": promotion["id"],
                "action": action["id"],
                "event": facts.event["id"],
                "member": facts.member["id"],
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
                "expires_by": None,
                "depends_on": [],
            }
        )
        self.awarded[reference] = amount
        self.send_message(action, reference, [key], promised=issue.state == "promised")
        if action["expiry"]["type"] == "rolling":
            self.extend_expiry(action, key, group, life)

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

    def capped(self, action: dict, reference: str, amount: Fraction) -> tuple[Fraction, list[dict]]:
        """Trim an amount to its caps.

        "Applied after rounding, the action's caps first; the trimmed amount is not rounded again."
        """
        per_event = (action.get("caps") or {}).get("per_event")
        if per_event is not None:
            amount = min(amount, given(per_event))
        counters = currency_counters(action, reference, self.facts, self.issued_by_limit)
        for counter in counters:
            amount = counter.trim(amount)
        if amount == 0:
            raise Skip("cap_reached")
        # "What this evaluation has already issued counts."
        for name, limit in (self.facts.program.get("limits") or {}).items():
            if limit["currency"] == action["currency"]:
                self.issued_by_limit[name] = self.issued_by_limit.get(name, Fraction(0)) + amount
        return amount, [counter.claim(amount) for counter in counters]

    def extend_expiry(self, action: dict, key: str, group: str | None, life: Life) -> None:
        self.extensions.append(
            {
                "type": "extend_expiry",
                "key": f"{key}/extend",
                "member": self.facts.member["id"],
                "group": group,
                "currency": action["currency"],
                "scope": action["expiry"].get("scope") or "balance",
                "expires_on": day_text(life.expires_on),
                "expires_at": instant_text(life.expires_at),
            }
        )

    def issue_coupons(self, promotion: dict, action: dict) -> None:
        facts, name = self.facts, action["coupon_type"]
        coupon_type = facts.program["coupon_types"][name]
        check_holder(action, coupon_type, facts)
        quantity = self.coupon_quantity(action)
        if quantity == 0:
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
        keys = [f"{issue_key(reference, facts)}/{number}" for number in range(1, count + 1)]
        for key in keys:
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
                    "till_message": f"Coupon issued: {code if serial is None else serial}",
                    "claims": claims,
                    "title": None,
                    "terms": None,
                    "depends_on": [],
                    "worth": None,
                }
            )
        self.send_message(action, reference, keys, promised=False)

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

    def send_message(self, action: dict, reference: str, about: list[str], promised: bool) -> None:
        """Add a message.

        "One for each action, about all that the action issued"; "A promise sends its own promised_template, where
        there is one, and the template on release". "An anonymous event sends nothing."
        """
        communication, member = action.get("communication"), self.facts.member
        if communication is None or member is None:
            return
        template = communication.get("promised_template") if promised else communication["template"]
        channels, fallbacks = channels_for(communication, member.get("contacts"))
        if template is None or not channels:
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


def recipient_group(action: dict, facts: Facts) -> str | None:
    """Return the member's group if the action issues to it, or None.

    "Where the recipient is the member's group, group is set too"; no_member comes before no_group.
    """
    if facts.member is None:
        raise Skip("no_member")
    if (action.get("recipient") or "member") == "member":
        return None
    if facts.member.get("group") is None:
        raise Skip("no_group")
    return facts.member["group"]


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
