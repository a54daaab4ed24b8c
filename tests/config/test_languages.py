"""The languages of the back office, and the catalogues that they come from."""

import re

import pytest
from babel.messages.pofile import read_po
from django.urls import reverse

from config.local.management.commands.translations import catalogues, compiled, said_in, sentences
from tests.factories.entries import RequestFactory

pytestmark = pytest.mark.django_db

SPOKEN = ("de", "es", "fr")
FACT = re.compile(r"%\(\w+\)s|\{\w+\}")


class TestPages:
    def test_they_are_english_until_somebody_chooses(self, client):
        assert b"Passwort" not in client.get("/admin/login/", headers={"Accept-Language": "de"}).content

    @pytest.mark.parametrize(
        ("language", "words"),
        [("de", ("Anfragen", "Stimmt das Geld?")), ("es", ("Solicitudes", "¿Cuadra el dinero?")),
         ("fr", ("Demandes", "L’argent concorde-t-il ?"))],
    )  # fmt: skip
    def test_the_switch_changes_them_in_this_browser_and_no_other(self, client, admin_user, language, words):
        client.force_login(admin_user)
        answer = client.post("/admin/language/", {"language": language, "next": "/admin/"})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")
        cookie = answer.cookies["outlast_language"]
        assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/admin/", "Strict", True)

        page = client.get("/admin/").content.decode()

        assert f'<html lang="{language}"' in page
        assert [word for word in words if word not in page] == []
        del client.cookies["outlast_language"]
        assert '<html lang="en' in client.get("/admin/").content.decode()

    def test_columns_filters_states_and_actions_are_named_in_it(self, client, admin_user):
        RequestFactory(approved=True)
        client.force_login(admin_user)
        client.cookies["outlast_language"] = "de"
        page = client.get("/admin/entries/request/").content.decode()
        for word in (
            "Zahlungsstatus",
            "Genehmigt",
            "Genehmigen",
            "Warteliste",
            "E-Mail-Adresse oder Name des Spielers",
        ):
            assert word in page, word

    def test_a_language_that_is_none_is_english(self, client):
        client.cookies["outlast_language"] = "tlh"
        assert '<html lang="en' in client.get("/admin/login/").content.decode()

    def test_the_switch_leads_to_no_other_site(self, client):
        answer = client.post("/admin/language/", {"language": "de", "next": "https://elsewhere.example/"})
        assert answer["Location"] == "/"


class TestCatalogues:
    def test_what_is_compiled_is_what_is_written(self):
        found = list(catalogues())
        assert [path.parts[-3] for path in found] == list(SPOKEN)
        for path in found:
            assert path.with_suffix(".mo").read_bytes() == compiled(path), "run: python3 manage.py translations"

    @pytest.mark.parametrize("language", SPOKEN)
    def test_no_sentence_lacks_its_translation(self, language):
        reverse("admin:index")
        (catalogue,) = (path for path in catalogues() if path.parts[-3] == language)
        assert sorted(sentences() - said_in(catalogue), key=str) == [], f"add them to {catalogue}"

    def test_every_catalogue_says_the_same_with_the_same_facts(self):
        german, spanish, french = (translations_of(path) for path in catalogues())
        assert set(german) == set(spanish) == set(french)
        for said in (german, spanish, french):
            for (_, sentence), translations in said.items():
                for translation in translations:
                    assert sorted(FACT.findall(translation)) == sorted(FACT.findall(sentence)), translation


def translations_of(catalogue):
    """What the catalogue says to each sentence, and to its plural."""
    with catalogue.open("rb") as file:
        return {
            (one.context, one.id[0] if isinstance(one.id, tuple) else one.id): (
                one.string if isinstance(one.string, tuple) else (one.string,)
            )
            for one in read_po(file)
            if one.id
        }
