"""What letters say: versions, placeholders and nothing that is evaluated."""

import pytest
from django.db import Error, connection, transaction
from django.test import Client

from accounts.models import MessageTemplate
from accounts.services.letters.templates import previewed, text_faults, use_template, wordings, write_template
from config.errors import Malformed
from entries.letters import REMINDERS
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
GOOD = {"kind": "reminder", "language": "en", "subject": "Pick, {name}", "body": "Missing:\n\n{entries}"}


def test_a_version_is_used_only_once_somebody_says_so_and_one_of_before_again(moderator):
    first, second = (write_template(**GOOD | {"subject": said}, by=moderator) for said in ("One", "Two"))
    assert (first.version, second.version) == (1, 2)
    assert wordings(REMINDERS, ["en"])["en"].subject == "No pick yet: {round}"
    for row in (first, second, first):
        use_template(template=row, by=moderator)
        assert wordings(REMINDERS, ["en"])["en"].subject == row.subject
    assert wordings(REMINDERS, ["de"])["de"].body != GOOD["body"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"body": "{team}"}, "body", "There is no placeholder {team} here."),
        ({"subject": "{name.password}"}, "subject", "There is no placeholder {name.password} here."),
        ({"body": "{name!r:>9}"}, "body", "There is no placeholder {name!r:>9} here."),
        ({"body": " "}, "body", "Write 1 to 5000 characters."),
        ({"kind": "poem"}, "kind", "There is no such kind of letters."),
        ({"language": "tlh"}, "language", "Not one of our languages."),
    ],
)
def test_what_is_refused_is_named(moderator, change, field, said):
    with pytest.raises(Malformed) as refusal:
        write_template(**GOOD | change, by=moderator)
    assert any(fault.startswith(said) for fault in refusal.value.details[field])


def test_nothing_is_evaluated_and_what_is_filled_in_is_not_looked_through_again():
    text = "{% load x %}{{ settings.SECRET_KEY }} %(name)s ${name} {name}"
    assert text_faults(text, ["name"], longest=99) == [
        "There is no placeholder { settings.SECRET_KEY } here. Known are {name}.",
        "There is no placeholder {% load x %} here. Known are {name}.",
    ]
    one = previewed(kind="reminder", language="en", subject="{name}", body="%(name)s ${name} { name")
    assert (one.subject, one.text) == ("Ann", "%(name)s $Ann { name")
    wording = wordings(REMINDERS, ["en"])["en"]
    values = REMINDERS.example | {"name": "{link}", "entries": "<b>"}
    assert "Hello {link}," in wording.filled_in(values).text


def test_a_version_never_changes(moderator):
    row = write_template(**GOOD, by=moderator)
    for statement in ("UPDATE accounts_messagetemplate SET body = 'x'", "DELETE FROM accounts_messagetemplate"):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert MessageTemplate.objects.get().body == row.body


def test_staff_write_look_and_use_and_players_do_not(moderator, finance):
    browser, address = Client(), "/admin/accounts/messagetemplate/"
    browser.force_login(moderator)
    answer = browser.post(f"{address}add/", GOOD | {"body": "{team}"})
    assert "There is no placeholder {team} here." in answer.content.decode()
    assert browser.post(f"{address}add/", GOOD).status_code == 302
    row = MessageTemplate.objects.get()
    assert "Pick, Ann" in browser.get(f"{address}{row.pk}/change/").content.decode()
    chosen = {"action": "use", "_selected_action": row.pk}
    assert "Missing:" in browser.post(address, chosen).content.decode()
    browser.post(address, chosen | {"confirmed": "1"})
    row.refresh_from_db()
    assert row.used_by == moderator
    for other in (finance, UserFactory()):
        browser.force_login(other)
        assert browser.post(address, chosen | {"confirmed": "1"}).status_code in (302, 403)
