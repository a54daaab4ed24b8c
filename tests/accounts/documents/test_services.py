"""Looking through, deciding about, and forgetting papers."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Document, DocumentStatus
from accounts.services.closing import close_account
from accounts.services.documents import (
    accept_document,
    delete_document,
    fetch,
    forget_old,
    reject_document,
    scan,
    upload,
)
from accounts.services.own_data import write_own_data
from config import outbox
from config.clock import database_now
from config.errors import Conflict, DomainError, Forbidden, NotFound
from config.models import AuditEntry, OutboxMessage
from config.uploads.scanning import ScannerFailed
from tests.accounts.documents.conftest import EICAR
from tests.support import papers


@pytest.fixture
def document(db, player):
    return upload(owner=player, kind="identity", name="pass.pdf", content=papers.paper(), now=database_now())


def again(document):
    return Document.objects.get(pk=document.pk)


def age(document, **past):
    """As if it had been handed in, and decided about, so long ago."""
    document.refresh_from_db()
    then = database_now() - timedelta(**past)
    decided = {"decided_at": then} if document.decided_at else {}
    Document.objects.filter(pk=document.pk).update(uploaded_at=then, **decided)


class TestScanning:
    def test_a_clean_file_is_clean(self, scanner, document, files):
        scan({"document": document.pk})

        found = again(document)
        assert (found.status, found.finding) == (DocumentStatus.CLEAN, "")
        assert found.scanned_at is not None
        assert scanner.seen == [files()[0].read_bytes()]

    def test_it_is_asked_for_with_the_upload(self, scanner, document):
        outbox.drain()

        assert again(document).status == DocumentStatus.CLEAN

    def test_a_virus_is_found_and_never_handed_out(self, scanner, document, finance, player):
        scanner.finds = b"%PDF-"
        scan({"document": document.pk})

        found = again(document)
        assert (found.status, found.finding) == (DocumentStatus.INFECTED, "Eicar-Test-Signature")
        for by in (player, finance):
            with pytest.raises(Conflict, match="found something"):
                fetch(document=found, by=by)
        with pytest.raises(Conflict):
            accept_document(document=found, by=finance, now=database_now())
        assert AuditEntry.objects.filter(action="document.infected", person_id=player.pk).exists()

    def test_the_mark_of_the_test_virus_is_what_the_double_looks_for(self, scanner, player):
        """The double is a scanner as far as it goes: the same file with the mark is not clean."""
        content = papers.paper().replace(b"%\xe2\xe3\xcf\xd3", b"%" + EICAR)
        infected = upload(owner=player, kind="identity", name="a.pdf", content=content, now=database_now())

        scan({"document": infected.pk})

        assert again(infected).status == DocumentStatus.INFECTED

    def test_until_then_nobody_opens_it_or_decides(self, scanner, document, finance, player):
        for act in (
            lambda: fetch(document=document, by=finance),
            lambda: fetch(document=document, by=player),
            lambda: accept_document(document=document, by=finance, now=database_now()),
            lambda: reject_document(document=document, by=finance, now=database_now(), reason="x"),
        ):
            with pytest.raises(Conflict, match="has not looked"):
                act()

    @pytest.mark.parametrize(
        "answer", [b"stream: broken ERROR\n", b"INSTREAM size limit exceeded. ERROR\n", b"\n", b"?\n"]
    )
    def test_without_a_verdict_it_waits_and_is_asked_again(self, scanner, document, answer):
        scanner.answer = answer
        with pytest.raises(ScannerFailed):
            scan({"document": document.pk})
        assert again(document).status == DocumentStatus.UPLOADED

        scanner.answer = b""
        scan({"document": document.pk})
        assert again(document).status == DocumentStatus.CLEAN

    def test_a_scanner_that_is_away_is_asked_again(self, settings, document):
        settings.VIRUS_SCAN = "clamd://127.0.0.1:1"

        with pytest.raises(ScannerFailed):
            scan({"document": document.pk})

        assert again(document).status == DocumentStatus.UPLOADED

    def test_asking_twice_changes_nothing(self, scanner, document):
        scan({"document": document.pk})
        scanner.finds = b"%PDF-"
        scan({"document": document.pk})
        scan({"document": 999_999})

        assert again(document).status == DocumentStatus.CLEAN
        assert len(scanner.seen) == 1

    def test_without_a_scanner_it_stays_as_it_is_and_may_be_opened(self, document, finance):
        outbox.drain()

        assert again(document).status == DocumentStatus.UPLOADED
        fetch(document=document, by=finance).file.close()


class TestDeciding:
    def test_a_paper_is_accepted_and_its_owner_told(self, document, finance, player, mailoutbox, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        accept_document(document=document, by=finance, now=database_now())
        outbox.drain()

        assert again(document).decided_by == finance
        (mail,) = mailoutbox
        assert (mail.to, mail.subject) == ([player.email], "Your document was accepted")
        entry = AuditEntry.objects.get(action="document.accepted")
        assert (entry.actor_id, entry.person_id, entry.subject_id) == (finance.pk, player.pk, str(document.pk))

    def test_a_paper_is_rejected_with_a_reason_that_its_owner_reads(self, document, finance, mailoutbox, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        reject_document(document=document, by=finance, now=database_now(), reason=" Too dark <b> ")
        outbox.drain()

        assert again(document).reason == "Too dark <b>"
        (mail,) = mailoutbox
        assert "Too dark <b>" in mail.body
        assert "Too dark &lt;b&gt;" in mail.alternatives[0][0]

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_a_reason_is_needed(self, document, finance, reason):
        with pytest.raises(DomainError):
            reject_document(document=document, by=finance, now=database_now(), reason=reason)

    def test_it_is_decided_once(self, document, finance, admin_user):
        accept_document(document=document, by=finance, now=database_now())

        with pytest.raises(Conflict):
            reject_document(document=document, by=admin_user, now=database_now(), reason="after all")

    def test_nobody_decides_about_their_own(self, finance):
        own = upload(owner=finance, kind="identity", name="a", content=papers.paper(), now=database_now())

        with pytest.raises(Forbidden):
            accept_document(document=own, by=finance, now=database_now())
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.filter(pk=own.pk).update(status="accepted", decided_by=finance, decided_at=database_now())

    @pytest.mark.parametrize(
        "change",
        [
            "status = 'infected'",
            "key = 'x'",
            "sha256 = repeat('0', 64)",
            "owner_id = decided_by_id",
            "status = 'uploaded'",
        ],
    )
    def test_raw_sql_changes_nothing_about_it(self, document, finance, change):
        accept_document(document=document, by=finance, now=database_now())

        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE accounts_document SET {change}")


class TestLooks:
    def test_of_staff_are_written_down_and_of_the_owner_are_not(self, document, finance, player):
        fetch(document=document, by=player).file.close()
        assert not AuditEntry.objects.filter(action="document.seen").exists()

        fetch(document=document, by=finance).file.close()
        entry = AuditEntry.objects.get(action="document.seen")
        assert (entry.actor_id, entry.person_id, entry.data) == (finance.pk, player.pk, {"kind": "identity"})

    def test_are_for_nobody_else(self, document, stranger, moderator):
        for by in (stranger, moderator):
            with pytest.raises(NotFound):
                fetch(document=document, by=by)


class TestForgetting:
    def test_an_account_that_is_closed_takes_all_of_them_along(self, document, player, finance, files):
        accept_document(document=document, by=finance, now=database_now())

        close_account(user=player, now=database_now())
        outbox.drain()

        assert (Document.objects.count(), files()) == (0, [])
        assert AuditEntry.objects.get(action="document.deleted").data["why"] == "account_closed"

    def test_what_was_never_looked_at_goes_after_a_while(self, settings, document, files):
        settings.UNUSED_DOCUMENT_DAYS = 30
        age(document, days=29)
        assert forget_old(now=database_now()) == 0

        age(document, days=31)
        assert forget_old(now=database_now()) == 1
        outbox.drain()
        assert files() == []

    def test_what_was_accepted_is_kept_for_longer(self, settings, document, finance):
        settings.UNUSED_DOCUMENT_DAYS, settings.DOCUMENT_DAYS = 30, 100
        accept_document(document=document, by=finance, now=database_now())
        age(document, days=99)
        assert forget_old(now=database_now()) == 0

        age(document, days=101)
        assert forget_old(now=database_now()) == 1

    def test_is_bounded(self, settings, player):
        for _ in range(3):
            age(upload(owner=player, kind="address", name="a", content=papers.picture(), now=database_now()), days=99)

        assert forget_old(now=database_now(), limit=2) == 2
        assert forget_old(now=database_now(), limit=2) == 1

    def test_what_somebody_takes_back_is_forgotten_at_once(self, document, player, files):
        delete_document(document=document, by=player)
        outbox.drain()

        assert files() == []
        assert not OutboxMessage.objects.filter(dead_at__isnull=False).exists()


def test_they_are_among_one_s_own_data(document, player, tmp_path):
    with (tmp_path / "own.json").open("w+b") as file:
        write_own_data(user=player, file=file)
        file.seek(0)
        (row,) = json.load(file)["documents"]

    assert (row["id"], row["name"], row["status"]) == (document.pk, "pass.pdf", "uploaded")
