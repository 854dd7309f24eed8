"""Combinations of schemas: null allowed, rules merged in, alternatives by a tag or a key."""

from loyalty_rules.values.json_schema import Json

__all__ = ["if_key", "if_type", "merged", "or_null"]


def or_null(schema: Json) -> Json:
    """Return a schema that accepts null, too."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], *([] if None in schema["enum"] else [None])]}
    if "const" in schema:
        return {"enum": [schema["const"], None]}
    kind = schema.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        return {**schema, "type": [*kinds, *([] if "null" in kinds else ["null"])]}
    if {"type": "null"} in schema.get("anyOf", ()):
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def merged(schema: Json, rule: Json) -> Json:
    """Return a schema with a rule merged in: objects key by key, lists one after the other."""
    result = {**schema}
    for key, value in rule.items():
        present = result.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            result[key] = merged(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            result[key] = [*present, *value]
        else:
            result[key] = value
    return result


def if_type(tag: str, then: Json) -> Json:
    """Return the schema of the documents whose `type` is a tag; all others pass."""
    return {"if": {"properties": {"type": {"const": tag}}, "required": ["type"]}, "then": then}


def if_key(key: str, then: Json) -> Json:
    """Return the schema of the documents with a key; all others pass."""
    return {"if": {"required": [key]}, "then": then}
