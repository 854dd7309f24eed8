"""The four kinds of document that have a schema: program, event, snapshot, evaluation."""

from collections.abc import Mapping

from loyalty_rules.events import Snapshot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.rules.conditions import EVENT_SCOPE
from loyalty_rules.schema.classes import class_schema
from loyalty_rules.schema.collector import Collector
from loyalty_rules.schema.unions import event_schema
from loyalty_rules.values.json_schema import Json

__all__ = ["KINDS", "ROOTS", "schema"]

KINDS = ("program", "event", "snapshot", "evaluation")

ROOTS: Mapping[str, type] = {"program": Program, "snapshot": Snapshot, "evaluation": Evaluation}
"""The class of each kind but the event, whose class depends on its type."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kind: str) -> Json:
    """Return the JSON Schema (draft 2020-12) of one of the `KINDS` of document.

    The schema of an event covers all its types. Numbers are texts, or numbers as the text of a JSON or TOML document
    has them. The loader refuses a Python float in a mapping, which no schema can tell from such a number. Raises
    `ValueError` for another kind. Source: documents.
    """
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, found {kind!r}")
    collector = Collector()
    if kind == "event":
        body = collector.resolve(event_schema(), EVENT_SCOPE)
    else:
        body = class_schema(ROOTS[kind], EVENT_SCOPE, collector.resolve)
    head = {"$schema": _DIALECT, "$id": f"urn:loyalty-rules:{kind}:1"}
    return {**head, **body, "title": f"Loyalty {kind}", "$defs": collector.definitions}
