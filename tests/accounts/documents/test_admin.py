"""Documents in the back office: for those who review them, saved and never shown, each look written down."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from accounts.models import Document, DocumentStatus
from accounts.services.documents import scan, upload
from config.clock import database_now
from config.fresh_pages import SESSION_KEY
from config.models import AuditEntry
from tests.factories.accounts import AdminFactory, FinanceFactory
from tests.support import papers

LIST = "/admin/accounts/document/"


@pytest.fixture
def document(db, player):
    return upload(owner=player, kind="identity", name="Ada's pass.pdf", content=papers.paper(), now=database_now())


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def make_stale(client):
    session = client.session
    session[SESSION_KEY] -= 3600
    session.save()


def act(client, action, *documents, reason=""):
    form = {
        "action": action,
        ACTION_CHECKBOX_NAME: [one.pk for one in documents],
        "confirmed": str(len(documents)),
        "reason": reason,
    }
    return [str(message) for message in client.post(LIST, form, follow=True).context["messages"]]


def file_of(document):
    return f"{LIST}{document.pk}/file"


@pytest.mark.parametrize("make", [FinanceFactory, AdminFactory])
def test_reviewers_see_them_and_save_them(make, document, player):
    by = make()
    client = signed_in(by)

    listed = client.get(LIST).content.decode()
    page = client.get(f"{LIST}{document.pk}/change/").content.decode()
    answer = client.get(file_of(document))

    assert "identity" in listed.lower()
    # A file is often called by the name of who is on it: a list shows many at once.
    assert "pass.pdf" not in listed
    assert "Ada_s pass.pdf" in page
    assert b"".join(answer.streaming_content) == papers.paper()
    assert answer["Content-Disposition"] == 'attachment; filename="Ada_s pass.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    seen = AuditEntry.objects.get(action="document.seen")
    assert (seen.actor_id, seen.person_id) == (by.pk, player.pk)


def test_nobody_else_does(document, moderator, player):
    client = signed_in(moderator)
    for path in (LIST, f"{LIST}{document.pk}/change/", file_of(document)):
        assert client.get(path).status_code == 403
    assert signed_in(player).get(file_of(document)).status_code == 302
    assert Client().get(file_of(document)).status_code == 302
    assert not AuditEntry.objects.filter(action="document.seen").exists()


def test_a_sign_in_of_an_hour_ago_is_not_enough(document, finance):
    client = signed_in(finance)
    make_stale(client)

    answer = client.get(file_of(document))

    assert answer.template_name == "admin/reauthenticate.html"
    assert not AuditEntry.objects.filter(action="document.seen").exists()


def test_they_are_accepted_and_rejected_there(document, finance, player):
    other = upload(owner=player, kind="address", name="b", content=papers.picture(), now=database_now())
    client = signed_in(finance)

    assert act(client, "accept", document) == ["1 of 1 accepted."]
    assert act(client, "reject", other, reason="Too dark") == ["1 of 1 rejected."]

    assert Document.objects.get(pk=document.pk).status == DocumentStatus.ACCEPTED
    assert Document.objects.get(pk=other.pk).reason == "Too dark"
    (refusal,) = act(client, "accept", document)
    assert refusal.startswith("1 of 1 refused")


def test_what_the_scanner_has_not_seen_or_has_found_stays_shut(document, finance, scanner):
    client = signed_in(finance)

    for expected in ("has not looked", "found something"):
        answer = client.get(file_of(document), follow=True)
        assert [expected in str(message) for message in answer.context["messages"]] == [True]
        scanner.finds = b"%PDF-"
        scan({"document": document.pk})
    assert not AuditEntry.objects.filter(action="document.seen").exists()


def test_nothing_is_added_changed_or_deleted_by_hand(document, finance):
    client = signed_in(finance)

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{document.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"{LIST}{document.pk}/change/", {"status": "accepted"})
    assert Document.objects.get(pk=document.pk).status == DocumentStatus.UPLOADED


def test_the_list_costs_the_same_for_one_and_for_three(player, finance, document, django_assert_num_queries):
    client, counts = signed_in(finance), []
    for more in (0, 2):
        for _ in range(more):
            upload(owner=player, kind="address", name="b", content=papers.picture(), now=database_now())
        with django_assert_num_queries(20, exact=False) as captured:
            client.get(LIST)
        counts.append(len(captured))

    assert counts[0] == counts[1]
