"""Adapters: orders, refunds and receipts of other systems as events, and evaluations in the words of protocols.

Each system has a module with one function `convert`, which is pure: it takes a document of the system, and returns the
events and a list of everything that they could not carry. No vendor's package is needed.
"""

from loyalty_rules.adapters.conversion import Conversion, ConvertedEvent, Enrich, NotCarried

__all__ = ["Conversion", "ConvertedEvent", "Enrich", "NotCarried"]
