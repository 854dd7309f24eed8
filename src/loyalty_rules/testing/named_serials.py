"""Serials that name their event and action: for cases and laws, never for production."""

from loyalty_rules.serials import SerialRequest

__all__ = ["NamedSerials"]


class NamedSerials:
    """A generator of the serial `EVENT-PROMOTION-ACTION-ORDINAL`: deterministic, and easily guessed."""

    def serial(self, request: SerialRequest) -> str:
        """Return the serial of a coupon, made of its event, promotion, action and ordinal."""
        return f"{request.event}-{request.promotion}-{request.action}-{request.ordinal}"
