"""The reasons why an action of a promotion that fired issues nothing. Source: semantics 8, documents (evaluation)."""

from typing import Literal, TypeAlias, get_args

__all__ = ["REASONS", "Reason", "Skip"]

Reason: TypeAlias = Literal[
    "excluded_by",
    "not_enough",
    "no_member",
    "no_group",
    "same_member",
    "missing_field",
    "invalid_field",
    "no_matching_lines",
    "no_exchange_rate",
    "zero_amount",
    "already_expired",
    "cap_reached",
]

REASONS: tuple[str, ...] = get_args(Reason)


class Skip(Exception):
    """The end of an action that issues nothing, with the reason. It never leaves the evaluation."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        self.detail = detail
        super().__init__(reason, detail)
