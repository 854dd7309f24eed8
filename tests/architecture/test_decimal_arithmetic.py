"""Only `values.amounts` calculates with Decimals: operators there would depend on the host's decimal context."""

from __future__ import annotations

import ast

import pytest

from .source import PACKAGE, Module, control, imported, modules

each_module = pytest.mark.parametrize("module", list(modules().values()), ids=lambda module: module.name or PACKAGE)


AMBIENT = {"getcontext", "setcontext", "localcontext", "quantize", "Context", "BasicContext", "ExtendedContext"}
ROUNDING_CALLS = {"sum", "round", "divmod", "pow", "abs"}


def decimal_names(tree: ast.AST) -> set[str]:
    """Return the arguments and variables of a tree that are annotated as Decimal."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and is_decimal(node.annotation):
            names.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_decimal(node.annotation):
            names.add(node.target.id)
    return names


def is_decimal(annotation: ast.expr) -> bool:
    """Return whether an annotation is `Decimal` or `Decimal | None`; not a mapping or function of Decimals."""
    text = ast.unparse(annotation).strip("'\"")
    return "Decimal" in (part.strip() for part in text.split("|"))


class DecimalArithmetic(ast.NodeVisitor):
    """A search for operators on names and fields that are annotated as Decimal."""

    def __init__(self) -> None:
        self.names: list[set[str]] = [set()]
        self.fields: list[set[str]] = [set()]
        self.found: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.names.append(self.names[-1] | decimal_names(node))
        self.generic_visit(node)
        self.names.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        body = ast.Module(body=[each for each in node.body if isinstance(each, ast.AnnAssign)], type_ignores=[])
        self.fields.append(decimal_names(body))
        self.generic_visit(node)
        self.fields.pop()

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.note(node, node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if not isinstance(node.op, ast.Not):
            self.note(node, node.operand)
        else:
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.note(node, node.target, node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ROUNDING_CALLS:
            self.note(node, *node.args)
        else:
            self.generic_visit(node)

    def note(self, node: ast.stmt | ast.expr, *operands: ast.expr) -> None:
        if any(map(self.is_decimal, operands)):
            self.found.append(f"line {node.lineno}: {ast.unparse(node)}")
        self.generic_visit(node)

    def is_decimal(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names[-1]
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self.fields[-1]
            case ast.Call(func=ast.Name(id="Decimal")):
                return True
        return False


def decimal_faults(module: Module) -> list[str]:
    found = [f"imports {source}" for source, name in imported(module) if source == "decimal" and name != "Decimal"]
    for node in ast.walk(module.tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in AMBIENT:
            found.append(f"{name}, line {node.lineno}")
    arithmetic = DecimalArithmetic()
    arithmetic.names.append(
        decimal_names(ast.Module([n for n in module.tree.body if isinstance(n, ast.AnnAssign)], []))
    )
    arithmetic.visit(module.tree)
    return found + arithmetic.found


@each_module
def test_only_the_module_amounts_calculates_with_decimals(module: Module) -> None:
    if module.name != "values.amounts":
        assert decimal_faults(module) == []


@pytest.mark.parametrize(
    "text",
    [
        "import decimal",
        "from decimal import ROUND_UP",
        "def f(x):\n    return x.quantize(1)",
        "def f():\n    getcontext()",
        "def f(amount: Decimal):\n    return amount + 1",
        "def f(amount: Decimal):\n    return 1 - amount",
        "def f(amount: 'Decimal'):\n    return amount * 2",
        "def f(amount: Decimal | None):\n    return amount / 2",
        "def f(*, amount: Decimal):\n    return -amount",
        "def f(amount: Decimal):\n    amount += 1",
        "def f(amount: Decimal):\n    return round(amount)",
        "def f(amount: Decimal):\n    return abs(amount)",
        "def f(amount: Decimal):\n    return lambda: amount % 2",
        "def f():\n    total: Decimal = g()\n    return total ** 2",
        "TOTAL: Decimal = g()\nTWICE = TOTAL * 2",
        "x = Decimal(5) // 2",
        "class A:\n    amount: Decimal\n    def f(self):\n        return self.amount + 1",
    ],
)
def test_arithmetic_on_decimals_is_seen(text: str) -> None:
    assert len(decimal_faults(control(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from decimal import Decimal\nZERO = Decimal(0)",
        "def f(amount: Decimal):\n    return micros(amount) + 1",
        "def f(amount: Decimal):\n    return amount > 0 and not amount",
        "def f(amount: int):\n    return amount + 1",
        "def f(of: Mapping[str, Decimal]):\n    return of | of",
        "def f(amount: Decimal): pass\ndef g(amount: int):\n    return amount + 1",
        "class A:\n    amount: Decimal\n    def f(self):\n        return self.count + 1",
    ],
)
def test_other_uses_of_decimals_are_allowed(text: str) -> None:
    assert decimal_faults(control(text)) == []
