"""How an amount is split over the lines that it came from, to the last unit. Source: semantics 11."""

from collections.abc import Sequence

__all__ = ["Weights", "split", "unit_of"]


def unit_of(amount: int, decimals: int) -> int:
    """Give the unit that an amount is split in: a currency's last decimal, or the amount's own where that is smaller.

    Both are in millionths.
    """
    unit: int = 10 ** (6 - decimals)
    while amount % unit:
        unit //= 10
    return unit


class Weights:
    """How much each line weighs where an amount is split, by the lines' values; made once, for any number of amounts.

    A value below zero weighs nothing; where all weigh nothing the split is even.
    """

    __slots__ = ("heaviest_first", "total", "weights")

    def __init__(self, values: Sequence[int]) -> None:
        weights = [max(value, 0) for value in values] if values and min(values) < 0 else values
        total = sum(weights)
        if not total:
            weights, total = [1] * len(values), len(values)
        self.weights = weights
        self.total = total
        self.heaviest_first = sorted(range(len(weights)), key=weights.__getitem__, reverse=True)

    def split(self, amount: int) -> list[int]:
        """Split a whole number of units by largest remainder: 299 over 4300, 1400, 2300 is 161, 52, 86.

        Ties go to the larger weight and then to the earlier place; a zero weight gets zero. The parts sum to the
        amount exactly.
        """
        total = self.total
        parts: list[int] = []
        remainders: list[int] = []
        for weight in self.weights:
            part, remainder = divmod(amount * weight, total)
            parts.append(part)
            remainders.append(remainder)
        left = amount - sum(parts)
        if left:
            # Sorting keeps the order of what is equal: of equal remainders the heavier comes first.
            for i in sorted(self.heaviest_first, key=remainders.__getitem__, reverse=True)[:left]:
                parts[i] += 1
        return parts


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number of units over weights of zero or more, as `Weights` does."""
    return Weights(weights).split(amount)
