"""Competitions and rounds in the back office: to look at, but for the lock of a round (`test_locks`)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.pools import PoolFactory, league, play_round

pytestmark = pytest.mark.django_db

COMPETITIONS = reverse("admin:pools_competition_changelist")
ROUNDS = reverse("admin:pools_round_changelist")


def test_a_competition_leads_to_its_rounds_games_and_pools(back_office, moderator):
    competition = league()
    PoolFactory(competition=competition)
    league()
    page = back_office(moderator).get(COMPETITIONS).content.decode()
    for model, count in (("round", 3), ("game", 6), ("pool", 1)):
        address = reverse(f"admin:pools_{model}_changelist")
        assert f'<a href="{address}?competition__id__exact={competition.pk}">{count}</a>' in page
        linked = back_office(moderator).get(f"{address}?competition__id__exact={competition.pk}")
        assert linked.context["cl"].result_count == count


def test_of_one_row_nothing_can_be_renamed_added_or_deleted(back_office, admin_user):
    competition = league()
    browser = back_office(admin_user)
    for name, row in (("competition", competition), ("round", competition.rounds.first())):
        address = reverse(f"admin:pools_{name}_change", args=[row.pk])
        assert browser.get(address).status_code == 200
        browser.post(address, {"name": "Other"})
        assert type(row).objects.get(pk=row.pk).name == row.name
        assert browser.get(reverse(f"admin:pools_{name}_add")).status_code == 403
        assert browser.post(reverse(f"admin:pools_{name}_delete", args=[row.pk])).status_code == 403


def test_rounds_show_where_they_stand(back_office, moderator):
    competition = league()
    play_round(competition.rounds.get(number=1), winners=set())
    rows = back_office(moderator).get(ROUNDS).context["cl"].result_list
    assert [(row.number, row.status) for row in rows] == [(1, "final"), (2, "open"), (3, "upcoming")]


def test_lists_cost_the_same_for_one_row_and_for_three(back_office, moderator):
    browser = back_office(moderator)

    def queries(address):
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    league(rounds=1)
    queries(ROUNDS)
    one = queries(COMPETITIONS), queries(ROUNDS)
    league(rounds=1)
    league(rounds=1)
    assert (queries(COMPETITIONS), queries(ROUNDS)) == one


def test_finance_sees_competitions_and_players_see_nothing(back_office, finance, player, db):
    assert back_office(finance).get(COMPETITIONS).status_code == 200
    assert back_office(finance).get(ROUNDS).status_code == 403
    assert back_office(player).get(COMPETITIONS).status_code == 302
