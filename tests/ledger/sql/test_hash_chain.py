"""The hash chains: digests, links, and the chain of each batch."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from loyalty_rules.ledger.sql import Tables
from loyalty_rules.ledger.sql.hash_chain import CHAINS, FIRST_LINK, chain_lock, chain_of, content_digest, link_of

BATCH = {"program": "acme", "event": "T1", "phase": "event", "of": "T1", "inputs": "{}", "at": 1, "recorded_at": 2}
RECEIPT = {"version": None, "snapshot": None, "intents": "[]", "trims": "[]", "notes": None, "personal": None}
DRAW = {"batch": 7, "program": "acme", "name": "cap", "day": "", "amount": 5, "most": None}
TABLES = Tables()


def digest(**changes: Any) -> bytes:
    batch = {name: changes.get(name, value) for name, value in BATCH.items()}
    receipt = {name: changes.get(name, value) for name, value in RECEIPT.items()}
    return content_digest(batch, receipt, changes.get("rows", {TABLES.draws: [DRAW]}))


def test_a_link_hashes_the_digest_after_the_link_before_it() -> None:
    assert link_of(FIRST_LINK, b"content") == hashlib.sha256(b"\0" * 32 + b"content").digest()


def test_a_digest_is_the_hash_of_compact_json() -> None:
    content = '[["acme","T1","event","T1","{}",1,2],[null,null,"[]","[]"],{"loyalty_draws":[["acme","cap","",5,null]]}]'
    assert digest() == hashlib.sha256(content.encode()).digest()


@pytest.mark.parametrize("name", [*BATCH, *RECEIPT])
def test_every_column_of_a_batch_and_its_receipt_changes_the_digest(name: str) -> None:
    assert digest(**{name: "forged"}) != digest()


def test_notes_are_not_taken_for_personal_parts() -> None:
    assert digest(notes="x") != digest(personal="x")


def test_another_row_changes_the_digest_and_its_numbers_do_not() -> None:
    assert digest(rows={TABLES.draws: [{**DRAW, "batch": 8}]}) == digest()
    assert digest(rows={TABLES.draws: [{**DRAW, "name": "other"}]}) != digest()
    assert digest(rows={TABLES.draws: [DRAW, DRAW]}) != digest()
    assert digest(rows={}) != digest()


def test_a_table_without_rows_is_not_part_of_the_digest() -> None:
    assert digest(rows={TABLES.draws: [DRAW], TABLES.entries: []}) == digest()


def test_a_key_always_has_the_same_chain() -> None:
    """The numbers are CRC-32 modulo 16: a database that exists depends on them."""
    assert CHAINS == 16
    # The check value of CRC-32 is that of "123456789": 0xCBF43926.
    assert chain_of("123456789") == 0xCBF43926 % 16 == 6
    assert chain_of("\ud800") == chain_of("\ud800")


def test_the_batches_of_many_sales_use_all_chains() -> None:
    assert {chain_of(f"acme/T{number}#event") for number in range(300)} == {*range(CHAINS)}


def test_the_lock_of_a_chain_is_the_last_one() -> None:
    assert chain_lock(5) == (3, "chain/5")
