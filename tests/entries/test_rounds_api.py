"""A round of a pool after its lock: how picks were spread, and the whole round as JSON and CSV."""

import csv
import io

import pytest
from django.db import connection

from entries.api import report_files
from entries.models import Entry
from entries.queries.rounds import report_lines
from pools.models import Game, GameStatus, Round
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory, finish, league, lock_round
from tests.support.calls import call, respond
from tests.support.playing import enter, play, void

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")
DOORS = ("distribution", "report.json", "report.csv")
# The pool, the round, and the answer itself; for a report, what its version is and until when that holds.
QUERIES = {"distribution": 4, "report.json": 6, "report.csv": 6}


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


@pytest.fixture
def ask(api, pool):
    def get(door, number=1, caller=None):
        return respond(api(caller), "GET", f"/pools/{pool.pk}/rounds/{number}/{door}")

    return get


def rows_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("door", DOORS)
def test_nobody_gets_in_before_the_lock_neither_the_owner_nor_staff(ask, pool, moderator, finance, admin_user, door):
    entry = enter(pool, "ANT")

    for caller in (None, entry.user, moderator, finance, admin_user):
        answer = ask(door, caller=caller)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert b"ANT" not in answer.content


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("number", [0, 4, 9999])
def test_a_round_that_the_pool_does_not_play_is_not_found(ask, door, number):
    assert ask(door, number).status_code == 404


def test_the_distribution_counts_each_team_with_its_share_and_result(ask, pool):
    for code in ("ANT", "ANT", "BAT", "CAT", "ANT", None):
        enter(pool, code)
    void(enter(pool, "FOX"))
    lock_round(Round.objects.get(number=1))
    finish(Game.objects.get(round__number=1, home__code="ANT"), 20, 10)

    assert ask("distribution").json()["data"] == [
        {"team": "ANT", "picks": 3, "share": 0.6, "result": "won"},
        {"team": "BAT", "picks": 1, "share": 0.2, "result": "lost"},
        {"team": "CAT", "picks": 1, "share": 0.2, "result": "pending"},
    ]


def test_a_round_without_picks_has_an_empty_distribution(ask, pool):
    enter(pool)
    lock_round(Round.objects.get(number=1))

    assert ask("distribution").json()["data"] == []


@pytest.mark.parametrize(
    ("rules", "status", "score", "result"),
    [
        ({}, GameStatus.FINAL, (10, 10), "tied"),
        ({}, GameStatus.CANCELLED, (None, None), "lost"),
        ({"cancelled_game": "win"}, GameStatus.POSTPONED, (None, None), "won"),
        ({"cancelled_game": "void"}, GameStatus.CANCELLED, (None, None), "void"),
        ({}, GameStatus.IN_PROGRESS, (7, 0), "pending"),
    ],
)
def test_a_result_is_a_fact_about_the_game_under_the_pools_rules(api, db, rules, status, score, result):
    pool = PoolFactory(rules=rules)
    enter(pool, "ANT")
    lock_round(Round.objects.get(number=1))
    game = Game.objects.get(round__number=1, home__code="ANT")
    game.status, (game.home_score, game.away_score) = status, score
    game.save()

    _, spread = call(api(), "GET", f"/pools/{pool.pk}/rounds/1/distribution")

    assert [line["result"] for line in spread] == [result]


def test_the_report_tells_the_fate_of_every_entry_that_was_in_play(ask, pool):
    survivor = enter(pool, "ANT", "CAT")
    loser, absent = enter(pool, "ANT", "BAT"), enter(pool, "CAT")
    out = enter(pool, "BAT", "ANT")
    enter(pool, "CAT", "ELK")
    void(enter(pool, "ANT", "CAT"))
    play(pool, 1)
    play(pool, 2)

    report = ask("report.json", 2).json()["data"]

    assert {key: report[key] for key in report if key not in ("entries", "locks_at")} == {
        "pool": pool.pk, "round": 2, "name": "Round 2", "picks_total": 3, "missed": 1, "eliminated": 2,
        "alive_after": 2,
    }  # fmt: skip
    lines = {line["entry"]: line for line in report["entries"]}
    assert out.pk not in lines
    assert lines[survivor.pk] == {
        "entry": survivor.pk, "reference": "", "display_name": survivor.user.display_name, "number": 1, "team": "CAT",
        "game": "02_DOG_CAT", "home": "CAT", "away": "DOG", "home_score": 20, "away_score": 10, "result": "won",
        "source": "player", "fate": "alive", "eliminated_reason": None, "rules_version": 1,
    }  # fmt: skip
    told = [
        (lines[e.pk]["team"], lines[e.pk]["result"], lines[e.pk]["fate"], lines[e.pk]["eliminated_reason"])
        for e in (loser, absent)
    ]
    assert told == [("BAT", "lost", "eliminated", "pick_lost"), (None, "missed", "eliminated", "no_pick")]


def test_the_report_is_there_from_the_lock_on_with_pending_results(ask, pool):
    enter(pool, "ANT")
    lock_round(Round.objects.get(number=1))

    (line,) = ask("report.json").json()["data"]["entries"]

    assert (line["result"], line["fate"], line["home_score"]) == ("pending", "alive", None)


def test_the_last_round_of_a_pool_names_its_winners(ask, pool):
    enter(pool, "ANT"), enter(pool, "BAT")
    play(pool, 1)

    assert [line["fate"] for line in ask("report.json").json()["data"]["entries"]] == ["winner", "eliminated"]


def test_the_csv_says_the_same_as_the_json(ask, pool):
    for code in ("ANT", "BAT", None, "CAT"):
        enter(pool, code)
    play(pool, 1)

    answer = ask("report.csv")
    entries = ask("report.json").json()["data"]["entries"]

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="pool-{pool.pk}-round-1.csv"'
    assert rows_of(answer) == [
        {key: "" if value is None else str(value) for key, value in line.items()} for line in entries
    ]


@pytest.mark.parametrize("name", ["=1+1", "+41", "-2", "@SUM(A1)", "\uff1dcmd"])
def test_a_name_that_looks_like_a_formula_is_made_harmless_in_csv(ask, pool, name):
    enter(pool, "ANT", owner=UserFactory(display_name=name))
    lock_round(Round.objects.get(number=1))

    assert rows_of(ask("report.csv"))[0]["display_name"] == f"'{name}"
    assert ask("report.json").json()["data"]["entries"][0]["display_name"] == name


def test_a_name_with_commas_quotes_and_markup_arrives_as_it_is(ask, pool):
    name = 'O"Neil, <b>Ada</b> \u2603'
    enter(pool, "ANT", owner=UserFactory(display_name=name))
    lock_round(Round.objects.get(number=1))

    assert rows_of(ask("report.csv"))[0]["display_name"] == name
    assert ask("report.json").json()["data"]["entries"][0]["display_name"] == name


def test_csv_can_be_asked_for_by_its_type_and_json_is_not_acceptable_there(api, pool):
    enter(pool, "ANT")
    lock_round(Round.objects.get(number=1))
    path = f"/api/v1/pools/{pool.pk}/rounds/1/report.csv"

    assert api().get(path, headers={"Accept": "text/csv"}).status_code == 200
    refused = api().get(path, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("door", DOORS)
def test_the_number_of_queries_does_not_grow_with_entries(ask, pool, django_assert_num_queries, door):
    enter(pool, "ANT")
    lock_round(Round.objects.get(number=1))
    enter(pool), enter(pool)
    ask(door)  # whoever comes first reveals
    with django_assert_num_queries(QUERIES[door]):
        ask(door)
    enter(pool), enter(pool)
    with django_assert_num_queries(QUERIES[door]):
        ask(door)


@pytest.mark.django_db(transaction=True)
def test_a_report_shows_one_moment_however_slowly_it_is_read():
    pool = PoolFactory()
    first, last = enter(pool, "ANT"), enter(pool, "BAT")
    round_ = Round.objects.get(number=1)
    lock_round(round_)

    lines = report_lines(pool, round_)
    assert next(lines).entry == first.pk
    Entry.objects.filter(pk=last.pk).update(status="eliminated", eliminated_round_number=1, eliminated_code="pick_lost")

    assert [(line.entry, line.fate) for line in lines] == [(last.pk, "alive")]
    assert not connection.in_atomic_block


def test_a_report_of_many_blocks_is_whole(ask, pool, monkeypatch):
    monkeypatch.setattr(report_files, "BLOCK", 300)
    entries = [enter(pool).pk for _ in range(7)]
    lock_round(Round.objects.get(number=1))

    assert [line["entry"] for line in ask("report.json").json()["data"]["entries"]] == entries
    assert [int(row["entry"]) for row in rows_of(ask("report.csv"))] == entries
