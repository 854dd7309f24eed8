"""Every form of a key and of a counter name, written out by hand. Stored data depends on each byte of them."""

from __future__ import annotations

from datetime import date

import pytest

from loyalty_rules import keys

SALE = "acme/T-1001"
EARN = "base-earn/earn"
ISSUE = "acme/T-1001/base-earn/earn"
COUPON = "acme/T-1001/base-earn/thanks/1"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("T-1001", "T-1001"),
        ("store 7/till 3", "store 7%2Ftill 3"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("/", "%2F"),
        ("ä#1", "ä#1"),
    ],
)
def test_slashes_and_percent_signs_of_an_outside_id_are_escaped(name: str, part: str) -> None:
    assert keys.key_part(name) == part


def test_different_ids_have_different_key_parts() -> None:
    names = ["a/b", "a%2Fb", "a%252Fb", "a%b", "a%25b", "ab"]
    assert len({keys.key_part(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.event_key("acme", "T-1001"), "acme/T-1001"),
        (keys.event_key("acme", "7/3 100%"), "acme/7%2F3 100%25"),
        (keys.action_key("base-earn", "earn"), "base-earn/earn"),
        (keys.issue_key(SALE, EARN), "acme/T-1001/base-earn/earn"),
        (keys.coupon_key("acme/T-1001/base-earn/thanks", 1), "acme/T-1001/base-earn/thanks/1"),
        (keys.coupon_key("acme/T-1001/base-earn/thanks", 10_000), "acme/T-1001/base-earn/thanks/10000"),
        (keys.message_key(ISSUE), "acme/T-1001/base-earn/earn/message"),
        (keys.extension_key(ISSUE), "acme/T-1001/base-earn/earn/extend"),
        (keys.tracker_key(SALE, "yearly-spend"), "acme/T-1001/tracker/yearly-spend"),
    ],
)
def test_the_keys_of_an_evaluation(key: str, expected: str) -> None:
    assert key == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.release_key(ISSUE), "acme/T-1001/base-earn/earn/release"),
        (keys.message_key(keys.release_key(ISSUE)), "acme/T-1001/base-earn/earn/release/message"),
        (keys.cancellation_key(ISSUE), "acme/T-1001/base-earn/earn/cancel"),
        (keys.reversal_key("acme/R-1", EARN), "acme/R-1/base-earn/earn/reverse"),
        (keys.return_void_key("acme/R-1", "base-earn/thanks", 2), "acme/R-1/base-earn/thanks/2/void"),
        (keys.tracker_key("acme/R-1", "yearly-spend"), "acme/R-1/tracker/yearly-spend"),
        (keys.void_key("acme", "V/1", COUPON), "acme/V%2F1/void/T-1001/base-earn/thanks/1"),
        (keys.redemption_key("acme", "T/2", COUPON), "acme/T%2F2/redeem/T-1001/base-earn/thanks/1"),
        (keys.spend_key("acme", "S/1", "points"), "acme/S%2F1/spend/points"),
        (keys.undo_key("acme/S-1/spend/points"), "acme/S-1/spend/points/undo"),
        (
            keys.undo_key("acme/T-2/redeem/T-1001/base-earn/thanks/1"),
            "acme/T-2/redeem/T-1001/base-earn/thanks/1/undo",
        ),
        (keys.currency_expiry_key(ISSUE, date(2025, 4, 15)), "acme/T-1001/base-earn/earn/expire/2025-04-15"),
        (keys.coupon_expiry_key(COUPON), "acme/T-1001/base-earn/thanks/1/expire"),
        (keys.debt_payment_key(ISSUE), "acme/T-1001/base-earn/earn/debt"),
    ],
)
def test_the_keys_of_the_lifecycle(key: str, expected: str) -> None:
    assert key == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            keys.member_cap_counter_name(EARN, "M1", "2025-01-01", times=False),
            "base-earn/earn/member/M1/2025-01-01",
        ),
        (
            keys.member_cap_counter_name(EARN, "M/1%", "rolling", times=True),
            "base-earn/earn/member/M%2F1%25/rolling/times",
        ),
        (keys.total_cap_counter_name(EARN, "lifetime", times=True), "base-earn/earn/total/lifetime/times"),
        (keys.total_cap_counter_name(EARN, "lifetime", times=False), "base-earn/earn/total/lifetime"),
        (keys.limit_counter_name("daily-points", "M1", "2025-01-15"), "limit/daily-points/M1/2025-01-15"),
        (keys.limit_counter_name("daily-points", "S/1", "rolling"), "limit/daily-points/S%2F1/rolling"),
        (keys.limit_counter_name("daily-points", None, "2025-01-15"), "limit/daily-points/2025-01-15"),
        (keys.coupon_counter_name("next-visit-15", "store", "S/1"), "coupon/next-visit-15/store/S%2F1"),
        (keys.coupon_counter_name("next-visit-15", "member", "M%1"), "coupon/next-visit-15/member/M%251"),
        (keys.coupon_counter_name("next-visit-15", "total"), "coupon/next-visit-15/total"),
        (keys.tracker_counter_name("yearly-spend", "M/1", "2025-01-01"), "tracker/yearly-spend/M%2F1/2025-01-01"),
    ],
)
def test_the_names_of_counters(name: str, expected: str) -> None:
    assert name == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (keys.batch_key("acme", "T/1", "event"), "acme/T%2F1#event"),
        (keys.batch_key("acme", "S-1", keys.spend_phase("points")), "acme/S-1#spend/points"),
        (
            keys.batch_key("acme", "U-1", keys.undo_spend_phase("acme/S-1/spend/points")),
            "acme/U-1#undo_spend/acme/S-1/spend/points",
        ),
        (keys.redemption_phase(COUPON), "redeem/T-1001/base-earn/thanks/1"),
        (keys.redemption_phase(code="SPRING"), "redeem/SPRING"),
        (keys.redemption_phase(), "redeem"),
        (
            keys.undo_redemption_phase("acme/T-2/redeem/T-1001/base-earn/thanks/1"),
            "undo_redemption/acme/T-2/redeem/T-1001/base-earn/thanks/1",
        ),
        (keys.void_phase(COUPON), "void/acme/T-1001/base-earn/thanks/1"),
    ],
)
def test_the_keys_and_phases_of_batches(key: str, expected: str) -> None:
    assert key == expected


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_key_belongs_to_the_program_that_it_begins_with() -> None:
    assert keys.is_of_program("acme/T-1001/base-earn/earn", "acme")
    assert not keys.is_of_program("acme-2/T-1001/base-earn/earn", "acme")
    assert not keys.is_of_program("acme", "acme")


def test_a_key_within_its_program_lacks_the_program() -> None:
    assert keys.key_within_program(COUPON) == "T-1001/base-earn/thanks/1"


@pytest.mark.parametrize(
    ("key", "event"),
    [
        (ISSUE, "T-1001"),
        (COUPON, "T-1001"),
        ("acme/7%2F3/base-earn/earn", "7/3"),
        ("acme/100%25/base-earn/earn", "100%"),
        ("acme/%252F/base-earn/earn", "%2F"),
        ("acme/", ""),
    ],
)
def test_the_event_in_a_key_has_no_escapes(key: str, event: str) -> None:
    assert keys.event_in(key) == event
    assert key.startswith(keys.event_key("acme", event))


@pytest.mark.parametrize("key", [ISSUE, "acme/7%2F3/base-earn/earn", "acme/T-1001/base-earn/earn/2"])
def test_the_action_key_in_the_key_of_an_issue(key: str) -> None:
    assert keys.action_key_in(key) == "base-earn/earn"


def test_an_action_key_is_split_into_promotion_and_action() -> None:
    assert keys.split_action_key("base-earn/earn") == ("base-earn", "earn")


@pytest.mark.parametrize("text", ["", "base-earn", "base-earn/earn/1"])
def test_a_text_of_another_form_is_no_action_key(text: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        keys.split_action_key(text)


def test_only_an_action_key_contains_a_slash() -> None:
    assert keys.is_action_key("base-earn/earn")
    assert not keys.is_action_key("points")


def test_the_ordinal_is_at_the_end_of_the_key_of_a_coupon() -> None:
    assert keys.ordinal_in("acme/T-1001/base-earn/thanks/10000") == 10_000


def test_the_key_of_an_extension_contains_that_of_its_issue() -> None:
    assert keys.extended_issue("acme/T-1001/base-earn/earn/extend") == ISSUE


def test_the_key_of_an_issue_is_no_extension_and_stays_as_it_is() -> None:
    assert keys.extended_issue(ISSUE) == ISSUE


def test_a_counter_of_a_cap_by_times_counts_times() -> None:
    assert keys.counts_times("base-earn/earn/total/lifetime/times")
    assert not keys.counts_times("base-earn/earn/total/lifetime")
    assert not keys.counts_times("limit/times/times/2025-01-15")


@pytest.mark.parametrize(
    ("phase", "kind"),
    [
        ("event", "event"),
        ("settle", "settle"),
        ("redeem", "redeem"),
        (keys.spend_phase("points"), "spend"),
        (keys.redemption_phase(COUPON), "redeem"),
        (keys.void_phase(COUPON), "void"),
    ],
)
def test_the_kind_of_a_phase_is_its_first_word(phase: str, kind: str) -> None:
    assert keys.kind_of_phase(phase) == kind


def test_the_tracker_of_a_counter() -> None:
    assert keys.tracker_in("tracker/yearly-spend/M%2F1/2025-01-01") == "yearly-spend"
    assert keys.is_tracker_counter("tracker/yearly-spend/M%2F1/2025-01-01")
    assert not keys.is_tracker_counter("limit/tracker/2025-01-01")


def test_no_promotion_has_the_first_part_of_another_kind_of_counter_as_its_id() -> None:
    """A promotion `limit` with an action `daily` would share its counters with a limit `daily`.

    A promotion `tier` would share its keys with changes of level.
    """
    names = [
        keys.tracker_counter_name("a", "M1", "lifetime"),
        keys.limit_counter_name("a", None, "lifetime"),
        keys.coupon_counter_name("a", "total"),
    ]
    first_parts = [name.partition("/")[0] for name in names]
    assert [*first_parts, keys.tier_key("acme/T-1", "a").split("/")[2]] == list(keys.RESERVED_PROMOTION_IDS)
