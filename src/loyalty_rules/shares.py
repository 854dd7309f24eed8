"""How an amount is split over the lines that it came from, to the last unit. Source: semantics 11."""

from collections.abc import Sequence

__all__ = ["split", "unit_of"]


def unit_of(amount: int, decimals: int) -> int:
    """Give the unit that an amount is split in: a currency's last decimal, or the amount's own where that is smaller.

    Both are in millionths.
    """
    unit: int = 10 ** (6 - decimals)
    while amount % unit:
        unit //= 10
    return unit


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number of units by largest remainder: 299 over 4300, 1400, 2300 is 161, 52, 86.

    Weights are zero or more; where all are zero the split is even. Ties go to the larger weight and then to the
    earlier place; a zero weight gets zero. The parts sum to the amount exactly.
    """
    total = sum(weights)
    if total == 0:
        weights = [1] * len(weights)
        total = len(weights)
    parts = []
    remainders = []
    for weight in weights:
        part, remainder = divmod(amount * weight, total)
        parts.append(part)
        remainders.append(remainder)
    left = amount - sum(parts)
    if left:
        order = sorted(range(len(parts)), key=lambda i: (-remainders[i], -weights[i], i))
        for i in order[:left]:
            parts[i] += 1
    return parts
