"""The operations of cases: each step calls a method of a ledger, with its arguments by name."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Program
from loyalty_rules.testing.cases.files import Case

__all__ = ["World", "account_of", "perform"]


class World:
    """One replay: the ledger and its serials, the program in use, and the keys and serials that steps have named."""

    def __init__(self, case: Case, ledger: Any, serials: Any) -> None:
        self.ledger = ledger
        self.serials = serials
        self.in_use = next(iter(case.programs))
        self.names: dict[str, str] = {}
        self._documents = case.programs
        self._programs: dict[str, Program] = {}

    def program(self, name: str | None = None) -> Program:
        """Return a program of the case, or the one in use; raises `DocumentError`."""
        name = name or self.in_use
        if name not in self._programs:
            self._programs[name] = load_program(self._documents[name])
        return self._programs[name]

    def text(self, value: str) -> str:
        """Return a text, or the serial or the key that `$NAME` stands for; `LookupError` if no step has named it."""
        return self.names[value[1:]] if value.startswith("$") else value

    def remember(self, step: Mapping[str, Any], intents: Iterable[Any]) -> None:
        """Keep the serial of each coupon by its key, and the key of the intent that a step names."""
        intents = [*intents]
        for each in intents:
            if each.type == "issue_coupon":
                self.names[each.key] = each.serial or each.code
        if "as" in step and intents:
            main = (each for each in intents if each.type in ("spend_currency", "redeem_coupon", "hold_currency"))
            self.names[step["as"]] = next(main, intents[0]).key


def account_of(named: Mapping[str, Any], member: str = "member") -> Account:
    """Return the account of a group or, without one, of the member under a key."""
    return Account("group", named["group"]) if "group" in named else Account("member", named[member])


def perform(world: World, step: Mapping[str, Any]) -> Any:
    """Do the operation of a step, and return its result."""
    special = _SPECIAL.get(step["do"])
    if special is not None:
        return special(world, step)
    method = getattr(world.ledger, step["do"])
    return method(program=world.program(), **_arguments(world, step))


def _arguments(world: World, step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a step as Python has them."""
    arguments = {
        name: _argument(world, name, value)
        for name, value in step.items()
        if name not in ("do", "expect", "as", "program", "group")
    }
    if step["do"] in ("adjust", "hold"):
        arguments.pop("member", None)
        arguments["account"] = account_of(step)
    return arguments


def _argument(world: World, name: str, value: Any) -> Any:
    if name in _READERS:
        return _READERS[name](value)
    return world.text(value) if isinstance(value, str) else value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "at": datetime.fromisoformat,
    "until": datetime.fromisoformat,
    "expires_on": date.fromisoformat,
    "amount": lambda amount: Decimal(amount) if amount is not None else None,
    "transaction": load_event,
    "bill": load_event,
}


# -- operations whose arguments differ from the step -----------------------------------------------------------------


def _process(world: World, step: Mapping[str, Any]) -> Any:
    event = dict(step["event"])
    if "promise" in event:
        event["promise"] = world.text(event["promise"])
    return world.ledger.process(world.program(), load_event(event), serials=world.serials)


def _evaluate(world: World, step: Mapping[str, Any]) -> Any:
    snapshot = load_snapshot(step.get("snapshot", {}))
    return world.program().evaluate(load_event(step["event"]), snapshot, serials=world.serials)


def _load(world: World, step: Mapping[str, Any]) -> Any:
    return world.program(step["program"])


def _spend(world: World, step: Mapping[str, Any]) -> Any:
    arguments = _arguments(world, step)
    return world.ledger.spend(program=world.program(), account=account_of(step), **arguments)


def _cart(world: World, step: Mapping[str, Any]) -> Any:
    spends = [(account_of(each), each["currency"], Decimal(each["amount"])) for each in step.get("spends", ())]
    codes = [world.text(each) for each in step.get("codes", ())]
    method = getattr(world.ledger, step["do"])
    return method(world.program(), codes, spends, load_event(step["transaction"]))


def _transfer(world: World, step: Mapping[str, Any]) -> Any:
    arguments = _arguments(world, step)
    between = {"source": account_of(step, "source"), "target": account_of(step, "target")}
    return world.ledger.transfer(program=world.program(), **{**arguments, **between})


def _merge(world: World, step: Mapping[str, Any]) -> Any:
    arguments = _arguments(world, step)
    return world.ledger.merge(program=world.program(), from_=arguments.pop("from"), **arguments)


_SPECIAL: Mapping[str, Callable[[World, Mapping[str, Any]], Any]] = {
    "process": _process,
    "evaluate": _evaluate,
    "load": _load,
    "spend": _spend,
    "redeem_all": _cart,
    "quote": _cart,
    "transfer": _transfer,
    "merge": _merge,
}
