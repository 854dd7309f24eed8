"""The error for a class or a field that no schema can be derived from."""

from loyalty_rules.errors import LoyaltyError

__all__ = ["UndeclaredSchemaError"]


class UndeclaredSchemaError(LoyaltyError, LookupError):
    """A reader, a class, an annotation or a union whose JSON Schema is declared nowhere."""
