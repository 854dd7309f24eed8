"""Texts and terms of coupons: names that are not filled, missing languages, terms that no redemption reaches.

Source: semantics 9.
"""

import re
from collections.abc import Iterator, Mapping

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import keyed
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import LineBase
from loyalty_rules.rules.coupons import CouponType, PercentOff, StoredValue
from loyalty_rules.rules.texts import Text
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.checked import nearest

__all__ = ["coupon_terms"]

_NAME = re.compile(r"\{([A-Za-z_]+)\}")
_NAMES = ("code", "title", "expires_on")


def coupon_terms(program: Program) -> Iterator[Finding]:
    """Yield texts and terms of coupon types that are probably mistakes."""
    types = {each.id: each for each in program.coupon_types}
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        yield from _names(f"{path}.till_message", coupon_type.till_message)
        yield from _languages(path, coupon_type)
        yield from _one_sided(path, coupon_type, types)
        yield from _benefit(f"{path}.benefit", coupon_type)


def _names(path: str, message: Text | None) -> Iterator[Finding]:
    texts = message.values() if isinstance(message, Mapping) else [message or ""]
    unknown = {name for text in texts for name in _NAME.findall(text) if name not in _NAMES}
    for name in sorted(unknown):
        near = nearest(name, _NAMES)
        yield Finding(
            path,
            "unknown_name",
            f"{{{name}}} is none of the names that are filled in: {{{'}, {'.join(_NAMES)}}}",
            "the till prints it as it stands",
            f"write {{{near}}}" if near else "write one of these names",
        )


def _languages(path: str, coupon_type: CouponType) -> Iterator[Finding]:
    """Yield texts that lack a language which another text of the type has."""
    texts = {key: getattr(coupon_type, key) for key in ("title", "terms", "till_message")}
    by_language = {key: text for key, text in texts.items() if isinstance(text, Mapping)}
    spoken = {language for text in by_language.values() for language in text}
    for key, text in by_language.items():
        missing = sorted(spoken - set(text))
        if missing:
            yield Finding(
                f"{path}.{key}",
                "language_missing",
                f"another text of the type is in {', '.join(missing)}, too",
                "members of that language see this text in another one, or not at all",
                "write it in the same languages",
            )


def _one_sided(path: str, coupon_type: CouponType, types: Mapping[str, CouponType]) -> Iterator[Finding]:
    together = coupon_type.redemption.together
    for other in together if not isinstance(together, str) else ():
        if other in types and not types[other].redemption.allows(coupon_type.id):
            yield Finding(
                f"{path}.redemption.together",
                "one_sided",
                f"{coupon_type.id} may share a transaction with {other}, and {other} not with {coupon_type.id}",
                "it has to be allowed in both directions: the two are refused with not_combinable",
                f"allow {coupon_type.id} in {other}, too",
            )


def _benefit(path: str, coupon_type: CouponType) -> Iterator[Finding]:
    benefit = coupon_type.benefit
    if isinstance(benefit, PercentOff):
        yield from _most(path, benefit, coupon_type.uses)
    if isinstance(benefit, StoredValue) and isinstance(benefit.amount, LineBase) and benefit.amount.lines is None:
        yield Finding(
            f"{path}.amount",
            "card_of_every_line",
            "the card is worth all lines of the sale, whatever they are",
            "goods that are bought beside the card are on the card, too",
            "select the lines that sell cards by `lines`",
        )


def _most(path: str, benefit: PercentOff, uses: int) -> Iterator[Finding]:
    most, in_all = benefit.most, benefit.most_in_all
    if in_all is None:
        return
    if most is not None and most > in_all:
        yield Finding(
            f"{path}.most",
            "cap_out_of_reach",
            f"one discount is at most {text_of(most)}, and all together at most {text_of(in_all)}",
            "the latter is reached first: `most` never trims a discount",
            "lower `most`, or raise `most_in_all`",
        )
    if uses == 1 and most is None:
        yield Finding(
            f"{path}.most_in_all",
            "cap_out_of_reach",
            "the coupon has one use, so that `most_in_all` is the maximum of that use",
            "there are no further uses that it could bind",
            "write `most`, or give the coupon `uses`",
        )
