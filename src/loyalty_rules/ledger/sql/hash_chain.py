"""The hash chains: each batch's content is hashed, and each hash with the one before it. Source: ledger P6.

Whoever changes a recorded batch must change every link after it, up to the ends that a host may keep elsewhere.
There are several chains, so that tills do not wait for each other at the end of one; a batch's key says which is its
own. What is hashed into a link is digests alone: nothing of a customer can be read from it.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table

from loyalty_rules.ledger.locks import LockKey

__all__ = ["CHAINS", "FIRST_LINK", "chain_lock", "chain_of", "content_digest", "link_of"]

CHAINS = 16
FIRST_LINK = bytes(32)

_NOT_CONTENT = frozenset({"number", "batch", "id"})


def chain_of(key: str) -> int:
    """Say to which chain a batch belongs."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % CHAINS


def chain_lock(chain: int) -> LockKey:
    """Name the end of a chain, which is held last of all."""
    return 3, f"chain/{chain}"


def content_digest(batch: Mapping[str, Any], receipt: Mapping[str, Any], rows: Mapping[Table, Sequence[Any]]) -> bytes:
    """Hash all that a batch has written into the log; `rows` are the rows of each table, in their order."""
    written = {
        table.name: [[row[name] for name in _content_of(table)] for row in found]
        for table, found in rows.items()
        if found
    }
    content = [
        [batch[name] for name in ("program", "event", "phase", "of", "inputs", "at", "recorded_at")],
        [receipt[name] for name in ("version", "snapshot", "intents", "trims")],
        written,
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), sort_keys=True).encode()).digest()


def _content_of(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in _NOT_CONTENT]


def link_of(previous: bytes, digest: bytes) -> bytes:
    """Hash a batch's digest onto the link before it."""
    return hashlib.sha256(previous + digest).digest()
