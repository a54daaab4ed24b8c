"""Two members of staff at one pool or game: who edits what they have not seen is told so, if they ask for it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.connections import file_store
from pools.models import PoolStatus
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support import papers
from tests.support.calls import respond

pytestmark = pytest.mark.django_db
CANCEL = {"reason": "A mistake."}
AMENDMENT = {"changes": {"tie": "win"}, "reason": "Agreed."}


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}


@pytest.fixture
def draft():
    return PoolFactory(status=PoolStatus.DRAFT)


@pytest.fixture
def staff(api, moderator):
    return api(moderator)


def tag_of(client, path):
    return client.get(f"/api/v1{path}")["ETag"]


def having_seen(client, tag):
    """The client, sending the tag with all that follows."""
    client.credentials(HTTP_IF_MATCH=tag)
    return client


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_rules_are_revised_by_whoever_saw_the_newest(staff, draft):
    tag = tag_of(staff, f"/pools/{draft.pk}")
    path = f"/pools/{draft.pk}/rules"
    first = respond(having_seen(staff, tag), "POST", path, {"strikes": 1})
    assert first.status_code == 200
    assert code_of(respond(staff, "POST", path, {"strikes": 2})) == (409, "VERSION_CONFLICT")
    assert respond(having_seen(staff, first["ETag"]), "POST", path, {"strikes": 2}).status_code == 200
    assert draft.rules_versions.count() == 3


def test_without_the_header_the_last_word_counts(staff, draft):
    for strikes in (1, 2):
        assert respond(staff, "POST", f"/pools/{draft.pk}/rules", {"strikes": strikes}).status_code == 200


@pytest.mark.parametrize(
    ("act", "body", "status"), [("publish", None, 200), ("cancel", CANCEL, 200), ("rules", {"tie": "win"}, 200)]
)
def test_a_draft_that_changed_is_left_alone(staff, draft, act, body, status):
    stale = tag_of(staff, f"/pools/{draft.pk}")
    respond(staff, "POST", f"/pools/{draft.pk}/rules", {"strikes": 1})
    path = f"/pools/{draft.pk}/{act}"
    assert code_of(respond(having_seen(staff, stale), "POST", path, body)) == (409, "VERSION_CONFLICT")
    staff.credentials()
    fresh = tag_of(staff, f"/pools/{draft.pk}")
    assert respond(having_seen(staff, fresh), "POST", path, body).status_code == status


def test_an_amendment_is_proposed_to_the_pool_that_was_seen(staff):
    pool = PoolFactory(status=PoolStatus.OPEN)
    path = f"/pools/{pool.pk}/amendments"
    assert code_of(respond(having_seen(staff, '"1-1.x"'), "POST", path, AMENDMENT)) == (409, "VERSION_CONFLICT")
    staff.credentials()
    tag = tag_of(staff, f"/pools/{pool.pk}")
    assert respond(having_seen(staff, tag), "POST", path, AMENDMENT).status_code == 201


def test_players_who_join_are_no_reason_to_refuse_an_edit(staff):
    pool = PoolFactory(status=PoolStatus.OPEN)
    tag = tag_of(staff, f"/pools/{pool.pk}")
    EntryFactory(in_pool=pool)
    assert tag_of(staff, f"/pools/{pool.pk}") != tag
    assert respond(having_seen(staff, tag), "POST", f"/pools/{pool.pk}/amendments", AMENDMENT).status_code == 201


def test_a_picture_is_set_and_removed_by_whoever_saw_the_last(staff, draft):
    path = f"/api/v1/pools/{draft.pk}/logo"
    having_seen(staff, tag_of(staff, f"/pools/{draft.pk}"))

    def put(colour):
        file = SimpleUploadedFile("logo.png", papers.picture("PNG", colour=colour), "image/png")
        return staff.put(path, {"file": file}, format="multipart")

    first = put((0, 0, 255))
    assert first.status_code == 200
    assert code_of(put((0, 255, 0))) == (409, "VERSION_CONFLICT")
    assert code_of(staff.delete(path)) == (409, "VERSION_CONFLICT")
    assert having_seen(staff, first["ETag"]).delete(path).status_code == 204


def test_a_result_is_entered_by_whoever_saw_the_game(staff):
    competition = league()
    lock_round(competition.rounds.get(number=1))
    game = competition.games.filter(round__number=1).first()
    path = f"/games/{game.pk}/result"
    body = {"status": "in_progress", "home_score": 0, "away_score": 0}
    having_seen(staff, tag_of(staff, path))
    first = respond(staff, "PUT", path, body)
    assert first.status_code == 200
    assert code_of(respond(staff, "PUT", path, body | {"home_score": 7})) == (409, "VERSION_CONFLICT")
    assert respond(having_seen(staff, first["ETag"]), "PUT", path, body | {"home_score": 7}).status_code == 200


def test_anybody_reads_a_game_and_nobody_one_that_is_not_there(api):
    game = league().games.first()
    answer = respond(api(), "GET", f"/games/{game.pk}/result")
    assert (answer.json()["data"]["id"], answer.json()["data"]["status"]) == (game.pk, "scheduled")
    assert code_of(respond(api(), "GET", "/games/4711/result")) == (404, "NOT_FOUND")
