"""What the database itself refuses, also to raw SQL."""

import pytest

from accounts.models import ApiKey
from tests.support.attacks import attack

INSERT = """
    INSERT INTO accounts_apikey (user_id, name, prefix, digest, scopes, token_version, has_second_factor, created_at,
        expires_at)
    VALUES (%s, 'x', %s, %s, %s, 1, false, {created}, clock_timestamp() + {life})
"""
PREFIX, DIGEST = "abcdefghijkl", "0" * 64


def inserted(
    user, *, prefix=PREFIX, digest=DIGEST, scopes=("pools:read",), created="clock_timestamp()", life="'1 day'"
):
    sql = INSERT.format(created=created, life=f"interval {life}")
    return attack(sql, user.pk, prefix, digest, list(scopes))


def test_a_sound_row_is_taken(user):
    assert inserted(user) is None


@pytest.mark.parametrize(
    ("columns", "guard"),
    [
        ({"digest": "plain text"}, "api_key_hashed"),
        ({"prefix": "ABCDEFGHIJKL"}, "api_key_prefix_form"),
        ({"prefix": "abc"}, "api_key_prefix_form"),
        ({"scopes": ()}, "api_key_has_scopes"),
        ({"life": "'367 days'"}, "api_key_ends_within_a_year"),
        ({"life": "'3 years'", "created": "clock_timestamp() + interval '3 years'"}, "api_key_ends_within_a_year"),
    ],
)
def test_an_unsound_one_is_refused(user, columns, guard):
    assert inserted(user, **columns) == guard
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "expires_at = expires_at + interval '1 second'",
        "scopes = array_append(scopes, 'finance:read')",
        "scopes = ARRAY['finance:read']",
        f"digest = '{'1' * 64}'",
        "prefix = 'bbbbbbbbbbbb'",
        "token_version = token_version + 1",
        "has_second_factor = true",
        "created_at = created_at + interval '1 hour'",
    ],
)
def test_a_key_never_becomes_more_than_it_was(user, new_key, change):
    new_key(user, "account:read", "pools:read")

    assert attack(f"UPDATE accounts_apikey SET {change}") == "api_key_only_narrows"


def test_a_key_is_nobody_elses(user, stranger, new_key):
    new_key(user, "account:read")

    assert attack("UPDATE accounts_apikey SET user_id = %s", stranger.pk) == "api_key_only_narrows"


@pytest.mark.parametrize("change", ["revoked_at = NULL", "revoked_at = clock_timestamp()"])
def test_what_was_revoked_stays_so(user, new_key, change):
    new_key(user, "account:read")
    assert attack("UPDATE accounts_apikey SET revoked_at = clock_timestamp()") is None

    assert attack(f"UPDATE accounts_apikey SET {change}") == "api_key_only_narrows"


@pytest.mark.parametrize("change", ["scopes = ARRAY['pools:read']", "expires_at = clock_timestamp()"])
def test_less_it_may_become(user, new_key, change):
    new_key(user, "account:read", "pools:read")

    assert attack(f"UPDATE accounts_apikey SET {change}") is None


def test_two_keys_do_not_share_a_prefix(user):
    inserted(user)

    assert inserted(user, digest="1" * 64) == "accounts_apikey_prefix_key"
