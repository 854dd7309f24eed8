"""The same program, event and snapshot produce the same bytes in any process, thread, zone or decimal context.

The cases are those of the conformance vectors, and some drawn at random from a fixed seed.
"""

from __future__ import annotations

import copy
import decimal
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import loyalty_rules as lr
from reference import documents
from shop import Serials, evaluate

TESTS = Path(__file__).parents[1]
CONFORMANCE = TESTS / "conformance"


def worked_cases() -> list[tuple[dict, dict, dict | None]]:
    return [
        (case["program"], case["event"], case.get("snapshot"))
        for path in sorted(CONFORMANCE.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
    ]


def drawn_cases(count: int) -> list[tuple[dict, dict, dict | None]]:
    """Return drawn cases that issue something; the same ones each time."""
    found: list[tuple[dict, dict, dict | None]] = []

    @settings(
        max_examples=16 * count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents.cases())
    def collect(case: tuple[dict, dict, dict | None]) -> None:
        if len(found) < count and len(evaluate(*case)["intents"]) > 3:
            found.append(case)

    collect()
    assert len(found) == count
    return found


@cache
def cases() -> list[tuple[dict, dict, dict | None]]:
    return worked_cases() + drawn_cases(15)


def decide(case: tuple[dict, dict, dict | None]) -> str:
    """Load, evaluate, explain and dump one case, and return the results as one text."""
    program = lr.load_program(case[0])
    event = lr.load_event(json.dumps(case[1]))
    snapshot = lr.load_snapshot(case[2]) if case[2] is not None else None
    evaluation = program.evaluate(event, snapshot, serials=Serials())
    parts = [lr.dump(evaluation), lr.dump(program), lr.dump(event), lr.dump(snapshot) if snapshot else None]
    if hasattr(evaluation, "explain"):
        explanation = evaluation.explain()
        parts += [str(explanation), lr.dump(explanation)]
    return json.dumps(parts)


@pytest.fixture(scope="module")
def decided() -> list[str]:
    """The results of the cases in the ordinary surroundings of a test."""
    return [decide(case) for case in cases()]


def digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


# -- other processes ---------------------------------------------------------------------------------------------------

SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4294967295", "TZ": "America/Havana", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "random", "TZ": "XYZ+13:37", "LC_ALL": "ar_EG.UTF-8", "LANG": "de_DE"},
]
IN_A_PROCESS = (
    "import json, sys; from architecture import test_purity as t; "
    "print(t.digest([t.decide(case) for case in json.load(sys.stdin)]))"
)


@pytest.mark.slow
def test_other_processes_produce_the_same_bytes(decided: list[str]) -> None:
    # Python ignores a locale that the machine does not have; the fallback is tested then.
    running = [
        subprocess.Popen(
            [sys.executable, "-X", "utf8=0", "-c", IN_A_PROCESS],
            cwd=TESTS,
            env={**os.environ, **surrounding},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for surrounding in SURROUNDINGS
    ]
    text = json.dumps(cases())
    found = [process.communicate(text, timeout=600)[0].strip() for process in running]
    assert found == [digest(decided)] * len(SURROUNDINGS)


def test_the_time_zone_of_the_machine_does_not_matter(decided: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time zone of the process to change")
    monkeypatch.setenv("TZ", "Australia/Lord_Howe")
    time.tzset()
    try:
        assert [decide(case) for case in cases()] == decided
    finally:
        monkeypatch.undo()
        time.tzset()


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_threads_that_share_one_program_get_the_same_bytes() -> None:
    loaded = [
        (program, lr.load_event(case[1]), lr.load_snapshot(case[2] or {}))
        for case in cases()
        for program in [lr.load_program(case[0])]
    ]
    expected = [
        lr.dump(lr.load_program(case[0]).evaluate(event, snapshot, serials=Serials()))
        for case, (_, event, snapshot) in zip(cases(), loaded, strict=True)
    ]
    start = threading.Barrier(8)
    differences: list[object] = []

    def work(offset: int) -> None:
        start.wait()  # no program has been evaluated yet: all threads compile at once
        try:
            for turn in range(500):
                number = (turn * 7 + offset) % len(loaded)
                program, event, snapshot = loaded[number]
                if lr.dump(program.evaluate(event, snapshot, serials=Serials())) != expected[number]:
                    differences.append(number)
        except Exception as error:  # noqa: BLE001  (the assertion below reports it)
            differences.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(offset,)) for offset in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert differences == []


# -- the host's decimal context ----------------------------------------------------------------------------------------

SIGNALS = list(decimal.Context().flags)
ROUNDINGS = [name for name in dir(decimal) if name.startswith("ROUND_")]


CONTEXTS = {
    **{f"prec={digits}": {"prec": digits} for digits in (1, 2, 3)},
    "tiny exponents": {"Emax": 3, "Emin": -3},
    "no exponents": {"prec": 1, "Emax": 0, "Emin": 0},
    "all traps": {"traps": SIGNALS},
    "all traps, prec=1": {"prec": 1, "traps": SIGNALS},
    "all traps, tiny exponents": {"prec": 3, "Emax": 3, "Emin": -3, "traps": SIGNALS},
    "no traps": {"prec": 1, "traps": []},
    "all flags raised": {"flags": SIGNALS},
    **{rounding: {"prec": 2, "rounding": rounding} for rounding in ROUNDINGS},
    "capitals=0": {"capitals": 0, "prec": 3},
    "clamp=1": {"clamp": 1, "Emax": 3, "Emin": -3},
}
hostile = pytest.mark.parametrize(
    "context", [pytest.param(decimal.Context(**context), id=name) for name, context in CONTEXTS.items()]
)


@hostile
def test_the_decimal_context_of_the_host_has_no_effect_and_is_not_changed(
    context: decimal.Context, decided: list[str]
) -> None:
    with decimal.localcontext(context) as ambient:
        before = repr(ambient)  # all of it: precision, rounding, exponents, capitals, clamp, flags and traps
        found = [decide(case) for case in cases()]
        after = repr(ambient)
        assert decimal.getcontext() is ambient
    assert found == decided
    assert after == before


@hostile
def test_a_refused_document_does_not_change_the_decimal_context(context: decimal.Context) -> None:
    spoiled = ["1E+5", "1e400", "NaN", "sNaN", "1.0000001", "1" * 40, "Infinity", "x"]
    with decimal.localcontext(context) as ambient:
        before = repr(ambient)
        for text in spoiled:
            with pytest.raises(ValueError, match="problem"):
                lr.load_event({"type": "transaction", "id": "T", "occurred_at": "2025-01-15T10:00:00Z", "amount": text})
        after = repr(ambient)
    assert after == before


def test_a_decimal_that_only_fits_another_context_is_read_exactly() -> None:
    exact = decimal.Decimal("123456789012345.123456")
    with decimal.localcontext(decimal.Context(prec=1, traps=[])):
        event = lr.load_event(
            {"type": "transaction", "id": "T", "occurred_at": "2025-01-15T10:00:00Z", "amount": exact}
        )
        dumped = lr.dump(event)["amount"]
    assert dumped == "123456789012345.123456"


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_no_document_is_changed_by_a_call() -> None:
    copied_cases = copy.deepcopy(cases())
    for case in copied_cases:
        decide(case)
    assert json.dumps(copied_cases) == json.dumps(cases())  # the order of keys, too


def test_no_value_is_changed_by_a_call() -> None:
    for case in cases():
        program, event, snapshot = lr.load_program(case[0]), lr.load_event(case[1]), lr.load_snapshot(case[2] or {})
        before = copy.deepcopy((event, snapshot))
        dumped = lr.dump(program)
        program.evaluate(event, snapshot, serials=Serials()).explain()
        assert (event, snapshot) == before
        assert lr.dump(program) == dumped


def test_a_later_change_of_a_document_does_not_change_the_loaded_value() -> None:
    document = {
        "type": "transaction",
        "id": "T",
        "occurred_at": "2025-01-15T10:00:00Z",
        "amount": "1",
        "custom_fields": {"list": ["a", {"b": "c"}]},
        "member": {"id": "M", "tags": ["staff"], "contacts": {"sms": "+1"}, "extended_fields": {"x": ["y"]}},
    }
    event = lr.load_event(document)
    before = copy.deepcopy(lr.dump(event))
    document["custom_fields"]["list"][1]["b"] = "changed"
    document["member"]["tags"].append("vip")
    document["member"]["contacts"]["sms"] = "changed"
    document["member"]["extended_fields"]["x"].append("changed")
    assert lr.dump(event) == before


def test_a_change_of_a_dump_does_not_change_the_value() -> None:
    event = lr.load_event(
        {
            "type": "transaction",
            "id": "T",
            "occurred_at": "2025-01-15T10:00:00Z",
            "amount": "1",
            "custom_fields": {"list": ["a"]},
        }
    )
    lr.dump(event)["custom_fields"]["list"].append("changed")
    assert lr.dump(event)["custom_fields"] == {"list": ["a"]}


def test_an_evaluation_opens_no_file_and_no_socket() -> None:
    """Python's audit hook reports each file, connection and process."""
    loaded = [(lr.load_program(case[0]), lr.load_event(case[1]), lr.load_snapshot(case[2] or {})) for case in cases()]
    for program, event, snapshot in loaded:
        program.evaluate(event, snapshot, serials=Serials()).explain()  # imports the modules and loads the zones
    watched = threading.get_ident()
    seen: list[str] = []
    watching = True

    def audit(name: str, _arguments: tuple) -> None:
        if watching and threading.get_ident() == watched and name.startswith(("open", "socket", "subprocess", "os.")):
            seen.append(name)

    sys.addaudithook(audit)
    try:
        for program, event, snapshot in loaded:
            lr.dump(program.evaluate(event, snapshot, serials=Serials()))
    finally:
        watching = False
    assert seen == []
