"""The same store, S3-compatible: written once, read back in pieces, gone when it is deleted."""

import io
from uuid import uuid4

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from config.connections import file_store
from config.errors import Gone
from payments.exports import storage, work
from payments.exports.fetching import fetch, sweep_expired
from tests.support.exporting import wish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Bucket:
    """What is in it, past our own store."""

    def __init__(self, session, name):
        self.session, self.name = session, name

    def keys(self):
        return [each["Key"] for each in self.session.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def go_away(self):
        self.session.delete_bucket(Bucket=self.name)

    def come_back(self):
        self.session.create_bucket(Bucket=self.name)


@pytest.fixture
def bucket(settings, tmp_path):
    """A bucket of its own, named in REPORT_STORAGE."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    session = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    name = f"reports-{uuid4().hex}"
    session.create_bucket(Bucket=name)
    url = f"s3+http://k:s@{host}:{port}/{name}?region_name=us-east-1"
    settings.STORAGES = {**settings.STORAGES, "reports": file_store(url, home=tmp_path, folder="reports")}
    yield Bucket(session, name)
    server.stop()


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
