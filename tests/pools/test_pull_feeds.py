"""The command `pull_feeds` and the scheduler's task."""

import io

import pytest
from django.core.management import CommandError, call_command

from pools.models import FeedSource
from pools.tasks import pull_feeds
from tests.pools.feeds.conftest import competition, result, server, source
from tests.support import bad_server as bad
from tests.support.feeds import as_csv, season

__all__ = ["competition", "server", "source"]

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("pull_feeds", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_says_what_it_took(source, server):
    server.does(bad.answer(as_csv(season(KC_BUF={"score": (20, 17)}, DEN_LV=None))))
    out, err = run()
    assert out == (
        f"feed {source.pk}, nflverse for nfl-2024: applied."
        " 8 games, 2 changed, 1 results taken, 1 raised for a ruling.\n"
    )
    assert err == "2024_01_DEN_LV: raised for a ruling. The schedule does not list it any more.\n"
    assert result("KC_BUF") == ("final", 20, 17)


def test_it_says_that_nothing_is_due(source):
    FeedSource.objects.update(is_enabled=False)
    assert run() == ("No source is due.\n", "")


def test_one_can_be_pulled_though_it_is_neither_due_nor_enabled(source):
    run()
    FeedSource.objects.update(is_enabled=False)
    assert run("--source", str(source.pk))[0] == f"feed {source.pk}, nflverse for nfl-2024: unchanged.\n"


def test_a_pull_that_fails_ends_in_failure(source, server):
    server.does(bad.status(404))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 pulls brought nothing"):
        call_command("pull_feeds", stdout=out)
    assert out.getvalue() == f"feed {source.pk}, nflverse for nfl-2024: failed. the server answered 404 Not Found\n"


def test_a_source_that_is_none_or_taken_is_named(source):
    with pytest.raises(CommandError, match="There is no source 999"):
        run("--source", "999")
    FeedSource.objects.update(claimed_until="2095-01-01T00:00Z")
    with pytest.raises(CommandError, match="is being pulled by somebody else"):
        run("--source", str(source.pk))


def test_the_scheduler_pulls_what_is_due(source):
    assert (pull_feeds(), pull_feeds()) == (1, 0)
