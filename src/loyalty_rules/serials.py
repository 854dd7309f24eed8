"""Serials of coupons: deriving them, writing them and reading them back.

A serial is `K BBBBBBBBBBBBBBBB C`: the symbol of the key, 80 bits of a keyed hash of what the coupon was
issued for, and a check symbol. The same coupon derived again has the same serial, so a retry changes nothing,
and without the key nobody can tell another coupon's.

**A serial is looked up, never accepted because its check symbol verifies.** The check symbol is public
arithmetic that catches a slip of the hand; whoever wants one that verifies can work it out. Only a ledger
knows which serials were issued.

Known limits. 80 bits cannot be guessed at a rate that a host limits, and limiting it is the host's. Of 10⁹
serials two coincide with odds of 4 × 10⁻⁷: whoever records them keeps the canonical form unique and asks
again with the next `attempt`. Reading is for serials of this form; those of a host's own generator are the
host's to read.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Protocol, Self

import attrs

from loyalty_rules.errors import LoyaltyError

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

# Crockford's base32: the place of a symbol is its value. I, L and O look like 1 and 0; U is left out against
# accidental words.
_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {symbol: value for value, symbol in enumerate(_SYMBOLS)}

# Every character that may be read as a symbol, one by one. str.upper() would do more than is meant: it turns
# "ı" into "I" and "ſ" into "S"; and full-width or Arabic digits are digits to str.isdigit(). What is not here
# stays as it is and is no symbol.
_READING = str.maketrans(
    {
        **{symbol.lower(): symbol for symbol in _SYMBOLS},
        **dict.fromkeys("iIlL", "1"),
        **dict.fromkeys("oO", "0"),
        **dict.fromkeys("- \t\r\n", None),
    }
)


class InvalidKeyError(LoyaltyError, ValueError):
    """A key of serials that cannot be used: missing, too short, or under an id that is none.

    `problem` says what is wrong, `key_id` with which key, where the id given is one. Never carries key
    material, nor any text given where an id was meant, which may be a key in the wrong place.

    Source: ledger 5.
    """

    def __init__(self, problem: str, key_id: str | None = None) -> None:
        super().__init__(problem, key_id)
        self.problem = problem
        self.key_id = key_id

    def __str__(self) -> str:
        return self.problem if self.key_id is None else f"key {self.key_id!r}: {self.problem}"


class MalformedSerialError(LoyaltyError, ValueError):
    """A text that is no serial. It repeats nothing of the text and says nothing about what is wrong with it.

    Whoever answers a customer gives the same refusal for a malformed serial and for an unknown one.

    Source: ledger 3, 5.
    """

    def __str__(self) -> str:
        return "not a serial: 18 letters and digits are expected, as they stand on the coupon"


@attrs.frozen
class SerialRequest:
    """What one coupon's serial is derived from: the coupon's key, its type, and which attempt this is.

    `ordinal` counts the coupons of one action on one event, from 1; `attempt` starts at 0 and is one more for
    each serial that was found to be taken. A value outside these ranges is a `ValueError`, one of another
    type a `TypeError`.

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
    """Whatever gives serials: `DerivedSerials`, or a host's own.

    Source: semantics 9.
    """

    def serial(self, request: SerialRequest) -> str:
        """Give the serial of one coupon, as it is shown.

        Called once for each coupon of a serial-managed type. Equal requests must get equal serials, or a
        retry issues another coupon; requests that differ, if only in `attempt`, must get different ones.
        """
        ...


class SerialKeys(SerialGenerator, Protocol):
    """What a ledger needs that keeps no serial: to look one up by a keyed hash, and to derive it again.

    Source: ledger 3.
    """

    def serial_under(self, key_id: str, request: SerialRequest) -> str:
        """Give the serial of a coupon under the key that it was issued with, as it is shown."""
        ...

    def fingerprint(self, serial: str) -> bytes | None:
        """Give the keyed hash under which a serial is looked up; None for what can't be one of these keys."""
        ...


class DerivedSerials:
    """The built-in generator: serials derived from secret keys of the host.

    `keys` has a master key, at least 32 random bytes, under each key id, one of the symbols `0`-`9`, `A`-`Z`
    without I, L, O, U. `active` is the id of the key that new serials take. To rotate, add a key and make it
    the active one; keep the old one for as long as a serial derived from it may have to be shown again. There
    is no default key: `InvalidKeyError` tells of one that is missing, too short, or under no valid id.

    The keys show in no `repr` and no error; a pickle has to carry them, and is as secret as they are.

    Source: ledger 5.
    """

    # Not an attrs class: attrs.asdict() would hand out the keys. Only the keys derived from the masters are
    # kept.
    __slots__ = ("_active", "_lookup_keys", "_serial_keys")

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if not keys:
            raise InvalidKeyError("no keys given: at least one master key is needed, and there is no default")
        self._serial_keys = {
            _checked_id(key_id): _derived_key(key_id, master, _SERIAL_KEY_INFO) for key_id, master in keys.items()
        }
        self._lookup_keys = {key_id: _derived_key(key_id, keys[key_id], _LOOKUP_KEY_INFO) for key_id in keys}
        self._active = self._held_id(active)

    @classmethod
    def from_master(cls, master: bytes, key_id: str = "0") -> Self:
        """Make a generator of one key, which is the active one. Ranges and errors as for the class."""
        return cls({key_id: master}, key_id)

    def serial(self, request: SerialRequest) -> str:
        """Give the serial of a coupon under the active key, as it is shown: `05XQCT-EGEVD1-N1X2MV`.

        Equal requests give equal serials, in every process.

        Source: ledger 5.
        """
        return self.serial_under(self._active, request)

    def serial_under(self, key_id: str, request: SerialRequest) -> str:
        """Give the serial of a coupon under one of the keys, as it is shown.

        For a coupon that was issued before the keys were rotated: its record has the key id and no serial.
        `InvalidKeyError` if the key is not held.

        Source: ledger 3, 5.
        """
        key_id = self._held_id(key_id)
        digest = hmac.digest(self._serial_keys[key_id], _message(key_id, request), _HASH)
        return _grouped(_with_check_symbol(key_id + _body(digest)))

    def fingerprint(self, serial: str) -> bytes | None:
        """Give the keyed hash of a serial, in any form that reads, of 32 bytes: what a store looks it up by.

        The key is another than that of the serials, derived from the same master: who has the store and not the keys
        can neither tell a serial nor test a guess. None for a text that does not read and for a key that is not held.

        Source: ledger 3.
        """
        try:
            canonical = parse_serial(serial)
        except MalformedSerialError:
            return None
        key = self._lookup_keys.get(canonical[0])
        return hmac.digest(key, canonical.encode(), _HASH) if key is not None else None

    def __repr__(self) -> str:
        return f"DerivedSerials(active={self._active!r}, key_ids={''.join(sorted(self._serial_keys))!r})"

    def _held_id(self, key_id: str) -> str:
        if _checked_id(key_id) not in self._serial_keys:
            raise InvalidKeyError(f"not held; the keys held: {', '.join(sorted(self._serial_keys))}", key_id)
        return key_id


def parse_serial(text: str) -> str:
    """Read a serial as somebody typed or scanned it; give its canonical form of 18 symbols, the one to look up.

    Upper and lower case are the same, hyphens and blanks are dropped, I and L are read as 1 and O as 0.
    Anything else is a `MalformedSerialError`: another length, another character (of other scripts, too,
    however much it resembles one of these), a check symbol that does not fit, a text of more than 128
    characters.

    That a serial reads does not make it one that was issued: look it up.

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


def shown(serial: str) -> str:
    """Give a serial, in any form that reads, as it is shown: `05XQCT-EGEVD1-N1X2MV`.

    A text that does not read is a `MalformedSerialError`.

    Source: ledger 5.
    """
    return _grouped(parse_serial(serial))


def key_id_of(serial: str) -> str:
    """Give the id of the key that a serial, in any form that reads, says it was derived from.

    A text that does not read is a `MalformedSerialError`. No such key need exist: anybody can write a serial.

    Source: ledger 5.
    """
    return parse_serial(serial)[0]


def hkdf_sha256(secret: bytes, *, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """Derive a key for the one purpose that `info` names, of `length` bytes, 1 to 8,160.

    `secret` must be random, and long enough to be one: this makes no password strong.

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
        # A lone surrogate has no UTF-8. None should come this far; if one does, it is told apart and no
        # error.
        yield name.encode("utf-8", "surrogatepass")
    yield b"%d" % request.ordinal
    yield b"%d" % request.attempt


def _length_prefixed(field: bytes) -> bytes:
    # Without the lengths ("ab", "c") and ("a", "bc") would be one message, and two coupons would have one
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
# none of these is zero unless a = b. That is so for neighbours and for places further apart: jump
# transpositions (acb into bca) and jump twins (aca into bcb) are seen as well. With equal weights, w_i + w_j
# = 0, and every transposition and every twin would pass.
def _weighted_sum(symbols: str) -> int:
    total = 0
    for symbol in symbols:
        total = _times_x(total) ^ _VALUES[symbol]
    return total


def _times_x(value: int) -> int:
    # x^5 = x^2 + 1: what is shifted out of the five bits comes back as 0b00101.
    return value << 1 ^ 0b100101 if value & 0b10000 else value << 1


def _with_check_symbol(symbols: str) -> str:
    # The check symbol has weight 1 and is its own negative: it is the sum of the others, each one place
    # further from the end.
    return symbols + _SYMBOLS[_times_x(_weighted_sum(symbols))]
