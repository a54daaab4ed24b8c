"""Files are fetched by who may, each time noted; links open once and not for long; files go when their time is over."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction

from accounts.models import Role, User
from config.clock import database_now
from config.errors import DomainError
from payments.exports import storage
from payments.exports.fetching import LIFETIME, fetch, fetch_by_link, make_link, sweep_expired
from payments.models import Export, ExportDownload
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.support.exporting import content, files_in, wish, written

pytestmark = pytest.mark.django_db


def refused(do, *arguments, **named):
    with pytest.raises(DomainError) as refusal:
        do(*arguments, **named)
    return refusal.value.code


def token_of(link):
    return link.path.partition("token=")[2]


def test_each_time_is_noted(numbers, finance):
    export = written(finance)
    with fetch(export_id=export.pk, by=finance, way="api", address="192.0.2.7").file as file:
        assert file.read() == content(export)

    noted = ExportDownload.objects.get()
    assert (noted.export, noted.by, noted.way, noted.address, noted.nonce) == (
        export,
        finance,
        "api",
        "192.0.2.7",
        None,
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        ExportDownload.objects.update(address=None)


def test_what_is_not_there_or_not_ones_own_is_not_fetched(numbers, finance, changed):
    changed(is_personal=True)
    export = written(finance)
    get = {"export_id": export.pk, "way": "api", "address": None}
    assert refused(fetch, **get, by=ModeratorFactory()) == "FORBIDDEN"
    assert refused(fetch, **get, by=UserFactory()) == "FORBIDDEN"
    assert refused(fetch, **{**get, "export_id": export.pk + 1}, by=finance) == "NOT_FOUND"
    assert refused(fetch, **{**get, "export_id": wish(finance).pk}, by=finance) == "INVALID_TRANSITION"
    storage.forget(export.file_key)
    assert refused(fetch, **get, by=finance) == "LINK_EXPIRED"
    assert not ExportDownload.objects.exists()


def test_a_link_opens_once(numbers, finance):
    export = written(finance)
    token = token_of(make_link(export_id=export.pk, by=finance))
    with fetch_by_link(export_id=export.pk, token=token, address=None).file as file:
        assert file.read() == content(export)
    assert refused(fetch_by_link, export_id=export.pk, token=token, address=None) == "LINK_EXPIRED"
    assert ExportDownload.objects.get().way == "link"


def test_a_link_is_over_soon_and_is_nobody_elses(numbers, finance):
    export, other = written(finance), written(finance)
    token = token_of(make_link(export_id=export.pk, by=finance))
    assert refused(fetch_by_link, export_id=other.pk, token=token, address=None) == "NOT_FOUND"
    for wrong in ("", "x", token[:-1], token + "x", token.replace(":", ";"), "\x00"):
        assert refused(fetch_by_link, export_id=export.pk, token=wrong, address=None) == "NOT_FOUND"
    with time_machine.travel(database_now() + LIFETIME + timedelta(seconds=2)):
        assert refused(fetch_by_link, export_id=export.pk, token=token, address=None) == "LINK_EXPIRED"


@pytest.mark.parametrize("fate", [{"is_active": False}, {"role": Role.PLAYER, "is_staff": False}])
def test_who_lost_the_right_lost_the_links(numbers, finance, fate):
    export = written(finance)
    token = token_of(make_link(export_id=export.pk, by=finance))
    User.objects.filter(pk=finance.pk).update(**fate)
    assert refused(fetch_by_link, export_id=export.pk, token=token, address=None) in ("NOT_FOUND", "FORBIDDEN")


def test_files_go_when_their_time_is_over_and_rows_stay(numbers, finance, folder):
    export, kept = written(finance), written(finance)
    later = export.expires_at + timedelta(seconds=1)
    Export.objects.filter(pk=kept.pk).update(expires_at=later + timedelta(days=1))
    token = token_of(make_link(export_id=export.pk, by=finance))

    assert sweep_expired(now=export.expires_at - timedelta(days=1)) == 0
    assert sweep_expired(now=later) == 1
    assert sweep_expired(now=later) == 0

    sha256 = export.sha256
    export.refresh_from_db()
    assert (export.status, export.sha256) == ("expired", sha256)
    assert len(files_in(folder)) == 1
    assert refused(make_link, export_id=export.pk, by=finance) == "LINK_EXPIRED"
    assert refused(fetch_by_link, export_id=export.pk, token=token, address=None) == "LINK_EXPIRED"


def test_a_name_in_the_store_is_written_once(folder):
    storage.keep("2026/11/a.csv", io.BytesIO(b"first"))
    with pytest.raises(FileExistsError):
        storage.keep("2026/11/a.csv", io.BytesIO(b"second"))
    with storage.opened("2026/11/a.csv") as file:
        assert file.read() == b"first"
    storage.forget("2026/11/a.csv")
    storage.forget("2026/11/a.csv")


def test_in_a_folder_files_are_ours_alone(tmp_path, settings):
    from config.connections import file_store

    settings.STORAGES = {**settings.STORAGES, "reports": file_store("file:", home=tmp_path, folder="reports")}
    storage.keep("2026/11/a.csv", io.BytesIO(b"x"))
    assert (tmp_path / "reports/2026/11/a.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "reports/2026").stat().st_mode & 0o777 == 0o700
