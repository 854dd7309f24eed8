"""Serials: derived, shown, read, and the errors of hand and eye that the check symbol sees."""

import os
import pickle
import random
import subprocess
import sys
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs
import pytest

from loyalty_rules.serials import (
    DerivedSerials,
    InvalidKeyError,
    MalformedSerialError,
    SerialGenerator,
    SerialRequest,
    hkdf_sha256,
    key_id_of,
    parse_serial,
    shown,
)

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EXAMPLE = "05XQCT-EGEVD1-N1X2MV"
MASTER = b"q7/Vw2@mZ9&xK4#tB8!pL3%sD6^gH1*jN5"
OTHER_MASTER = b"Y4+rC9~kW2=fM7:hQ1;vT8|bJ5<nX3>zP6"
REQUEST = SerialRequest("acme", "next-visit-15", "T-1001", "base-earn", "thanks", 1)


@pytest.fixture
def serials() -> DerivedSerials:
    return DerivedSerials.from_master(MASTER)


# The serial key: RFC 5869, appendix A, the vectors with SHA-256.


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "expected"),
    [
        pytest.param(
            bytes([0x0B] * 22),
            bytes(range(0x0D)),
            bytes(range(0xF0, 0xFA)),
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            id="A.1 basic",
        ),
        pytest.param(
            bytes(range(0x50)),
            bytes(range(0x60, 0xB0)),
            bytes(range(0xB0, 0x100)),
            82,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            id="A.2 longer inputs and outputs",
        ),
        pytest.param(
            bytes([0x0B] * 22),
            b"",
            b"",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            id="A.3 no salt and no info",
        ),
    ],
)
def test_the_key_derivation_is_that_of_rfc_5869(
    secret: bytes, salt: bytes, info: bytes, length: int, expected: str
) -> None:
    assert hkdf_sha256(secret, salt=salt, info=info, length=length).hex() == expected


def test_keys_of_different_purposes_are_different() -> None:
    assert hkdf_sha256(MASTER, info=b"one", length=32) != hkdf_sha256(MASTER, info=b"other", length=32)


# Deriving.


def test_the_serial_of_a_coupon_never_changes_between_releases(serials: DerivedSerials) -> None:
    assert serials.serial(REQUEST) == "0BFS8T-Y94WST-HYFZDW"


def test_a_serial_is_shown_in_three_groups_of_six(serials: DerivedSerials) -> None:
    assert [len(group) for group in serials.serial(REQUEST).split("-")] == [6, 6, 6]


def test_the_same_coupon_has_the_same_serial_on_a_retry() -> None:
    first, second = (DerivedSerials.from_master(MASTER).serial(attrs.evolve(REQUEST)) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_the_same_coupon_has_the_same_serial_in_another_process(serials: DerivedSerials, hash_seed: str) -> None:
    script = (
        "from loyalty_rules.serials import DerivedSerials, SerialRequest\n"
        f"serials = DerivedSerials.from_master({MASTER!r})\n"
        f"print(serials.serial(SerialRequest{attrs.astuple(REQUEST)!r}), end='')"
    )

    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert elsewhere == serials.serial(REQUEST)


def test_the_order_in_which_keys_are_given_changes_nothing() -> None:
    one = DerivedSerials({"0": MASTER, "1": OTHER_MASTER}, "1")
    other = DerivedSerials({"1": OTHER_MASTER, "0": MASTER}, "1")

    assert one.serial(REQUEST) == other.serial(REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        {"program": "acme2"},
        {"coupon_type": "next-visit-20"},
        {"event": "T-1002"},
        {"promotion": "extra-earn"},
        {"action": "more-thanks"},
        {"ordinal": 2},
        {"attempt": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_changes_the_serial(serials: DerivedSerials, change: dict[str, str | int]) -> None:
    assert serials.serial(attrs.evolve(REQUEST, **change)) != serials.serial(REQUEST)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c", "e", "p", "a", 1), ("a", "bc", "e", "p", "a", 1)),
        (("x", "ab", "c", "p", "a", 1), ("x", "a", "bc", "p", "a", 1)),
        (("x", "t", "ab", "c", "a", 1), ("x", "t", "a", "bc", "a", 1)),
        (("x", "t", "e", "ab", "c", 1), ("x", "t", "e", "a", "bc", 1)),
        (("x", "t", "e", "p", "a1", 1), ("x", "t", "e", "p", "a", 11)),
        (("x", "t", "e", "p", "a", 11, 0), ("x", "t", "e", "p", "a", 1, 10)),
        (("", "x", "e", "p", "a", 1), ("x", "", "e", "p", "a", 1)),
        (("x", "t", "e\0", "p", "a", 1), ("x", "t", "e", "\0p", "a", 1)),
    ],
)
def test_fields_do_not_run_into_each_other(
    serials: DerivedSerials, one: Sequence[str | int], other: Sequence[str | int]
) -> None:
    assert serials.serial(SerialRequest(*one)) != serials.serial(SerialRequest(*other))  # type: ignore[arg-type]


@pytest.mark.parametrize("event", ["Zoë 小票 🧾", "\ud800", ""], ids=["letters", "lone surrogate", "empty"])
def test_an_event_id_of_any_characters_gives_a_serial(serials: DerivedSerials, event: str) -> None:
    assert parse_serial(serials.serial(attrs.evolve(REQUEST, event=event)))


@pytest.mark.parametrize("change", [{"ordinal": 0}, {"attempt": -1}])
def test_an_ordinal_or_an_attempt_out_of_range_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        attrs.evolve(REQUEST, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"event": 1001}, {"ordinal": "1"}, {"attempt": 1.0}])
def test_a_field_of_another_type_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=next(iter(change))):
        attrs.evolve(REQUEST, **change)  # type: ignore[arg-type]


def test_the_engine_accepts_the_generator(serials: DerivedSerials) -> None:
    generator: SerialGenerator = serials

    assert generator.serial(REQUEST) == serials.serial(REQUEST)


# Keys.


def test_a_serial_begins_with_the_id_of_the_active_key() -> None:
    assert DerivedSerials({"0": MASTER, "Z": OTHER_MASTER}, "Z").serial(REQUEST)[0] == "Z"


def test_every_symbol_can_be_a_key_id() -> None:
    beginnings = {DerivedSerials.from_master(MASTER, key_id).serial(REQUEST)[0] for key_id in SYMBOLS}

    assert beginnings == set(SYMBOLS)


def test_another_master_gives_another_serial(serials: DerivedSerials) -> None:
    assert DerivedSerials.from_master(OTHER_MASTER).serial(REQUEST) != serials.serial(REQUEST)


def test_the_same_master_under_another_id_gives_another_body(serials: DerivedSerials) -> None:
    renamed = DerivedSerials.from_master(MASTER, "1").serial(REQUEST)

    assert parse_serial(renamed)[1:17] != parse_serial(serials.serial(REQUEST))[1:17]


def test_after_a_rotation_the_old_key_still_derives_its_serials(serials: DerivedSerials) -> None:
    rotated = DerivedSerials({"0": MASTER, "1": OTHER_MASTER}, "1")

    assert rotated.serial_under("0", REQUEST) == serials.serial(REQUEST)


def test_an_unknown_key_is_refused(serials: DerivedSerials) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        serials.serial_under("7", REQUEST)

    assert str(caught.value) == "key '7': unknown key; the known keys are 0"


def test_a_key_added_to_the_mapping_afterwards_is_unknown() -> None:
    keys = {"0": MASTER}
    serials = DerivedSerials(keys, "0")

    keys["1"] = OTHER_MASTER

    with pytest.raises(InvalidKeyError):
        serials.serial_under("1", REQUEST)


def test_a_master_of_32_bytes_is_long_enough() -> None:
    assert DerivedSerials.from_master(MASTER[:32]).serial(REQUEST)


def test_a_master_of_31_bytes_is_too_short() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials.from_master(MASTER[:31])

    assert str(caught.value) == "key '0': a master key has at least 32 bytes; this one has 31"


def test_a_short_master_is_refused_though_it_is_not_the_active_one() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials({"0": MASTER, "1": b"short"}, "0")

    assert caught.value.key_id == "1"


def test_a_master_that_is_text_is_refused() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials.from_master(MASTER.decode())  # type: ignore[arg-type]

    assert str(caught.value) == "key '0': a master key is bytes; this one is of type str"


def test_there_is_no_default_key() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials({}, "0")

    assert str(caught.value) == "no keys given: at least one master key is needed, and there is no default"


@pytest.mark.parametrize("key_id", ["", "00", "I", "L", "O", "U", "a", "-", " ", "é", "０"])
def test_a_key_id_is_one_symbol(key_id: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials.from_master(MASTER, key_id)

    assert str(caught.value) == "a key id is one of the symbols 0-9 and A-Z without I, L, O, U, in upper case"


def test_the_active_key_must_be_one_of_the_keys() -> None:
    with pytest.raises(InvalidKeyError) as caught:
        DerivedSerials({"0": MASTER, "1": OTHER_MASTER}, "2")

    assert str(caught.value) == "key '2': unknown key; the known keys are 0, 1"


# Secrecy.


def derived_keys(serials: DerivedSerials) -> list[bytes]:
    return [MASTER, *serials._serial_keys.values()]


def leaks(text: str, key: bytes) -> bool:
    """Whether six bytes of the key in a row can be read in the text, as they are, in hexadecimal or escaped."""
    parts = [key[start : start + 6] for start in range(len(key) - 5)]
    return any(form in text for part in parts for form in (repr(part)[2:-1], part.hex(), part.decode("latin-1")))


def test_control_a_key_in_a_text_is_found() -> None:
    assert all(leaks(text, MASTER) for text in (repr(MASTER), MASTER.hex(), f"... {MASTER[5:11].decode()} ..."))


def test_the_repr_names_the_keys_by_their_ids() -> None:
    serials = DerivedSerials({"1": OTHER_MASTER, "0": MASTER}, "1")

    assert repr(serials) == "DerivedSerials(active='1', key_ids='01')"


@pytest.mark.parametrize("form", [repr, str, "{}".format])
def test_no_form_of_printing_a_generator_shows_a_key(
    serials: DerivedSerials, form: Callable[[DerivedSerials], str]
) -> None:
    assert not any(leaks(form(serials), key) for key in derived_keys(serials))


def test_a_generator_does_not_keep_the_master(serials: DerivedSerials) -> None:
    assert MASTER not in pickle.dumps(serials)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: DerivedSerials.from_master(MASTER[:31]),
        lambda: DerivedSerials.from_master(MASTER.decode()),  # type: ignore[arg-type]
        lambda: DerivedSerials.from_master(MASTER, MASTER.decode()),
        lambda: DerivedSerials({MASTER.decode(): MASTER}, "0"),
        lambda: DerivedSerials({"0": MASTER}, MASTER.decode()),
        lambda: DerivedSerials({"0": MASTER}, MASTER),  # type: ignore[arg-type]
        lambda: DerivedSerials({"0": MASTER}, "1"),
        lambda: DerivedSerials.from_master(MASTER).serial_under(MASTER.decode(), REQUEST),
    ],
    ids=[
        "short",
        "text",
        "as id",
        "as id in keys",
        "as active",
        "bytes as active",
        "unknown",
        "as id later",
    ],
)
def test_no_error_about_a_key_contains_it(misuse: Callable[[], object]) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        misuse()

    error = caught.value
    text = "".join([*traceback.format_exception_only(error), repr(error), repr(vars(error)), repr(error.args)])
    assert not leaks(text, MASTER)


def test_an_error_about_a_key_survives_pickling() -> None:
    error = InvalidKeyError("unknown key", "7")

    assert str(pickle.loads(pickle.dumps(error))) == "key '7': unknown key"


def test_the_error_about_a_malformed_serial_does_not_repeat_it() -> None:
    typed = EXAMPLE[:-1] + "W"
    with pytest.raises(MalformedSerialError) as caught:
        parse_serial(typed)

    error = caught.value
    assert (str(error), repr(error), error.args, vars(error), error.__context__) == (
        "not a serial: expected the 18 letters and digits of the coupon",
        "MalformedSerialError()",
        (),
        {},
        None,
    )


def test_the_error_about_a_malformed_serial_survives_pickling() -> None:
    error = MalformedSerialError()

    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_generator_survives_pickling(protocol: int) -> None:
    serials = DerivedSerials({"0": MASTER, "1": OTHER_MASTER}, "1")

    restored = pickle.loads(pickle.dumps(serials, protocol))

    assert (restored.serial(REQUEST), restored.serial_under("0", REQUEST)) == (
        serials.serial(REQUEST),
        serials.serial_under("0", REQUEST),
    )


def test_a_request_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(REQUEST)) == REQUEST


# Reading.


@pytest.mark.parametrize(
    "text",
    [
        "05XQCT-EGEVD1-N1X2MV",
        "05XQCTEGEVD1N1X2MV",
        "05xqct-egevd1-n1x2mv",
        "05XqCt-eGeVd1-N1x2Mv",
        "05XQCT EGEVD1 N1X2MV",
        "  05XQCT - EGEVD1 - N1X2MV\r\n",
        "0-5-X-Q-C-T-E-G-E-V-D-1-N-1-X-2-M-V",
        "05XQ CTEG EVD1 N1X2 MV\t",
        "O5XQCT-EGEVDI-NLX2MV",
        "o5xqct-egevdl-nix2mv",
    ],
)
def test_a_serial_is_read_as_people_write_it(text: str) -> None:
    assert parse_serial(text) == "05XQCTEGEVD1N1X2MV"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" - ", id="only blanks"),
        pytest.param("05XQCT-EGEVD1-N1X2M", id="one symbol short"),
        pytest.param("05XQCT-EGEVD1-N1X2MV0", id="one symbol long"),
        pytest.param("005XQCT-EGEVD1-N1X2MV", id="one zero before, which adds nothing to the sum"),
        pytest.param("05XQCT-EGEVD1-N1X2MW", id="check symbol"),
        pytest.param("U5XQCT-EGEVD1-N1X2MV", id="U"),
        pytest.param("u5XQCT-EGEVD1-N1X2MV", id="u"),
        pytest.param("05XQCT_EGEVD1_N1X2MV", id="underscores"),
        pytest.param("05XQCT.EGEVD1.N1X2MV", id="full stops"),
        pytest.param("05XQCT-EGEVD1-N1X2MV\0", id="null"),
        pytest.param("05XQCT-EGEVDı-N1X2MV", id="dotless i, upper is I"),
        pytest.param("05XQCT-EGEVDİ-N1X2MV", id="dotted I, lower is i and a dot"),
        pytest.param("05XQCT-EGEVD１-N1X2MV", id="full-width digit"),
        pytest.param("０５ＸＱＣＴ-ＥＧＥＶＤ１-Ｎ１Ｘ２ＭＶ", id="full-width"),
        pytest.param("٠5XQCT-EGEVD1-N1X2MV", id="Arabic digit"),
        pytest.param("О5XQCT-EGEVD1-N1X2MV", id="Cyrillic O"),
        pytest.param("05XQCT-EGEVD¹-N1X2MV", id="superscript digit"),
        pytest.param("05XQCT–EGEVD1–N1X2MV", id="dashes"),
        pytest.param("05XQCT\u00a0EGEVD1\u00a0N1X2MV", id="no-break spaces"),
        pytest.param("05XQCT-EGEVD1-N1X2MV\ud800", id="lone surrogate"),
        pytest.param("05XQCT-EGEVD1-N1X2MV" + "-" * 109, id="129 characters"),
        pytest.param("0" * 10_000_000, id="ten megabytes"),
    ],
)
def test_a_malformed_serial_is_refused(text: str) -> None:
    with pytest.raises(MalformedSerialError):
        parse_serial(text)


@pytest.mark.parametrize("value", [None, 5, b"05XQCTEGEVD1N1X2MV", ["05XQCTEGEVD1N1X2MV"]])
def test_a_value_that_is_not_a_text_is_refused_as_malformed(value: object) -> None:
    with pytest.raises(MalformedSerialError):
        parse_serial(value)  # type: ignore[arg-type]


def test_a_long_s_is_not_read_as_s(serials: DerivedSerials) -> None:
    with_s = next(text for n in range(1, 1000) if "S" in (text := serials.serial(attrs.evolve(REQUEST, ordinal=n))))

    with pytest.raises(MalformedSerialError):
        parse_serial(with_s.replace("S", "ſ"))


ASCII = {chr(point) for point in range(128)}


def resembles_ascii(character: str) -> bool:
    category = unicodedata.category(character)
    if category in {"Zs", "Zl", "Zp", "Pd", "Cf", "Cc", "Nd"}:
        return True
    if category in {"Cn", "Co", "Cs"}:
        return False
    forms = character.upper() + character.lower() + character.casefold()
    return bool(set(forms + unicodedata.normalize("NFKD", character)) & ASCII)


@pytest.fixture(scope="module")
def lookalikes() -> set[str]:
    """All of ASCII, and all characters that a rule of Unicode maps to ASCII or treats as a digit, blank or hyphen."""
    return ASCII | set(filter(resembles_ascii, map(chr, range(sys.maxunicode + 1))))


def test_control_the_known_traps_are_among_the_characters_tried(lookalikes: set[str]) -> None:
    assert set("ıſ\u212aＡ０٠¹–\u00a0\u200b𝟎𝐀Ⅰ") <= lookalikes


def test_a_character_stands_for_a_symbol_only_as_documented(lookalikes: set[str]) -> None:
    words = [next(w for c in SYMBOLS if reads(w := symbol + EXAMPLE[1:-1] + c)) for symbol in SYMBOLS]

    read = {word[0]: {c for c in lookalikes if reads(c + word[1:])} for word in words}

    assert read == {symbol: {symbol, symbol.lower()} for symbol in SYMBOLS} | {"0": set("0oO"), "1": set("1iIlL")}


def test_a_character_is_dropped_only_as_documented(lookalikes: set[str]) -> None:
    assert {c for c in lookalikes if reads(EXAMPLE[:6] + c + EXAMPLE[6:])} == set("- \t\r\n")


def test_a_text_of_128_characters_is_read() -> None:
    assert parse_serial(EXAMPLE + "-" * 108) == "05XQCTEGEVD1N1X2MV"


def test_every_serial_given_reads_as_itself(serials: DerivedSerials) -> None:
    given = [serials.serial(attrs.evolve(REQUEST, ordinal=n)) for n in range(1, 1001)]

    assert [shown(parse_serial(text)) for text in given] == given


def test_a_serial_is_shown_as_on_the_coupon() -> None:
    assert shown("05XQCTEGEVD1N1X2MV") == EXAMPLE


def test_a_malformed_serial_is_not_shown() -> None:
    with pytest.raises(MalformedSerialError):
        shown("05XQCTEGEVD1N1X2MW")


def test_a_serial_contains_the_id_of_its_key() -> None:
    assert key_id_of(DerivedSerials.from_master(MASTER, "Q").serial(REQUEST).lower()) == "Q"


def test_a_malformed_serial_has_no_key_id() -> None:
    with pytest.raises(MalformedSerialError):
        key_id_of("0")


# The check symbol. The tests repeat the arithmetic with tables of logarithms and with any weights. They build words
# with it, and the library accepts or refuses them. Each kind of error is tried at every place with every pair of
# symbols. The sum is linear, so the unchanged symbols make no difference. As a control, weights that are wrong in one
# way each must miss errors in the same search.

Word = tuple[int, ...]
PLACES = 18

POWERS = [1]
while len(POWERS) < 31:
    doubled = POWERS[-1] * 2
    POWERS.append(doubled ^ 0b100101 if doubled >= 32 else doubled)
LOGARITHMS = {power: exponent for exponent, power in enumerate(POWERS)}

RIGHT_WEIGHTS = [POWERS[17 - place] for place in range(PLACES)]
EQUAL_WEIGHTS = [1] * PLACES
ALTERNATING_WEIGHTS = [POWERS[1], POWERS[0]] * 9
ONE_WEIGHT_MISSING = [*RIGHT_WEIGHTS[:5], 0, *RIGHT_WEIGHTS[6:]]


def times(a: int, b: int) -> int:
    return POWERS[(LOGARITHMS[a] + LOGARITHMS[b]) % 31] if a and b else 0


def weighted_sum(weights: Sequence[int], word: Sequence[int]) -> int:
    total = 0
    for weight, value in zip(weights, word, strict=True):
        total ^= times(weight, value)
    return total


def reads(text: str) -> bool:
    try:
        parse_serial(text)
    except MalformedSerialError:
        return False
    return True


def library_accepts(word: Word) -> bool:
    return reads("".join(SYMBOLS[value] for value in word))


def accepts_with(weights: Sequence[int]) -> Callable[[Word], bool]:
    return lambda word: weighted_sum(weights, word) == 0


def completed(weights: Sequence[int], body: Sequence[int]) -> Word:
    return (*body, weighted_sum(weights[:-1], body))  # the check symbol's own weight is 1


def words_with_all_pairs_at(weights: Sequence[int], i: int, j: int) -> Iterator[Word]:
    """The 1,024 valid words that have every pair of symbols at the places i and j.

    The check symbol cannot be chosen: for it to take every value, a symbol at another place does.
    """
    body = [random.Random(i * PLACES + j).randrange(32) for _ in range(PLACES - 1)]
    second = j if j < PLACES - 1 else next(place for place in range(PLACES) if place not in (i, 5))
    for body[i] in range(32):
        for body[second] in range(32):
            yield completed(weights, body)


def changed(word: Word, changes: dict[int, int]) -> Word:
    return tuple(changes.get(place, value) for place, value in enumerate(word))


def single_errors(weights: Sequence[int]) -> Iterator[Word]:
    body = [random.Random(0).randrange(32) for _ in range(PLACES - 1)]
    for body[0] in range(32):
        word = completed(weights, body)
        for place in range(PLACES):
            for wrong in set(range(32)) - {word[place]}:
                yield changed(word, {place: wrong})


def transpositions(weights: Sequence[int], distance: int) -> Iterator[Word]:
    for i in range(PLACES - distance):
        j = i + distance
        for word in words_with_all_pairs_at(weights, i, j):
            if word[i] != word[j]:
                yield changed(word, {i: word[j], j: word[i]})


def twin_errors(weights: Sequence[int], distance: int) -> Iterator[Word]:
    for i in range(PLACES - distance):
        j = i + distance
        for word in words_with_all_pairs_at(weights, i, j):
            if word[i] == word[j]:
                for wrong in set(range(32)) - {word[i]}:
                    yield changed(word, {i: wrong, j: wrong})


def missed(errors: Iterator[Word], accepts: Callable[[Word], bool]) -> int:
    return sum(map(accepts, errors))


def test_the_words_of_these_tests_are_serials_before_the_error() -> None:
    words = [word for i in range(PLACES - 1) for word in words_with_all_pairs_at(RIGHT_WEIGHTS, i, i + 1)]

    assert all(map(library_accepts, words))


def test_the_words_of_these_tests_have_every_pair_of_symbols_at_every_two_places() -> None:
    sizes = {
        len({(word[i], word[j]) for word in words_with_all_pairs_at(RIGHT_WEIGHTS, i, j)})
        for i in range(PLACES)
        for j in range(i + 1, PLACES)
    }

    assert sizes == {1024}


def test_of_32_check_symbols_one_fits() -> None:
    assert [symbol for symbol in SYMBOLS if reads(EXAMPLE[:-1] + symbol)] == ["V"]


def test_no_single_error_is_missed() -> None:
    assert missed(single_errors(RIGHT_WEIGHTS), library_accepts) == 0


def test_no_adjacent_transposition_is_missed() -> None:
    assert missed(transpositions(RIGHT_WEIGHTS, 1), library_accepts) == 0


def test_no_jump_transposition_is_missed() -> None:
    assert missed(transpositions(RIGHT_WEIGHTS, 2), library_accepts) == 0


def test_no_twin_error_is_missed() -> None:
    assert missed(twin_errors(RIGHT_WEIGHTS, 1), library_accepts) == 0


def test_no_jump_twin_error_is_missed() -> None:
    assert missed(twin_errors(RIGHT_WEIGHTS, 2), library_accepts) == 0


@pytest.mark.parametrize("distance", range(3, PLACES))
def test_no_transposition_of_places_further_apart_is_missed(distance: int) -> None:
    assert missed(transpositions(RIGHT_WEIGHTS, distance), library_accepts) == 0


@pytest.mark.parametrize("distance", [1, 2])
def test_control_equal_weights_miss_every_transposition(distance: int) -> None:
    tried = sum(1 for _ in transpositions(EQUAL_WEIGHTS, distance))

    assert missed(transpositions(EQUAL_WEIGHTS, distance), accepts_with(EQUAL_WEIGHTS)) == tried > 0


@pytest.mark.parametrize("distance", [1, 2])
def test_control_equal_weights_miss_every_twin_error(distance: int) -> None:
    tried = sum(1 for _ in twin_errors(EQUAL_WEIGHTS, distance))

    assert missed(twin_errors(EQUAL_WEIGHTS, distance), accepts_with(EQUAL_WEIGHTS)) == tried > 0


def test_control_alternating_weights_miss_jumps_alone() -> None:
    accepts = accepts_with(ALTERNATING_WEIGHTS)

    assert missed(transpositions(ALTERNATING_WEIGHTS, 1), accepts) == 0
    assert missed(transpositions(ALTERNATING_WEIGHTS, 2), accepts) > 0


def test_control_a_weight_of_zero_misses_the_single_errors_of_its_place() -> None:
    assert missed(single_errors(ONE_WEIGHT_MISSING), accepts_with(ONE_WEIGHT_MISSING)) == 32 * 31


# In numbers.


def many(count: int) -> list[str]:
    serials = DerivedSerials.from_master(MASTER)
    requests = (SerialRequest("acme", "spring", f"T-{n}", "base-earn", "thanks", 1) for n in range(count))
    return [parse_serial(serials.serial(request)) for request in requests]


@pytest.fixture(scope="module")
def hundred_thousand() -> list[str]:
    return many(100_000)


def chi_squared(symbols: Sequence[str]) -> float:
    expected = len(symbols) / 32
    counts = Counter(symbols)
    return sum((counts[symbol] - expected) ** 2 / expected for symbol in SYMBOLS)


@pytest.mark.slow
def test_a_hundred_thousand_serials_are_all_different(hundred_thousand: list[str]) -> None:
    assert len(set(hundred_thousand)) == 100_000


# χ² with 31 degrees of freedom has mean 31; fewer than 1 in 20,000 lie above 72, and as few below 9. The serials
# are the same on every run, and so is the answer.
@pytest.mark.parametrize("place", range(1, PLACES))
@pytest.mark.slow
def test_each_symbol_is_as_frequent_as_any_other(hundred_thousand: list[str], place: int) -> None:
    assert 9 < chi_squared([serial[place] for serial in hundred_thousand]) < 72


@pytest.mark.slow
def test_control_a_symbol_that_is_a_fifth_too_frequent_shows(hundred_thousand: list[str]) -> None:
    symbols = [serial[1] for serial in hundred_thousand]

    assert chi_squared([*symbols, *"0" * (len(symbols) // 160)]) > 72


@pytest.mark.slow
def test_neighbouring_places_do_not_depend_on_each_other(hundred_thousand: list[str]) -> None:
    pairs = Counter(serial[1:3] for serial in hundred_thousand)
    expected = len(hundred_thousand) / 1024

    assert 850 < sum((count - expected) ** 2 / expected for count in pairs.values()) < 1200


@pytest.mark.slow
def test_serials_cut_to_20_bits_coincide_as_often_as_chance_has_it(hundred_thousand: list[str]) -> None:
    cut = hundred_thousand[:5_000]

    assert 2 <= len(cut) - len({serial[1:5] for serial in cut}) <= 25  # 11.9 expected


def test_a_collision_is_resolved_by_the_next_attempt(serials: DerivedSerials) -> None:
    taken: set[str] = set()
    for n in range(1, 5_001):
        attempt = 0
        while (cut := serials.serial(attrs.evolve(REQUEST, ordinal=n, attempt=attempt))[1:5]) in taken:
            attempt += 1
        taken.add(cut)

    assert len(taken) == 5_000
