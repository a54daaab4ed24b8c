"""Before its lock nobody but the owner learns a pick, at whatever door he knocks."""

import logging
import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from entries.models import Pick, PickChange
from entries.queries.reveal import revealed_rounds
from entries.services.fallbacks import save_fallback
from entries.services.picks import save_pick
from pools.models import Round
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import respond
from tests.support.playing import enter

# Found in no other text of an answer.
SECRET = "QXZJ"
DOORS = (
    "/pools", "/pools/{pool}", "/pools/{pool}/rounds", "/pools/{pool}/rounds/1", "/pools/{pool}/standings",
    "/pools/{pool}/standings?search=QXZJ", "/pools/{pool}/standings?status=active&ordering=picks__team",
    "/pools/{pool}/rounds/1/distribution", "/pools/{pool}/rounds/1/report.json", "/pools/{pool}/rounds/1/report.csv",
    "/entries", "/entries?search=QXZJ", "/entries?team=QXZJ", "/entries/{entry}", "/entries/{entry}/picks",
    "/entries/{entry}/picks?page=1", "/entries/{entry}/picks/1/history", "/entries/{entry}/fallback",
    "/requests", "/requests/{request}",
)  # fmt: skip
# These list the games that can be picked, and so every team of the competition.
GAMES_SHOWN = ("/pools/{pool}/rounds", "/pools/{pool}/rounds/1")
OTHERS = (None, UserFactory, ModeratorFactory, FinanceFactory, AdminFactory)


@pytest.fixture
def pool(db):
    return PoolFactory(
        competition=league(rounds=2, codes=(SECRET, "BAT", "CAT", "DOG")), rules={"missed_pick": "fallback"}
    )


@pytest.fixture
def entry(pool):
    """An entry that picked the team, and has it on its fallback list."""
    made = enter(pool, SECRET)
    save_fallback(entry_id=made.pk, user=made.user, teams=["BAT", SECRET])
    return made


def filled(path, entry) -> str:
    return path.format(pool=entry.pool_id, entry=entry.pk, request=entry.request_id)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("door", [door for door in DOORS if door not in GAMES_SHOWN])
def test_no_door_shows_a_pick_before_its_lock(api, entry, door, other):
    caller = other() if other else None

    answer = respond(api(caller), "GET", filled(door, entry))

    assert SECRET not in answer.content.decode()


def test_the_doors_do_show_it_to_the_owner_or_after_the_lock(api, entry, moderator):
    """So that the test above cannot pass for another reason."""
    own = ("/entries", "/entries/{entry}", "/entries/{entry}/picks", "/entries/{entry}/picks/1/history")
    for door in (*own, "/entries/{entry}/fallback"):
        assert SECRET in respond(api(entry.user), "GET", filled(door, entry)).content.decode()
    lock_round(Round.objects.get(number=1))
    for door in DOORS:
        if any(part in door for part in ("standings", "distribution", "report", "/picks")) and "?" not in door:
            assert SECRET in respond(api(moderator), "GET", filled(door, entry)).content.decode(), door


def test_answers_about_a_round_are_the_same_whatever_was_picked(api, entry, pool):
    """Not its text alone: no count, no order and no message may tell picks apart."""
    path = f"/api/v1/pools/{pool.pk}/standings"
    before = api().get(path).json()["data"]

    save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["BAT"])

    assert api().get(path).json()["data"] == before


@pytest.mark.parametrize("other", [ModeratorFactory, FinanceFactory, AdminFactory])
def test_refusals_to_others_do_not_tell_what_was_picked(api, entry, other):
    caller = api(other())
    path = f"/api/v1/entries/{entry.pk}/picks"
    messages = [
        caller.put(f"{path}/2", {"team": SECRET}).json()["error"],
        caller.put(f"{path}/2", {"team": "BAT"}).json()["error"],
        caller.delete(f"{path}/1").json()["error"],
        caller.delete(f"{path}/2").json()["error"],
    ]

    assert all(error == messages[0] for error in messages)
    assert SECRET not in str(messages)


@pytest.mark.parametrize("other", [ModeratorFactory, FinanceFactory, AdminFactory])
def test_the_admin_shows_no_pick_in_lists_pages_searches_or_history(entry, other):
    browser = Client()
    browser.force_login(other())
    pages = (
        "/admin/", "/admin/entries/entry/", f"/admin/entries/entry/{entry.pk}/change/",
        f"/admin/entries/entry/?q={SECRET}",
        f"/admin/entries/request/{entry.request_id}/change/", "/admin/entries/pick/", "/admin/entries/pickchange/",
        "/admin/entries/fallback/", "/admin/entries/fallbackchange/",
    )  # fmt: skip

    for page in pages:
        answer = browser.get(page)
        assert answer.status_code in (200, 302, 403, 404), page
        assert SECRET not in answer.content.decode().replace(f'value="{SECRET}"', "").replace(f"={SECRET}", ""), page


def test_the_admin_has_no_filter_that_tells_picks_apart(entry, admin_user):
    browser = Client()
    browser.force_login(admin_user)

    for team in (SECRET, "BAT"):
        assert browser.get(f"/admin/entries/entry/?picks__team__code={team}").status_code == 400


def test_neither_a_pick_nor_its_change_says_its_team_when_printed(entry):
    assert SECRET not in f"{Pick.objects.get()} {PickChange.objects.get()} {entry} {Pick.objects.get()!r}"


def test_saving_a_pick_leaves_no_team_in_the_logs(api, entry, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)

    api(entry.user).put(f"/api/v1/entries/{entry.pk}/picks/1", {"team": "BAT"})
    api(entry.user).put(f"/api/v1/entries/{entry.pk}/picks/1", {"team": SECRET})
    api(entry.user).put(f"/api/v1/entries/{entry.pk}/picks/2", {"team": SECRET})
    api(entry.user).put(f"/api/v1/entries/{entry.pk}/fallback", {"teams": [SECRET]})

    said = "\n".join(r.getMessage() for r in caplog.records if r.name != "django.db.backends")
    assert SECRET not in said


@pytest.mark.django_db(transaction=True)
def test_nobody_sees_picks_while_one_made_in_time_is_still_being_written(api):
    """Whoever reads between the lock and the last commit would see half the picks, and could still not know his own."""
    pool = PoolFactory(competition=league(rounds=2, codes=(SECRET, "BAT", "CAT", "DOG")))
    entry, late = enter(pool, SECRET), enter(pool)
    round_ = Round.objects.get(number=1)
    written, go_on = threading.Event(), threading.Event()

    def save_slowly() -> None:
        with transaction.atomic():
            save_pick(entry_id=late.pk, user=late.user, round_number=1, teams=["BAT"])
            written.set()
            go_on.wait(10)
        connection.close()

    writer = threading.Thread(target=save_slowly)
    writer.start()
    assert written.wait(10)
    with connection.cursor() as cursor:
        # Time passes the lock, without the guards that would wait for the writer.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE pools_round SET fixed_locks_at = clock_timestamp() WHERE id = %s", [round_.pk])
        cursor.execute("SET session_replication_role = origin")

    answers = [
        respond(api(), "GET", filled(door, entry)) for door in DOORS if "distribution" in door or "report" in door
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert revealed_rounds(pool.competition_id) == set()

    go_on.set()
    writer.join()
    spread = respond(api(), "GET", filled("/pools/{pool}/rounds/1/distribution", entry)).json()["data"]
    assert {line["team"]: line["picks"] for line in spread} == {SECRET: 1, "BAT": 1}
