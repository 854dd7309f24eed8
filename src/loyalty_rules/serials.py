"""Serials of coupons: derivation, writing and parsing.

A serial is `K BBBBBBBBBBBBBBBB C`: the symbol of the key, 80 bits of a keyed hash of the coupon's identity, and a
check symbol. Deriving a serial again gives the same serial, so a retry changes nothing. Without the key nobody can
compute the serial of another coupon.

**Look a serial up; never accept it because its check symbol is right.** The check symbol is public arithmetic
against typing errors, and anybody can compute it. Only a ledger knows which serials were issued.

Known limits. 80 bits cannot be guessed if the host limits the rate of attempts, which is the host's task. Among 10⁹
serials the probability of a collision is 4 × 10⁻⁷: a ledger keeps the canonical form unique and derives the next
`attempt` after a collision. `parse_serial` parses serials of this form only, not those of a host's own generator.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Protocol, Self

import attrs

from loyalty_rules.errors import InvalidValueError, LoyaltyError

__all__ = [
    "DerivedSerials",
    "InvalidKeyError",
    "MalformedSerialError",
    "SerialGenerator",
    "SerialKeys",
    "SerialRequest",
    "hkdf_sha256",
    "key_id_of",
    "parse_serial",
    "read_serial",
    "shown",
]

_FORMAT_VERSION = b"1"
_SERIAL_KEY_INFO = b"loyalty-rules/serials/" + _FORMAT_VERSION
_LOOKUP_KEY_INFO = b"loyalty-rules/lookup/" + _FORMAT_VERSION

_HASH = "sha256"
_HASH_BYTES = 32
_MIN_MASTER_BYTES = 32
_BODY_BYTES = 10
_BODY_SYMBOLS = 16
_SERIAL_SYMBOLS = 1 + _BODY_SYMBOLS + 1
_MAX_TEXT = 128
_MAX_OWN_SERIAL = 64

# Crockford's base32: the position of a symbol is its value. I, L and O look like 1 and 0; U is excluded to avoid
# accidental words.
_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {symbol: value for value, symbol in enumerate(_SYMBOLS)}

# Every character that may be read as a symbol. str.upper() would accept too much: it turns "ı" into "I" and "ſ"
# into "S", and str.isdigit() accepts full-width and Arabic digits. All other characters stay unchanged and are
# refused.
_READING = str.maketrans(
    {
        **{symbol.lower(): symbol for symbol in _SYMBOLS},
        **dict.fromkeys("iIlL", "1"),
        **dict.fromkeys("oO", "0"),
        **dict.fromkeys("- \t\r\n", None),
    }
)


class InvalidKeyError(LoyaltyError, ValueError):
    """A key of serials that cannot be used: missing, too short, or with an invalid id.

    `problem` describes the problem. `key_id` is the id of the key, or None if that id is invalid. The error never
    contains key material, nor an invalid id, since that may be a key in the wrong place.

    Source: ledger 5.
    """

    def __init__(self, problem: str, key_id: str | None = None) -> None:
        super().__init__(problem, key_id)
        self.problem = problem
        self.key_id = key_id

    def __str__(self) -> str:
        return self.problem if self.key_id is None else f"key {self.key_id!r}: {self.problem}"


class MalformedSerialError(LoyaltyError, ValueError):
    """A text that is not a serial. The message neither repeats the text nor names the problem.

    Answer a customer alike for a malformed serial and for an unknown one.

    Source: ledger 3, 5.
    """

    def __str__(self) -> str:
        return "not a serial: expected the 18 letters and digits of the coupon"


@attrs.frozen
class SerialRequest:
    """The input of one coupon's serial: the parts of the coupon's key, its type, and the attempt.

    `ordinal` counts the coupons of one action on one event, from 1. `attempt` starts at 0 and increases by one after
    each collision with an issued serial. Raises `ValueError` for a number outside these ranges, and `TypeError` for
    a value of another type.

    Source: ledger 5; documents, intent keys.
    """

    program: str = attrs.field(validator=attrs.validators.instance_of(str))
    coupon_type: str = attrs.field(validator=attrs.validators.instance_of(str))
    event: str = attrs.field(validator=attrs.validators.instance_of(str))
    promotion: str = attrs.field(validator=attrs.validators.instance_of(str))
    action: str = attrs.field(validator=attrs.validators.instance_of(str))
    ordinal: int = attrs.field(validator=[attrs.validators.instance_of(int), attrs.validators.ge(1)])
    attempt: int = attrs.field(default=0, validator=[attrs.validators.instance_of(int), attrs.validators.ge(0)])


class SerialGenerator(Protocol):
    """A source of serials: `DerivedSerials`, or a host's own, such as a pool of printed codes.

    Source: semantics 9.
    """

    def serial(self, request: SerialRequest) -> str:
        """Return the serial of one coupon in the form that is shown.

        The engine calls it once for each coupon of a serial-managed type. Equal requests must get equal serials,
        otherwise a retry issues another coupon. Different requests must get different serials, also if they differ
        only in `attempt`.
        """
        ...


class SerialKeys(SerialGenerator, Protocol):
    """The keys of a ledger that stores no serials: it finds a serial by a keyed hash, and derives it again.

    Source: ledger 3.
    """

    def serial_under(self, key_id: str, request: SerialRequest) -> str:
        """Return the serial of a coupon, derived with the key `key_id`, in the form that is shown."""
        ...

    def fingerprint(self, serial: str) -> bytes | None:
        """Return the keyed hash that a ledger finds a serial by, or None if none of the keys can have derived it.

        A host's own generator hashes the folded form of its serials, so that they are found however they are typed.
        """
        ...


class DerivedSerials:
    """The built-in generator: serials derived from secret keys of the host.

    `keys` has a master key, at least 32 random bytes, for each key id. A key id is one of the symbols `0`-`9`,
    `A`-`Z` without I, L, O, U. `active` is the id of the key for new serials. To rotate keys, add a key and make it
    the active one. Keep the old key for as long as its serials may have to be shown again. There is no default key:
    `InvalidKeyError` is raised for a key that is missing or too short, and for an invalid key id.

    No `repr` and no error contains the keys. A pickle contains them and must be kept secret.

    Source: ledger 5.
    """

    # Not an attrs class, since attrs.asdict() would reveal the keys. The object keeps the derived keys, not the
    # master keys.
    __slots__ = ("_active", "_lookup_keys", "_serial_keys")

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if not keys:
            raise InvalidKeyError("no keys given: at least one master key is needed, and there is no default")
        self._serial_keys = {
            _checked_id(key_id): _derived_key(key_id, master, _SERIAL_KEY_INFO) for key_id, master in keys.items()
        }
        self._lookup_keys = {key_id: _derived_key(key_id, keys[key_id], _LOOKUP_KEY_INFO) for key_id in keys}
        self._active = self._known_id(active)

    @classmethod
    def from_master(cls, master: bytes, key_id: str = "0") -> Self:
        """Build a generator with one key, the active one. Ranges and errors are those of the class."""
        return cls({key_id: master}, key_id)

    def serial(self, request: SerialRequest) -> str:
        """Return the serial of a coupon, derived with the active key, in the form that is shown.

        An example is `05XQCT-EGEVD1-N1X2MV`. Equal requests get equal serials, in every process.

        Source: ledger 5.
        """
        return self.serial_under(self._active, request)

    def serial_under(self, key_id: str, request: SerialRequest) -> str:
        """Return the serial of a coupon, derived with the key `key_id`, in the form that is shown.

        A ledger needs it for a coupon issued before the keys were rotated: its record has the key id and no serial.
        Raises `InvalidKeyError` if the generator does not have the key.

        Source: ledger 3, 5.
        """
        key_id = self._known_id(key_id)
        digest = hmac.digest(self._serial_keys[key_id], _message(key_id, request), _HASH)
        return _grouped(_with_check_symbol(key_id + _body(digest)))

    def fingerprint(self, serial: str) -> bytes | None:
        """Return the keyed hash of a serial, 32 bytes, that a database finds the serial by.

        `serial` may have any form that `parse_serial` accepts. The result is None if the text is not a serial or the
        generator does not have its key. The hash has a key of its own, derived from the same master key. Without the
        keys, a copy of the database neither reveals a serial nor confirms a guess.

        Source: ledger 3.
        """
        try:
            canonical = parse_serial(serial)
        except MalformedSerialError:
            return None
        key = self._lookup_keys.get(canonical[0])
        return hmac.digest(key, canonical.encode(), _HASH) if key is not None else None

    def fingerprints_of_text(self, text: str) -> list[bytes]:
        """Return the keyed hashes of a serial that a host's own generator made, in folded form; the active key first.

        Such a serial names no key: after a rotation a ledger looks for the hash of each. Source: semantics 9, ledger 3.
        """
        key_ids = sorted(self._lookup_keys, key=lambda key_id: (key_id != self._active, key_id))
        message = b"text:" + text.encode("utf-8", "surrogatepass")
        return [hmac.digest(self._lookup_keys[key_id], message, _HASH) for key_id in key_ids]

    def __repr__(self) -> str:
        return f"DerivedSerials(active={self._active!r}, key_ids={''.join(sorted(self._serial_keys))!r})"

    def _known_id(self, key_id: str) -> str:
        if _checked_id(key_id) not in self._serial_keys:
            raise InvalidKeyError(f"unknown key; the known keys are {', '.join(sorted(self._serial_keys))}", key_id)
        return key_id


def parse_serial(text: str) -> str:
    """Return the canonical form, 18 symbols, of a serial that somebody typed or scanned.

    Upper and lower case are the same, hyphens and blanks are dropped, I and L are read as 1 and O as 0. Raises
    `MalformedSerialError` for another length, another character (similar characters of other scripts included), a
    wrong check symbol, and a text of more than 128 characters.

    A well-formed serial is not necessarily an issued one: look it up.

    Source: ledger 5.
    """
    if not isinstance(text, str) or len(text) > _MAX_TEXT:
        raise MalformedSerialError
    canonical = text.translate(_READING)
    if len(canonical) != _SERIAL_SYMBOLS or not _VALUES.keys() >= set(canonical):
        raise MalformedSerialError
    if _weighted_sum(canonical) != 0:
        raise MalformedSerialError
    return canonical


def read_serial(value: str) -> str:
    """Read a serial of a host's own generator: a text of 1 to 64 printable characters, not blanks and hyphens alone.

    Source: semantics 9.
    """
    if isinstance(value, str) and 1 <= len(value) <= _MAX_OWN_SERIAL and value.isprintable() and value.strip(" -"):
        return value
    raise InvalidValueError(
        "serial",
        "not_a_serial",
        f"the serial generator must return 1 to {_MAX_OWN_SERIAL} printable characters, not blanks and hyphens alone",
    )


def shown(serial: str) -> str:
    """Return a serial in the form that is shown: `05XQCT-EGEVD1-N1X2MV`.

    `serial` may have any form that `parse_serial` accepts. Raises `MalformedSerialError` for any other text.

    Source: ledger 5.
    """
    return _grouped(parse_serial(serial))


def key_id_of(serial: str) -> str:
    """Return the id of the key in a serial.

    `serial` may have any form that `parse_serial` accepts. Raises `MalformedSerialError` for any other text. The key
    need not exist, since anybody can write a serial.

    Source: ledger 5.
    """
    return parse_serial(serial)[0]


def hkdf_sha256(secret: bytes, *, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """Derive a key of `length` bytes, 1 to 8,160, for the purpose that `info` names.

    `secret` must be random and long enough to be a key: the derivation does not strengthen a password.

    Source: RFC 5869, with SHA-256; ledger 5.
    """
    # Extract (2.2). HMAC pads its key with zeros, so an empty salt is the RFC's default of as many zeros as
    # the hash is long.
    pseudorandom_key = hmac.digest(salt, secret, _HASH)
    # Expand (2.3): T(n) = HMAC(PRK, T(n-1) | info | n).
    output = block = b""
    for number in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([number]), _HASH)
        output += block
    return output[:length]


def _checked_id(key_id: str) -> str:
    if key_id not in _VALUES:
        raise InvalidKeyError("a key id is one of the symbols 0-9 and A-Z without I, L, O, U, in upper case")
    return key_id


def _derived_key(key_id: str, master: bytes, info: bytes) -> bytes:
    if not isinstance(master, bytes):
        raise InvalidKeyError(f"a master key is bytes; this one is of type {type(master).__name__}", key_id)
    if len(master) < _MIN_MASTER_BYTES:
        raise InvalidKeyError(
            f"a master key has at least {_MIN_MASTER_BYTES} bytes; this one has {len(master)}", key_id
        )
    return hkdf_sha256(master, info=info, length=_HASH_BYTES)


def _message(key_id: str, request: SerialRequest) -> bytes:
    return b"".join(_length_prefixed(field) for field in _fields(key_id, request))


def _fields(key_id: str, request: SerialRequest) -> Iterable[bytes]:
    yield _FORMAT_VERSION
    yield key_id.encode()
    names = (request.program, request.coupon_type, request.event, request.promotion, request.action)
    for name in names:
        # UTF-8 cannot encode a lone surrogate. Events cannot contain one; a request can, and must not fail.
        yield name.encode("utf-8", "surrogatepass")
    yield b"%d" % request.ordinal
    yield b"%d" % request.attempt


def _length_prefixed(field: bytes) -> bytes:
    # Without the lengths ("ab", "c") and ("a", "bc") would be the same message, and two coupons would share a
    # serial.
    return len(field).to_bytes(4, "big") + field


def _body(digest: bytes) -> str:
    bits = int.from_bytes(digest[:_BODY_BYTES], "big")
    return "".join(_SYMBOLS[bits >> shift & 31] for shift in range(5 * (_BODY_SYMBOLS - 1), -1, -5))


def _grouped(canonical: str) -> str:
    return f"{canonical[:6]}-{canonical[6:12]}-{canonical[12:]}"


# The check symbol makes the weighted sum of all 18 symbols zero, over GF(32) = GF(2)[x] / (x^5 + x^2 + 1), in
# which x, "times two" on the values, is primitive: its powers run through all 31 elements but zero. The
# weights are x^17 for the first symbol down to x^0 for the last, which is the sum that Horner's rule gives.
# Addition is XOR, so an error that changes
#
#   one symbol a into b                               moves the sum by  w_i (a + b)
#   two symbols by transposing them, ab into ba       moves it by       (w_i + w_j) (a + b)
#   twins, aa into bb                                 moves it by       (w_i + w_j) (a + b)
#
# and since no weight is zero, no two are equal (18 places, 31 powers) and a field has no divisors of zero,
# none of these is zero unless a = b. This holds for neighbours and for places further apart, so that jump
# transpositions (acb into bca) and jump twins (aca into bcb) are detected as well. With equal weights, w_i + w_j
# = 0, and no transposition and no twin error would be detected.
def _weighted_sum(symbols: str) -> int:
    total = 0
    for symbol in symbols:
        total = _times_x(total) ^ _VALUES[symbol]
    return total


def _times_x(value: int) -> int:
    # x^5 = x^2 + 1: the bit that leaves the five bits comes back as 0b00101.
    return value << 1 ^ 0b100101 if value & 0b10000 else value << 1


def _with_check_symbol(symbols: str) -> str:
    # The check symbol has the weight 1 and is its own negative: it is the sum of the other symbols, each one place
    # further from the end.
    return symbols + _SYMBOLS[_times_x(_weighted_sum(symbols))]
