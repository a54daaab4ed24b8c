"""Where the links in our mails lead."""

import pytest

from accounts.services.links import Purpose, make_token
from config.clock import database_now


@pytest.mark.parametrize(
    ("path", "call", "fields"),
    [
        ("/verify-email", "/api/v1/auth/verify-email", []),
        ("/reset-password", "/api/v1/auth/password/reset/confirm", ["new_password"]),
        ("/confirm-email", "/api/v1/auth/email/confirm", []),
        ("/undo-email", "/api/v1/auth/email/undo", []),
    ],
)
def test_the_page_hands_over_to_the_call_of_its_purpose(client, path, call, fields):
    response = client.get(f"{path}?token=abc.def")

    page = response.content.decode()
    assert response.status_code == 200
    assert f'data-call="{call}"' in page
    assert [name for name in ("new_password", "current_password") if f'name="{name}"' in page] == fields
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")


def test_the_page_repeats_nothing_of_its_address(client):
    assert b"canary" not in client.get('/verify-email?token="><script>canary').content


def test_looking_at_the_page_changes_nothing(client, db):
    """Mail scanners open every link before its reader does."""
    from tests.factories.accounts import UserFactory

    user = UserFactory(email_verified_at=None)
    token = make_token(Purpose.VERIFY_EMAIL, user, now=database_now())

    client.get(f"/verify-email?token={token}")

    user.refresh_from_db()
    assert not user.email_verified


@pytest.mark.parametrize("file", ["link.js", "link.css"])
def test_what_the_page_needs_is_there(client, file):
    assert client.get(f"/static/accounts/{file}").status_code == 200


def test_the_page_takes_no_posts(client):
    assert client.post("/verify-email").status_code == 405
