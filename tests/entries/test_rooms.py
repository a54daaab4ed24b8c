"""The round room: counts and never a team before the lock; picks, fates, results and rulings after it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from config.clock import database_now
from entries.queries.rooms import entries as pages
from entries.queries.rooms import waiting
from entries.services.settlement import settle_competition
from pools.models import FeedSource, Game, TypedResult
from pools.services.results import record_result
from pools.services.typed_results import Typed, type_result
from tests.factories.entries import pick
from tests.factories.pools import PoolFactory, finish, lock_round
from tests.support.playing import enter, play
from tests.support.ruling import game_of, propose, rule

pytestmark = pytest.mark.django_db
LIST = reverse("admin:entries_entry_rooms")


@pytest.fixture
def office(client):
    def sign_in(person):
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return sign_in


@pytest.fixture
def pool():
    """Two have picked, one has not."""
    pool = PoolFactory(name="Cup", status="running")
    for code in ("ANT", "BAT"):
        pick(enter(pool), 1, code)
    enter(pool)
    return pool


def room(pool, number=1, query=""):
    return f"{reverse('admin:entries_room', args=[pool.pk, number])}{query}"


def results(pool):
    return reverse("admin:entries_room_results", args=[pool.competition.rounds.get(number=1).pk])


def text_of(answer):
    assert answer.status_code == 200, answer.status_code
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def constant(answer):
    """The page, without what is drawn by lot for each."""
    return re.sub(r'value="\w{64}"', "", answer.content.decode())


def shown(answer):
    return [row.entry.pk for row in answer.context["page"].rows]


def test_before_the_lock_it_tells_who_has_picked_and_never_what(office, pool, moderator):
    ant, bat, nobody = pool.entries.order_by("pk")
    browser = office(moderator)
    page = browser.get(room(pool))
    assert shown(page) == [nobody.pk]
    assert shown(browser.get(room(pool, query="?lane=picked"))) == [ant.pk, bat.pk]
    told = text_of(page)
    assert "Have picked 2 No pick yet 1" in told
    # Title and header name the pool and the round, not the app and its list.
    assert "Cup, Round 1 | Outlast" in told
    assert [step["title"] for step in page.context["crumbs"]] == ["Round room", "Cup", "Round 1"]
    assert "Round room chevron_right Cup chevron_right Round 1" in told
    # Which game is there: the picks are not, nor anything that changes with them.
    before = constant(page)
    ant.picks.all().delete()
    pick(ant, 1, "DOG")
    assert constant(browser.get(room(pool))) == before
    assert "Picks by team" not in told
    # Nonsense in the address is left out, and what is shown later is not shown before.
    for query in ("?lane=alive", "?lane=x&after=9", "?after=1-x", "?after=99999999999-1"):
        assert shown(browser.get(room(pool, query=query))) == [nobody.pk]


def test_after_the_lock_it_tells_the_spread_and_what_became_of_each(office, pool, moderator):
    ant, bat, nobody = pool.entries.order_by("pk")
    lock_round(pool.competition.rounds.get(number=1))
    browser = office(moderator)
    page = browser.get(room(pool))
    assert "ANT The Ants 1 50.0 % Not decided BAT The Bats 1 50.0 % Not decided" in text_of(page)
    assert shown(page) == [ant.pk, bat.pk]
    finish(game_of(pool, 1, "ANT"), 20, 10)
    settle_competition(competition_id=pool.competition_id)
    # What was told is numbered at the commit.
    connection.check_constraints()
    assert shown(browser.get(room(pool))) == []
    out = browser.get(room(pool, query="?lane=out"))
    assert shown(out) == [bat.pk, nobody.pk]
    assert shown(browser.get(room(pool, query="?lane=alive"))) == [ant.pk]
    told = text_of(out)
    assert "Out in this round 2 Still in 1" in told
    assert "2 entries fell" in told
    assert "BAT" in told


def test_its_changing_part_is_fetched_by_etag(office, pool, moderator):
    lock_round(pool.competition.rounds.get(number=1))
    browser = office(moderator)
    address = reverse("admin:entries_room_live", args=[pool.pk, 1])
    seen = re.search(r'data-seen="&quot;(\w+)&quot;"', browser.get(room(pool)).content.decode())[1]
    same = browser.get(address, headers={"If-None-Match": f'"{seen}"'})
    assert (same.status_code, same.content) == (304, b"")
    finish(game_of(pool, 1, "ANT"), 20, 10)
    changed = browser.get(address, headers={"If-None-Match": f'"{seen}"'})
    assert (changed.status_code, changed["ETag"] != f'"{seen}"') == (200, True)
    assert "20-10" in text_of(changed)


def test_a_page_looks_at_a_stretch_and_goes_on(office, pool, moderator, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 1)
    monkeypatch.setattr(pages, "STRETCH", 2)
    browser = office(moderator)
    found, query, asked = [], "?lane=picked", 0
    for _ in range(4):
        page = browser.get(room(pool, query=query))
        found, asked = found + shown(page), asked + 1
        if not page.context["next"]:
            break
        query = f"?{page.context['next']}"
    assert (found, asked) == ([entry.pk for entry in pool.entries.order_by("pk")[:2]], 2)
    # None among the first two: the page is empty, and leads on.
    page = browser.get(room(pool, query="?lane=missing"))
    assert (shown(page), "Go on." in text_of(page)) == ([], True)
    assert shown(browser.get(room(pool, query=f"?{page.context['next']}"))) == [pool.entries.last().pk]


def test_a_room_costs_the_same_for_one_entry_and_for_three(office, moderator):
    browser = office(moderator)

    def queries(address):
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    pool = PoolFactory(status="running")
    pick(enter(pool), 1, "ANT")
    queries(room(pool))
    open_one, list_one = queries(room(pool)), queries(LIST)
    for _ in range(2):
        pick(enter(pool), 1, "BAT")
    assert (queries(room(pool)), queries(LIST)) == (open_one, list_one)
    lock_round(pool.competition.rounds.get(number=1))
    queries(room(pool))
    for lane in ("waiting", "alive", "out"):
        assert queries(room(pool, query=f"?lane={lane}")) <= 25
    assert queries(results(pool)) <= 14
    assert queries(LIST) <= 14


def test_the_list_tells_which_rounds_wait_for_whom(office, pool, moderator):
    first = pool.competition.rounds.get(number=1)
    browser = office(moderator)
    page = browser.get(LIST)
    assert [lock.number for lock in page.context["locks"]] == [1]
    assert page.context["rounds"] == []
    lock_round(first)
    game = game_of(pool, 1, "ANT")
    propose("game", game=game, verdict="not_played")
    Game.objects.filter(pk=game.pk).update(review="The feed is not sure.")
    told = text_of(browser.get(LIST))
    for words in ("0 of 2 decided", "1 game waits for a ruling", "waits for a second name", "Cup", "Type results"):
        assert words in told
    [one] = browser.get(LIST).context["rounds"]
    assert (one.number, one.is_urgent, [found.pk for found in one.pools]) == (1, True, [pool.pk])
    assert "not played" in text_of(browser.get(room(pool)))


def test_results_are_typed_twice_on_one_page(office, pool, moderator, colleague):
    round_ = pool.competition.rounds.get(number=1)
    lock_round(round_)
    one, two = round_.games.order_by("pk")
    FeedSource.objects.create(
        competition=pool.competition, kind="scoreboard", url="https://x.example/", season="2026",
        said={str(one.pk): "24-17"}, last_read_at=database_now(),
    )  # fmt: skip
    browser, address = office(moderator), results(pool)
    page = text_of(browser.get(address))
    assert "24-17" in page
    sent = {f"home-{one.pk}": "24", f"away-{one.pk}": "17", f"home-{two.pk}": "3", f"away-{two.pk}": "x"}
    answer = browser.post(address, sent)
    assert "1 game: Typed once." in text_of(answer)
    assert "Type a whole number from 0 to 999." in text_of(answer)
    assert 'value="x"' in answer.content.decode()
    # Blind: whoever types it again finds nothing of it in the page.
    waiting = TypedResult.objects.get()
    page = office(colleague).get(address).content.decode()
    assert f'name="home-{one.pk}" value=""' in page
    assert "typed once by" in page
    again = {f"home-{one.pk}": "24", f"away-{one.pk}": "17", f"waiting-{one.pk}": str(waiting.pk)}
    answer = browser.post(address, again | {f"home-{two.pk}": "3", f"away-{two.pk}": "0"})
    assert answer.status_code == 302
    assert Game.objects.get(pk=one.pk).home_score == 24
    # The other one is typed otherwise, and stays without a result; its difference is shown.
    browser.post(address, {f"home-{two.pk}": "0", f"away-{two.pk}": "3", f"waiting-{two.pk}": _waiting(two)})
    assert "3-0 ≠ 0-3" in text_of(browser.get(room(pool)))
    assert Game.objects.get(pk=two.pk).status == "scheduled"
    # What the same person sends twice is typed once, and does not stay in the page.
    for _ in range(2):
        answer = browser.post(address, {f"home-{two.pk}": "5", f"away-{two.pk}": "0"})
    assert "was typed already: look again" in text_of(answer)
    assert 'value="5"' not in answer.content.decode()
    gone = reverse("admin:entries_room_take_back", args=[_waiting(two)])
    assert "typed once by" in text_of(browser.get(gone))
    assert browser.post(gone).status_code == 302
    assert "can be typed anew" in text_of(browser.get(address))
    browser.post(gone)
    assert "cannot" in text_of(browser.get(address))


def _waiting(game):
    return str(TypedResult.objects.get(game=game, status="once").pk)


def test_pools_of_a_big_competition_leave_room_for_those_of_others(office, pool, moderator, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_POOLS", 1)
    other = PoolFactory(status="running")
    for each in (pool, other):
        PoolFactory(competition=each.competition, status="running")
        lock_round(each.competition.rounds.get(number=1))
    rounds = office(moderator).get(LIST).context["rounds"]
    assert [[found.pk for found in one.pools] for one in rounds] == [[pool.pk], [other.pk]]


@pytest.mark.parametrize("ruled", [(7, 6), (6, 7)])
def test_what_was_typed_otherwise_than_a_feed_says_waits_until_a_ruling(office, pool, moderator, colleague, ruled):
    # Whoever wins, two are left, and the pool goes on.
    for code in ("ANT", "BAT"):
        pick(enter(pool), 1, code)
    lock_round(pool.competition.rounds.get(number=1))
    ant, cat = (game_of(pool, 1, code) for code in ("ANT", "CAT"))
    first = type_result(game_id=ant.pk, typed=Typed(7, 6), by=moderator)
    for game in (ant, cat):
        record_result(game_id=game.pk, status="final", home_score=6, away_score=7, by=None)
    assert type_result(game_id=ant.pk, typed=Typed(7, 6, first.pk), by=colleague).status == "held"
    browser = office(moderator)
    [one] = browser.get(LIST).context["rounds"]
    assert (one.contradicted, one.is_urgent, "≠ 7-6" in text_of(browser.get(room(pool)))) == (1, True, True)
    rule("game", game=ant, verdict="score", home_score=ruled[0], away_score=ruled[1])
    assert browser.get(LIST).context["rounds"] == []
    told = text_of(browser.get(room(pool)))
    assert ("≠" in told, f"{ruled[0]}-{ruled[1]}" in told) == (False, True)


def test_a_feed_that_differs_is_marked(office, pool, moderator):
    round_ = pool.competition.rounds.get(number=1)
    lock_round(round_)
    game = round_.games.order_by("pk").first()
    FeedSource.objects.create(
        competition=pool.competition, kind="scoreboard", url="https://x.example/", season="2026",
        said={str(game.pk): "24-20"},
    )  # fmt: skip
    record_result(game_id=game.pk, status="final", home_score=24, away_score=17, by=moderator)
    assert "≠ 24-20" in text_of(office(moderator).get(room(pool)))


def test_the_room_of_a_pool_is_the_round_that_waits(office, pool, moderator):
    browser = office(moderator)
    current = reverse("admin:entries_room_current", args=[pool.pk])
    assert browser.get(current)["Location"] == room(pool)
    assert f'href="{current}"' in browser.get(reverse("admin:pools_pool_change", args=[pool.pk])).content.decode()
    play(pool, 1)
    assert browser.get(current)["Location"] == room(pool)
    for address in (room(pool, 9), room(PoolFactory(status="draft")), room(pool, 2)):
        assert browser.get(address).status_code == 404, address


def test_it_is_for_those_who_run_pools(office, pool, moderator, admin_user, finance, player, client):
    lock_round(pool.competition.rounds.get(number=1))
    addresses = [LIST, room(pool), results(pool), reverse("admin:entries_room_live", args=[pool.pk, 1])]
    for address in addresses:
        client.logout()
        assert client.get(address).status_code == 302
        assert office(player).get(address).status_code == 302
        assert office(finance).get(address).status_code == 403
        for person in (moderator, admin_user):
            assert office(person).get(address).status_code == 200
    game = game_of(pool, 1, "ANT")
    answer = office(finance).post(results(pool), {f"home-{game.pk}": "1", f"away-{game.pk}": "0"})
    assert answer.status_code == 403
    for name in ("entries_room_remind", "entries_room_current", "entries_room_take_back"):
        given = [pool.pk, 1] if name == "entries_room_remind" else [pool.pk]
        assert office(finance).post(reverse(f"admin:{name}", args=given)).status_code in (403, 405)
    assert not TypedResult.objects.exists()
