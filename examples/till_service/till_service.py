"""A till service: it receives documents over HTTP, records them in a SQLite ledger and returns receipts.

| call | document |
|---|---|
| `POST /sales`, `/returns`, `/confirmations` | the library's `transaction`, `return`, `confirmation` |
| `POST /redemptions` | `code`, and the `transaction` that redeems it |
| `POST /spends` | `id`, `occurred_at`, `member`, `currency`, `amount` |
| `GET /members/<id>/balance?currency=&at=` | none |

Every error is answered with JSON: see `add_error_handlers`.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy.exc
from flask import Flask, request
from werkzeug.exceptions import HTTPException

import loyalty_rules as lr
from loyalty_rules.documents.sources import read_source
from loyalty_rules.ledger import IdempotencyConflict, Receipt, SQLLedger
from loyalty_rules.ledger.sql import AmountOutOfRangeError
from loyalty_rules.lifecycle import Account
from loyalty_rules.values.amounts import read_positive
from loyalty_rules.values.dates import read_event_instant
from loyalty_rules.values.identifiers import read_name, read_text

Answer = tuple[dict[str, Any], int]
Readers = Mapping[str, Callable[[Any], Any]]
EventOf = TypeVar("EventOf")

PROGRAM = Path(__file__).with_name("program.toml")
MAX_BYTES = 1024 * 1024

SPEND: Readers = {
    "id": read_name,
    "occurred_at": read_event_instant,
    "member": read_name,
    "currency": read_name,
    "amount": read_positive,
}
BALANCE: Readers = {"currency": read_name, "at": read_event_instant}


def create_app(url: str, master_key: bytes, program: lr.Program) -> Flask:
    """Build the service over the ledger at a URL; the caller closes the ledger, `app.extensions["ledger"]`."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    ledger = SQLLedger.open(url, serials=lr.DerivedSerials.from_master(master_key))
    app.extensions["ledger"] = ledger
    add_calls(app, ledger, program)
    add_error_handlers(app)
    return app


def app_from_environment() -> Flask:
    """Build the service from environment variables, for `flask --app till_service:app_from_environment run`."""
    key = bytes.fromhex(os.environ["TILL_MASTER_KEY"])
    return create_app(os.environ.get("TILL_DATABASE", "sqlite:///till.db"), key, lr.load_program(PROGRAM))


# -- the calls -------------------------------------------------------------------------------------------------------


def add_calls(app: Flask, ledger: SQLLedger, program: lr.Program) -> None:
    """Add the six calls of the service."""

    def process(kind: type[lr.Transaction | lr.Return | lr.Confirmation]) -> Answer:
        return answer(ledger.process(program, event_of(kind, body())))

    for path, kind in (("/sales", lr.Transaction), ("/returns", lr.Return), ("/confirmations", lr.Confirmation)):
        app.post(path, endpoint=path)(partial(process, kind))

    @app.post("/redemptions")
    def redeem() -> Answer:
        values = read(body(), {"code": read_text, "transaction": partial(event_of, lr.Transaction)})
        return answer(ledger.redeem(program, values["code"], values["transaction"]))

    @app.post("/spends")
    def spend() -> Answer:
        values = read(body(), SPEND)
        member, id, at = values["member"], values["id"], values["occurred_at"]
        account = Account("member", member)
        return answer(ledger.spend(program, account, member, values["currency"], values["amount"], event=id, at=at))

    @app.get("/members/<id>/balance")
    def balance(id: str) -> Answer:
        values = read({**request.args, "member": id}, {"member": read_name, **BALANCE})
        known = [each.id for each in program.currencies]
        if values["currency"] not in known:
            raise refused("$.currency", "not_a_choice", f"expected one of {', '.join(known)}")
        current = ledger.balance(program.id, Account("member", values["member"]), values["currency"], values["at"])
        return lr.dump(current), 200


def answer(receipt: Receipt) -> Answer:
    """Return a receipt as JSON, with 201 for a new record, 200 for a retry and 422 for a refusal."""
    return lr.dump(receipt), {"recorded": 201, "already_recorded": 200, "refused": 422}[receipt.status]


# -- input -----------------------------------------------------------------------------------------------------------


def body() -> Mapping[str, Any]:
    """Read the body of the call as a document; numbers are exact."""
    return read_source(request.get_data(), "document")


def event_of(kind: type[EventOf], document: Any) -> EventOf:
    """Read a document as an event of the kind that the call accepts. Raises `DocumentError`."""
    if not isinstance(document, Mapping):
        raise refused("$", "not_an_object", "expected an object")
    event = lr.load_event(document)
    if not isinstance(event, kind):
        raise refused("$.type", "not_a_choice", f"expected {kind.__name__.lower()!r}")
    return event


def read(document: Mapping[str, Any], readers: Readers) -> dict[str, Any]:
    """Read each key of a document by its reader. Raises `DocumentError` with all problems together."""
    values: dict[str, Any] = {}
    problems = (
        [lr.Problem("$", "unknown_key", f"known here: {', '.join(readers)}")] if document.keys() - readers else []
    )
    for key, reader in readers.items():
        try:
            values[key] = reader(required(document, key))
        except lr.DocumentError as error:
            problems += [lr.Problem(f"$.{key}{each.path[1:]}", each.code, each.message) for each in error.problems]
        except lr.InvalidValueError as error:
            problems.append(lr.Problem(f"$.{key}", error.code, error.message))
    if problems:
        raise lr.DocumentError(problems)
    return values


def required(document: Mapping[str, Any], key: str) -> Any:
    """Return the value of a required key. Raises `InvalidValueError` if it is missing or null."""
    if document.get(key) is None:
        raise lr.InvalidValueError("", "required", "is missing")
    return document[key]


def refused(path: str, code: str, message: str) -> lr.DocumentError:
    """Build the error of a document with one problem."""
    return lr.DocumentError([lr.Problem(path, code, message)])


# -- errors ----------------------------------------------------------------------------------------------------------


def add_error_handlers(app: Flask) -> None:
    """Answer the errors of all calls with JSON: 400 malformed, 409 conflict, 422 refused, 503 busy."""

    @app.errorhandler(lr.DocumentError)
    def malformed(error: lr.DocumentError) -> Answer:
        problems = [{"path": each.path, "code": each.code, "message": each.message} for each in error.problems]
        return {"error": "malformed", "problems": problems}, 400

    @app.errorhandler(lr.InvalidValueError)
    def invalid(error: lr.InvalidValueError) -> Answer:
        return malformed(refused(f"$.{error.name}" if error.name else "$", error.code, error.message))

    @app.errorhandler(IdempotencyConflict)
    def conflict(error: IdempotencyConflict) -> Answer:
        return {"error": "conflict", "key": error.key, "field": error.field}, 409

    @app.errorhandler(AmountOutOfRangeError)
    def out_of_range(error: AmountOutOfRangeError) -> Answer:
        return {"status": "refused", "refusal": {"reasons": ["amount_out_of_range"], "detail": str(error)}}, 422

    @app.errorhandler(sqlalchemy.exc.OperationalError)
    def busy(_: sqlalchemy.exc.OperationalError) -> Answer:
        return {"error": "busy"}, 503  # a locked file or a full disk: no record was written, and the till retries

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Answer:
        return {"error": error.name}, error.code or 500
