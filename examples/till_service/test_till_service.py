"""The till service over HTTP on a real server: its calls, retries, refusals and errors."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import attrs
import pytest
from till_service import PROGRAM, create_app
from werkzeug.serving import make_server

import loyalty_rules as lr
from loyalty_rules.ledger import SQLLedger

MASTER_KEY = b"a master key for the tests alone"
NOON = "2025-01-15T12:00:00+00:00"
NEXT_DAY = "2025-01-16T12:00:00+00:00"
Document = dict[str, Any]
Response = tuple[int, Document]


@attrs.frozen
class Till:
    """A till on the shop's network: it knows the port of the service; only the tests use its `ledger`."""

    port: int
    ledger: SQLLedger

    def call(self, method: str, path: str, body: bytes | None = None) -> Response:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(self, path: str, document: Any) -> Response:
        return self.call("POST", path, json.dumps(document).encode())

    def balance(self, member: str = "anna", currency: str = "points", at: str = NEXT_DAY) -> Document:
        status, response = self.call("GET", balance_of(member, currency=currency, at=at))
        assert status == 200, response
        return response


def balance_of(member: str, **query: str) -> str:
    return f"/members/{quote(member, safe='')}/balance?{urlencode(query)}"


@contextmanager
def serving(folder: Path) -> Iterator[Till]:
    """Serve a till on a port of its own, and check the invariants of its ledger at the end."""
    app = create_app(f"sqlite:///{folder}/till.db", MASTER_KEY, lr.load_program(PROGRAM))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    ledger = app.extensions["ledger"]
    try:
        yield Till(server.server_port, ledger)
        assert ledger.check_invariants() == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        ledger.close()


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with serving(tmp_path) as till:
        yield till


@pytest.fixture(scope="module")
def old_till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """A till that all tests of malformed calls share."""
    with serving(tmp_path_factory.mktemp("till")) as till:
        sold(till)
        yield till


def sale(id: str = "T-1", amount: str = "120.50", at: str = NOON, **more: Any) -> Document:
    document = {"type": "transaction", "id": id, "occurred_at": at, "amount": amount, "member": {"id": "anna"}}
    return {**document, **more}


def back(amount: str = "20.50", **more: Any) -> Document:
    return {"type": "return", "id": "R-1", "occurred_at": NEXT_DAY, "of": "T-1", "amount": amount, **more}


def confirmation(promise: str = "corner/W-1/delivery/bonus", **more: Any) -> Document:
    document = {"type": "confirmation", "id": "C-1", "occurred_at": NEXT_DAY, "promise": promise, "outcome": "issue"}
    return {**document, **more}


def spend(amount: str = "100", **more: Any) -> Document:
    return {
        "id": "P-1",
        "occurred_at": NEXT_DAY,
        "member": "anna",
        "currency": "points",
        "amount": amount,
        **more,
    }


def redemption(code: str, **more: Any) -> Document:
    return {"code": code, "transaction": sale("T-2", "40", NEXT_DAY, **more)}


def recorded(response: Response) -> Document:
    status, receipt = response
    assert (status, receipt["status"]) == (201, "recorded"), response
    return receipt


def sold(till: Till, **more: Any) -> str:
    """Record a sale, and return the serial of its coupon."""
    *_, coupon = recorded(till.post("/sales", sale(**more)))["intents"]
    return coupon["serial"]


# -- a day at the till -----------------------------------------------------------------------------------------------


def test_a_sale_earns_points_for_90_days_and_a_coupon(till: Till) -> None:
    points, coupon = recorded(till.post("/sales", sale()))["intents"]
    assert (points["type"], points["amount"], points["expires_on"]) == ("issue_currency", "120", "2025-04-15")
    assert (coupon["type"], coupon["coupon_type"]) == ("issue_coupon", "next-visit")
    assert coupon["serial"] in coupon["till_message"]
    assert till.balance(at="2025-04-15T22:59:59Z") == {"available": "120", "promised": "0", "debt": "0", "held": "0"}
    assert till.balance(at="2025-04-15T23:00:00Z")["available"] == "0"


def test_a_return_takes_back_the_points_of_the_returned_goods(till: Till) -> None:
    sold(till)
    recorded(till.post("/returns", back()))
    assert till.balance()["available"] == "100"


def test_a_promise_becomes_points_when_it_is_confirmed(till: Till) -> None:
    recorded(till.post("/sales", sale("W-1", "10", channel="web")))
    assert till.balance() == {"available": "10", "promised": "50", "debt": "0", "held": "0"}
    recorded(till.post("/confirmations", confirmation()))
    assert till.balance() == {"available": "60", "promised": "0", "debt": "0", "held": "0"}


def test_a_coupon_takes_15_percent_off_once_in_any_spelling(till: Till) -> None:
    serial = sold(till)
    (redeemed,) = recorded(till.post("/redemptions", redemption(serial.lower().replace("-", " "))))["intents"]
    assert (redeemed["type"], redeemed["discount"]) == ("redeem_coupon", "6")
    status, answer = till.post("/redemptions", {"code": serial, "transaction": sale("T-3", "40", NEXT_DAY)})
    assert (status, answer["refusal"]["reasons"]) == (422, ["already_redeemed"])


def test_points_are_spent_at_the_rate_of_the_program(till: Till) -> None:
    sold(till)
    (spent,) = recorded(till.post("/spends", spend()))["intents"]
    assert (spent["amount"], spent["value"]) == ("100", "1")
    assert till.balance()["available"] == "20"


# -- retries ---------------------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[str], tuple[str, Document]]] = {
    "sale": lambda _: ("/sales", sale("T-9")),
    "return": lambda _: ("/returns", back()),
    "confirmation": lambda _: ("/confirmations", confirmation()),
    "redemption": lambda serial: ("/redemptions", redemption(serial)),
    "spend": lambda _: ("/spends", spend()),
}


@pytest.fixture
def serial(till: Till) -> str:
    """The serial of a coupon, after the sales that the other calls refer to."""
    recorded(till.post("/sales", sale("W-1", "10", channel="web")))
    return sold(till)


@pytest.mark.parametrize("call", CALLS)
def test_a_retry_has_the_first_answer_and_changes_nothing(till: Till, serial: str, call: str) -> None:
    path, document = CALLS[call](serial)
    first = recorded(till.post(path, document))
    before = till.balance(), till.ledger.ends()
    for _ in range(2):
        assert till.post(path, document) == (200, {**first, "status": "already_recorded"})
    assert (till.balance(), till.ledger.ends()) == before


@pytest.mark.parametrize("call", CALLS)
def test_of_eight_simultaneous_calls_one_is_recorded(till: Till, serial: str, call: str) -> None:
    path, document = CALLS[call](serial)
    answers: list[Response] = []
    tills = [threading.Thread(target=lambda: answers.append(till.post(path, document))) for _ in range(8)]
    for each in tills:
        each.start()
    for each in tills:
        each.join()
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({json.dumps(receipt["intents"]) for _, receipt in answers}) == 1


@pytest.mark.parametrize(
    ("call", "change", "field"),
    [
        ("sale", {"amount": "999"}, "event.amount"),
        ("sale", {"member": {"id": "ben"}}, "event.member.id"),
        ("return", {"amount": "1"}, "event.amount"),
        ("confirmation", {"outcome": "cancel"}, "event.outcome"),
        ("redemption", {"transaction": sale("T-2", "80", NEXT_DAY)}, "event.amount"),
        ("spend", {"amount": "150"}, "amount"),
        ("spend", {"member": "ben"}, "account"),
    ],
)
def test_the_same_id_with_other_inputs_is_a_conflict_that_names_the_field(
    till: Till, serial: str, call: str, change: Document, field: str
) -> None:
    path, document = CALLS[call](serial)
    recorded(till.post(path, document))
    before = till.ledger.ends()
    status, answer = till.post(path, {**document, **change})
    assert (status, answer["error"], answer["field"]) == (409, "conflict", field)
    assert till.ledger.ends() == before


# -- refusals --------------------------------------------------------------------------------------------------------


def never_recorded(master_key: bytes) -> str:
    """Return the serial of a coupon for a sale that was never recorded."""
    serials = lr.DerivedSerials.from_master(master_key)
    evaluation = lr.load_program(PROGRAM).evaluate(lr.load_event(sale("never")), serials=serials)
    return lr.dump(evaluation)["intents"][-1]["serial"]


def test_an_unknown_and_a_malformed_code_have_the_same_answer(till: Till) -> None:
    sold(till)
    unknown, foreign = never_recorded(MASTER_KEY), never_recorded(b"the master key of another shop's")
    answers = [
        till.post("/redemptions", redemption(code))
        for code in (unknown, foreign, "nonsense", "", "\0", "'; --", "é" * 99)
    ]
    status, answer = answers[0]
    assert (status, answer["status"], answer["refusal"]["reasons"]) == (422, "refused", ["unknown"])
    assert [each for each in answers if each != answers[0]] == []
    assert unknown not in json.dumps(answer)


@pytest.mark.parametrize(
    ("path", "document", "reason"),
    [
        ("/returns", back(of="T-0"), "unknown_sale"),
        ("/confirmations", confirmation("corner/W-0/delivery/bonus"), "unknown_promise"),
        ("/confirmations", confirmation("corner/T-1/base-earn/earn"), "already_resolved"),
        ("/spends", spend("1000"), "insufficient"),
        ("/spends", spend("101"), "not_a_block"),
        ("/spends", spend(currency="miles"), "unknown_currency"),
        ("/spends", spend(member="ben"), "insufficient"),
        ("/sales", sale("T-9", "999999999999999"), "amount_out_of_range"),
    ],
)
def test_a_refusal_has_its_reasons_and_writes_no_record(till: Till, path: str, document: Document, reason: str) -> None:
    sold(till)
    before = till.ledger.ends()
    status, answer = till.post(path, document)
    assert (status, answer["status"]) == (422, "refused"), answer
    assert reason in answer["refusal"]["reasons"]
    assert till.ledger.ends() == before


def test_a_coupon_is_for_its_member_from_the_next_day(till: Till) -> None:
    serial = sold(till)
    status, answer = till.post("/redemptions", {"code": serial, "transaction": sale("T-2", "40", member={"id": "ben"})})
    assert (status, answer["refusal"]["reasons"]) == (422, ["not_yet_valid", "wrong_member"])


# -- malformed -------------------------------------------------------------------------------------------------------

POSTS = {
    "/sales": sale(),
    "/returns": back(),
    "/confirmations": confirmation(),
    "/redemptions": redemption("a code"),
    "/spends": spend(),
}
MEMBER_KEYS = ("id", "group", "registered_on", "tags", "contacts", "extended_fields")
WRONG = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    " ",
    "a\0b",
    "a\ud800b",
    "x" * 20_000,
    [],
    [[]],
    {},
    {"\0": "\0"},
    NOON[:-6],
]


def problems(response: Response) -> set[tuple[str, str]]:
    status, document = response
    assert (status, document["error"]) == (400, "malformed"), response
    return {(each["path"], each["code"]) for each in document["problems"]}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"a"', b"\xff", b'{"id": NaN}', b'{"id": 1, "id": 2}', b"[" * 100_000, b"{}"],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_not_a_document_is_malformed(old_till: Till, path: str, body: bytes) -> None:
    assert problems(old_till.call("POST", path, body))


@pytest.mark.parametrize("path", POSTS)
def test_any_wrong_value_under_any_key_is_handled(old_till: Till, path: str) -> None:
    """Any value is either malformed or accepted; none causes a status of 500."""
    for key in POSTS[path]:
        for value in WRONG:
            status, answer = old_till.post(path, {**POSTS[path], key: value})
            assert status in (200, 201, 400, 409, 422), (key, value, answer)
    assert {code for _, code in problems(old_till.post(path, {**POSTS[path], "surprise": 1}))} == {"unknown_key"}


@pytest.mark.parametrize("path", POSTS)
def test_a_missing_key_is_reported(old_till: Till, path: str) -> None:
    optional = {"member", "amount"} if path == "/returns" else {"member"}  # the return of an activity has no amount
    for key in POSTS[path].keys() - optional:
        without = {each: value for each, value in POSTS[path].items() if each != key}
        assert problems(old_till.post(path, without)) == {(f"$.{key}", "required")}


def test_any_value_inside_a_sale_is_handled(old_till: Till) -> None:
    for number, value in enumerate(WRONG):
        for key in ("custom_fields", "extended_fields"):
            status, answer = old_till.post("/sales", sale(f"{key}-{number}", **{key: {"field": value}}))
            assert status in (201, 400), (key, value, answer)
    for number, value in enumerate(WRONG):
        for key in MEMBER_KEYS:
            member = {"id": "anna", key: value}
            status, answer = old_till.post("/sales", sale(f"member-{key}-{number}", member=member))
            assert status in (201, 400), (key, value, answer)


def test_all_problems_are_reported_together(old_till: Till) -> None:
    response = old_till.post("/sales", {"type": "transaction", "id": "a\0b", "occurred_at": NOON[:-6], "tax": "-1"})
    assert problems(response) == {
        ("$.id", "not_a_name"),
        ("$.occurred_at", "naive_instant"),
        ("$.tax", "out_of_range"),
        ("$.amount", "required"),
    }
    response = old_till.post("/spends", {"id": "a\0b", "occurred_at": NOON[:-6], "amount": "-1", "currency": 5})
    assert problems(response) == {
        ("$.id", "not_a_name"),
        ("$.occurred_at", "naive_instant"),
        ("$.member", "required"),
        ("$.currency", "not_a_text"),
        ("$.amount", "out_of_range"),
    }
    response = old_till.post("/redemptions", {"code": 5, "transaction": sale("a\0b")})
    assert problems(response) == {("$.code", "not_a_text"), ("$.transaction.id", "not_a_name")}
    assert problems(old_till.post("/returns", back("-1"))) == {("$.amount", "out_of_range")}


@pytest.mark.parametrize("path", ["/sales", "/returns", "/confirmations"])
def test_a_document_of_another_type_is_refused(old_till: Till, path: str) -> None:
    other = {"/sales": back(), "/returns": sale(), "/confirmations": sale()}[path]
    assert problems(old_till.post(path, other)) == {("$.type", "not_a_choice")}
    assert problems(old_till.post("/redemptions", {"code": "x", "transaction": back()})) == {
        ("$.transaction.type", "not_a_choice")
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (balance_of("anna"), {("$.currency", "required"), ("$.at", "required")}),
        (balance_of("anna", currency="points", at=NOON[:-6]), {("$.at", "naive_instant")}),
        (balance_of("anna", currency="points", at="yesterday"), {("$.at", "not_an_instant")}),
        (balance_of("anna", currency="points", at="0001-01-01T00:00:00Z"), {("$.at", "out_of_range")}),
        (balance_of("anna", currency="miles", at=NOON), {("$.currency", "not_a_choice")}),
        (balance_of("a\0b", currency="points", at=NOON), {("$.member", "not_a_name")}),
        (balance_of("x" * 129, currency="points", at=NOON), {("$.member", "out_of_range")}),
        (balance_of("anna", currency="points", at=NOON, by="x"), {("$", "unknown_key")}),
    ],
)
def test_an_invalid_query_for_a_balance_is_malformed(old_till: Till, path: str, expected: set[tuple[str, str]]) -> None:
    assert problems(old_till.call("GET", path)) == expected


def test_an_unknown_path_or_method_is_answered_with_json(old_till: Till) -> None:
    assert old_till.call("GET", "/nowhere") == (404, {"error": "Not Found"})
    assert old_till.call("GET", "/sales") == (405, {"error": "Method Not Allowed"})
    assert old_till.balance("nobody") == {"available": "0", "promised": "0", "debt": "0", "held": "0"}
