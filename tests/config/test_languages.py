"""The languages of the back office, and the catalogues that they come from."""

import ast
import re
from collections import Counter

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.urls import reverse

from config.local.management.commands.translations import catalogues, compiled, of_refusals, said_in, sentences
from tests.factories.entries import RequestFactory
from tests.support.marked import Page

pytestmark = pytest.mark.django_db

SPOKEN = ("de", "es", "fr")
FACT = re.compile(r"%\(\w+\)s|\{\w+[^}]*\}")


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


@pytest.fixture(scope="module")
def wanted():
    """Every sentence and name that is shown in several languages."""
    reverse("admin:index")
    return sentences()


class TestCatalogues:
    def test_what_is_compiled_is_what_is_written(self):
        found = list(catalogues())
        assert [path.parts[-3] for path in found] == list(SPOKEN)
        for path in found:
            assert path.with_suffix(".mo").read_bytes() == compiled(path), "run: python3 manage.py translations"

    @pytest.mark.parametrize("language", SPOKEN)
    def test_no_sentence_lacks_its_translation(self, wanted, language):
        (catalogue,) = (path for path in catalogues() if path.parts[-3] == language)
        assert sorted(wanted - said_in(catalogue), key=str) == [], f"add them to {catalogue}"

    def test_every_catalogue_says_the_same_with_the_same_facts(self):
        german, spanish, french = (messages_of(path) for path in catalogues())
        assert set(german) == set(spanish) == set(french)
        for said in (german, spanish, french):
            for one in said.values():
                wanted = [sorted(FACT.findall(text)) for text in forms(one.id)]
                for text in forms(one.string):
                    assert sorted(FACT.findall(text)) in wanted, text

    @pytest.mark.parametrize("language", SPOKEN)
    def test_none_has_a_doubtful_a_doubled_or_an_unused_sentence(self, language):
        (catalogue,) = (path for path in catalogues() if path.parts[-3] == language)
        text = catalogue.read_text(encoding="utf-8")
        assert ("#, fuzzy" in text, "#~" in text) == (False, False)
        entries = re.findall(r'^(?:msgctxt "(.*)"\n)?msgid "(.*)"$', text, re.M)
        assert [one for one, times in Counter(entry for entry in entries if entry[1]).items() if times > 1] == []

    @pytest.mark.parametrize("language", SPOKEN)
    def test_what_has_a_plural_has_one_form_for_each_of_the_language(self, language):
        (catalogue,) = (path for path in catalogues() if path.parts[-3] == language)
        plurals = int(re.search(r"nplurals=(\d)", catalogue.read_text(encoding="utf-8")).group(1))
        for one in messages_of(catalogue).values():
            if isinstance(one.id, tuple):
                assert (len(one.string), all(one.string)) == (plurals, True), one.id


def messages_of(catalogue):
    """The messages of the catalogue, by their context and sentence."""
    with catalogue.open("rb") as file:
        return {(one.context, forms(one.id)[0]): one for one in read_po(file) if one.id}


def forms(text):
    """A sentence, or the forms of one about a number."""
    return tuple(text) if isinstance(text, (tuple, list)) else (text,)


# What stands in a template and is no word: names of icons, of the product, of clocks, of addresses and commands.
NO_WORDS = re.compile(
    r"Outlast|UTC|SHA-256|manage\.py verify_audit --head|/api/v1[/\w]*|/picks|/rulings|/rules"
    r"|[a-z]+_[a-z_]+|^(warning|check|cancel|help|computer)$"
)


class TestTemplates:
    @pytest.mark.parametrize("ending", ["html", "txt"])
    def test_none_has_words_of_its_own(self, ending):
        templates = settings.BASE_DIR / "templates"
        found = {
            f"{path.relative_to(templates)}: {said}"
            for path in templates.rglob(f"*.{ending}")
            for said in words_of(path.read_text())
        }
        assert sorted(found) == []


def words_of(template):
    """What stands in it and is not marked; also what is said of a picture, a field or a button."""
    kept, inside = [], False
    for token in Lexer(template).tokenize():
        if token.token_type == TokenType.TEXT and not inside:
            kept.append(token.contents)
        elif token.token_type == TokenType.BLOCK and token.contents.startswith(("blocktranslate", "comment")):
            inside = True
        elif token.token_type == TokenType.BLOCK and token.contents.startswith(("endblocktranslate", "endcomment")):
            inside = False
    reader = Page()
    reader.feed("".join(kept))
    return [said for text in reader.said if re.search("[A-Za-z]{2}", said := NO_WORDS.sub("", text.strip()))]


class TestRefusals:
    def test_each_is_a_whole_sentence_that_a_catalogue_can_have(self):
        assert [f"{path}:{said.lineno}" for path, said in of_refusals() if isinstance(said, ast.JoinedStr)] == []
