"""Where the links in our mails lead."""

import pytest

from accounts.services.links import Purpose, make_token
from config.api.language import OF_PLAYERS
from config.clock import database_now
from tests.support.marked import WORD, Page


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


class TestLanguages:
    """A page speaks the language of whoever's browser opens it, and says so to caches."""

    @pytest.mark.parametrize(
        ("accepted", "language", "heading"),
        [
            ("de-AT, en;q=0.5", "de", "Neues Passwort setzen"),
            ("es", "es", "Poner una contraseña nueva"),
            ("fr", "fr", "Choisir un nouveau mot de passe"),
            ("tlh", "en", "Set a new password"),
        ],
    )
    def test_it_speaks_the_browsers(self, client, accepted, language, heading):
        answer = client.get("/reset-password", headers={"Accept-Language": accepted})

        page = answer.content.decode()
        assert f'<html lang="{language}">' in page
        assert f"<h1>{heading}</h1>" in page
        assert (answer["Content-Language"], answer["Vary"]) == (language, "Accept-Language")

    def test_a_refused_link_is_refused_in_it(self, client, db):
        answer = client.post("/unsubscribe?token=none", headers={"Accept-Language": "de"})

        assert (answer.status_code, answer["Content-Language"]) == (400, "de")
        assert '<p role="alert">' in answer.content.decode()

    @pytest.mark.parametrize("path", sorted(OF_PLAYERS))
    @pytest.mark.parametrize("language", ["de", "es", "fr"])
    def test_no_page_for_players_has_words_that_no_catalogue_has(self, client, db, path, language):
        english, said = (
            client.get(path, headers={"Accept-Language": one}).content.decode() for one in ("en", language)
        )
        assert set(texts_of(said)) & set(texts_of(english)) == {"Outlast"} & set(texts_of(english))


def texts_of(page):
    reader = Page()
    reader.feed(page)
    return [text.strip() for text in reader.said if WORD.search(text)]
