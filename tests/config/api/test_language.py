"""Refusals in the caller's language."""

import pytest
from django.utils.translation import gettext, override, pgettext

from config.api.language import OF_A_CODE, language_of
from config.errors import Code

pytestmark = pytest.mark.django_db

SPOKEN = ("de", "es", "fr")
GERMAN = {"Accept-Language": "de-CH,de;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("it, de;q=0.5, en;q=0.4", "de"),
        ("es-MX", "es"),
        ("fr, de;q=0.5", "fr"),
        ("it", "en"),
        ("en, de", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("nonsense;;q=", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_first_language_that_is_spoken_is_chosen(accepted, spoken):
    assert language_of(accepted) == spoken


def test_a_sentence_of_the_catalogue_is_translated_and_its_code_is_not(client):
    answer = client.get("/api/v1/sample/private", headers=GERMAN)
    assert answer.json()["error"] == {
        "code": "NOT_AUTHENTICATED",
        "message": "Melden Sie sich zuerst an: Dieser Aufruf braucht Zugangsdaten.",
        "details": {},
    }
    assert answer["Content-Language"] == "de"
    assert "Accept-Language" in answer["Vary"]


def test_a_sentence_made_for_the_case_is_said_with_its_facts_and_its_names(client):
    error = client.get("/api/v1/sample/raise/transition", headers=GERMAN).json()["error"]
    assert error["message"] == "Anfrage: Aus „Abgelehnt“ kann nicht „Genehmigt“ werden."
    assert error["details"] == {"from": "rejected", "to": "approved"}


def test_validation_is_translated_by_the_libraries_and_by_our_catalogue(client):
    sent = client.post("/api/v1/sample/echo", {"number": "x"}, headers=GERMAN).json()["error"]
    asked = client.get("/api/v1/sample/echo?strange=1", headers=GERMAN).json()["error"]
    assert sent["message"] == "Einige Felder sind nicht gültig."
    assert sent["details"]["number"] == ["Eine gültige Ganzzahl ist erforderlich."]
    assert asked["details"] == {"strange": ["Diese Adresse kennt keinen solchen Parameter."]}


def test_who_says_nothing_is_spoken_to_in_english(client):
    answer = client.get("/api/v1/sample/private")
    assert answer.json()["error"]["message"] == "Sign in first: this call needs credentials."
    assert answer["Content-Language"] == "en"


def test_what_went_well_has_no_language(client):
    answer = client.get("/api/v1/sample/echo", headers=GERMAN)
    assert not answer.has_header("Content-Language")
    assert "Accept-Language" not in answer["Vary"]


def test_one_call_does_not_leave_its_language_to_the_next(client):
    client.get("/api/v1/sample/private", headers=GERMAN)
    assert gettext("You may not do this.") == "You may not do this."


def test_every_code_has_a_general_sentence():
    for language in SPOKEN:
        with override(language):
            assert [code for code in Code if pgettext(OF_A_CODE, code) == code] == [], language
