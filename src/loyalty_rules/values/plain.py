"""Plain values of texts and numbers: a subclass, such as a member of an enumeration, may print as anything else."""

from decimal import Decimal

__all__ = ["plain_decimal", "plain_int", "plain_text"]


def plain_text(value: str) -> str:
    """Return the text itself if it is of a subclass of `str`."""
    return value if type(value) is str else str.__str__(value)


def plain_int(value: int) -> int:
    """Return the number itself if it is of a subclass of `int`."""
    return value if type(value) is int else int.__int__(value)


def plain_decimal(value: Decimal) -> Decimal:
    """Return the number itself if it is of a subclass of `Decimal`."""
    return value if type(value) is Decimal else Decimal(value)
