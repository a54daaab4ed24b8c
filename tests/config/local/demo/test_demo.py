"""The demo: a season that adds up, a story told once, a feed that plays it on."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from accounts.models import ApiKey, Document, Exclusion, Role, SpendingLimit, User
from config.clock import database_now
from config.local.demo import accounts, feed, people, season, story
from entries.models import Entry, EntryStatus, PaymentStatus, Pick, PickChange, Request, RequestStatus, Ruling
from payments.models import Receipt
from payments.pool_numbers import collected
from payments.services.books import broken
from pools.models import Competition, Game, GameStatus, Pool, PoolStatus, Round


@pytest.fixture(scope="module")
def fixtures(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return season.draw(database_now())


def test_each_side_plays_once_a_round_and_never_the_same_one_twice(fixtures):
    by_round = Counter((fixture.round_number, code) for fixture in fixtures for code in (fixture.home, fixture.away))
    meetings = Counter(frozenset((fixture.home, fixture.away)) for fixture in fixtures)

    assert len(by_round) == season.ROUNDS * 32
    assert set(by_round.values()) == set(meetings.values()) == {1}


def test_the_same_season_is_drawn_whenever_it_is_drawn(fixtures):
    later = season.draw(fixtures[0].kickoff_at + timedelta(days=400))

    assert [(f.name, f.home_score, f.away_score, f.minutes) for f in later] == [
        (f.name, f.home_score, f.away_score, f.minutes) for f in fixtures
    ]


@pytest.mark.django_db
def test_the_story_is_told_once_and_the_feed_plays_it_on(settings, tmp_path):
    settings.OUTLAST_HOME = tmp_path
    call_command("demo_seed")
    counted = (User, Request, Entry, Pick, PickChange, Receipt, Exclusion, SpendingLimit, ApiKey, Document)
    counts = [model.objects.count() for model in counted]
    call_command("demo_seed")
    assert [model.objects.count() for model in counted] == counts

    assert broken() == {}
    long, cup, second, table = Pool.objects.order_by("id")
    assert {pool_id: cents for pool_id, (cents, _) in collected([long.pk, table.pk]).items()} == {
        long.pk: 180 * 5000, table.pk: 6 * 20_000,
    }  # fmt: skip
    assert long.status == PoolStatus.RUNNING
    assert {cup.status, second.status, table.status} == {PoolStatus.OPEN}
    assert table.requests.waiting_list().count() == 3
    assert sorted(Ruling.objects.values_list("status", flat=True)) == ["confirmed", "proposed"]
    assert User.objects.filter(role=Role.PLAYER).count() == people.PLAYERS
    states = Counter(Request.objects.values_list("status", "payment_status"))
    assert states[RequestStatus.PENDING, PaymentStatus.NOT_DUE] >= 20
    assert states[RequestStatus.APPROVED, PaymentStatus.PENDING] >= 10
    assert (
        states[RequestStatus.REJECTED, PaymentStatus.NOT_DUE]
        == states[RequestStatus.WITHDRAWN, PaymentStatus.NOT_DUE]
        == 3
    )
    alive = long.entries.filter(status=EntryStatus.ACTIVE)
    assert 10 <= alive.count() < long.entries.count()
    assert alive.filter(user__email=f"player001@{people.DOMAIN}").exists()
    assert Receipt.objects.count() == Entry.objects.count()

    open_round = Round.objects.get(number=season.OPEN)
    assert timedelta(minutes=8) < open_round.locks_at - database_now() <= season.LOCKS_IN
    assert Pick.objects.filter(round=open_round, source="player").count() >= 10
    assert PickChange.objects.filter(round_id=open_round.pk, from_team_id__isnull=False).exists()

    signed_in = {person["role"] for person in json.loads((tmp_path / "demo.json").read_text()) if sign_in(person)}
    assert signed_in == {"admin", "moderator", "finance", "player"}

    assert sorted(Exclusion.objects.values_list("kind", flat=True)) == ["cooling_off", "staff"]
    assert long.entries.filter(user__in=Exclusion.objects.values("user")).count() >= 2
    assert Document.objects.undecided().count() == len(accounts.PAPERS)
    assert ApiKey.objects.good().get().user.email == f"player001@{people.DOMAIN}"

    assert feed.play_due_games(database_now()) == 0
    # Ten minutes later, as far as the feed can tell: the games have kicked off, and some of them have ended.
    Game.objects.filter(round=open_round).update(kickoff_at=database_now() - timedelta(seconds=70))
    open_round.refresh_from_db()
    assert feed.play_due_games(database_now()) == 16
    played = Counter(Game.objects.filter(round=open_round).values_list("status", flat=True))
    assert set(played) == {GameStatus.IN_PROGRESS, GameStatus.FINAL}
    assert long.entries.filter(eliminated_round_number=season.OPEN).exists()
    assert feed.play_due_games(database_now() + timedelta(minutes=5)) == played[GameStatus.IN_PROGRESS]
    assert feed.play_due_games(database_now() + timedelta(minutes=5)) == 0


def sign_in(person):
    return authenticate(username=person["email"], password=person["password"])


@pytest.mark.django_db
def test_a_story_that_breaks_off_leaves_nothing(monkeypatch):
    monkeypatch.setattr(story, "waitlist_request", None)  # as if this step failed

    with pytest.raises(TypeError):
        story.tell()

    assert not Competition.objects.exists()
    assert not User.objects.exists()
