"""Components of a bill that need not earn: tax, shipping, tip, payments by one type of tender. Source: semantics 3."""

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.rules.facts import Facts
from loyalty_rules.values.amounts import MICRO, micros
from loyalty_rules.values.apportionment import split
from loyalty_rules.values.checked import nearest
from loyalty_rules.values.identifiers import MAX_NAME, NAME_PATTERN, list_schema, read_list, read_name
from loyalty_rules.values.json_schema import declare

__all__ = ["component_of", "net_values", "read_components"]


def read_components(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Read the components that a base is less by, each named once."""
    names = read_list(value, _read_component, "components")
    if len(set(names)) < len(names):
        raise InvalidValueError("", "duplicate", "each component is subtracted once, so name it once")
    return names


def _read_component(value: str) -> str:
    if value in ("tax", "shipping", "tip"):
        return value
    if isinstance(value, str) and value.startswith("tenders."):
        return "tenders." + read_name(value.removeprefix("tenders."))
    near = nearest(value, ["tax", "shipping", "tip", "tenders.TYPE"]) if isinstance(value, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    raise InvalidValueError(
        "", "not_a_choice", f"expected tax, shipping, tip or tenders.TYPE; found {describe(value)}{hint}"
    )


declare(
    _read_component,
    {
        "description": "A component of the bill: `tax`, `shipping`, `tip` or `tenders.TYPE`.",
        "type": "string",
        "anyOf": [
            {"enum": ["tax", "shipping", "tip"]},
            {"pattern": rf"^tenders\.{NAME_PATTERN}$", "maxLength": len("tenders.") + MAX_NAME},
        ],
    },
    name="component",
)
declare(read_components, list_schema({"$ref": _read_component}, uniqueItems=True))


def component_of(facts: Facts, name: str) -> int:
    """Return a component of the bill, in millionths of the event's currency; below zero (change given) it is zero."""
    if name.startswith("tenders."):
        return max(facts.tenders.get(name.removeprefix("tenders."), 0), 0)
    if name == "tax" and (of_lines := facts.tax_of_lines) is not None:
        return sum(of_lines)
    value = getattr(facts.event, name)
    return micros(value) if value is not None else 0


def net_values(facts: Facts, less: tuple[str, ...]) -> list[int]:
    """Return the value of each line of the bill minus its own parts of the components, which are spread by value.

    A part takes a line no further than zero, and a line below zero has none. Source: semantics 3.
    """
    values, denominator = facts.values
    scale = denominator // MICRO
    parts = _spread(facts, less)
    return [max(value - part * scale, 0) if value > 0 else value for value, part in zip(values, parts, strict=True)]


def _spread(facts: Facts, components: tuple[str, ...]) -> list[int]:
    """Return the part of each line of the bill of these components together, in millionths of the event's currency."""
    weights = [max(value, 0) for value in facts.values[0]]
    parts = [0] * len(weights)
    if not any(weights):
        return parts
    for component in components:
        of_lines = facts.tax_of_lines if component == "tax" else None
        spread = of_lines if of_lines is not None else split(component_of(facts, component), weights)
        parts = [sum(each) for each in zip(parts, spread, strict=True)]
    return parts
