"""Rulings over the API: by moderators, for every player of the pool to read."""

import csv
import io

import pytest

from entries.models import Ruling
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, lock_round
from tests.support.calls import call, respond
from tests.support.playing import enter, play
from tests.support.ruling import game_of, propose, reverse, rule, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    """Round 1 is played and settled; ANT has won, BAT and DOG are out, and the pool is over."""
    pool = PoolFactory(entry_fee_cents=5000)
    for code in ("ANT", "BAT", "DOG"):
        enter(pool, code)
    play(pool, 1)
    return pool


def score(pool, **fields):
    """The body of a correction: ANT lost at home."""
    details = {"verdict": "score", "home_score": 0, "away_score": 7}
    return {"kind": "game", "game": game_of(pool, 1, "ANT").pk, "details": details, "reason": "Misread."} | fields


def test_a_correction_is_proposed_looked_at_and_confirmed_by_somebody_else(api, pool, moderator, colleague):
    status, made = call(api(moderator), "POST", "/rulings", score(pool))
    assert (status, made["status"], made["pool"], made["changes"]["eliminated"]) == (201, "proposed", None, 0)
    assert made["sentence"] == "BAT at ANT in round 1 ended 0-7, home side first."
    assert made["details"] == {"verdict": "score", "round": 1, "home_score": 0, "away_score": 7}
    before = state_of(pool)

    status, preview = call(api(colleague), "GET", f"/rulings/{made['id']}/preview")
    ant, bat, _ = pool.entries.order_by("pk")
    assert (status, preview["has_conflict"], state_of(pool)) == (200, False, before)
    assert [(line["entry"], line["from_status"], line["to_status"]) for line in preview["titles"]] == [
        (ant.pk, "winner", "eliminated"), (bat.pk, "eliminated", "winner"),
    ]  # fmt: skip
    assert [(line["from_prize_cents"], line["to_prize_cents"]) for line in preview["titles"]] == [
        (15000, None), (None, 15000),
    ]  # fmt: skip
    [one] = preview["pools"]
    assert (one["pool"], one["currency"], one["gained_cents"], one["lost_cents"]) == (pool.pk, "usd", 15000, 15000)
    assert preview["changes"]["winners"] == 1

    status, done = call(api(colleague), "POST", f"/rulings/{made['id']}/confirm")
    assert (status, done["status"], done["decided_by"]) == (200, "confirmed", colleague.display_name)
    assert done["changes"] == preview["changes"] | {"gained_cents": 0, "lost_cents": 0}
    assert state_of(pool) != before

    status, undo = call(api(colleague), "POST", f"/rulings/{made['id']}/reversal", {"reason": "It was right."})
    assert (status, undo["kind"], undo["reverses"]) == (201, "reversal", made["id"])
    assert call(api(moderator), "POST", f"/rulings/{undo['id']}/confirm")[0] == 200
    assert state_of(pool) == before
    assert call(api(moderator), "GET", f"/rulings/{made['id']}")[1]["reversed_by"] == undo["id"]


def test_what_was_seen_is_done_or_nothing(api, pool, moderator, colleague):
    _, made = call(api(moderator), "POST", "/rulings", score(pool))
    path = f"/rulings/{made['id']}"
    seen = call(api(colleague), "GET", f"{path}/preview")[1]["fingerprint"]
    dropped = propose("disqualify", by=moderator, entry=pool.entries.order_by("pk")[1])
    assert call(api(colleague), "POST", f"/rulings/{dropped.pk}/confirm", {})[0] == 200
    before = state_of(pool)
    assert call(api(colleague), "POST", f"{path}/confirm", {"fingerprint": "seen"}) == (400, "VALIDATION_ERROR")
    assert call(api(colleague), "POST", f"{path}/confirm", {"fingerprint": seen}) == (409, "RULING_STALE")
    assert state_of(pool) == before
    now = call(api(colleague), "GET", f"{path}/preview")[1]["fingerprint"]
    assert call(api(colleague), "POST", f"{path}/confirm", {"fingerprint": now})[0] == 200


def test_the_whole_preview_is_a_csv_file(api, pool, moderator):
    proposal = propose("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    answer = respond(api(moderator), "GET", f"/rulings/{proposal.pk}/preview.csv")
    assert answer["Content-Disposition"] == f'attachment; filename="ruling-{proposal.pk}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["from_status"], row["to_status"]) for row in rows] == [
        ("winner", "eliminated"), ("eliminated", "winner"),
    ]  # fmt: skip
    assert Ruling.objects.get().status == "proposed"


def test_whoever_proposed_it_cannot_confirm_it(api, pool, moderator):
    _, made = call(api(moderator), "POST", "/rulings", score(pool))
    assert call(api(moderator), "POST", f"/rulings/{made['id']}/confirm") == (403, "FORBIDDEN")
    assert call(api(moderator), "GET", f"/rulings/{made['id']}")[1]["status"] == "proposed"


def test_a_proposal_is_withdrawn_and_then_gone(api, pool, moderator, colleague):
    _, made = call(api(moderator), "POST", "/rulings", score(pool))
    assert call(api(moderator), "POST", f"/rulings/{made['id']}/withdraw")[1]["status"] == "withdrawn"
    for what in ("confirm", "withdraw"):
        assert call(api(colleague), "POST", f"/rulings/{made['id']}/{what}") == (409, "INVALID_TRANSITION")
    assert call(api(colleague), "GET", f"/rulings/{made['id']}/preview") == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"kind": "pardon"}, (400, "VALIDATION_ERROR")),
        ({"kind": "reversal"}, (400, "VALIDATION_ERROR")),
        ({"reason": ""}, (400, "VALIDATION_ERROR")),
        ({"details": {}}, (400, "VALIDATION_ERROR")),
        ({"details": {"verdict": "score", "home_score": 0}}, (400, "VALIDATION_ERROR")),
        ({"details": {"verdict": "score", "home_score": 20, "away_score": 10}}, (201, None)),
        ({"game": 999_999}, (404, "NOT_FOUND")),
        ({"game": None}, (400, "VALIDATION_ERROR")),
        ({"kind": "disqualify", "entry": 999_999, "details": {}}, (404, "NOT_FOUND")),
    ],
)
def test_what_cannot_be_proposed_is_refused(api, pool, moderator, changes, answer):
    status, code = call(api(moderator), "POST", "/rulings", score(pool) | changes)
    assert (status, code if status >= 400 else None) == answer


def test_rulings_about_entries_are_proposed(api, pool, moderator):
    entry = pool.entries.order_by("pk")[1]
    for kind, details in (("pick", {"round": 1, "teams": ["CAT"]}), ("disqualify", {}), ("reinstate", {"resumes": 2})):
        body = {"kind": kind, "entry": entry.pk, "details": details, "reason": "Seen."}
        status, made = call(api(moderator), "POST", "/rulings", body)
        assert (status, made["entry"], made["pool"]) == (201, entry.pk, pool.pk)
    assert made["details"] == {"resumes": 2, "fell_in": 1}


def test_only_moderators_and_admins_rule(api, pool, player, finance, admin_user, moderator):
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    calls = [
        ("GET", "/rulings", None), ("POST", "/rulings", score(pool)), ("GET", f"/rulings/{proposal.pk}", None),
        ("GET", f"/rulings/{proposal.pk}/preview", None), ("GET", f"/rulings/{proposal.pk}/preview.csv", None),
        ("POST", f"/rulings/{proposal.pk}/confirm", None), ("POST", f"/rulings/{proposal.pk}/withdraw", None),
        ("POST", f"/rulings/{proposal.pk}/reversal", {"reason": "No."}),
    ]  # fmt: skip
    for method, path, body in calls:
        assert call(api(), method, path, body) == (401, "NOT_AUTHENTICATED")
        for person in (player, finance):
            assert call(api(person), method, path, body) == (403, "FORBIDDEN")
    assert call(api(admin_user), "POST", f"/rulings/{proposal.pk}/confirm")[0] == 200


def test_an_unknown_ruling_is_not_found(api, moderator):
    for path in ("/rulings/99", "/rulings/99/preview", "/rulings/99/preview.csv"):
        assert call(api(moderator), "GET", path) == (404, "NOT_FOUND")
    assert call(api(moderator), "POST", "/rulings/99/confirm") == (404, "NOT_FOUND")


def test_rulings_are_listed_by_status_kind_pool_and_game(api, pool, moderator):
    entry, game = pool.entries.first(), game_of(pool, 1, "ANT")
    first = propose("game", game=game, verdict="not_played")
    second = rule("disqualify", entry=entry)
    for query, found in (
        ({}, [second, first]),
        ({"status": "proposed"}, [first]),
        ({"kind": "disqualify"}, [second]),
        ({"pool": pool.pk}, [second]),
        ({"game": game.pk}, [first]),
        ({"entry": entry.pk}, [second]),
        ({"competition": pool.competition.code}, [second, first]),
    ):
        status, rows = call(api(moderator), "GET", "/rulings", **query)
        assert (status, [row["id"] for row in rows]) == (200, [ruling.pk for ruling in found])


@pytest.mark.parametrize("number", [1, 3])
def test_the_lists_cost_the_same_for_one_ruling_and_for_three(
    api, pool, moderator, number, django_assert_max_num_queries
):
    for entry in list(pool.entries.all())[:number]:
        rule("disqualify", entry=entry)
    client = api(moderator)
    for path in ("/rulings", f"/pools/{pool.pk}/rulings"):
        with django_assert_max_num_queries(4):
            assert len(call(client, "GET", path)[1]) == number


# --- For players -------------------------------------------------------------------------------------------------


def test_every_player_of_the_pool_reads_what_was_ruled_and_by_whom(api, pool, moderator, colleague, player, finance):
    asking = RequestFactory(pool=pool, user=player)
    entry = pool.entries.order_by("pk")[1]
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7, reason="Misread.")
    propose("disqualify", entry=entry)
    for reader in (asking.user, entry.user, moderator, finance):
        status, [shown] = call(api(reader), "GET", f"/pools/{pool.pk}/rulings")
        assert (status, shown["id"], shown["reason"]) == (200, done.pk, "Misread.")
        assert (shown["proposed_by"], shown["decided_by"]) == (
            done.proposed_by.display_name, done.decided_by.display_name,
        )  # fmt: skip
        assert (shown["has_conflict"], shown["reversed_by"]) == (False, None)
        assert (shown["changes"]["winners"], shown["changes"]["gained_cents"]) == (1, 15000)


def test_a_stranger_reads_nothing(api, pool, stranger):
    assert call(api(), "GET", f"/pools/{pool.pk}/rulings") == (401, "NOT_AUTHENTICATED")
    assert call(api(stranger), "GET", f"/pools/{pool.pk}/rulings") == (404, "NOT_FOUND")
    assert call(api(stranger), "GET", "/pools/999/rulings") == (404, "NOT_FOUND")


def test_a_reversed_ruling_stays_with_the_one_that_undid_it(api, pool, moderator):
    done = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    undone = reverse(done)
    _, shown = call(api(moderator), "GET", f"/pools/{pool.pk}/rulings")
    assert [(row["id"], row["reverses"], row["reversed_by"]) for row in shown] == [
        (undone.pk, done.pk, None), (done.pk, None, undone.pk),
    ]  # fmt: skip


def test_nothing_of_a_pick_ahead_is_told(api, player, moderator):
    """The team that gave way is kept with the ruling; nobody reads it there."""
    pool = PoolFactory()
    entry = enter(pool, "CAT", None, "ANT", owner=player)
    lock_round(pool.competition.rounds.get(number=1))
    ruling = rule("pick", entry=entry, round=1, teams=["ANT"])
    row = Ruling.objects.get(pk=ruling.pk)
    [ahead] = row.before["ahead"]
    for reader, path in (
        (moderator, f"/rulings/{row.pk}"),
        (moderator, "/rulings"),
        (player, f"/pools/{pool.pk}/rulings"),
    ):
        told = respond(api(reader), "GET", path).content.decode()
        assert ahead["nonce"] not in told
        assert "before" not in told
