"""Results feeds in the back office."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.clock import database_now
from pools.models import FeedPull, FeedSource, FeedSourceChange, LetStand
from pools.models.feed import BREAKS_AFTER
from tests.factories.pools import league
from tests.pools.conftest import told

pytestmark = pytest.mark.django_db

LIST = reverse("admin:pools_feedsource_changelist")
ADD = reverse("admin:pools_feedsource_add")
PULLS = reverse("admin:pools_feedpull_changelist")
STOOD = reverse("admin:pools_letstand_changelist")


def page_of(source) -> str:
    return reverse("admin:pools_feedsource_change", args=[source.pk])


@pytest.fixture
def filled():
    """The form of a new source, as a browser sends it."""
    return {
        "competition": league(code="cup-2026").pk, "kind": "scoreboard", "url": "https://feeds.test/x?key=hush",
        "season": "2026", "game_types": "REG", "every_seconds": "60", "is_enabled": "on",
    }  # fmt: skip


@pytest.fixture
def source():
    return FeedSource.objects.create(
        competition=league(), kind="scoreboard", url="https://feeds.test/x?key=hush", season="2026",
        next_pull_at="2095-01-01T00:00Z",
    )  # fmt: skip


def make_broken(source) -> None:
    FeedSource.objects.filter(pk=source.pk).update(
        failures=BREAKS_AFTER, broken_at=database_now(), last_error="no connection"
    )


def errors_of(answer) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def fresh(source) -> FeedSource:
    return FeedSource.objects.get(pk=source.pk)


def test_a_source_is_added_with_who_did_it(back_office, moderator, filled):
    assert back_office(moderator).post(ADD, filled).status_code == 302
    source = FeedSource.objects.get()
    assert (source.kind, source.url, source.every_seconds) == ("scoreboard", "https://feeds.test/x?key=hush", 60)
    assert FeedSourceChange.objects.get().actor_id == moderator.pk


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("url", "file:///etc/passwd", "Cannot be used: only http and https addresses with a host are fetched."),
        ("season", "next", "Must begin with a year, such as 2026."),
        ("every_seconds", "5", "Must be from 15 to 86400."),
        ("game_types", "all", "Must be some of CON, DIV, REG, SB, WC, separated by commas."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(back_office, moderator, filled, field, value, complaint):
    answer = back_office(moderator).post(ADD, filled | {field: value})
    assert errors_of(answer) == {field: [complaint]}
    assert not FeedSource.objects.exists()


def test_the_same_source_twice_is_refused(back_office, moderator, filled):
    browser = back_office(moderator)
    browser.post(ADD, filled)
    assert errors_of(browser.post(ADD, filled)) == {"__all__": ["The competition has this source already."]}


def test_a_source_is_changed_but_not_into_another_competitions(back_office, moderator, source):
    sent = {"url": "https://feeds.test/y", "season": "2026", "game_types": "REG", "every_seconds": "300"}
    other = league()
    answer = back_office(moderator).post(page_of(source), sent | {"competition": other.pk, "kind": "nflverse"})
    assert answer.status_code == 302
    after = fresh(source)
    assert (after.url, after.every_seconds, after.is_enabled) == ("https://feeds.test/y", 300, False)
    assert (after.competition_id, after.kind) == (source.competition_id, "scoreboard")


def test_a_change_to_what_another_source_is_already_is_refused(back_office, moderator, source):
    FeedSource.objects.create(
        competition=source.competition, kind="scoreboard", url="https://feeds.test/y", season="2026"
    )
    sent = {"url": "https://feeds.test/y", "season": "2026", "game_types": "REG", "every_seconds": "300"}
    answer = back_office(moderator).post(page_of(source), sent)
    assert answer.status_code == 302
    assert fresh(source).url != "https://feeds.test/y"
    assert told(answer) == ["The competition has this source already."]


def test_its_page_tells_its_breaker_and_its_history(back_office, moderator, source):
    make_broken(source)
    page = back_office(moderator).get(page_of(source)).content.decode()
    assert "no connection" in page
    assert "every seconds 60" in page
    assert "Close the breaker" in page


def test_the_list_tells_which_breakers_are_open(back_office, moderator, source):
    browser = back_office(moderator)
    assert "closed" in browser.get(LIST).content.decode()
    make_broken(source)
    page = browser.get(LIST).content.decode()
    assert ">open<" in page.replace("\n", "").replace(" ", "")
    assert "hush" not in page


def test_a_source_is_made_due(back_office, moderator, source, choose, confirm):
    browser = back_office(moderator)
    page = choose(browser, LIST, "pull_now", [source]).content.decode()
    assert "1 source is due at once" in page
    assert "hush" not in page
    assert confirm(browser, LIST, "pull_now", [source]) == ["1 of 1 asked for."]
    assert fresh(source).next_pull_at <= database_now()


def test_a_breaker_is_closed(back_office, moderator, source, choose, confirm):
    make_broken(source)
    browser = back_office(moderator)
    assert "1 of 1 is left alone" in choose(browser, LIST, "close_the_breaker", [source]).content.decode()
    assert confirm(browser, LIST, "close_the_breaker", [source]) == ["1 of 1 given another chance."]
    assert (fresh(source).failures, fresh(source).broken_at) == (0, None)


def test_pulls_and_decisions_are_read_only(back_office, admin_user, source):
    pull = FeedPull.objects.create(source=source, outcome="failed", refusal="no connection")
    game = source.competition.games.first()
    stood = LetStand.objects.create(game=game, difference="dropped", by=admin_user, reason="it is on")
    browser = back_office(admin_user)
    for address, row, text in ((PULLS, pull, "no connection"), (STOOD, stood, "dropped")):
        assert text in browser.get(address).content.decode()
        assert browser.get(f"{address}add/").status_code == 403
        assert browser.post(f"{address}{row.pk}/delete/").status_code == 403
        assert browser.get(f"{address}{row.pk}/change/").status_code == 200


@pytest.mark.parametrize("address", [LIST, PULLS])
def test_the_lists_cost_the_same_for_one_row_and_for_three(back_office, moderator, source, address):
    browser = back_office(moderator)
    FeedPull.objects.create(source=source, outcome="failed")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    queries()
    one = queries()
    for number in range(2):
        other = FeedSource.objects.create(
            competition=source.competition, kind="nflverse", url=f"https://feeds.test/{number}", season="2026"
        )
        FeedPull.objects.create(source=other, outcome="failed")
    assert queries() == one


def test_only_moderators_and_admins_see_sources(back_office, client, player, finance, source):
    assert client.get(LIST).status_code == 302
    assert back_office(player).get(LIST).status_code == 302
    assert back_office(finance).get(LIST).status_code == 403
    assert back_office(finance).post(page_of(source), {"url": "https://feeds.test/z"}).status_code == 403


def test_nobody_deletes_a_source(back_office, admin_user, source):
    assert back_office(admin_user).post(f"{LIST}{source.pk}/delete/").status_code == 403
