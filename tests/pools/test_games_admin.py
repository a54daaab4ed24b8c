"""Games in the back office: results, reviews, and who may touch them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pools.models import Game, GameChange
from tests.factories.pools import PoolFactory, finish, league, lock_round
from tests.pools.conftest import told

pytestmark = pytest.mark.django_db

LIST = reverse("admin:pools_game_changelist")


def page_of(game) -> str:
    return reverse("admin:pools_game_change", args=[game.pk])


@pytest.fixture
def game() -> Game:
    competition = league()
    lock_round(competition.rounds.get(number=1))
    return competition.games.filter(round__number=1).order_by("id").first()


def fresh(game):
    return Game.objects.get(pk=game.pk)


def send(browser, game, **fields):
    return browser.post(
        page_of(game), {"status": "in_progress", "home_score": "20", "away_score": "17", "reason": ""} | fields
    )


def test_a_running_score_is_entered_with_who_and_why(back_office, moderator, game):
    answer = send(back_office(moderator), game, reason="Seen on the league's page.")
    assert answer.status_code == 302
    assert (fresh(game).status, fresh(game).home_score, fresh(game).away_score) == ("in_progress", 20, 17)
    change = GameChange.objects.latest("id")
    assert (change.actor_id, change.reason) == (moderator.pk, "Seen on the league's page.")


def test_half_a_score_is_refused_in_words(back_office, moderator, game):
    answer = send(back_office(moderator), game, away_score="")
    assert answer.context["adminform"].form.errors == {"away_score": ["Give both scores or none."]}
    assert fresh(game).status == "scheduled"


def test_a_final_score_is_not_entered_once(back_office, moderator, game):
    answer = send(back_office(moderator), game, status="final")
    [told_there] = answer.context["adminform"].form.errors["status"]
    assert told_there.startswith("A final score is typed twice, in the results of its round.")
    assert fresh(game).status == "scheduled"


def test_a_result_before_the_lock_is_refused_in_words(back_office, moderator):
    game = league().games.first()
    answer = send(back_office(moderator), game)
    assert told(answer) == ["Round 1 has not locked: a result now would be known to those who still pick."]
    assert fresh(game).status == "scheduled"


def test_a_correction_by_one_name_is_refused_in_words(back_office, moderator, game):
    PoolFactory(competition=game.competition, status="running")
    finish(game, 20, 17)
    answer = send(back_office(moderator), game)
    assert told(answer)[-1] == (
        f"Game {game.external_id} is final already, and pools are settled on it:"
        " propose a ruling, which somebody else confirms."
    )
    assert fresh(game).home_score == 20


def test_nothing_else_can_be_edited(back_office, admin_user, game):
    page = back_office(admin_user).get(page_of(game)).content.decode()
    assert 'name="home_score"' in page
    for name in ("kickoff_at_0", "round", "home", "external_id", "review"):
        assert f'name="{name}"' not in page
    send(back_office(admin_user), game, external_id="other", review="x")
    assert (fresh(game).external_id, fresh(game).review) == (game.external_id, "")


def test_the_page_tells_the_games_history(back_office, moderator, game):
    finish(game, 20, 17)
    page = back_office(moderator).get(page_of(game)).content.decode()
    assert "home score 20, away score 17" in page


def test_games_are_cancelled_with_a_reason(back_office, moderator, game, choose, confirm):
    other = finish(game.round.games.order_by("id").last(), 3, 0)
    browser = back_office(moderator)
    page = choose(browser, LIST, "cancel", [game, other]).content.decode()
    assert "1 of them is final now and loses its result." in page
    assert confirm(browser, LIST, "cancel", [game, other], reason="Snow.") == ["2 of 2 cancelled."]
    assert (fresh(game).status, fresh(other).status, fresh(other).home_score) == ("cancelled", "cancelled", None)


def test_a_raised_game_is_found_and_let_stand(back_office, moderator, game, confirm):
    Game.objects.filter(pk=game.pk).update(review="The schedule does not list it any more.")
    browser = back_office(moderator)
    changelist = browser.get(LIST + "?review=open").context["cl"]
    assert list(changelist.result_list) == [game]
    assert confirm(browser, LIST, "let_stand", [game], reason="The feed is wrong.") == ["1 of 1 let stand."]
    assert fresh(game).review == ""
    assert list(browser.get(LIST + "?review=open").context["cl"].result_list) == []


def test_the_list_is_filtered_by_competition_round_and_status(back_office, moderator, game):
    league()
    finish(game, 1, 0)
    browser = back_office(moderator)
    for query, count in (
        (f"?competition__id__exact={game.competition_id}", 6),
        (f"?round__id__exact={game.round_id}", 2),
        ("?status__exact=final", 1),
        (f"?q={game.external_id}", 2),
    ):
        assert browser.get(LIST + query).context["cl"].result_count == count


def test_the_list_costs_the_same_for_one_row_and_for_three(back_office, moderator):
    browser = back_office(moderator)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(LIST).status_code == 200
        return len(seen)

    competition = league(rounds=1, codes=("ANT", "BAT"))
    queries()
    one = queries()
    league(rounds=2, codes=("ANT", "BAT"))
    assert competition.games.count() == 1
    assert queries() == one


def test_only_moderators_and_admins_see_games(back_office, client, player, finance, game):
    assert client.get(LIST).status_code == 302
    assert back_office(player).get(LIST).status_code == 302
    assert back_office(finance).get(LIST).status_code == 403
    assert send(back_office(finance), game).status_code == 403
    assert fresh(game).status == "scheduled"


def test_nobody_adds_or_deletes_games(back_office, admin_user, game):
    browser = back_office(admin_user)
    assert browser.get(reverse("admin:pools_game_add")).status_code == 403
    assert browser.post(reverse("admin:pools_game_delete", args=[game.pk])).status_code == 403
