"""Pools in which each game locks for itself: when picks are revealed, and who sees what before."""

import pytest

from entries.queries.reveal import is_revealed, revealed_rounds
from entries.services.picks import delete_pick, save_pick
from pools.models import Game, GameStatus, Round
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import kick_off
from tests.support.calls import call, respond
from tests.support.weekend import after_monday, game, weekly_pool


@pytest.fixture
def pool(db):
    return weekly_pool()


def choose(entry, number, *codes):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=codes)


def take_back(entry, number):
    return delete_pick(entry_id=entry.pk, user=entry.user, round_number=number)


# --- The reveal -------------------------------------------------------------------------------------------------


def shown_games() -> set[str]:
    return set(Game.objects.filter(revealed_at__isnull=False).values_list("home__code", flat=True))


def test_each_game_is_revealed_with_its_own_lock(pool):
    assert (revealed_rounds(pool.competition_id), shown_games()) == (set(), set())
    first = Round.objects.get(number=1)

    kick_off(game("ANT"))
    assert revealed_rounds(pool.competition_id) == {first.pk}
    assert shown_games() == {"ANT"}

    kick_off(game("CAT"))
    assert is_revealed(first)
    assert shown_games() == {"ANT", "CAT"}


def test_all_that_is_due_is_revealed_in_one_statement(pool, django_assert_num_queries):
    after_monday(1), after_monday(2)

    with django_assert_num_queries(3):  # what is due, the reveal, and how things stand then
        assert len(revealed_rounds(pool.competition_id)) == 2
    with django_assert_num_queries(1):
        revealed_rounds(pool.competition_id)
    assert Game.objects.filter(revealed_at__isnull=True).count() == 0


def test_a_game_is_revealed_once(pool):
    kick_off(game("ANT"))
    revealed_rounds(pool.competition_id)
    at = game("ANT").revealed_at

    kick_off(game("CAT"))
    revealed_rounds(pool.competition_id)

    assert game("ANT").revealed_at == at


# --- What others see --------------------------------------------------------------------------------------------

SECRETS = ("CAT", "DOG", "ELK", "FOX")
DOORS = (
    "/pools/{pool}/standings", "/pools/{pool}/rounds/1/distribution", "/pools/{pool}/rounds/1/report.json",
    "/pools/{pool}/rounds/1/report.csv", "/entries", "/entries/{entry}", "/entries/{entry}/picks",
)  # fmt: skip


@pytest.fixture
def field(pool):
    """One entry on each game, and one without a pick; Thursday's game has begun."""
    entries = {code: EntryFactory(in_pool=pool) for code in ("ANT", "CAT", "ELK", None)}
    for code, one in entries.items():
        if code:
            pick(one, 1, code)
    kick_off(game("ANT"))
    return entries


def text(api, door, entry, caller) -> str:
    path = door.format(pool=entry.pool_id, entry=entry.pk)
    return respond(api(caller), "GET", path).content.decode()


@pytest.mark.parametrize("door", DOORS)
def test_nobody_sees_the_pick_of_a_game_to_come(api, field, moderator, door):
    for one in field.values():
        said = text(api, door, one, moderator)
        assert not any(code in said for code in SECRETS)


@pytest.mark.parametrize("door", DOORS)
def test_everybody_sees_the_pick_of_a_game_that_has_begun(api, pool, field, moderator, door):
    revealed_rounds(pool.competition_id)

    assert "ANT" in text(api, door, field["ANT"], moderator)


@pytest.mark.parametrize("door", DOORS[:4])
def test_who_has_not_picked_looks_like_who_has_until_the_round_is_closed(api, pool, field, door):
    before = text(api, door, field["ANT"], None)
    choose(field[None], 1, "FOX"), take_back(field["ELK"], 1)

    assert without_meta(text(api, door, field["ANT"], None)) == without_meta(before)


def without_meta(said: str) -> str:
    return said.split('"meta"')[0]


def test_the_owner_sees_his_pick_all_along(api, field):
    entry = field["CAT"]

    assert [line["team"] for line in picks(api, entry, entry.user)] == ["CAT"]
    assert picks(api, entry, ModeratorFactory()) == []


def picks(api, entry, caller):
    return call(api(caller), "GET", f"/entries/{entry.pk}/picks")[1]


def test_nobody_has_missed_the_round_before_it_is_closed(api, pool, field):
    absent = field[None]
    report = f"/pools/{pool.pk}/rounds/1/report.json"
    open_ = call(api(), "GET", report)[1]

    assert (open_["missed"], open_["picks_total"]) == (None, 1)
    assert [line["result"] for line in open_["entries"]] == ["pending"] * 4
    assert picks(api, absent, absent.user) == []

    after_monday()

    closed = call(api(), "GET", report)[1]
    assert (closed["missed"], closed["picks_total"]) == (1, 3)
    assert [line["team"] for line in closed["entries"]] == ["ANT", "CAT", "ELK", None]
    assert [line["result"] for line in picks(api, absent, absent.user)] == ["missed"]


def test_a_pick_whose_game_has_left_the_round_shows_when_the_round_is_closed(api, pool, field, moderator):
    moved = game("CAT")
    Game.objects.filter(pk=moved.pk).update(round=Round.objects.get(number=2))
    kick_off(moved)
    assert picks(api, field["CAT"], moderator) == []

    kick_off(game("ELK"))

    assert [(line["team"], line["result"]) for line in picks(api, field["CAT"], moderator)] == [("CAT", "lost")]


def test_a_pick_whose_game_is_off_before_its_lock_shows_when_the_round_is_closed(api, field, moderator):
    Game.objects.filter(pk=game("ELK").pk).update(status=GameStatus.CANCELLED)
    assert picks(api, field["ELK"], moderator) == []

    kick_off(game("CAT"))

    assert [(line["team"], line["result"]) for line in picks(api, field["ELK"], moderator)] == [("ELK", "lost")]


def test_a_pick_that_can_still_change_is_pending_to_its_owner_whatever_its_game(api, field):
    entry = field["ELK"]
    Game.objects.filter(pk=game("ELK").pk).update(status=GameStatus.CANCELLED)

    assert [(line["team"], line["result"], line["locked"]) for line in picks(api, entry, entry.user)] == [
        ("ELK", "pending", False)
    ]


def test_how_a_pick_changed_is_told_to_staff_when_the_round_is_closed(api, field, moderator):
    entry = field["ANT"]
    path = f"/entries/{entry.pk}/picks/1/history"

    assert call(api(moderator), "GET", path) == (403, "FORBIDDEN")
    assert call(api(entry.user), "GET", path)[0] == 200
    after_monday()
    assert [step["to"] for step in call(api(moderator), "GET", path)[1]] == ["ANT"]
