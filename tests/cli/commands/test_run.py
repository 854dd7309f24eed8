"""`loyalty-rules run`: receipts in, intents and a table out; what is carried from one receipt to the next."""

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty_rules.cli import main

Document = dict[str, Any]
Write = Callable[[str, str | bytes], str]

EXAMPLES = Path(__file__).parents[3] / "examples"
GROCER = str(EXAMPLES / "programs" / "grocer.toml")
RECEIPTS = str(EXAMPLES / "data" / "grocery-receipts.jsonl.gz")
HIDE_RICH = "import sys; sys.modules['rich'] = None; from loyalty_rules.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and give its name."""

    def write(name: str, content: str | bytes) -> str:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path / name)

    return write


def program(*actions: Document, when: Document | None = None, **parts: Any) -> str:
    """Write a program of one promotion, `earn`, in the zone of New York."""
    return json.dumps(
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": "America/New_York",
            "currencies": {"points": {}},
            "promotions": [{"id": "earn", "when": when, "actions": actions or [earn()]}],
            **parts,
        }
    )


def earn(**parts: Any) -> Document:
    """An action: one point for each unit of money, to the last digit."""
    return {
        "type": "issue_currency",
        "id": "points",
        "currency": "points",
        "proration": {"type": "multiplier", "percent": "100"},
        "expiry": {"type": "never"},
        **parts,
    }


def fixed(amount: str) -> Document:
    return earn(proration={"type": "fixed", "amount": amount})


def coupon(quantity: int = 1) -> Document:
    return {"type": "issue_coupon", "id": "coupon", "coupon_type": "thanks", "quantity": quantity}


def coupon_type(**caps: int) -> Document:
    return {"thanks": {"serial_managed": False, "code": "THANKS", "caps": caps}}


def sale(number: int, at: str, amount: str, member: str | None = "M1", **parts: Any) -> Document:
    """A sale on a day of 2025 at noon in New York's winter, or at a full instant."""
    instant = at if "T" in at else f"2025-{at}T12:00:00-05:00"
    who = {"id": member} if member is not None else None
    return {"type": "transaction", "id": f"T{number}", "occurred_at": instant, "amount": amount, "member": who, **parts}


def lines(*documents: Document) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


class Ran:
    """What a run in this process gave: its status, its intents, its complaints and its table."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.intents = [json.loads(line) for line in out.splitlines()]
        self.err = err.splitlines()

    @property
    def points(self) -> list[tuple[str, str]]:
        return [(each["event"], each["amount"]) for each in self.intents if each["type"] == "issue_currency"]

    @property
    def events(self) -> list[str]:
        """The events that earned something, in the order in which they were evaluated."""
        return [event for event, _ in self.points]

    def row(self, name: str) -> list[str]:
        """Give the cells of a row of the table that follow its name."""
        row = next(line for line in self.err if line.startswith(f"{name}  "))
        return row.removeprefix(name).split()


@pytest.fixture
def ran(write: Write, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a program over sales, or over files of them, in this process."""

    def run(program: str, *receipts: Document | str, options: tuple[str, ...] = ()) -> Ran:
        names = [each for each in receipts if isinstance(each, str)]
        sales = [each for each in receipts if isinstance(each, dict)]
        if sales:
            names.append(write("sales.jsonl", lines(*sales)))
        status = main(["run", write("program.json", program), *names, "--ledger", "none", *options])
        return Ran(status, *capsys.readouterr())

    return run


# -- order -----------------------------------------------------------------------------------------------------------


def test_events_of_all_files_are_evaluated_in_order_of_time(write: Write, ran: Callable[..., Ran]) -> None:
    first = write("first.jsonl", lines(sale(1, "01-02", "1"), sale(2, "01-04", "1")))
    second = write("second.jsonl", lines(sale(3, "01-03", "1"), sale(4, "01-01", "1")))

    assert ran(program(), first, second).events == ["T4", "T1", "T3", "T2"]


def test_order_is_by_instant_whatever_the_offset(ran: Callable[..., Ran]) -> None:
    sales = [
        sale(1, "2025-01-15T09:30:00Z", "1"),
        sale(2, "2025-01-15T11:00:00+02:00", "1"),
        sale(3, "2025-01-15T04:15:00-05:00", "1"),
    ]

    assert ran(program(), *sales).events == ["T2", "T3", "T1"]


def test_events_of_one_instant_stay_as_they_were_read(ran: Callable[..., Ran]) -> None:
    numbers = [3, 1, 2, 5, 4]

    assert ran(program(), *[sale(each, "01-01", "1") for each in numbers]).events == [f"T{each}" for each in numbers]


def test_the_order_of_time_decides_who_gets_what_is_left_of_a_cap(ran: Callable[..., Ran]) -> None:
    capped = program(earn(caps={"total": {"amount": "100"}}))

    given = ran(capped, sale(1, "01-02", "80", "late"), sale(2, "01-01", "80", "early"))

    assert given.points == [("T2", "80"), ("T1", "20")]


# -- what is carried from one receipt to the next --------------------------------------------------------------------


def test_a_cap_per_member_is_reached_on_the_third_receipt(ran: Callable[..., Ran]) -> None:
    capped = program(earn(caps={"per_member": {"amount": "250"}}))
    sales = [sale(each, f"01-0{each}", "100") for each in (1, 2, 3, 4)]

    given = ran(capped, *sales, sale(5, "01-05", "100", "M2"))

    assert given.points == [("T1", "100"), ("T2", "100"), ("T3", "50"), ("T5", "100")]
    assert given.row("cap_reached") == ["1"]


def test_a_cap_by_times_begins_anew_with_its_month(ran: Callable[..., Ran]) -> None:
    capped = program(earn(caps={"per_member": {"times": 1, "window": {"type": "calendar", "unit": "month"}}}))

    given = ran(capped, sale(1, "01-10", "5"), sale(2, "01-31", "5"), sale(3, "02-01", "5"))

    assert given.events == ["T1", "T3"]


def test_the_month_is_the_programs_not_utcs(ran: Callable[..., Ran]) -> None:
    capped = program(earn(caps={"per_member": {"times": 1, "window": {"type": "calendar", "unit": "month"}}}))

    # 02:00 UTC on 1 February is 21:00 on 31 January in New York; the third has a business date of its own.
    given = ran(
        capped,
        sale(1, "01-10", "5"),
        sale(2, "2025-02-01T02:00:00Z", "5"),
        sale(3, "2025-02-01T06:00:00Z", "5", business_date="2025-01-31"),
        sale(4, "2025-02-01T07:00:00Z", "5"),
    )

    assert given.events == ["T1", "T4"]


def test_a_tracker_of_the_month_is_crossed_once_a_month(ran: Callable[..., Ran]) -> None:
    monthly = {"measure": {"type": "transaction_value"}, "target": "100"}
    milestone = program(
        fixed("7"),
        when={"tracker": "spend", "crossed": True},
        trackers={"spend": {**monthly, "window": {"type": "calendar", "unit": "month"}}},
    )

    # January: 60, 120 (crossed), 130. February: 90, 100 (crossed: at the target counts), 200.
    amounts = [("01-29", "60"), ("01-30", "60"), ("01-31", "10"), ("02-01", "90"), ("02-02", "10"), ("02-03", "100")]
    given = ran(milestone, *[sale(number, day, amount) for number, (day, amount) in enumerate(amounts, 1)])

    assert given.events == ["T2", "T5"]


def test_a_rolling_cap_forgets_what_is_older_than_its_days(ran: Callable[..., Ran]) -> None:
    week = {"per_member": {"amount": "100", "window": {"type": "rolling", "days": 7}}}

    # Left on the 3rd: 100 − 80. On the 7th (1st to 7th): nothing. On the 8th (2nd to 8th): 100 − 20.
    # On the 10th (4th to 10th): 100 − 80.
    days = ["01-01", "01-03", "01-07", "01-08", "01-10"]
    given = ran(program(earn(caps=week)), *[sale(number, day, "80") for number, day in enumerate(days, 1)])

    assert given.points == [("T1", "80"), ("T2", "20"), ("T4", "80"), ("T5", "20")]


def test_a_rolling_tracker_forgets_and_is_crossed_again(ran: Callable[..., Ran]) -> None:
    three_days = {"measure": {"type": "transaction_value"}, "target": "100", "window": {"type": "rolling", "days": 3}}
    milestone = program(fixed("7"), when={"tracker": "spend", "crossed": True}, trackers={"spend": three_days})

    # Before and after: 0, 60; 60, 120 (crossed); 120, 130; 70, 90 (the 1st is forgotten); 30, 110 (crossed).
    amounts = ["60", "60", "10", "20", "80"]
    given = ran(milestone, *[sale(day, f"01-0{day}", amount) for day, amount in enumerate(amounts, 1)])

    assert given.events == ["T2", "T5"]


def test_a_day_that_the_till_books_late_is_counted_on_its_own_day(ran: Callable[..., Ran]) -> None:
    two_days = {"total": {"amount": "100", "window": {"type": "rolling", "days": 2}}}

    # Booked for the 3rd, the third sale sees the 2nd and 3rd, 30 in all; the fourth sees 30 + 20 of the 3rd and 40 of
    # the 4th.
    given = ran(
        program(earn(caps=two_days)),
        sale(1, "01-03", "30"),
        sale(2, "2025-01-04T12:00:00-05:00", "40"),
        sale(3, "2025-01-04T13:00:00-05:00", "20", business_date="2025-01-03"),
        sale(4, "2025-01-04T14:00:00-05:00", "50"),
    )

    assert given.points == [("T1", "30"), ("T2", "40"), ("T3", "20"), ("T4", "10")]


def test_limits_of_the_program_are_carried_per_store_and_in_total(ran: Callable[..., Ran]) -> None:
    limits = {
        "store": {"currency": "points", "per": "store", "amount": "100"},
        "all": {"currency": "points", "per": "total", "amount": "150"},
    }

    given = ran(
        program(limits=limits),
        sale(1, "01-01", "90", store="S/1"),
        sale(2, "01-02", "90", store="S/1"),
        sale(3, "01-03", "90", store="S2"),
        sale(4, "01-04", "90"),
    )

    assert given.points == [("T1", "90"), ("T2", "10"), ("T3", "50")]


def test_a_promise_draws_on_a_cap_as_an_issue_does(ran: Callable[..., Ran]) -> None:
    waiting = earn(timing={"type": "external"}, caps={"per_member": {"amount": "15"}})

    given = ran(program(waiting), sale(1, "01-01", "10"), sale(2, "01-02", "10"))

    assert given.points == [("T1", "10"), ("T2", "5")]
    assert given.row("earn") == ["points", "2", "0", "15"]


def test_caps_of_coupons_are_carried(ran: Callable[..., Ran]) -> None:
    capped = program(coupon(2), coupon_types=coupon_type(per_member=3, per_store=5, total=6))

    # M1 has 2 and then 1 of 3; M2 has 2, which fills S1; in S2 one is left in all.
    given = ran(
        capped,
        sale(1, "01-01", "1", store="S1"),
        sale(2, "01-02", "1", store="S1"),
        sale(3, "01-03", "1", "M2", store="S1"),
        sale(4, "01-04", "1", "M3", store="S1"),
        sale(5, "01-05", "1", "M3", store="S2"),
    )

    assert [each["event"] for each in given.intents] == ["T1", "T1", "T2", "T3", "T3", "T5"]
    assert given.row("thanks") == ["6"]
    assert given.row("cap_reached") == ["1"]


def test_a_repeated_receipt_does_not_earn_twice(write: Write, ran: Callable[..., Ran]) -> None:
    again = write("again.jsonl", lines(sale(1, "01-01", "10"), sale(1, "01-05", "10"), sale(2, "01-02", "10")))

    given = ran(program(), again, sale(1, "01-01", "10"))

    assert given.points == [("T1", "10"), ("T2", "10")]
    assert given.status == 0
    assert given.row("evaluated") == ["2"]
    assert given.row("seen before") == ["2"]


def test_what_happens_to_a_sale_later_is_counted_and_not_evaluated(ran: Callable[..., Ran]) -> None:
    at = {"occurred_at": "2025-01-02T12:00:00Z"}
    later = [
        {"type": "return", "id": "R1", "of": "T1", "amount": "10", **at},
        {"type": "return", "id": "R2", "of": "T1", "amount": "10", **at},
        {"type": "update", "id": "U1", "of": "T1", **at},
        {"type": "confirmation", "id": "C1", "promise": "shop/T1/earn/points", "outcome": "issue", **at},
    ]

    given = ran(program(), sale(1, "01-01", "10"), *later)

    assert given.status == 0
    assert given.points == [("T1", "10")]
    assert given.row("not evaluated: return") == ["2"]
    assert given.row("not evaluated: update") == ["1"]
    assert given.row("not evaluated: confirmation") == ["1"]


def test_a_counter_may_outgrow_the_digits_of_an_amount(ran: Callable[..., Ran]) -> None:
    lifetime = {"spend": {"measure": {"type": "transaction_value"}, "target": "1"}}
    most = "999999999999999"

    given = ran(
        program(fixed("1"), trackers=lifetime),
        sale(1, "01-01", most),
        sale(2, "01-02", most),
        sale(3, "01-03", "1"),
        sale(4, "01-04", "1", "M2"),
    )

    assert given.status == 0
    assert given.events == ["T1", "T2", "T3", "T4"]


# -- what is written -------------------------------------------------------------------------------------------------


def test_intents_are_compact_lines_in_the_form_of_the_documents(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [write("program.json", program(fixed("5"))), write("sales.jsonl", lines(sale(1, "01-01", "1")))]

    assert main(["run", *names, "--quiet"]) == 0

    assert capsys.readouterr() == (
        '{"type":"issue_currency","key":"shop/T1/earn/points","promotion":"earn","action":"points","event":"T1",'
        '"member":"M1","group":null,"currency":"points","amount":"5","state":"issued","issue_on":"2025-01-01",'
        '"due_at":null,"release":null,"expires_on":null,"expires_at":null,"shares":[],"claims":[]}\n',
        "",
    )


def test_the_output_file_holds_what_standard_output_would(
    write: Write, ran: Callable[..., Ran], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = write("some.jsonl", lines(sale(1, "01-01", "1"), sale(2, "01-02", "2", "Zoë")))
    output = tmp_path / "intents.jsonl"

    assert main(["run", write("program.json", program()), sales]) == 0
    printed = capsys.readouterr().out
    assert ran(program(), sales, options=("--output", str(output))).intents == []

    assert output.read_text(encoding="ascii") == printed
    assert json.loads(printed.splitlines()[1])["member"] == "Zoë"


def test_the_table_adds_up_exactly(ran: Callable[..., Ran]) -> None:
    most = "999999999999999.999999"
    cents = program(currencies={"points": {"decimals": 6}})

    given = ran(cents, sale(1, "01-01", most), sale(2, "01-02", most), sale(3, "01-03", "0.1"), sale(4, "01-04", "0.2"))

    assert given.row("earn") == ["points", "4", "2,000,000,000,000,000.299998", "0"]
    assert given.row("together") == ["points", "4", "2,000,000,000,000,000.299998", "0"]


def test_the_table_tells_what_became_of_every_event(ran: Callable[..., Ran]) -> None:
    given = ran(
        program(earn(), coupon(3), coupon_types=coupon_type()),
        sale(1, "01-01", "10"),
        sale(2, "01-02", "20", None),
        sale(3, "01-03", "0"),
        {"type": "registration", "id": "A1", "occurred_at": "2025-01-01T00:00:00Z"},
    )

    assert given.status == 0
    assert given.row("evaluated") == ["4"]
    assert given.row("of these without effect") == ["1"]
    assert given.row("malformed") == ["0"]
    assert given.row("earn") == ["points", "1", "10", "0"]
    assert given.row("thanks") == ["9"]
    assert given.row("no_member") == ["1"]
    assert given.row("zero_amount") == ["1"]
    assert given.row("a second")


def test_no_receipts_at_all_are_a_fine_run(write: Write, ran: Callable[..., Ran]) -> None:
    given = ran(program(), write("empty.jsonl", ""), write("blank.jsonl", "\n  \r\n"))

    assert (given.status, given.intents) == (0, [])
    assert given.row("evaluated") == ["0"]


def test_quiet_leaves_complaints_alone(write: Write, ran: Callable[..., Ran]) -> None:
    given = ran(program(), write("bad.jsonl", "{\n"), sale(1, "01-01", "1"), options=("--quiet",))

    assert given.status == 1
    assert given.events == ["T1"]
    assert len(given.err) == 1


# -- what is read ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sales.jsonl.gz", "sales.jsonl"])
def test_gzip_is_told_by_its_first_bytes_whatever_the_name(write: Write, ran: Callable[..., Ran], name: str) -> None:
    text = lines(sale(1, "01-01", "1"), sale(2, "01-02", "1"))
    two_members = gzip.compress(text.encode()) + gzip.compress(lines(sale(3, "01-03", "1")).encode())

    assert ran(program(), write(name, two_members)).events == ["T1", "T2", "T3"]
    assert ran(program(), write(name, text)).events == ["T1", "T2"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_plain_or_gzip(
    monkeypatch: pytest.MonkeyPatch, ran: Callable[..., Ran], pack: Callable[[bytes], bytes]
) -> None:
    stdin = pack(lines(sale(1, "01-03", "1")).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))

    assert ran(program(), "-", sale(2, "01-02", "1")).events == ["T2", "T1"]


def test_blank_lines_are_skipped_and_a_last_line_needs_no_end(write: Write, ran: Callable[..., Ran]) -> None:
    text = "\n" + lines(sale(1, "01-01", "1")) + "  \r\n" + lines(sale(2, "01-02", "1")).rstrip("\n")

    given = ran(program(), write("gaps.jsonl", text))

    assert (given.status, given.events) == (0, ["T1", "T2"])


def test_every_problem_of_a_malformed_line_is_told_with_its_place(write: Write, ran: Callable[..., Ran]) -> None:
    no_amount = {"type": "transaction", "id": "T3", "occurred_at": "noon", "colour": "red"}
    name = write(
        "mixed.jsonl",
        b"\n".join(
            [
                lines(sale(1, "01-01", "1")).encode(),
                b'{"type": ',
                json.dumps(no_amount).encode(),
                b'{"type": "\xff"}',
                b"[1]",
                lines(sale(2, "01-02", "1")).encode(),
            ]
        ),
    )

    given = ran(program(), name)

    places = [line.removeprefix(name).split(" ")[0] for line in given.err if line.startswith(name)]
    codes = [line.rsplit(" ", 1)[1] for line in given.err if line.startswith(name)]
    assert given.status == 1
    assert given.events == ["T1", "T2"]
    assert sorted(zip(places, codes, strict=True)) == [
        (":3:", "[not_json]"),
        (":4:", "[not_an_instant]"),
        (":4:", "[required]"),
        (":4:", "[unknown_key]"),
        (":5:", "[not_json]"),
        (":6:", "[not_an_object]"),
    ]
    assert given.row("malformed") == ["4"]


def test_every_file_that_can_not_be_read_is_told_and_nothing_is_evaluated(
    write: Write, ran: Callable[..., Ran], tmp_path: Path
) -> None:
    packed = gzip.compress(lines(sale(1, "01-01", "1")).encode())
    cut = write("cut.gz", packed[:-9])
    garbled = write("garbled.gz", packed[:10] + b"\xff" * 40)

    given = ran(program(), "absent.jsonl", str(tmp_path), cut, garbled, sale(2, "01-02", "1"))

    assert given.status == 2
    assert given.intents == []
    assert [line.split(": can't be read: ")[0] for line in given.err] == ["absent.jsonl", str(tmp_path), cut, garbled]


def test_an_invalid_program_ends_the_run_before_it_begins(ran: Callable[..., Ran]) -> None:
    given = ran('{"format": "loyalty-rules/1"}', "absent.jsonl", options=("--key-file", "no-key"))

    assert (given.status, given.intents) == (2, [])
    assert len(given.err) == 5
    assert given.err[-1].startswith("no-key: can't be read: ")


def test_an_output_that_can_not_be_opened_ends_the_run(ran: Callable[..., Ran], tmp_path: Path) -> None:
    given = ran(program(), sale(1, "01-01", "1"), options=("--output", str(tmp_path / "absent" / "out")))

    assert given.status == 2
    assert len(given.err) == 1
    assert given.err[0].startswith("loyalty-rules: ")


def test_coupons_with_serials_need_a_key(write: Write, ran: Callable[..., Ran]) -> None:
    serials = program(coupon(), coupon_types={"thanks": {}})

    without = ran(serials, sale(1, "01-01", "1"))
    given = ran(serials, sale(1, "01-01", "1"), options=("--key-file", write("key", b"\x00\xff" * 16)))

    assert without.status == 2
    assert "--key-file" in without.err[0]
    assert given.status == 0
    assert len(given.intents[0]["serial"]) == 20


# -- terminals and pipes ---------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_ends_the_run_quietly() -> None:
    command = [sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b'{"type":"issue_currency"')
        running.stdout.close()
        err = running.stderr.read()

    assert err == b""
    assert running.returncode == 141


def test_two_runs_write_the_same_bytes() -> None:
    command = [sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS, "--quiet"]
    runs = [
        subprocess.run(command, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]

    assert runs[0].stdout == runs[1].stdout


def on_terminal(command: list[str]) -> Iterator[bytes]:
    """Run a command with a terminal for its standard error, and give what it shows there."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}):
        os.close(theirs)
        try:
            while shown := os.read(ours, 4096):
                yield shown
        except OSError:  # what Linux says when the other end has gone
            pass
        finally:
            os.close(ours)


def test_a_terminal_gets_a_bar_and_a_drawn_table() -> None:
    shown = b"".join(
        on_terminal([sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", GROCER, RECEIPTS])
    ).decode()

    assert "reading" in shown
    assert "evaluating" in shown
    assert "53,630" in shown
    assert "─" in shown


def test_without_rich_a_terminal_gets_the_plain_table() -> None:
    shown = b"".join(
        on_terminal([sys.executable, "-c", HIDE_RICH, "run", "--ledger", "none", GROCER, RECEIPTS])
    ).decode()

    assert shown.startswith("events ")
    assert "together               points     2,507  53,630         0" in shown
    assert "\x1b" not in shown


def test_without_rich_a_pipe_gets_the_same_table_as_with_it(write: Write) -> None:
    names = [write("program.json", program()), write("sales.jsonl", lines(sale(1, "01-01", "12.5")))]

    with_rich = subprocess.run(
        [sys.executable, "-m", "loyalty_rules", "run", "--ledger", "none", *names], capture_output=True
    )
    without = subprocess.run([sys.executable, "-c", HIDE_RICH, "run", "--ledger", "none", *names], capture_output=True)

    assert with_rich.stdout == without.stdout
    assert without.stderr.startswith(b"events ")
    assert [line for line in with_rich.stderr.splitlines() if b"a second" not in line] == [
        line for line in without.stderr.splitlines() if b"a second" not in line
    ]
