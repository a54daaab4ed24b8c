"""A pull from end to end, against a server that behaves and one that does not."""

from datetime import timedelta

import pytest

from config.models import OutboxMessage
from pools.models import FeedPull, FeedSource, Game, GameChange
from pools.services.feeds import pull_due_sources, pull_source
from tests.pools.feeds.conftest import fresh, game, result
from tests.support import bad_server as bad
from tests.support.feeds import QUICK, as_csv, season

WON = season(KC_BUF={"score": (20, 17)})


def test_a_result_is_taken_with_where_it_came_from(bring, source):
    pulled = bring(WON)
    assert (pulled.outcome, result("KC_BUF")) == ("applied", ("final", 20, 17))
    change = GameChange.objects.latest("id")
    assert (change.game_id, change.actor_id, change.reason) == (game("KC_BUF").pk, None, f"import of feed {source.pk}")


def test_what_came_is_kept_as_a_row(bring, source):
    bring(WON)
    pull = FeedPull.objects.get()
    assert (pull.source, pull.outcome, pull.refusal, pull.size) == (source, "applied", "", len(as_csv(WON)))
    assert (pull.games, pull.changed, pull.results, pull.raised, pull.warnings) == (8, 1, 1, 0, [])


def test_whoever_settles_hears_of_results_and_of_nothing_else(bring, competition):
    OutboxMessage.objects.all().delete()
    bring(season())
    assert not OutboxMessage.objects.exists()
    bring(WON)
    message = OutboxMessage.objects.get()
    assert (message.kind, message.payload) == ("results.arrived", {"competition": competition.pk})


def test_each_pull_with_results_is_told(bring):
    OutboxMessage.objects.all().delete()
    bring(WON)
    bring(season(KC_BUF={"score": (20, 17)}, DEN_LV={"score": (3, 6)}))
    assert OutboxMessage.objects.filter(kind="results.arrived").count() == 2


class TestTheSameAgain:
    def test_by_its_mark(self, pull, server, source):
        assert pull(bad.marked(as_csv(WON), '"1"')).outcome == "applied"
        assert (pull().outcome, pull().outcome) == ("unchanged", "unchanged")
        assert [asked.headers.get("if-none-match") for asked in server.asked] == [None, '"1"', '"1"']
        assert FeedPull.objects.count() == 1
        assert fresh(source).last_pulled_at > fresh(source).last_read_at

    def test_by_its_date(self, pull, server):
        assert pull(bad.dated(as_csv(WON), 1_725_825_600)).outcome == "applied"
        assert pull().outcome == "unchanged"
        assert "if-modified-since" in server.asked[1].headers

    def test_by_its_body_under_another_mark(self, pull, source):
        pull(bad.marked(as_csv(WON), '"1"'))
        assert pull(bad.marked(as_csv(WON), '"2"')).outcome == "unchanged"
        assert fresh(source).etag == '"2"'
        assert FeedPull.objects.count() == 1

    def test_another_body_under_another_mark_is_read(self, pull):
        pull(bad.marked(as_csv(season()), '"1"'))
        assert pull(bad.marked(as_csv(WON), '"2"')).outcome == "applied"
        assert result("KC_BUF") == ("final", 20, 17)

    def test_a_mark_too_long_to_keep_is_none(self, pull, source):
        pull(bad.answer(as_csv(WON), ETag='"' + "x" * 2000 + '"'))
        assert fresh(source).etag == ""

    def test_after_an_hour_it_is_read_again_all_the_same(self, pull, source):
        pull(bad.marked(as_csv(WON), '"1"'))
        Game.objects.filter(pk=game("KC_BUF").pk).update(status="scheduled", home_score=None, away_score=None)
        assert pull().outcome == "unchanged"
        FeedSource.objects.update(last_read_at=fresh(source).last_read_at - timedelta(hours=1))
        assert pull().outcome == "applied"
        assert result("KC_BUF") == ("final", 20, 17)

    def test_a_refused_body_is_not_remembered(self, pull, source):
        assert pull(bad.marked(b"<html>Sorry</html>", '"1"')).outcome == "refused"
        assert (fresh(source).etag, fresh(source).digest) == ("", "")

    def test_a_body_with_something_for_later_comes_again(self, pull, server, source):
        early = as_csv(season(BUF_KC={"score": (20, 17)}))
        assert pull(bad.marked(early, '"1"')).outcome == "applied"
        assert pull().outcome == "applied"
        assert "if-none-match" not in server.asked[1].headers
        assert FeedPull.objects.count() == 1


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (bad.hang(), "nothing came for 0.3 s"),
        (bad.slow_headers(every=0.02), "no whole answer within 0.8 s"),
        (bad.slow_body(as_csv(season()), every=0.02), "no whole answer within 0.8 s"),
        (bad.reset(), "broken or incomplete"),
        (bad.cut(as_csv(WON), missing=9), "broken or incomplete"),
        (bad.zipped(as_csv(WON), missing=9), "broken or incomplete"),
        (bad.zipped(b"x" * 1_000_001), "larger than 1000000 bytes"),
        (bad.endless(), "larger than 1000000 bytes"),
        (bad.redirect("/games.csv"), "it redirects more than 3 times"),
        (bad.redirect("https://elsewhere.test/games.csv"), "it redirects to another host, elsewhere.test"),
        (bad.status(500), "the server answered 500 Internal Server Error"),
        (bad.status(404), "the server answered 404 Not Found"),
        (bad.status(304), "the server answered 304 Not Modified"),
        (bad.nonsense(), "broken or incomplete"),
    ],
    ids=[
        "silent", "slow headers", "slow body", "reset", "cut off", "half a gzip", "bomb", "endless", "loop",
        "elsewhere", "down", "gone", "unasked 304", "not HTTP",
    ],
)  # fmt: skip
def test_a_server_that_misbehaves_changes_nothing_and_is_told(pull, source, behaviour, why):
    changes = GameChange.objects.count()
    pulled = pull(behaviour)
    assert (pulled.outcome, pulled.pull.refusal, pulled.pull.size) == ("failed", why, 0)
    assert (fresh(source).last_error, fresh(source).failures, fresh(source).claimed_until) == (why, 1, None)
    assert GameChange.objects.count() == changes
    assert pull(bad.answer(as_csv(WON))).outcome == "applied"
    assert (fresh(source).last_error, fresh(source).failures, result("KC_BUF")) == ("", 0, ("final", 20, 17))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "games.csv: not a schedule of nflverse's; it lacks"),
        (b"<!doctype html><html><body>Maintenance</body></html>", "games.csv: not a schedule of nflverse's"),
        (b"game_id,season\n\xff\xfe,2024\n", "games.csv: not a"),
        (as_csv(WON).replace(b"2024_01_KC_BUF", b"2024_01_K\xe9_BUF"), "games.csv: not a text in UTF-8."),
        (as_csv(WON).decode().encode("utf-16"), "games.csv: not a text in UTF-8."),
        (as_csv(WON)[:-10], "games.csv, line 9: 12 values for 14 columns."),
        (as_csv(WON).replace(b"20,", b"twenty,"), "Line 2: home_score is 'twenty', not a whole number"),
        (as_csv(WON)[: as_csv(WON).index(b"\n") + 1], "The file has no games of season 2024."),
    ],
    ids=["empty", "HTML", "bytes", "Latin-1", "UTF-16", "torn", "words", "header alone"],
)
def test_a_body_that_is_no_schedule_is_refused_whole(pull, source, body, why):
    changes = GameChange.objects.count()
    pulled = pull(bad.answer(body))
    assert pulled.outcome == "refused"
    assert pulled.pull.refusal.startswith(why)
    assert pulled.pull.size == len(body)
    assert GameChange.objects.count() == changes
    assert fresh(source).failures == 1


def test_trouble_of_a_moment_is_not_even_told(pull, source):
    assert pull(bad.status(503), bad.answer(as_csv(WON))).outcome == "applied"
    assert fresh(source).failures == 0


def test_a_bug_of_ours_on_one_source_leaves_the_others_their_turn(server, source, competition, monkeypatch):
    from pools.services.feeds import pulling

    def fall_over(*_):
        raise ZeroDivisionError("of all things")

    monkeypatch.setitem(pulling.ADAPTERS, "scoreboard", fall_over)
    FeedSource.objects.create(
        competition=competition, kind="scoreboard", url=server.address(), season="2024",
        next_pull_at=source.next_pull_at - timedelta(hours=1),
    )  # fmt: skip
    server.does(bad.answer(as_csv(WON)))
    assert [pulled.outcome for pulled in pull_due_sources(limits=QUICK)] == ["failed", "applied"]
    assert FeedPull.objects.get(outcome="failed").refusal == "ZeroDivisionError: of all things"


def test_only_what_is_due_and_enabled_is_pulled(server, source):
    FeedSource.objects.update(is_enabled=False)
    assert pull_due_sources(limits=QUICK) == []
    FeedSource.objects.update(is_enabled=True)
    assert len(pull_due_sources(limits=QUICK)) == 1
    assert pull_due_sources(limits=QUICK) == []
    assert 50 < (fresh(source).next_pull_at - fresh(source).last_pulled_at).total_seconds() < 70


def test_nothing_more_is_begun_when_the_time_is_spent(source):
    assert pull_due_sources(limits=QUICK, seconds=0) == []


def test_one_that_somebody_pulls_is_left_to_them(server, source):
    from pools.services.feeds.claims import claim

    assert claim(source.pk) is not None
    assert pull_source(source_id=source.pk, limits=QUICK) is None
    assert pull_due_sources(limits=QUICK) == []
    assert server.asked == []


def test_no_row_and_no_log_line_holds_the_query(pull, source, caplog):
    caplog.set_level("DEBUG")
    pull(bad.redirect("http://elsewhere.test/?token=hush"))
    pull(bad.status(500))
    assert "hush" not in caplog.text
    assert not any("hush" in pull.refusal for pull in FeedPull.objects.all())
    assert "hush" not in fresh(source).last_error
