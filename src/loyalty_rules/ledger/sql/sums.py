"""Exact sums of 64-bit amounts in SQL: SQLite ends a query whose sum passes 64 bits, even in between.

Each amount is added in two halves, which many millions of rows cannot overflow. Source: ledger 3.
"""

from typing import Any

from sqlalchemy import and_, func, literal, not_
from sqlalchemy.sql import ColumnElement

__all__ = ["differs_from_sum", "is_negative_sum", "sum_of_halves", "whole"]

_HALF = 2**32


def sum_of_halves(amount: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the sums of the upper and of the lower halves of an amount; no rows add up to zeros."""
    return func.coalesce(func.sum(_upper(amount)), 0), func.coalesce(func.sum(_lower(amount)), 0)


def whole(upper: int, lower: int) -> int:
    """Return the sum whose halves were added apart."""
    return int(upper) * _HALF + int(lower)


def differs_from_sum(value: ColumnElement[Any], amount: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a value is not the sum of an amount."""
    upper, lower = sum_of_halves(amount)
    rest = _lower(value) - lower
    return not_(and_(_lower(rest) == 0, _upper(value) - upper + _upper(rest) == 0))


def is_negative_sum(amount: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that the sum of an amount is below zero."""
    upper, lower = sum_of_halves(amount)
    carried = upper + _upper(lower)
    return (carried < 0) | (and_(carried == 0, _lower(lower) < 0))


def _upper(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the upper half of a whole number, rounded toward zero, as both databases divide."""
    return amount.op("/", precedence=8)(literal(_HALF))


def _lower(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return amount % literal(_HALF)
