"""Refusals in the caller's language."""

import json

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


# What can be wrong with a call: how it is made, its code, and of what its details speak.
WRONG = {
    "a field is missing": ("POST", "/echo", {}, "VALIDATION_ERROR", {"text"}),
    "a field is of another type": ("POST", "/echo", {"text": "a", "number": "x"}, "VALIDATION_ERROR", {"number"}),
    "a text is too long": ("POST", "/echo", {"text": "a" * 21}, "VALIDATION_ERROR", {"text"}),
    "a number is too small": ("POST", "/echo", {"text": "a", "number": 0}, "VALIDATION_ERROR", {"number"}),
    "nothing is no text": ("POST", "/echo", {"text": None}, "VALIDATION_ERROR", {"text"}),
    "a field of a part": ("PUT", "/echo", {"picks": [{"number": []}]}, "VALIDATION_ERROR",
                          {"picks.0.text", "picks.0.number"}),
    "a list is none": ("PUT", "/echo", {"picks": "x"}, "VALIDATION_ERROR", {"picks.non_field_errors"}),
    "a field is not known": ("POST", "/echo", {"text": "a", "strange": 1}, "VALIDATION_ERROR", {"strange"}),
    "no JSON": ("POST", "/echo", "{", "PARSE_ERROR", set()),
    "nobody has signed in": ("GET", "/private", None, "NOT_AUTHENTICATED", set()),
    "not for this person": ("GET", "/staff", None, "FORBIDDEN", set()),
    "nothing there": ("GET", "/raise/http404", None, "NOT_FOUND", set()),
    "another method": ("PATCH", "/echo", {}, "METHOD_NOT_ALLOWED", set()),
    "too often": ("GET", "/limited", None, "RATE_LIMITED", set()),
    "a rule of the contest": ("GET", "/raise/transition", None, "INVALID_TRANSITION", set()),
    "the server": ("GET", "/raise/crash", None, "INTERNAL_ERROR", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_is_said_in_four_languages_under_one_code(name, client, signed_in, player):
    verb, path, body, code, fields = WRONG[name]
    caller = client if path == "/private" else signed_in(player)
    said = {}
    for language in ("en", *SPOKEN):
        for _ in range(3 if path == "/limited" else 1):
            headers = {"Accept-Language": language}
            answer = caller.generic(verb, f"/api/v1/sample{path}", headers=headers, **_json(body))
        error = answer.json()["error"]
        told = {field: tuple(error["details"][field]) for field in fields}
        assert (error["code"], answer["Content-Language"]) == (code, language)
        said[language] = [error["message"], *told.values()]
    for told in zip(*said.values(), strict=True):
        assert len(set(told)) == 4, told


def _json(body):
    """As a caller sends it: text as it is, the rest as JSON."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    return {"data": text, "content_type": "application/json"}


@pytest.mark.parametrize("language", SPOKEN)
def test_a_choice_that_is_none_is_said_in_the_language_and_so_is_a_domain_error(api, player, language):
    def refused(body, spoken):
        answer = api(player).patch("/api/v1/me/messages", body, format="json", headers={"Accept-Language": spoken})
        error = answer.json()["error"]
        assert error["code"] == "VALIDATION_ERROR"
        return error["details"]

    for body in ({"language": "tlh"}, {"time_zone": "Mars/Olympus"}, {"quiet_from": "noon"}, {"quiet_from": None}):
        english, told = refused(body, "en"), refused(body, language)
        assert set(english) == set(told)
        assert [field for field in told if told[field] == english[field]] == []
