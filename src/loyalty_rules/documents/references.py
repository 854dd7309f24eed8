"""The references of a program: to currencies, trackers, coupon types, actions and paths. Source: documents (program).

The check works on the document, not on the values. It therefore covers parts with other problems, too, and all
problems are reported at once. A part of the wrong type is skipped here, since the conversion reports it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from loyalty_rules.errors import InvalidValueError, Problem, path_step, shorten
from loyalty_rules.keys import action_key
from loyalty_rules.rules.conditions import (
    ANNIVERSARY_SCOPE,
    CONTRIBUTION_SCOPE,
    EVENT_SCOPE,
    LINE_SCOPE,
    TEXT_SCOPE,
    Scope,
)
from loyalty_rules.values.checked import nearest
from loyalty_rules.values.folding import folded
from loyalty_rules.values.identifiers import MAX_NAME

__all__ = ["unresolved"]

MAX_CONDITION_DEPTH = 32
MAX_PROBLEMS = 100
_MAX_ENTRIES = 20_000  # the conversion refuses a longer list, so its parts are not checked
_MAX_COMPARED = 400  # names in all: the search for the nearest one takes 8,000 instructions a name
_NO_CURRENCY: Mapping[object, str] = {
    "issue_coupon": "issues coupons, not a currency",
    "extend_expiry": "extends lots and issues nothing",
    "spend_currency": "spends a currency and issues none",
}


def unresolved(document: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for every name in a program's document that refers to nothing, and for every repeated id.

    At most 100 problems are returned.
    """
    return [*islice(_References(document).problems(), MAX_PROBLEMS)]


class _References:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.currencies = _keys(document, "currencies")
        self.trackers = _keys(document, "trackers")
        self.coupon_types = _keys(document, "coupon_types")
        self.tiers = _keys(document, "tiers")
        self._left_to_compare = _MAX_COMPARED
        self.types: dict[str, object] = {}  # of the actions read so far, by PROMOTION/ACTION

    def problems(self) -> Iterator[Problem]:
        for path, currency in _entries(self.document, "currencies", "$"):
            for part_path, part in _entry(currency, "redeem", path):
                yield from self._condition(part, "not_for", part_path, LINE_SCOPE)
        for path, limit in _entries(self.document, "limits", "$"):
            yield from self._known(limit, "currency", path, self.currencies)
            yield from self._convertible(limit, path)
        for path, tracker in _entries(self.document, "trackers", "$"):
            yield from self._condition(tracker, "when", path, CONTRIBUTION_SCOPE)
            yield from self._base(tracker, "measure", path)
        for path, coupon_type in _entries(self.document, "coupon_types", "$"):
            for part_path, part in _entry(coupon_type, "benefit", path):
                yield from self._condition(part, "lines", part_path, LINE_SCOPE)
                yield from self._base(part, "amount", part_path)
            for part_path, part in _entry(coupon_type, "redemption", path):
                yield from self._condition(part, "when", part_path, EVENT_SCOPE)
                yield from self._together(part, part_path)
        yield from self._shared_codes()
        for path, group in _entries(self.document, "groups", "$"):
            yield from self._known(group, "of", path, self.currencies, "currency")
        for path, tier in _entries(self.document, "tiers", "$"):
            yield from self._known(tier, "by", path, self.trackers, "tracker")
        for path, schedule in _entries(self.document, "schedules", "$"):
            for part_path, part in _entry(schedule, "on", path):
                if isinstance(part.get("anniversary"), str):
                    yield from self._path(ANNIVERSARY_SCOPE, part["anniversary"], f"{part_path}.anniversary")
        yield from _repeated(self.document, "promotions", "$")
        for path, promotion in _entries(self.document, "promotions", "$"):
            yield from self._promotion(promotion, path)

    def _convertible(self, limit: Mapping[str, Any], path: str) -> Iterator[Problem]:
        """Yield a problem if a limit in money is on a currency without a rate."""
        name = limit.get("currency")
        currency = (self.currencies or {}).get(name) if isinstance(name, str) else None
        if limit.get("money") is not None and isinstance(currency, Mapping) and currency.get("redeem") is None:
            yield Problem(f"{path}.money", "no_rate", f"the currency {shorten(str(name))} has no redeem rate")

    def _together(self, redemption: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for index, name in enumerate(_items(redemption.get("together"))):
            for problem in self._known({"coupon_type": name}, "coupon_type", "", self.coupon_types):
                yield Problem(f"{path}.together[{index}]", problem.code, problem.message)

    def _shared_codes(self) -> Iterator[Problem]:
        """Yield a problem for each code that is that of an earlier coupon type, however it is typed."""
        seen: dict[str, str] = {}
        for path, coupon_type in _entries(self.document, "coupon_types", "$"):
            code = coupon_type.get("code")
            if isinstance(code, str) and len(code) <= MAX_NAME:
                key = folded(code)
                if key in seen:
                    message = f"{shorten(code)} and {shorten(seen[key])} of an earlier coupon type are one code"
                    yield Problem(f"{path}.code", "duplicate_code", message)
                seen.setdefault(key, code)

    def _promotion(self, promotion: Mapping[str, Any], path: str) -> Iterator[Problem]:
        yield from self._condition(promotion, "when", path, EVENT_SCOPE)
        yield from _repeated(promotion, "actions", path)
        actions = [*_entries(promotion, "actions", path)]
        paid = {each["id"] for _, each in actions if isinstance(each.get("id"), str)}
        for action_path, action in actions:
            yield from self._action(action, action_path)
            yield from self._paid_for(action, action_path, paid)
            ids = promotion.get("id"), action.get("id")
            if isinstance(ids[0], str) and isinstance(ids[1], str):
                self.types[action_key(ids[0], ids[1])] = action.get("type")

    def _action(self, action: Mapping[str, Any], path: str) -> Iterator[Problem]:
        yield from self._known(action, "currency", path, self.currencies)
        yield from self._known(action, "coupon_type", path, self.coupon_types)
        yield from self._not_public(action, path)
        for part_path, part in _entry(action, "recipient", path):
            if isinstance(part.get("field"), str):
                yield from self._path(TEXT_SCOPE, part["field"], f"{part_path}.field")
        for key in ("proration", "quantity", "amount"):
            for part_path, part in _entry(action, key, path):
                yield from self._proration(part, part_path)
        for part_path, part in _entry(action, "timing", path):
            yield from self._condition(part, "when", part_path, EVENT_SCOPE)

    def _proration(self, proration: Mapping[str, Any], path: str) -> Iterator[Problem]:
        yield from self._base(proration, "of", path)
        yield from self._percent(proration, path)
        for band_path, band in _entries(proration, "bands", path):
            yield from self._percent(band, band_path)
        yield from self._known(proration, "over", path, self.trackers, "tracker")

    def _percent(self, holder: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for percent_path, percent in _entry(holder, "percent", path):
            by, of = percent.get("by"), percent.get("of")
            if not isinstance(by, str):
                continue
            problems = [*self._path(TEXT_SCOPE, by, f"{percent_path}.by")]
            yield from problems
            if not problems and by.startswith("tiers.") and isinstance(of, Mapping) and len(of) <= _MAX_ENTRIES:
                for level in of:
                    yield from self._level(by.removeprefix("tiers."), level, f"{percent_path}.of{path_step(level)}")

    def _level(self, tier: object, level: object, path: str) -> Iterator[Problem]:
        definition = self.tiers.get(tier) if self.tiers is not None and isinstance(tier, str) else None
        levels = _items(definition.get("levels")) if isinstance(definition, Mapping) else ()
        if levels and isinstance(level, str) and level not in levels:
            known = {each: each for each in levels if isinstance(each, str)}
            yield Problem(
                path, "unknown_reference", f"the tier {tier} has no level {shorten(level)}{self._hint(level, known)}"
            )

    def _not_public(self, action: Mapping[str, Any], path: str) -> Iterator[Problem]:
        name = action.get("coupon_type")
        coupon_type = (self.coupon_types or {}).get(name) if isinstance(name, str) else None
        if isinstance(coupon_type, Mapping) and coupon_type.get("public") is True:
            message = f"coupon type {shorten(str(name))} is public: whoever presents its code redeems it"
            yield Problem(f"{path}.coupon_type", "misplaced", message)

    def _base(self, holder: Mapping[str, Any], key: str, path: str) -> Iterator[Problem]:
        for base_path, base in _entry(holder, key, path):
            yield from self._known(base, "tracker", base_path, self.trackers)
            yield from self._known(base, "currency", base_path, self.currencies)
            yield from self._condition(base, "lines", base_path, LINE_SCOPE)
            for index, action in enumerate(_items(base.get("actions"))):
                yield from self._earlier(action, f"{base_path}.actions[{index}]")

    def _earlier(self, action: object, path: str) -> Iterator[Problem]:
        if not isinstance(action, str):
            return
        if action not in self.types:
            hint = self._hint(action, self.types)
            yield Problem(path, "unknown_reference", f"there is no earlier action {shorten(action)}{hint}")
            return
        kind = self.types[action]
        if isinstance(kind, str) and kind in _NO_CURRENCY:  # anything else is a mistake of its own
            yield Problem(path, "unknown_reference", f"{shorten(action)} {_NO_CURRENCY[kind]}")

    def _paid_for(self, action: Mapping[str, Any], path: str, ids: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each action that a spend pays for and that its promotion does not have."""
        for index, paid in enumerate(_items(action.get("for"))):
            at = f"{path}.for[{index}]"
            if not isinstance(paid, str):
                continue
            if paid == action.get("id"):
                yield Problem(at, "misplaced", "a spend does not pay for itself")
            elif paid not in ids:
                others = {each: None for each in ids if each != action.get("id")}
                hint = self._hint(paid, others)
                yield Problem(at, "unknown_reference", f"the promotion has no action {shorten(paid)}{hint}")

    def _hint(self, name: str, known: Mapping[str, Any]) -> str:
        """Return a hint at the nearest known name, while few names have been compared for the document."""
        self._left_to_compare -= len(known)
        if self._left_to_compare < 0:
            return ""
        near = nearest(name, [each for each in known if isinstance(each, str)])
        return f"; did you mean {near!r}?" if near else ""

    def _known(
        self, holder: Mapping[str, Any], key: str, path: str, known: Mapping[str, Any] | None, kind: str = ""
    ) -> Iterator[Problem]:
        name = holder.get(key)
        if isinstance(name, str) and known is not None and name not in known:
            kind = kind or key.replace("_", " ")
            yield Problem(
                f"{path}.{key}", "unknown_reference", f"there is no {kind} {shorten(name)}{self._hint(name, known)}"
            )

    def _condition(self, holder: Mapping[str, Any], key: str, path: str, scope: Scope) -> Iterator[Problem]:
        waiting = [(f"{path}.{key}", holder.get(key), scope, 1)]
        while waiting:
            at, condition, scope, depth = waiting.pop()
            if not isinstance(condition, Mapping):
                continue
            if depth > MAX_CONDITION_DEPTH:
                yield Problem(at, "too_deep", f"a condition is at most {MAX_CONDITION_DEPTH} levels deep")
                return
            for name in ("all", "any"):
                for index, part in enumerate(_items(condition.get(name))):
                    waiting.append((f"{at}.{name}[{index}]", part, scope, depth + 1))
            waiting.append((f"{at}.not", condition.get("not"), scope, depth + 1))
            yield from self._paths(condition, at, scope)
            if scope.line_tests:
                yield from self._base(condition, "base", at)
            if condition.get("lines") is not None:
                if scope.line_tests:
                    waiting.append((f"{at}.lines", condition["lines"], LINE_SCOPE, depth + 1))
                else:
                    yield Problem(at, "misplaced", f"{scope.name} has no lines to test")

    def _paths(self, condition: Mapping[str, Any], at: str, scope: Scope) -> Iterator[Problem]:
        if isinstance(condition.get("field"), str):
            yield from self._path(scope, condition["field"], f"{at}.field")
        if isinstance(condition.get("sample"), str) and scope.line_tests:
            yield from self._path(scope, condition["sample"], f"{at}.sample")
        if isinstance(condition.get("tier"), str) and scope.line_tests:
            yield from self._known(condition, "tier", at, self.tiers)
            for key in ("at_least", "at_most", "is"):
                yield from self._level(condition["tier"], condition.get(key), f"{at}.{key}")
        for key in ("base", "tier", "sample"):
            if condition.get(key) is not None and not scope.line_tests:
                yield Problem(at, "misplaced", f"{scope.name} has no {key} to test")
        if isinstance(condition.get("anniversary"), str):
            if scope.line_tests:
                yield from _checked(ANNIVERSARY_SCOPE, condition["anniversary"], f"{at}.anniversary")
            else:
                yield Problem(at, "misplaced", f"{scope.name} has no anniversary")
        if condition.get("tracker") is not None:
            if scope.tracker_tests:
                yield from self._known(condition, "tracker", at, self.trackers)
            else:
                yield Problem(at, "misplaced", f"{scope.name} cannot be tested by a tracker")

    def _path(self, scope: Scope, path: str, at: str) -> Iterator[Problem]:
        """Yield the problem of a path that does not exist, or that names a tier or a currency that does not."""
        problems = [*_checked(scope, path, at)]
        yield from problems
        if problems or not scope.families:
            return
        family, _, name = path.partition(".")
        known = {"tiers": self.tiers, "balances": self.currencies}.get(family)
        if known is not None and name not in known:
            kind = {"tiers": "tier", "balances": "currency"}[family]
            yield Problem(at, "unknown_reference", f"there is no {kind} {shorten(name)}{self._hint(name, known)}")


def _checked(scope: Scope, path: str, at: str) -> Iterator[Problem]:
    try:
        scope.check(path)
    except InvalidValueError as error:
        yield Problem(at, error.code, error.message)


def _keys(document: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the definitions under a key by their ids, or None if they are not an object."""
    entries = document.get(key, None if key == "currencies" else {})
    if entries is None and key != "currencies":
        return {}
    if not isinstance(entries, Mapping) or len(entries) > _MAX_ENTRIES:
        return None
    return {name: entry for name, entry in entries.items() if entry is not None}


def _entries(holder: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects under a key, in a list or by their ids, each with its path."""
    entries = holder.get(key)
    steps: list[tuple[str, Any]] = []
    if isinstance(entries, Mapping):
        if len(entries) <= _MAX_ENTRIES:
            steps = [(path_step(name), entry) for name, entry in entries.items()]
    else:
        steps = [(f"[{index}]", entry) for index, entry in enumerate(_items(entries))]
    for step, entry in steps:
        if isinstance(entry, Mapping):
            yield f"{path}.{key}{step}", entry


def _items(value: object) -> Sequence[Any]:
    """Return the items of a list; none of a list that is too long or of another kind of value."""
    return value if isinstance(value, (list, tuple)) and len(value) <= _MAX_ENTRIES else ()


def _entry(holder: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the object under a key with its path, if there is one."""
    entry = holder.get(key)
    if isinstance(entry, Mapping):
        yield f"{path}.{key}", entry


def _repeated(holder: Mapping[str, Any], key: str, path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, entry in _entries(holder, key, path):
        name = entry.get("id")
        if isinstance(name, str):
            if name in seen:
                yield Problem(f"{at}.id", "duplicate_id", f"an earlier one of the {key} has the id {shorten(name)}")
            seen.add(name)
