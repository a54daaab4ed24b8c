"""Adding and changing sources, and what the database holds about them."""

import pytest
from django.db import Error, connection, transaction

from config.errors import Conflict, Malformed, NotFound
from pools.models import FeedPull, FeedSource, FeedSourceChange, LetStand
from pools.services.feeds import add_source, ask_to_pull, change_source, close_breaker
from tests.factories.pools import league
from tests.pools.feeds.conftest import fresh
from tests.support.bad_server import answer as sends
from tests.support.feeds import as_csv, season

pytestmark = pytest.mark.django_db

CHOICES = {"kind": "scoreboard", "url": "https://feeds.test/scoreboard?key=hush", "season": "2024"}


def test_a_source_is_added_with_who_did_it(moderator):
    source = add_source(competition=league(), by=moderator, **CHOICES)
    assert (source.kind, source.every_seconds, source.is_enabled, source.is_broken) == ("scoreboard", 60, True, False)
    change = FeedSourceChange.objects.get()
    assert (change.source_id, change.actor_id, change.reason) == (source.pk, moderator.pk, "added")
    assert change.details["url"] == "https://feeds.test/scoreboard"


def test_the_same_source_twice_is_refused(moderator):
    competition = league()
    add_source(competition=competition, by=moderator, **CHOICES)
    with pytest.raises(Conflict, match="has this source already"):
        add_source(competition=competition, by=moderator, **CHOICES)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("kind", "rss", "Must be one of nflverse, scoreboard."),
        ("url", "ftp://feeds.test/x", "Cannot be used: only http and https addresses with a host are fetched."),
        ("url", "https://user:word@feeds.test/x", "Cannot be used: an address must not hold a name or password."),
        ("url", "", "Cannot be used: only http and https addresses with a host are fetched."),
        ("season", "last", "Must begin with a year, such as 2026."),
        ("game_types", "REG,PRE", "Must be some of CON, DIV, REG, SB, WC, separated by commas."),
        ("every_seconds", 1, "Must be from 15 to 86400."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(moderator, field, value, complaint):
    with pytest.raises(Malformed) as refusal:
        add_source(competition=league(), by=moderator, **CHOICES | {field: value})
    assert refusal.value.details == {field: [complaint]}
    assert not FeedSource.objects.exists()


def test_a_host_that_is_not_listed_is_refused(moderator, settings):
    settings.OUTGOING_HOSTS = ["other.test"]
    with pytest.raises(Malformed, match=r"feeds\.test is not among the hosts of OUTGOING_HOSTS"):
        add_source(competition=league(), by=moderator, **CHOICES)


def test_another_address_forgets_what_was_learned_from_the_old_one(pull, source, moderator):
    pull(sends(as_csv(season(KC_BUF={"score": (20, 17)})), ETag='"1"'))
    assert (fresh(source).etag, len(fresh(source).said)) == ('"1"', 1)
    change_source(source_id=source.pk, by=moderator, url="https://feeds.test/games.csv")
    after = fresh(source)
    assert (after.etag, after.digest, after.said, after.last_read_at) == ("", "", {}, None)
    assert FeedSourceChange.objects.latest("id").actor_id == moderator.pk


def test_another_rhythm_forgets_nothing(pull, source, moderator):
    pull(sends(as_csv(season(KC_BUF={"score": (20, 17)})), ETag='"1"'))
    change_source(source_id=source.pk, by=moderator, every_seconds=300)
    assert (fresh(source).etag, fresh(source).every_seconds) == ('"1"', 300)


def test_a_change_of_the_query_alone_is_recorded_without_it(moderator):
    source = add_source(competition=league(), by=moderator, **CHOICES)
    change_source(source_id=source.pk, by=moderator, url="https://feeds.test/scoreboard?key=newer")
    assert [change.details["url"] for change in FeedSourceChange.objects.all()] == ["https://feeds.test/scoreboard"] * 2


def test_pulls_leave_no_change_of_choices(pull, source):
    pull()
    assert FeedSourceChange.objects.count() == 1


@pytest.mark.parametrize("service", [ask_to_pull, close_breaker])
def test_a_source_that_is_none_is_not_found(service):
    with pytest.raises(NotFound):
        service(source_id=999)


def attack(sql: str, *values) -> str:
    with connection.cursor() as cursor, pytest.raises(Error) as refusal, transaction.atomic():
        cursor.execute(sql, values)
    return refusal.value.__cause__.diag.constraint_name


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("kind = 'rss'", "feed_source_kind_known"),
        ("every_seconds = 14", "feed_source_interval"),
        ("broken_at = now(), failures = 4", "feed_source_broken_by_failures"),
        ("claims = claims - 1", "feed_source_claims_grow"),
    ],
)
def test_what_a_source_cannot_be_the_database_refuses(pull, source, change, constraint):
    pull()
    assert attack(f"UPDATE pools_feedsource SET {change} WHERE id = %s", source.pk) == constraint


def test_sources_never_disappear(source):
    assert attack("DELETE FROM pools_feedsource WHERE id = %s", source.pk) == "never_deleted"


@pytest.mark.parametrize("model", [FeedPull, FeedSourceChange, LetStand])
def test_what_happened_is_never_touched_again(pull, moderator, source, model):
    from pools.services.results import close_review
    from tests.pools.feeds.conftest import game

    pull(sends(as_csv(season(KC_BUF=None))))
    close_review(game_id=game("KC_BUF").pk, by=moderator, reason="it is still on")
    assert model.objects.count() == 1
    table = model._meta.db_table
    assert attack(f"DELETE FROM {table}") == "append_only"
    assert attack(f"UPDATE {table} SET id = id") == "append_only"


def test_a_refused_pull_has_taken_nothing(source):
    refused = "INSERT INTO pools_feedpull (source_id, outcome, results, warnings) VALUES (%s, 'refused', 1, '[]')"
    assert attack(refused, source.pk) == "feed_pull_refused_whole"
