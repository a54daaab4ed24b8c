"""The same store, S3-compatible: written once, read back in pieces, gone when it is deleted."""

import io

import pytest

from config.connections import file_store
from config.errors import Gone
from payments.exports import storage, work
from payments.exports.fetching import fetch, sweep_expired
from tests.support.buckets import bucket_of_its_own
from tests.support.exporting import wish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def bucket(settings, tmp_path):
    """A bucket of its own, named in REPORT_STORAGE."""
    with bucket_of_its_own() as made:
        reports = file_store(made.address, home=tmp_path, folder="reports")
        settings.STORAGES = {**settings.STORAGES, "reports": reports}
        yield made


def test_an_export_lives_and_ends_there(bucket, numbers, finance):
    export = wish(finance, options={"count": 20_000})
    assert work.write_next()
    export.refresh_from_db()
    assert (export.status, bucket.keys()) == ("done", [export.file_key])
    with fetch(export_id=export.pk, by=finance, way="api", address=None).file as file:
        assert file.read(14) == b"id,name,amount"
        assert len(file.read()) == export.size - 14
    assert sweep_expired(now=export.expires_at) == 1
    assert bucket.keys() == []
    with pytest.raises(Gone):
        storage.opened(export.file_key)


def test_a_name_is_written_once(bucket):
    storage.keep("2026/11/a.csv", io.BytesIO(b"first"))
    with pytest.raises(FileExistsError):
        storage.keep("2026/11/a.csv", io.BytesIO(b"second"))
    with storage.opened("2026/11/a.csv") as file:
        assert file.read() == b"first"


def test_a_store_that_is_away_is_tried_again(bucket, numbers, finance):
    export = wish(finance)
    bucket.go_away()
    assert work.write_next()
    export.refresh_from_db()
    assert (export.status, export.attempts) == ("queued", 1)
    bucket.come_back()
    assert work.write_next()
    export.refresh_from_db()
    assert export.status == "done"
