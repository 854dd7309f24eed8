"""The hash chains: each link hashes the digest of a batch together with the link before it. Source: ledger P6.

A change of one recorded batch breaks every later link of its chain, up to the ends that a host may keep elsewhere.
There are several chains, so that tills do not all wait for the end of the same one; the key of a batch selects its
chain. A link is a hash of hashes, so that it reveals nothing about a customer.
"""

import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table

from loyalty_rules.ledger.locks import LockKey

__all__ = [
    "CHAINS",
    "FIRST_LINK",
    "RECEIPT_CONTENT",
    "chain_lock",
    "chain_of",
    "content_digest",
    "link_of",
    "personal_digest",
]

CHAINS = 16
"""The number of chains."""

FIRST_LINK = bytes(32)
"""The link before the first one of each chain."""

_FIRST_CONTENT = ("version", "snapshot", "intents", "trims")
RECEIPT_CONTENT = (*_FIRST_CONTENT, "notes", "personal")
"""The columns of a receipt that are part of its digest."""

_NOT_CONTENT = frozenset({"number", "batch", "id"})


def chain_of(key: str) -> int:
    """Return the number of the chain that a batch belongs to, by the key of the batch."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % CHAINS


def chain_lock(chain: int) -> LockKey:
    """Return the lock key for the end of a chain, which is the last lock that a transaction takes."""
    return 3, f"chain/{chain}"


def content_digest(batch: Mapping[str, Any], receipt: Mapping[str, Any], rows: Mapping[Table, Sequence[Any]]) -> bytes:
    """Return the digest of everything that a batch wrote to the log; `rows` are the rows of each table, in order."""
    written = {
        table.name: [[row[name] for name in _content_columns(table)] for row in written_rows]
        for table, written_rows in rows.items()
        if written_rows
    }
    content = [
        [batch[name] for name in ("program", "event", "phase", "of", "inputs", "at", "recorded_at")],
        _content_of_receipt(receipt),
        written,
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), sort_keys=True).encode()).digest()


def _content_of_receipt(receipt: Mapping[str, Any]) -> list[Any]:
    # A receipt without notes or personal parts has the digest that it had before there were any.
    content = [receipt[name] for name in _FIRST_CONTENT]
    if receipt["notes"] is not None:
        content.append(receipt["notes"])
    if receipt["personal"] is not None:
        content.append(["personal", receipt["personal"]])
    return content


def personal_digest(salt: bytes, document: str) -> str:
    """Return the digest of personal parts; without the salt, which is erased with them, it reveals nothing."""
    return hmac.new(salt, document.encode(), hashlib.sha256).hexdigest()


def _content_columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in _NOT_CONTENT]


def link_of(previous: bytes, digest: bytes) -> bytes:
    """Return the link that follows a previous one with the digest of a batch."""
    return hashlib.sha256(previous + digest).digest()
