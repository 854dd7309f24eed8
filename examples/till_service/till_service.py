"""A till service: documents come in over HTTP, a ledger in SQLite records them, receipts go out.

| call | document |
|---|---|
| `POST /sales`, `/returns`, `/confirmations` | the library's `transaction`, `return`, `confirmation` |
| `POST /redemptions` | `code`, and the `transaction` that redeems it |
| `POST /spends` | `id`, `occurred_at`, `member`, `currency`, `amount` |
| `GET /members/<id>/balance?currency=&at=` | none |

Whatever was wrong with a call, the answer is JSON that says so: see `answers_to_errors`.
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
    """Make the service over the ledger at a URL, which stands in `app.extensions["ledger"]` for whoever closes it."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    ledger = SQLLedger.open(url, serials=lr.DerivedSerials.from_master(master_key))
    app.extensions["ledger"] = ledger
    add_calls(app, ledger, program)
    answers_to_errors(app)
    return app


def app_from_environment() -> Flask:
    """Make the service as the environment says: for `flask --app till_service:app_from_environment run`."""
    key = bytes.fromhex(os.environ["TILL_MASTER_KEY"])
    return create_app(os.environ.get("TILL_DATABASE", "sqlite:///till.db"), key, lr.load_program(PROGRAM))


# -- the calls -------------------------------------------------------------------------------------------------------


def add_calls(app: Flask, ledger: SQLLedger, program: lr.Program) -> None:
    """Let the service answer its six calls."""

    def process(kind: type[lr.Transaction | lr.Return | lr.Confirmation]) -> Answer:
        return answer(ledger.process(program, event_of(kind, body())))

    for path, kind in (("/sales", lr.Transaction), ("/returns", lr.Return), ("/confirmations", lr.Confirmation)):
        app.post(path, endpoint=path)(partial(process, kind))

    @app.post("/redemptions")
    def redeem() -> Answer:
        asked = read(body(), {"code": read_text, "transaction": partial(event_of, lr.Transaction)})
        return answer(ledger.redeem(program, asked["code"], asked["transaction"]))

    @app.post("/spends")
    def spend() -> Answer:
        asked = read(body(), SPEND)
        member, id, at = asked["member"], asked["id"], asked["occurred_at"]
        account = Account("member", member)
        return answer(ledger.spend(program, account, member, asked["currency"], asked["amount"], event=id, at=at))

    @app.get("/members/<id>/balance")
    def balance(id: str) -> Answer:
        asked = read({**request.args, "member": id}, {"member": read_name, **BALANCE})
        known = [each.id for each in program.currencies]
        if asked["currency"] not in known:
            raise refused("$.currency", "not_a_choice", f"expected one of {', '.join(known)}")
        found = ledger.balance(program.id, Account("member", asked["member"]), asked["currency"], asked["at"])
        return lr.dump(found), 200


def answer(receipt: Receipt) -> Answer:
    """Give a receipt as JSON: 201 where it was recorded now, 200 where it was before, 422 where it is refused."""
    return lr.dump(receipt), {"recorded": 201, "already_recorded": 200, "refused": 422}[receipt.status]


# -- what comes in ---------------------------------------------------------------------------------------------------


def body() -> Mapping[str, Any]:
    """Read the call's body as a document, numbers exact."""
    return read_source(request.get_data(), "document")


def event_of(kind: type[EventOf], document: Any) -> EventOf:
    """Read a document as an event of the kind that the call is about."""
    if not isinstance(document, Mapping):
        raise refused("$", "not_an_object", "expected an object")
    event = lr.load_event(document)
    if not isinstance(event, kind):
        raise refused("$.type", "not_a_choice", f"expected {kind.__name__.lower()!r}")
    return event


def read(document: Mapping[str, Any], readers: Readers) -> dict[str, Any]:
    """Read each key of a document by its reader; what is missing, unknown or wrong is told all at once."""
    values: dict[str, Any] = {}
    problems = (
        [lr.Problem("$", "unknown_key", f"known here: {', '.join(readers)}")] if document.keys() - readers else []
    )
    for key, reader in readers.items():
        try:
            values[key] = reader(given(document, key))
        except lr.DocumentError as error:
            problems += [lr.Problem(f"$.{key}{each.path[1:]}", each.code, each.message) for each in error.problems]
        except lr.InvalidValueError as error:
            problems.append(lr.Problem(f"$.{key}", error.code, error.message))
    if problems:
        raise lr.DocumentError(problems)
    return values


def given(document: Mapping[str, Any], key: str) -> Any:
    """Give the value of a key that must be there."""
    if document.get(key) is None:
        raise lr.InvalidValueError("", "required", "is missing")
    return document[key]


def refused(path: str, code: str, message: str) -> lr.DocumentError:
    """Make the error of a document with one problem."""
    return lr.DocumentError([lr.Problem(path, code, message)])


# -- what goes wrong -------------------------------------------------------------------------------------------------


def answers_to_errors(app: Flask) -> None:
    """Answer every error that a call can cause as JSON: 400 malformed, 409 conflict, 422 refused, 503 try again."""

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
    def too_much(error: AmountOutOfRangeError) -> Answer:
        return {"status": "refused", "refusal": {"reasons": ["amount_out_of_range"], "detail": str(error)}}, 422

    @app.errorhandler(sqlalchemy.exc.OperationalError)
    def busy(_: sqlalchemy.exc.OperationalError) -> Answer:
        return {"error": "busy"}, 503  # the file is locked, or the disk full: nothing is kept, the till asks again

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Answer:
        return {"error": error.name}, error.code or 500
