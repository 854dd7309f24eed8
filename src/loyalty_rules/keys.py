"""Keys and counter names: every form that they have, written and read in this module alone.

A key identifies an intent; it is the same whenever the same event is evaluated under the same program. Its parts are
joined with `/`. A counter name identifies a number that caps and trackers count. Ids from outside (events, members,
stores) are escaped with `key_part`; ids of a program's parts contain neither `/` nor `%`.

These texts are stored by ledgers and must never change. Source: documents (evaluation, claims), ledger 2.

- `PROGRAM/EVENT/PROMOTION/ACTION`: an issue of currency
- `PROGRAM/EVENT/PROMOTION/ACTION/ORDINAL`: a coupon
- `PROGRAM/EVENT/tracker/TRACKER`: an advance of a tracker
- `PROGRAM/EVENT/tier/TIER`: a change of level
- `PROGRAM/reminder/CURRENCY/MEMBER/DAY/BEFORE`: a reminder of units that expire
- `PROGRAM/EVENT#PHASE`: a batch of a ledger
- `PROMOTION/ACTION/member/MEMBER/WINDOW`: the counter of an action's cap per member
"""

from datetime import date
from typing import Literal

__all__ = [
    "PUBLIC_COUPONS",
    "RESERVED_PROMOTION_IDS",
    "TRACKER_COUNTERS",
    "action_key",
    "action_key_in",
    "adjustment_key",
    "adjustment_phase",
    "batch_key",
    "cancellation_key",
    "capture_key",
    "counts_times",
    "coupon_counter_name",
    "coupon_expiry_key",
    "coupon_key",
    "currency_expiry_key",
    "debt_payment_key",
    "event_in",
    "event_key",
    "extend_key",
    "extend_phase",
    "extended_issue",
    "extension_key",
    "forget_key",
    "forget_phase",
    "hold_end_key",
    "hold_key",
    "hold_phase",
    "hold_release_key",
    "is_action_key",
    "is_of_program",
    "is_tracker_counter",
    "issue_key",
    "key_part",
    "key_within_program",
    "kind_of_phase",
    "limit_counter_name",
    "member_cap_counter_name",
    "member_key",
    "merge_key",
    "message_key",
    "nightly_key",
    "nightly_phase",
    "ordinal_in",
    "part_undo_key",
    "plain_part",
    "public_coupon_key",
    "reassign_key",
    "reassign_phase",
    "received_lot_key",
    "redeem_all_phase",
    "redemption_key",
    "redemption_phase",
    "release_hold_phase",
    "release_key",
    "reminder_key",
    "return_void_key",
    "reversal_key",
    "review_again_key",
    "review_key",
    "review_phase",
    "spend_key",
    "spend_phase",
    "split_action_key",
    "tier_key",
    "top_up_key",
    "top_up_phase",
    "total_cap_counter_name",
    "tracker_counter_name",
    "tracker_in",
    "tracker_key",
    "transfer_counter_name",
    "transfer_key",
    "transfer_phase",
    "undo_key",
    "undo_redemption_phase",
    "undo_spend_phase",
    "undone_keys",
    "until_in",
    "void_key",
    "void_phase",
]

PUBLIC_COUPONS = "coupon"
"""The word in the place of the promotion in the key of a public code's coupon: `PROGRAM/EVENT/coupon/TYPE/ORDINAL`."""

RESERVED_PROMOTION_IDS = ("tracker", "limit", "coupon", "tier")
"""The words that stand in the place of a promotion's id in keys and counters, so that no promotion may have them."""

TRACKER_COUNTERS = "tracker/"
"""The text that the names of all counters of trackers begin with."""

_TIMES = "/times"
_EXTEND = "/extend"


# -- parts -------------------------------------------------------------------------------------------------------------


def key_part(name: str) -> str:
    """Escape an id from outside for a key or a counter name: `%` becomes `%25`, `/` becomes `%2F`."""
    return name.replace("%", "%25").replace("/", "%2F") if "%" in name or "/" in name else name


def plain_part(part: str) -> str:
    """Return the id that `key_part` escaped."""
    return part.replace("%2F", "/").replace("%25", "%")


def action_key(promotion: str, action: str) -> str:
    """Return `PROMOTION/ACTION`, which identifies an action within its program."""
    return f"{promotion}/{action}"


def split_action_key(key: str) -> tuple[str, str]:
    """Return the promotion and the action of `PROMOTION/ACTION`; raise ValueError if the text has another form."""
    promotion, action = key.split("/")
    return promotion, action


def is_action_key(text: str) -> bool:
    """Return whether a text is an action key, rather than the id of a part of the program."""
    return "/" in text


def nightly_key(program: str) -> str:
    """Return the key of the record of a program's nightly runs: `PROGRAM/nightly`."""
    return f"{program}/nightly"


def nightly_phase() -> str:
    """Return the phase of the end of a nightly run."""
    return "nightly"


def event_key(program: str, event: str) -> str:
    """Return `PROGRAM/EVENT`, with which the keys of everything that follows from an event begin."""
    return f"{program}/{key_part(event)}"


# -- intents of an evaluation ------------------------------------------------------------------------------------------


def issue_key(event: str, action: str) -> str:
    """Return the key of an issue: `PROGRAM/EVENT/PROMOTION/ACTION`, from an event key and an action key."""
    return f"{event}/{action}"


def coupon_key(issue: str, ordinal: int) -> str:
    """Return the key of a coupon: the key of its action's issue and the coupon's ordinal, which counts from 1."""
    return f"{issue}/{ordinal}"


def message_key(about: str) -> str:
    """Return the key of the message about an issue, the coupons of an action or a release: its key and `/message`."""
    return f"{about}/message"


def extension_key(issue: str) -> str:
    """Return the key of the extension that an issue with a rolling expiry causes: its key and `/extend`."""
    return issue + _EXTEND


def tracker_key(event: str, tracker: str) -> str:
    """Return the key of an advance of a tracker: `PROGRAM/EVENT/tracker/TRACKER`, from an event key."""
    return f"{event}/tracker/{tracker}"


def review_key(program: str, tier: str, holder: str, until: date) -> str:
    """Return the key of the review of a level: `PROGRAM/review/TIER/HOLDER/OLD-UNTIL`; the holder is an account."""
    return f"{program}/review/{tier}/{key_part(holder)}/{until}"


def review_again_key(event: str, tier: str) -> str:
    """Return the key of a change of level by a review judged again: `PROGRAM/EVENT/tier/TIER/review`."""
    return f"{tier_key(event, tier)}/review"


def until_in(review: str) -> date:
    """Return the last day at the end of the key of a review."""
    return date.fromisoformat(review.rpartition("/")[2])


def review_phase(tier: str, holder: str, until: date) -> str:
    """Return the phase of the review of a level, which has no event of its own."""
    return f"review/{tier}/{key_part(holder)}/{until}"


def tier_key(event: str, tier: str) -> str:
    """Return the key of a change of level: `PROGRAM/EVENT/tier/TIER`, from an event key."""
    return f"{event}/tier/{tier}"


# -- intents after the sale --------------------------------------------------------------------------------------------


def release_key(promise: str, event: str | None = None) -> str:
    """Return the key of the release of a promise: its key and `/release`; of a part also `/` and the event."""
    return f"{promise}/release" if event is None else f"{promise}/release/{key_part(event)}"


def cancellation_key(promise: str, event: str | None = None) -> str:
    """Return the key of the end of a promise without an issue: its key and `/cancel`; of a part also the event."""
    return f"{promise}/cancel" if event is None else f"{promise}/cancel/{key_part(event)}"


def reversal_key(event: str, action: str, amendment: str | None = None) -> str:
    """Return the key of a reversal: `PROGRAM/RETURN/PROMOTION/ACTION/reverse`, from the return's event key.

    The reversal of an amendment's issue ends with `/` and the id of that amendment.
    """
    key = f"{event}/{action}/reverse"
    return key if amendment is None else f"{key}/{key_part(amendment)}"


def return_void_key(event: str, action: str, ordinal: int, amendment: str | None = None) -> str:
    """Return the key of a void by a return: `PROGRAM/RETURN/PROMOTION/ACTION/ORDINAL/void`.

    The void of an amendment's coupon ends with `/` and the id of that amendment.
    """
    key = f"{event}/{action}/{ordinal}/void"
    return key if amendment is None else f"{key}/{key_part(amendment)}"


def void_key(program: str, event: str, coupon: str) -> str:
    """Return the key of a void by itself: `PROGRAM/EVENT/void/` and the coupon's key within its program."""
    return f"{event_key(program, event)}/void/{key_within_program(coupon)}"


def redemption_key(program: str, event: str, coupon: str) -> str:
    """Return the key of a redemption: `PROGRAM/EVENT/redeem/` and the coupon's key within its program."""
    return f"{event_key(program, event)}/redeem/{key_within_program(coupon)}"


def spend_key(program: str, event: str, currency: str) -> str:
    """Return the key of a spend: `PROGRAM/EVENT/spend/CURRENCY`."""
    return f"{event_key(program, event)}/spend/{currency}"


def adjustment_key(program: str, event: str, currency: str) -> str:
    """Return the key of an adjustment, and of the lot that it adds: `PROGRAM/EVENT/adjust/CURRENCY`."""
    return f"{event_key(program, event)}/adjust/{currency}"


def transfer_key(program: str, event: str, currency: str) -> str:
    """Return the key of a transfer: `PROGRAM/EVENT/transfer/CURRENCY`."""
    return f"{event_key(program, event)}/transfer/{currency}"


def received_lot_key(transfer: str, number: int) -> str:
    """Return the key of a lot that a transfer adds to its target: the transfer's key and a number from 1."""
    return f"{transfer}/{number}"


def merge_key(program: str, event: str) -> str:
    """Return the key of a merge of two members: `PROGRAM/EVENT/merge`."""
    return f"{event_key(program, event)}/merge"


def forget_key(program: str, event: str) -> str:
    """Return the key of the closing of a member's account: `PROGRAM/EVENT/forget`."""
    return f"{event_key(program, event)}/forget"


def member_key(program: str, member: str) -> str:
    """Return the key of a member's record: `PROGRAM/MEMBER`."""
    return event_key(program, member)


def extend_key(program: str, event: str, extended: str) -> str:
    """Return the key of an extension by hand: `PROGRAM/EVENT/extend/` and the lot's or coupon's key in its program."""
    return f"{event_key(program, event)}/extend/{key_within_program(extended)}"


def reassign_key(program: str, event: str, coupon: str) -> str:
    """Return the key of a coupon's change of member: `PROGRAM/EVENT/reassign/` and the coupon's key in its program."""
    return f"{event_key(program, event)}/reassign/{key_within_program(coupon)}"


def top_up_key(program: str, event: str, coupon: str) -> str:
    """Return the key of an addition to a card: `PROGRAM/EVENT/top_up/` and the coupon's key in its program."""
    return f"{event_key(program, event)}/top_up/{key_within_program(coupon)}"


def undo_key(undone: str) -> str:
    """Return the key of the undoing of a spend or a redemption: its key and `/undo`."""
    return f"{undone}/undo"


def part_undo_key(program: str, event: str, undone: str) -> str:
    """Return the key of the undoing of a part: `PROGRAM/EVENT/undo/` and the undone key within its program."""
    return f"{event_key(program, event)}/undo/{key_within_program(undone)}"


def undone_keys(undo: str) -> tuple[str, ...]:
    """Return the keys of which one is that of the spend that an undo has undone: see `undo_key`, `part_undo_key`."""
    program, _, rest = undo.partition("/")
    _, separator, undone = rest.partition("/undo/")
    whole = (undo.removesuffix("/undo"),) if undo.endswith("/undo") else ()
    return (*whole, f"{program}/{undone}") if separator else whole


def public_coupon_key(program: str, event: str, coupon_type: str, ordinal: int) -> str:
    """Return the key of the coupon of a public code: `PROGRAM/EVENT/coupon/TYPE/ORDINAL`."""
    return coupon_key(issue_key(event_key(program, event), action_key(PUBLIC_COUPONS, coupon_type)), ordinal)


def hold_key(program: str, event: str, currency: str) -> str:
    """Return the key of a hold: `PROGRAM/EVENT/hold/CURRENCY`."""
    return f"{event_key(program, event)}/hold/{currency}"


def capture_key(program: str, event: str, hold: str) -> str:
    """Return the key of the capture of a hold: `PROGRAM/EVENT/capture/` and the hold's key within its program."""
    return f"{event_key(program, event)}/capture/{key_within_program(hold)}"


def hold_release_key(program: str, event: str, hold: str) -> str:
    """Return the key of the release of held units: `PROGRAM/EVENT/release/` and the hold's key within its program."""
    return f"{event_key(program, event)}/release/{key_within_program(hold)}"


def hold_end_key(hold: str) -> str:
    """Return the key of the end of a hold by time alone: its key and `/end`."""
    return f"{hold}/end"


def currency_expiry_key(lot: str, expires_on: date | None) -> str:
    """Return the key of a lot's expiry: the lot's key, `/expire/` and the date, since an extension may move it."""
    return f"{lot}/expire/{expires_on}"


def coupon_expiry_key(coupon: str) -> str:
    """Return the key of a coupon's expiry: its key and `/expire`."""
    return f"{coupon}/expire"


def debt_payment_key(issue: str) -> str:
    """Return the key of the entry by which an issue pays the debt of its account: its key and `/debt`."""
    return f"{issue}/debt"


# -- reading keys ------------------------------------------------------------------------------------------------------


def is_of_program(key: str, program: str) -> bool:
    """Return whether a key belongs to a program."""
    return key.startswith(f"{program}/")


def event_in(key: str) -> str:
    """Return the id of the event in a key, without its escapes."""
    return key.split("/")[1].replace("%2F", "/").replace("%25", "%")


def key_within_program(key: str) -> str:
    """Return a key without the program that it begins with: `EVENT/PROMOTION/ACTION/1` of a coupon."""
    return key.partition("/")[2]


def action_key_in(key: str) -> str:
    """Return the `PROMOTION/ACTION` in the key of an issue or a coupon."""
    return "/".join(key.split("/")[2:4])


def ordinal_in(coupon: str) -> int:
    """Return the ordinal at the end of a coupon's key: 1 for the first coupon of its action."""
    return int(coupon.rpartition("/")[2])


def extended_issue(extension: str) -> str:
    """Return the key of the issue that caused an extension, from the extension's key."""
    return extension.removesuffix(_EXTEND)


# -- counters ----------------------------------------------------------------------------------------------------------


def tracker_counter_name(tracker: str, member: str, window: str) -> str:
    """Return the name of a tracker's counter: `tracker/TRACKER/MEMBER/WINDOW`."""
    return f"tracker/{tracker}/{key_part(member)}/{window}"


def is_tracker_counter(counter: str) -> bool:
    """Return whether a counter is that of a tracker."""
    return counter.startswith("tracker/")


def tracker_in(counter: str) -> str:
    """Return the tracker of a tracker's counter."""
    return counter.split("/")[1]


def member_cap_counter_name(action: str, member: str, window: str, *, times: bool) -> str:
    """Return the name of the counter of an action's cap per member; that of a cap by times ends with `/times`."""
    return f"{action}/member/{key_part(member)}/{window}{_TIMES if times else ''}"


def total_cap_counter_name(action: str, window: str, *, times: bool) -> str:
    """Return the name of the counter of an action's total cap; that of a cap by times ends with `/times`."""
    return f"{action}/total/{window}{_TIMES if times else ''}"


def counts_times(counter: str) -> bool:
    """Return whether a counter that an issue of currency draws on counts times, rather than amounts."""
    return counter.endswith(_TIMES)


def limit_counter_name(limit: str, scope: str | None, window: str) -> str:
    """Return the name of a limit's counter: `limit/ID/SCOPE/WINDOW`, or `limit/ID/WINDOW` if `scope` is None.

    The scope is a member or a store.
    """
    return f"limit/{limit}/{key_part(scope)}/{window}" if scope is not None else f"limit/{limit}/{window}"


def transfer_counter_name(currency: str, kind: Literal["member", "group"], account: str, window: str) -> str:
    """Return the name of the counter of units sent: `limit/transfer:CURRENCY/MEMBER/WINDOW`.

    That of a group begins with `limit/group-transfer:`. No id of a limit has a colon.
    """
    prefix = "transfer" if kind == "member" else "group-transfer"
    return f"limit/{prefix}:{currency}/{key_part(account)}/{window}"


def coupon_counter_name(coupon_type: str, scope: Literal["store", "member", "total"], of: str = "") -> str:
    """Return the name of a coupon type's counter.

    It is `coupon/TYPE/store/STORE`, `coupon/TYPE/member/MEMBER` or `coupon/TYPE/total`.
    """
    return f"coupon/{coupon_type}/{scope}/{key_part(of)}" if scope != "total" else f"coupon/{coupon_type}/total"


# -- reminders ---------------------------------------------------------------------------------------------------------


def reminder_key(program: str, currency: str, holder: str, day: date, before: str) -> str:
    """Return the key of a reminder: `PROGRAM/reminder/CURRENCY/HOLDER/DAY/BEFORE`; `before` is a period in ISO 8601."""
    return f"{program}/reminder/{currency}/{holder}/{day.isoformat()}/{before}"


# -- batches of a ledger -----------------------------------------------------------------------------------------------


def batch_key(program: str, event: str, phase: str) -> str:
    """Return the key of a batch: `PROGRAM/EVENT#PHASE`.

    The phase of a sale, a return, an update or a confirmation is `event`; of a sweep, `settle` or `expire`.
    """
    return f"{event_key(program, event)}#{phase}"


def spend_phase(currency: str) -> str:
    """Return the phase of a spend: one event may spend several currencies."""
    return f"spend/{currency}"


def adjustment_phase(currency: str) -> str:
    """Return the phase of an adjustment: one event may adjust several currencies."""
    return f"adjust/{currency}"


def hold_phase(currency: str) -> str:
    """Return the phase of a hold: one event may hold several currencies."""
    return f"hold/{currency}"


def release_hold_phase(hold: str) -> str:
    """Return the phase of the release of a hold, from the hold's key."""
    return f"release/{hold}"


def undo_spend_phase(spend: str) -> str:
    """Return the phase of the undoing of a spend, from the spend's key."""
    return f"undo_spend/{spend}"


def redemption_phase(coupon: str | None = None, *, code: str | None = None) -> str:
    """Return the phase of a redemption: of a coupon by its key, of a shared code, or of no known coupon.

    A serial is a secret and never stands in a key; a coupon that has one is identified by its own key.
    """
    if coupon is not None:
        return f"redeem/{key_within_program(coupon)}"
    return f"redeem/{code}" if code is not None else "redeem"


def redeem_all_phase() -> str:
    """Return the phase of a whole set of redemptions and spends: an event has one."""
    return "redeem_all"


def undo_redemption_phase(redemption: str) -> str:
    """Return the phase of the undoing of a redemption, from the redemption's key."""
    return f"undo_redemption/{redemption}"


def void_phase(coupon: str) -> str:
    """Return the phase of a void by itself, from the coupon's key."""
    return f"void/{coupon}"


def transfer_phase(currency: str) -> str:
    """Return the phase of a transfer: one event may transfer several currencies."""
    return f"transfer/{currency}"


def forget_phase() -> str:
    """Return the phase of the closing of a member's account: an event closes one."""
    return "forget"


def extend_phase(extended: str) -> str:
    """Return the phase of an extension by hand, from the key of the lot or the coupon."""
    return f"extend/{extended}"


def reassign_phase(coupon: str) -> str:
    """Return the phase of a coupon's change of member, from the coupon's key."""
    return f"reassign/{coupon}"


def top_up_phase(coupon: str) -> str:
    """Return the phase of an addition to a card, from the coupon's key."""
    return f"top_up/{coupon}"


def kind_of_phase(phase: str) -> str:
    """Return the first word of a phase: `spend` of `spend/points`, `event` of `event`."""
    return phase.partition("/")[0]
