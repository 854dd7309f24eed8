"""Serials that say what they were made for: for cases and laws, never for shops."""

from loyalty_rules.serials import SerialRequest

__all__ = ["NamedSerials"]


class NamedSerials:
    """Gives each coupon the serial `EVENT-PROMOTION-ACTION-ORDINAL`, always the same, and easily guessed."""

    def serial(self, request: SerialRequest) -> str:
        """Name the coupon by what it is issued for."""
        return f"{request.event}-{request.promotion}-{request.action}-{request.ordinal}"
