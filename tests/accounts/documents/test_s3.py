"""Documents in an S3-compatible store: put away, fetched and deleted there, and reached through us alone."""

import pytest

from accounts.models import Document
from accounts.services.documents import delete_document, fetch, scan, upload
from config import outbox
from config.clock import database_now
from config.connections import file_store
from config.errors import Gone
from config.uploads.keeping import StoreAway
from tests.support import papers
from tests.support.buckets import bucket_of_its_own

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def bucket(settings, tmp_path):
    with bucket_of_its_own() as made:
        private = file_store(made.address, home=tmp_path, folder="private")
        settings.STORAGES = {**settings.STORAGES, "private": private}
        yield made


@pytest.fixture
def document(bucket, player):
    return upload(owner=player, kind="identity", name="a.pdf", content=papers.paper(), now=database_now())


def test_a_document_lives_and_ends_there(bucket, document, player, scanner):
    assert bucket.keys() == [document.key]
    scan({"document": document.pk})
    assert scanner.seen == [papers.paper()]
    with fetch(document=Document.objects.get(), by=player).file as file:
        assert file.read() == papers.paper()

    delete_document(document=document, by=player)
    outbox.drain()

    assert bucket.keys() == []


def test_what_went_missing_there_is_told_as_gone(bucket, document, player):
    bucket.session.delete_object(Bucket=bucket.name, Key=document.key)

    with pytest.raises(Gone):
        fetch(document=document, by=player)


def test_an_upload_that_cannot_be_kept_leaves_no_row(bucket, player):
    bucket.go_away()

    with pytest.raises(StoreAway):
        upload(owner=player, kind="identity", name="a", content=papers.paper(), now=database_now())

    assert not Document.objects.exists()
