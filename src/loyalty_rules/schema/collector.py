"""The collector of one schema: it replaces references to Python objects and gathers the shared definitions."""

import inspect
import types
from collections.abc import Callable
from typing import Any, Union, get_origin

from loyalty_rules.rules.conditions import Scope
from loyalty_rules.schema.classes import Keyed, class_schema
from loyalty_rules.schema.conditions import (
    condition_schema,
    is_condition,
    is_condition_union,
    path_schema,
    scope_name,
)
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.unions import union_name, union_schema
from loyalty_rules.schema.wording import snake_case
from loyalty_rules.values.json_schema import Json, declaration_of

__all__ = ["Collector"]


class Collector:
    """The definitions of one schema, collected while its references are resolved."""

    def __init__(self) -> None:
        self.definitions: Json = {}
        self._owners: dict[str, object] = {}

    def resolve(self, declared: Any, scope: Scope) -> Any:
        """Return a declaration as plain JSON Schema.

        A `$ref` to a Python object becomes a reference to its definition, or the schema of a reader without a name.
        `scope` is the scope of the conditions and paths in the declaration.
        """
        if isinstance(declared, list):
            return [self.resolve(each, scope) for each in declared]
        if not isinstance(declared, dict):
            return declared
        schema: Json = {}
        for key, value in declared.items():
            if key == "$ref" and not isinstance(value, str):
                schema |= self._referenced(value, scope)
            else:
                schema[key] = self.resolve(value, scope)
        return schema

    def _referenced(self, target: Any, scope: Scope) -> Json:
        if target is Scope:
            target = scope
        if isinstance(target, Scope):
            return self._shared(f"{scope_name(target)}_path", target, lambda: path_schema(target))
        if get_origin(target) in (Union, types.UnionType):
            return self._union(target, scope)
        if isinstance(target, Keyed):
            return self._class(target.cls, scope, keyed=True)
        if inspect.isclass(target):
            return self._class(target, scope)
        return self._declared(target, scope)

    def _union(self, union: Any, scope: Scope) -> Json:
        if is_condition_union(union):
            name = f"{scope_name(scope)}_condition"
            return self._shared(name, scope, lambda: self.resolve(condition_schema(scope), scope))
        return self._shared(union_name(union), union, lambda: self.resolve(union_schema(union), scope))

    def _class(self, cls: type, scope: Scope, *, keyed: bool = False) -> Json:
        prefix = f"{scope_name(scope)}_" if is_condition(cls) else ""
        name = prefix + snake_case(cls.__name__)
        return self._shared(name, cls, lambda: class_schema(cls, scope, self.resolve, keyed=keyed))

    def _declared(self, reader: Callable[..., Any], scope: Scope) -> Json:
        declaration = declaration_of(reader)
        if declaration is None:
            raise UndeclaredSchemaError(f"{reader.__module__}.{reader.__qualname__} declares no JSON Schema")
        if declaration.name is None:
            resolved: Json = self.resolve(declaration.schema, scope)
            return resolved
        return self._shared(declaration.name, reader, lambda: self.resolve(declaration.schema, scope))

    def _shared(self, name: str, owner: object, make: Callable[[], Json]) -> Json:
        if self._owners.setdefault(name, owner) != owner:
            raise UndeclaredSchemaError(f"two definitions would have the name {name}: of {owner} and another")
        if name not in self.definitions:
            self.definitions[name] = {}  # keeps the position: a condition contains conditions
            self.definitions[name] = make()
        return {"$ref": f"#/$defs/{name}"}
