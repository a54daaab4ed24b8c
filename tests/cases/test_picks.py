"""Cases 13, 14 and 15: which picks and requests are taken, and how many when all come at once."""

import secrets
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from entries.models import Entry, Pick, PickChange, Request
from pools.models import Game, Team
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, game_of
from tests.support.calls import call
from tests.support.threads import run_together


def refused_by_the_database(entry: Entry, game: Game, team: Team) -> str:
    """Write the row past all services; the constraint that refused it."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Pick.objects.create(entry=entry, round=game.round, team=team, game=game, nonce=secrets.token_hex(16))
    return caught.value.__cause__.diag.constraint_name


class TestWhichTeams:
    def test_case_13_a_team_used_in_an_earlier_round_is_refused_by_the_database_too(self, story):
        """Team used in an earlier round: refused, by the database too."""
        (a,) = story.entries(1)
        assert story.pick(a, 1, "ANT")[0] == 200

        assert story.pick(a, 2, "ANT") == (422, "TEAM_ALREADY_USED")
        again = game_of(story.round(2), "ANT")
        assert refused_by_the_database(a, again, again.home) == "pick_team_within_limit"

        assert story.pick(a, 2, "BAT")[0] == 200

    def test_case_13_a_team_without_a_game_in_the_round_is_refused(self, story):
        """Team without a game in the round: refused."""
        (a,) = story.entries(1)
        resting = Team.objects.create(competition=story.pool.competition, code="ZEB", name="The Zebs")

        assert story.pick(a, 1, "ZEB") == (422, "TEAM_NOT_PLAYING")
        assert refused_by_the_database(a, game_of(story.round(1), "ANT"), resting) == "pick_team_plays"

    def test_case_13_the_same_team_in_two_entries_of_one_player_is_allowed(self, story):
        """The same team in two entries of one player: allowed."""
        first, second = story.entries(2, owner=UserFactory())

        assert [story.pick(entry, 1, "ANT")[0] for entry in (first, second)] == [200, 200]


class TestAllAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_case_14_two_saves_at_once_leave_one_row_and_a_line_of_history_each(self, api):
        """Two saves at once for one entry and round: one row, one history line each."""
        pool = PoolFactory()
        for _ in range(10):
            entry = EntryFactory(in_pool=pool)
            path = f"/api/v1/entries/{entry.pk}/picks/1"

            saves = run_together([partial(api(entry.user).put, path, {"team": code}) for code in ("ANT", "BAT")])

            assert [outcome.value.status_code for outcome in saves] == [200, 200]
            (row,) = Pick.objects.filter(entry=entry)
            first, second = PickChange.objects.filter(entry_id=entry.pk).order_by("id")
            assert (first.from_team_id, first.to_team_id, second.to_team_id) == (
                None, second.from_team_id, row.team_id,
            )  # fmt: skip

    @pytest.mark.django_db(transaction=True)
    def test_case_14_of_fifty_requests_at_once_exactly_the_limit_succeeds(self, api):
        """50 requests at once at the limit: exactly the limit succeeds."""
        pool, player = PoolFactory(max_entries_per_user=3), UserFactory()
        path = f"/api/v1/pools/{pool.pk}/requests"

        asked = run_together([lambda: api(player).post(path)] * 50)

        answers = sorted(code_of(outcome.value) for outcome in asked)
        assert answers == [(201, "")] * 3 + [(409, "REQUEST_LIMIT_REACHED")] * 47
        assert sorted(Request.objects.values_list("number", flat=True)) == [1, 2, 3]

    @pytest.mark.django_db(transaction=True)
    def test_case_14_of_fifty_approvals_at_once_exactly_the_places_there_are_succeed(self, api):
        """50 requests at once at the limit: exactly the limit succeeds."""
        pool, staff = PoolFactory(capacity=3), ModeratorFactory()
        paths = [f"/api/v1/requests/{RequestFactory(pool=pool).pk}/approve" for _ in range(50)]

        approved = run_together([lambda path=path: api(staff).post(path) for path in paths])

        answers = sorted(code_of(outcome.value) for outcome in approved)
        assert answers == [(200, "")] * 3 + [(409, "POOL_FULL")] * 47
        assert Request.objects.filter(status="approved").count() == 3


def code_of(answer) -> tuple[int, str]:
    """Status, and the code of a refusal."""
    return answer.status_code, answer.json().get("error", {}).get("code", "")


class TestWhoAndWhen:
    def test_case_15_an_eliminated_entry_cannot_pick(self, story):
        """Eliminated entry: pick refused."""
        a, b, c = story.entries(3)

        story.week(1, {a: "L", b: "W", c: "W"})

        assert story.pick(a, 2, "KOI") == (422, "ENTRY_NOT_ACTIVE")
        assert story.pick(b, 2, "KOI")[0] == 200

    def test_case_15_nobody_picks_in_a_finished_pool(self, story):
        """finished pool: pick refused."""
        a, b = story.entries(2)

        story.week(1, {a: "W", b: "L"})

        assert story.is_over()
        assert story.pick(a, 2, "KOI") == story.pick(b, 2, "KOI") == (422, "ENTRY_NOT_ACTIVE")

    def test_case_15_a_round_before_the_pools_first_cannot_be_picked(self, tell):
        """round before the pool's first: pick refused."""
        story = tell(first_week=2)
        (a,) = story.entries(1)

        assert story.pick(a, 1, "ANT") == (422, "ROUND_NOT_OPEN")
        first = game_of(story.round(1), "ANT")
        assert refused_by_the_database(a, first, first.home) == "pick_team_plays"
        assert story.pick(a, 2, "ANT")[0] == 200

    def test_case_15_a_pick_ahead_is_allowed_and_cancelled_by_elimination(self, story):
        """A pick ahead for a later round: allowed, and cancelled by elimination."""
        a, b, c = story.entries(3)
        for entry in (a, b, c):
            assert story.pick(entry, 2, "KOI")[0] == 200
        assert story.shown(a)["picks_made"] == 1

        story.week(1, {a: "L", b: "W", c: "W"})
        story.kicks_off(2)
        story.result(game_of(story.round(2), "KOI"), 20, 10)
        story.results(2, {})

        assert story.fates(a, b, c) == ["out in 1", "alive", "alive"]
        assert [pick["round"] for pick in story.shown_picks(a)] == [1]
        assert [pick["round"] for pick in story.shown_picks(b)] == [1, 2]
        spread = call(story.api(), "GET", f"/pools/{story.pool.pk}/rounds/2/distribution")[1]
        assert [(line["team"], line["picks"]) for line in spread] == [("KOI", 2)]
        report = call(story.api(), "GET", f"/pools/{story.pool.pk}/rounds/2/report.json")[1]
        assert [line["entry"] for line in report["entries"]] == [b.pk, c.pk]
