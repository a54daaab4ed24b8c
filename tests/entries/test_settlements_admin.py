"""Settling from the back office, what it would change, and what each settlement changed."""

import csv
import io

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import User
from entries.models import EntryChange, Settlement
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory, finish, play_round
from tests.support.playing import enter
from tests.support.ruling import game_of, rule, state_of
from tests.support.winning import booked, paid_out, won_pool

pytestmark = pytest.mark.django_db

LIST = reverse("admin:entries_settlement_changelist")
SETTLE = reverse("admin:entries_settlement_settle")


@pytest.fixture
def back_office(client):
    """A signed-in browser: `back_office(person)`."""

    def sign_in(person):
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return sign_in


@pytest.fixture
def pool():
    """Round 1 is played, and nobody has settled it."""
    pool = PoolFactory(name="Cup", entry_fee_cents=5000)
    for code in ("ANT", "BAT", "DOG"):
        enter(pool, code, owner=UserFactory(display_name=f"Fan of {code}"))
    play_round(pool.competition.rounds.get(number=1), winners=set())
    return pool


def post(browser, pool, what):
    return browser.post(SETTLE, {"competition": pool.competition_id, "what": what})


def text_of(answer):
    return " ".join(answer.content.decode().split())


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_a_look_shows_who_falls_who_wins_and_how_much_and_changes_nothing(back_office, pool, moderator):
    before = state_of(pool)
    page = text_of(post(back_office(moderator), pool, "look"))
    assert "Pools that end: 1." in page
    assert "Fan of ANT, entry 1</a>" in page
    assert page.count("150.00 USD") == 2
    assert "eliminated in round 1, pick lost" in page
    # That the lock has passed becomes known by looking; nobody's fate does.
    assert {**state_of(pool), "games": before["games"]} == before
    assert not Settlement.objects.exists()


@pytest.mark.slow
def test_a_look_names_the_money_that_has_gone_out(back_office, moderator):
    pool, winner, _loser = won_pool()
    booked(pool), paid_out(winner)
    game = winner.picks.get(round__number=2).game
    finish(game, *((0, 9) if game.home.code == "CAT" else (9, 0)))
    page = text_of(post(back_office(moderator), pool, "look"))
    assert f"{pool.name}: 1 payout of 100.00 USD to players whose prize shrinks has gone out already" in page


def test_all_lines_are_a_file(back_office, pool, moderator):
    answer = post(back_office(moderator), pool, "lines")
    assert answer["Content-Disposition"] == f'attachment; filename="settlement-{pool.competition.code}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert {(row["player"], row["to_status"], row["to_prize_cents"]) for row in rows} == {
        ("Fan of ANT", "winner", "15000"), ("Fan of BAT", "eliminated", ""), ("Fan of DOG", "eliminated", ""),
    }  # fmt: skip


def test_settling_leads_to_what_it_changed(back_office, pool, moderator):
    browser = back_office(moderator)
    answer = post(browser, pool, "settle")
    settlement = Settlement.objects.get()
    assert (settlement.cause, settlement.by) == ("staff", moderator)
    assert answer["Location"] == reverse("admin:entries_settlement_change", args=[settlement.pk])
    page = text_of(browser.get(answer["Location"]))
    assert "fell 2, titles won 1" in page
    assert page.count("150.00 USD") == 1
    for name, status in (("ANT", "winner"), ("BAT", "eliminated"), ("DOG", "eliminated")):
        assert f"Fan of {name}, entry 1</a>" in page
        assert f">{status}</td>" in page
    assert told(post(browser, pool, "settle"))[-1].endswith("everything was settled already.")
    assert "Nothing: everything is settled." in text_of(post(browser, pool, "look"))


def test_only_the_changes_of_a_settlement_are_shown_as_its_own(back_office, pool, moderator):
    browser = back_office(moderator)
    post(browser, pool, "settle")
    ruling = rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    settlement = Settlement.objects.get(ruling=ruling)
    answer = browser.get(reverse("admin:entries_settlement_change", args=[settlement.pk]))
    shown = [change.pk for change, _, _ in answer.context["changes"]["rows"]]
    assert shown == list(
        EntryChange.objects.filter(reason=f"settlement {settlement.pk}").order_by("pk").values_list("pk", flat=True)
    )
    assert len(shown) == 2


def test_without_a_competition_nothing_is_settled(back_office, pool, moderator):
    answer = back_office(moderator).post(SETTLE, {"what": "settle"})
    assert answer.context["form"].errors == {"competition": ["This field is required."]}
    assert not Settlement.objects.exists()


def test_the_page_of_a_competition_leads_here_with_it_chosen(back_office, pool, moderator):
    browser = back_office(moderator)
    page = browser.get(reverse("admin:pools_competition_change", args=[pool.competition_id])).content.decode()
    address = f"{SETTLE}?competition={pool.competition_id}"
    assert f'href="{address}"' in page
    assert f'<option value="{pool.competition_id}" selected' in browser.get(address).content.decode()


def test_settling_is_for_moderators_and_reading_for_finance_too(
    back_office, client, pool, moderator, finance, player, admin_user
):
    post(back_office(moderator), pool, "settle")
    client.logout()
    assert client.get(SETTLE).status_code == 302
    assert back_office(player).get(LIST).status_code == 302
    assert back_office(finance).get(SETTLE).status_code == 403
    assert post(back_office(finance), pool, "settle").status_code == 403
    assert back_office(finance).get(LIST).status_code == 200
    assert back_office(admin_user).get(SETTLE).status_code == 200


def test_nobody_changes_or_deletes_a_settlement(back_office, pool, admin_user):
    browser = back_office(admin_user)
    post(browser, pool, "settle")
    page = reverse("admin:entries_settlement_change", args=[Settlement.objects.get().pk])
    assert browser.post(page, {"cause": "ruling"}).status_code == 403
    assert browser.get(reverse("admin:entries_settlement_add")).status_code == 403
