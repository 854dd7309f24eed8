"""The apportionment of an amount to the lines of a sale, exact to the last unit. Source: semantics 11."""

from collections.abc import Sequence

__all__ = ["Weights", "split", "unit_of"]


def unit_of(amount: int, decimals: int) -> int:
    """Return the unit of a split in millionths: a power of ten that divides the amount.

    It is the last decimal of the currency, or the last decimal of the amount if that is smaller. `amount` is in
    millionths.
    """
    unit: int = 10 ** (6 - decimals)
    while amount % unit:
        unit //= 10
    return unit


class Weights:
    """The weights of lines in a split, by their values; built once, for any number of amounts.

    A value below zero has the weight zero. If all weights are zero, the split is even.
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

        Of equal remainders the larger weight wins, then the earlier line. A weight of zero gets zero. The parts sum
        to the amount exactly.
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
            # Sorting is stable: of equal remainders the larger weight comes first.
            for i in sorted(self.heaviest_first, key=remainders.__getitem__, reverse=True)[:left]:
                parts[i] += 1
        return parts


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number of units by weights of zero or more, as `Weights.split` does."""
    return Weights(weights).split(amount)
