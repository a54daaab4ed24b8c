"""Papers over the API: handed in, seen, fetched by a link, taken back; by their owner alone."""

import hashlib
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from accounts.models import Document, DocumentStatus
from accounts.services.documents import LARGEST, MOST_UNDECIDED, accept_document, upload
from config import outbox
from config.clock import database_now
from config.models import AuditEntry, OutboxMessage
from config.uploads.keeping import CLEAN_UP, clean_up
from tests.support import papers
from tests.support.contract import faults, schema_of

URLS = "config.urls"


def listed(client):
    return client.get("/api/v1/me/documents").json()["data"]


def test_a_picture_is_handed_in_and_kept_anew(db, api, player, hand_in, files):
    answer = hand_in(api(player), papers.photo_with_a_place(), name="../My pass.html")

    assert faults(URLS, "POST", "/api/v1/me/documents", answer) == []
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["kind"], data["status"]) == ("identity", "uploaded")
    assert [row["name"] for row in listed(api(player))] == ["My pass.jpg"]
    assert answer["Location"] == f"/api/v1/me/documents/{data['id']}"
    (file,) = files()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == data["sha256"]
    assert b"SecretPhone" not in file.read_bytes()


def test_its_name_in_the_store_is_random_and_nobody_else_s_to_read(db, api, player, hand_in, files):
    for _ in range(2):
        assert hand_in(api(player), name="passport.png").status_code == 201

    names = [file.name for file in files()]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}\.jpg", name) for name in names)
    assert all(file.stat().st_mode & 0o077 == 0 for file in files())


def test_its_own_name_is_not_readable_in_the_database(db, api, player, hand_in):
    hand_in(api(player), name="Ada Lovelace passport.png", HTTP_IDEMPOTENCY_KEY="once")

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM accounts_document")
        assert "Lovelace" not in cursor.fetchone()[0]
        cursor.execute("SELECT status_code, convert_from(body, 'UTF8') FROM config_idempotencykey")
        status, kept = cursor.fetchone()
        assert (status, "Lovelace" in kept) == (201, False)
    assert Document.objects.get().name == "Ada Lovelace passport.jpg"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * LARGEST, "too_large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "type_not_taken"),
        (papers.paper_with_script(), "active_content"),
        (papers.png_that_claims(20_000, 20_000), "too_many_pixels"),
    ],
)
def test_what_is_dangerous_is_refused_and_leaves_nothing(db, api, player, hand_in, files, content, reason):
    answer = hand_in(api(player), content)

    assert faults(URLS, "POST", "/api/v1/me/documents", answer) == []
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "FILE_REFUSED")
    assert answer.json()["error"]["details"]["reason"] == reason
    assert (Document.objects.count(), files()) == (0, [])


def test_a_form_that_is_far_too_long_is_not_read(db, api, player, hand_in):
    answer = hand_in(api(player), b"x" * (LARGEST + 100_000))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", [{}, {"kind": "identity"}, {"kind": "selfie"}, {"kind": "identity", "file": "text"}])
def test_a_body_without_a_file_is_refused(db, api, player, body):
    for how in ("json", "multipart"):
        answer = api(player).post("/api/v1/me/documents", body, format=how)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_an_address_that_is_not_proved_hands_in_nothing(db, api, player, hand_in):
    player.email_verified_at = None
    player.save()

    assert hand_in(api(player)).json()["error"]["code"] == "EMAIL_NOT_VERIFIED"


def test_there_is_an_end_to_what_waits(db, player, files):
    def one(n):
        return upload(
            owner=player, kind="address", name="a.png", content=papers.picture("PNG", size=(n, 9)), now=database_now()
        )

    for n in range(MOST_UNDECIDED):
        one(n + 1)
    with pytest.raises(Exception, match="too many") as refused:
        one(99)

    assert refused.value.details == {"reason": "too_many", "most": MOST_UNDECIDED}
    assert len(files()) == MOST_UNDECIDED


def test_what_the_scanner_found_something_in_takes_up_room_as_well(db, api, player, hand_in, scanner):
    for _ in range(MOST_UNDECIDED):
        assert hand_in(api(player)).status_code == 201
    scanner.finds = b"\xff\xd8"
    outbox.drain()
    assert {document.status for document in Document.objects.all()} == {DocumentStatus.INFECTED}

    assert hand_in(api(player)).json()["error"]["details"]["reason"] == "too_many"
    assert api(player).delete(f"/api/v1/me/documents/{Document.objects.latest('id').pk}").status_code == 204
    assert hand_in(api(player)).status_code == 201


def test_a_repeated_call_with_its_key_is_one_document(db, api, player, hand_in, files):
    first = hand_in(api(player), HTTP_IDEMPOTENCY_KEY="once")
    again = hand_in(api(player), HTTP_IDEMPOTENCY_KEY="once")
    other = hand_in(api(player), papers.paper(), HTTP_IDEMPOTENCY_KEY="once")

    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (Document.objects.count(), len(files())) == (1, 1)


class TestOthers:
    def test_see_list_fetch_and_delete_nothing(self, db, api, player, stranger, moderator, hand_in):
        pk = hand_in(api(player)).json()["data"]["id"]

        for other in (stranger, moderator):
            client = api(other)
            assert listed(client) == []
            for method, path in (("get", ""), ("delete", ""), ("post", "/link")):
                answer = getattr(client, method)(f"/api/v1/me/documents/{pk}{path}")
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert Document.objects.filter(pk=pk).exists()

    def test_need_to_sign_in(self, db, api, hand_in):
        assert hand_in(api()).status_code == 401
        assert api().get("/api/v1/me/documents").status_code == 401


class TestLinks:
    def link(self, client, pk):
        answer = client.post(f"/api/v1/me/documents/{pk}/link", {}, format="json")
        assert faults(URLS, "POST", f"/api/v1/me/documents/{pk}/link", answer) == []
        return answer.json()["data"]["path"]

    def test_hand_the_file_out_as_something_to_be_saved(self, db, api, player, hand_in, files):
        pk = hand_in(api(player), papers.paper(), name='Päss "1".pdf').json()["data"]["id"]

        answer = api().get(self.link(api(player), pk))

        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == papers.paper() == files()[0].read_bytes()
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == "attachment; filename*=utf-8''P%C3%A4ss%20_1.pdf"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "no-store" in answer["Cache-Control"]

    def test_are_over_after_ten_minutes(self, db, api, player, hand_in):
        pk = hand_in(api(player)).json()["data"]["id"]
        path = self.link(api(player), pk)

        with time_machine.travel(database_now() + timedelta(minutes=10, seconds=2)):
            answer = api().get(path)

        assert faults(URLS, "GET", path, answer) == []
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "LINK_EXPIRED")

    def test_are_good_for_one_document(self, db, api, player, stranger, hand_in):
        own = hand_in(api(player)).json()["data"]["id"]
        other = hand_in(api(stranger)).json()["data"]["id"]
        token = self.link(api(player), own).partition("token=")[2]

        for path in (
            f"/api/v1/documents/{other}/file?token={token}",
            f"/api/v1/documents/{own}/file?token={token}x",
            f"/api/v1/documents/{own}/file?token=nonsense",
            f"/api/v1/documents/999999/file?token={token}",
        ):
            assert api().get(path).status_code == 404, path
        assert api().get(f"/api/v1/documents/{own}/file").status_code == 400

    def test_end_with_the_account(self, db, api, player, hand_in):
        pk = hand_in(api(player)).json()["data"]["id"]
        path = self.link(api(player), pk)
        player.is_active = False
        player.save()

        assert api().get(path).status_code == 404

    def test_lead_nowhere_once_the_file_is_gone(self, db, api, player, hand_in, files):
        pk = hand_in(api(player)).json()["data"]["id"]
        path = self.link(api(player), pk)
        files()[0].unlink()

        assert api().get(path).json()["error"]["code"] == "LINK_EXPIRED"


class TestTakingBack:
    def test_takes_the_file_along(self, db, api, player, hand_in, files):
        pk = hand_in(api(player)).json()["data"]["id"]

        answer = api(player).delete(f"/api/v1/me/documents/{pk}")
        outbox.drain()

        assert answer.status_code == 204
        assert (listed(api(player)), files()) == ([], [])
        entry = AuditEntry.objects.get(action="document.deleted")
        assert (entry.actor_id, entry.person_id, entry.data["why"]) == (player.pk, player.pk, "taken_back")

    def test_is_refused_once_it_was_accepted(self, db, api, player, finance, hand_in, files):
        pk = hand_in(api(player)).json()["data"]["id"]
        accept_document(document=Document.objects.get(pk=pk), by=finance, now=database_now())

        answer = api(player).delete(f"/api/v1/me/documents/{pk}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
        assert Document.objects.get(pk=pk).status == DocumentStatus.ACCEPTED


class TestAStoreThatIsAway:
    def test_is_a_503_that_says_so_and_leaves_no_row(self, db, api, player, hand_in, store):
        store.write_bytes(b"a file where the folder should be")

        answer = hand_in(api(player))

        assert faults(URLS, "POST", "/api/v1/me/documents", answer) == []
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert answer["Retry-After"] == "1"
        assert not Document.objects.exists()

    def test_may_be_asked_again_under_the_same_key(self, db, api, player, hand_in, store):
        store.write_bytes(b"a file where the folder should be")
        assert hand_in(api(player), HTTP_IDEMPOTENCY_KEY="once").status_code == 503
        store.unlink()

        assert hand_in(api(player), HTTP_IDEMPOTENCY_KEY="once").status_code == 201


class TestCutOff:
    def test_a_file_without_a_row_is_found_and_deleted(self, db, player, files, monkeypatch):
        monkeypatch.setattr(Document.objects, "create", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            upload(owner=player, kind="identity", name="a", content=papers.picture(), now=database_now())
        assert len(files()) == 1

        message = OutboxMessage.objects.get(kind=CLEAN_UP)
        assert timedelta(minutes=59) < message.due_at - message.created_at < timedelta(minutes=61)
        clean_up(message.payload)

        assert files() == []

    def test_a_file_with_a_row_stays(self, db, api, player, hand_in, files):
        hand_in(api(player))

        clean_up(OutboxMessage.objects.get(kind=CLEAN_UP).payload)

        assert len(files()) == 1


def test_the_list_costs_the_same_for_one_and_for_three(db, api, player, hand_in, django_assert_num_queries):
    counts = []
    for more in (1, 2):
        for _ in range(more):
            hand_in(api(player))
        client = api(player)
        with django_assert_num_queries(10, exact=False) as captured:
            listed(client)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_schema_knows_the_form(db):
    body = schema_of(URLS)["paths"]["/api/v1/me/documents"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
