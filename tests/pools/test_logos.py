"""The picture of a pool: set by those who run pools, made anew, seen by everybody who sees the pool."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from config import outbox
from config.connections import file_store
from config.models import AuditEntry
from pools.models import Pool, PoolStatus
from pools.services.logos import LARGEST
from tests.factories.pools import PoolFactory
from tests.support import papers
from tests.support.contract import faults

URLS = "config.urls"


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}
    return tmp_path / "private"


@pytest.fixture
def pool(db):
    return PoolFactory(status=PoolStatus.OPEN)


def put(client, pool, content):
    file = SimpleUploadedFile("logo.svg", content, "image/svg+xml")
    path = f"/api/v1/pools/{pool.pk}/logo"
    answer = client.put(path, {"file": file}, format="multipart")
    assert faults(URLS, "PUT", path, answer) == []
    return answer


def shown(client, pool):
    return client.get(f"/api/v1/pools/{pool.pk}").json()["data"]["logo_url"]


def test_it_is_set_and_shown_to_everybody(api, pool, moderator):
    assert shown(api(), pool) is None

    answer = put(api(moderator), pool, papers.picture("PNG", size=(1200, 600)) + b"<script>")

    assert answer.status_code == 200
    assert answer.json()["data"]["logo_url"] == shown(api(), pool)
    picture = api().get(shown(api(), pool))
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert picture["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert picture["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert picture["Cache-Control"].startswith("public")
    content = b"".join(picture.streaming_content)
    assert Image.open(io.BytesIO(content)).size == (512, 256)
    assert b"<script>" not in content
    entry = AuditEntry.objects.get(action="pool.logo_set")
    assert (entry.actor_id, entry.subject_id) == (moderator.pk, str(pool.pk))


def test_its_address_changes_with_it_and_the_old_file_goes(api, pool, moderator, store):
    put(api(moderator), pool, papers.picture("PNG"))
    first = shown(api(), pool)

    put(api(moderator), pool, papers.picture("PNG", colour=(0, 0, 255)))
    outbox.drain()

    assert shown(api(), pool) != first
    assert len([path for path in store.rglob("*") if path.is_file()]) == 1


def test_it_is_removed(api, pool, moderator, store):
    put(api(moderator), pool, papers.picture("PNG"))
    for _ in range(2):
        assert api(moderator).delete(f"/api/v1/pools/{pool.pk}/logo").status_code == 204
    outbox.drain()

    answer = api().get(f"/api/v1/pools/{pool.pk}/logo")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert not [path for path in store.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "type_not_taken"),
        (papers.paper(), "type_not_taken"),
        (papers.png_that_claims(20_000, 20_000), "too_many_pixels"),
        (b"", "empty"),
        (papers.picture() + b"\0" * LARGEST, "too_large"),
    ],
)
def test_what_is_no_plain_picture_is_refused(api, pool, moderator, content, reason):
    answer = put(api(moderator), pool, content)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "FILE_REFUSED")
    assert answer.json()["error"]["details"]["reason"] == reason
    assert Pool.objects.get(pk=pool.pk).logo_key == ""


def test_only_those_who_run_pools_change_it(api, pool, player, finance):
    for caller, status in ((None, 401), (player, 403), (finance, 403)):
        assert put(api(caller), pool, papers.picture()).status_code == status
        assert api(caller).delete(f"/api/v1/pools/{pool.pk}/logo").status_code == status


def test_that_of_a_draft_is_not_there_for_players(api, moderator, player, db):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    put(api(moderator), draft, papers.picture())

    for client in (api(), api(player)):
        assert client.get(f"/api/v1/pools/{draft.pk}/logo").status_code == 404
    assert api(moderator).get(f"/api/v1/pools/{draft.pk}/logo").status_code == 200


class TestTheBackOffice:
    def page(self, pool):
        return f"/admin/pools/pool/{pool.pk}/picture"

    def post(self, client, pool, content=None, **fields):
        file = {} if content is None else {"file": SimpleUploadedFile("logo.png", content)}
        return client.post(self.page(pool), {**file, **fields})

    @pytest.fixture
    def desk(self, moderator):
        client = Client()
        client.force_login(moderator)
        return client

    def test_sets_and_removes_it(self, desk, pool):
        assert self.page(pool) in desk.get(f"/admin/pools/pool/{pool.pk}/change/").content.decode()
        assert "It has none." in desk.get(self.page(pool)).content.decode()

        assert self.post(desk, pool, papers.picture("PNG")).status_code == 302
        assert Pool.objects.get(pk=pool.pk).logo_key.startswith("logos/")

        assert self.post(desk, pool, none="on").status_code == 302
        assert Pool.objects.get(pk=pool.pk).logo_key == ""

    def test_tells_what_is_refused(self, desk, pool):
        assert "not taken" in self.post(desk, pool, b"<svg/>").content.decode()
        assert "Choose a picture, or none." in self.post(desk, pool).content.decode()
        both = self.post(desk, pool, papers.picture(), none="on").content.decode()
        assert "Choose a picture, or none." in both
        assert Pool.objects.get(pk=pool.pk).logo_key == ""

    def test_lets_nobody_else_do_it(self, pool, finance):
        client = Client()
        client.force_login(finance)

        assert client.get(self.page(pool)).status_code == 403
        assert self.post(client, pool, papers.picture()).status_code == 403
