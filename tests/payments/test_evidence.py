"""Scans: what a file is says its first bytes, whatever it is called; nothing is opened, and nothing is shown."""

import hashlib
import io
import zipfile

import pytest
from django.urls import reverse

from config.errors import DomainError
from payments.models import Evidence, ManualRecord
from payments.models.manual import LARGEST_SCAN
from payments.services.manual.evidence import Scan
from tests.factories.accounts import FinanceFactory
from tests.support.by_hand import JPEG, PDF, PNG, cash, recorded

pytestmark = pytest.mark.django_db(transaction=True)

HTML = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def bomb():
    """A hundred megabytes of nothing in a hundred kilobytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * 100_000_000)
    return packed.getvalue()


def kept(request, name, content):
    return recorded(request, handover=cash(evidence=(Scan(name, content),))).evidence.get()


def refused(request, *scans):
    with pytest.raises(DomainError) as refusal:
        recorded(request, handover=cash(evidence=scans))
    assert not ManualRecord.objects.exists()
    return list(refusal.value.details)


@pytest.mark.parametrize(
    ("content", "content_type", "ending"),
    [(PDF, "application/pdf", "pdf"), (PNG, "image/png", "png"), (JPEG, "image/jpeg", "jpg")],
)
def test_the_type_is_that_of_the_bytes(unpaid, content, content_type, ending):
    scan = kept(unpaid, "statement.html", content)

    assert (scan.content_type, scan.name) == (content_type, f"statement.{ending}")


@pytest.mark.parametrize("content", [HTML, SVG, b"GIF89a", b"MZ\x90", b" %PDF-1.7", b"\x00%PDF-", b"PK\x03\x04"])
def test_what_only_calls_itself_a_pdf_is_refused(unpaid, content):
    assert refused(unpaid, Scan("statement.pdf", content)) == ["evidence"]


def test_an_archive_is_refused_without_being_opened(unpaid, monkeypatch):
    packed = bomb()
    monkeypatch.setattr(zipfile, "ZipFile", None)

    assert refused(unpaid, Scan("statement.pdf", packed)) == ["evidence"]


def test_five_megabytes_are_kept_and_a_byte_more_is_not(unpaid):
    assert refused(unpaid, Scan("large.pdf", PDF.ljust(LARGEST_SCAN + 1))) == ["evidence"]
    assert kept(unpaid, "large.pdf", PDF.ljust(LARGEST_SCAN)).size == LARGEST_SCAN


def test_an_empty_file_is_refused(unpaid):
    assert refused(unpaid, Scan("empty.pdf", b"")) == ["evidence"]


def test_the_same_file_twice_is_refused(unpaid):
    assert refused(unpaid, Scan("a.pdf", PDF), Scan("b.pdf", PDF)) == ["evidence"]


@pytest.mark.parametrize(
    ("name", "as_kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\boot.ini", "boot.pdf"),
        ('a";\r\nSet-Cookie: x=1.pdf', "a_Set-Cookie_ x_1.pdf"),
        ("...", "evidence-1.pdf"),
        ("", "evidence-1.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
        ("Überweisung März.pdf", "Überweisung März.pdf"),
        ("=HYPERLINK(1).pdf", "HYPERLINK_1.pdf"),
    ],
)
def test_a_name_is_made_harmless(unpaid, name, as_kept):
    assert kept(unpaid, name, PDF).name == as_kept


def test_its_sum_is_kept_beside_it(unpaid):
    scan = kept(unpaid, "a.pdf", PDF)

    assert scan.sha256 == hashlib.sha256(PDF).hexdigest()


class TestFetching:
    @pytest.fixture
    def scan(self, unpaid):
        return kept(unpaid, "a b.pdf", PDF + b"<script>alert(1)</script>")

    def fetch(self, client, scan):
        return client.get(reverse("admin:payments_evidence_download", args=[scan.pk]))

    def test_it_is_saved_and_never_shown(self, client, finance, scan):
        client.force_login(finance)

        answer = self.fetch(client, scan)

        assert b"".join(answer.streaming_content) == bytes(scan.content)
        assert answer["Content-Disposition"] == 'attachment; filename="a b.pdf"'
        assert answer["Content-Type"] == "application/pdf"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "no-store" in answer["Cache-Control"]

    def test_it_has_a_permission_of_its_own(self, client, moderator, scan):
        client.force_login(moderator)

        assert self.fetch(client, scan).status_code == 403

    def test_players_come_no_further_than_the_door(self, client, player, scan):
        client.force_login(player)

        assert self.fetch(client, scan).status_code == 302

    def test_one_that_is_not_there(self, client, finance, scan):
        client.force_login(finance)

        assert client.get(reverse("admin:payments_evidence_download", args=[scan.pk + 1])).status_code == 404

    def test_no_list_and_no_page_reads_the_bytes(self, client, scan, django_assert_max_num_queries):
        client.force_login(FinanceFactory())

        with django_assert_max_num_queries(60) as captured:
            client.get("/admin/payments/manualrecord/")
            client.get(f"/admin/payments/manualrecord/{scan.record_id}/change/")

        assert not [one for one in captured.captured_queries if '"payments_evidence"."content"' in one["sql"]]
        assert Evidence.objects.count() == 1
