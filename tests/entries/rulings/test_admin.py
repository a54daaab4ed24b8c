"""The pages of rulings: proposed on forms, looked at in full, confirmed by a second person alone."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import User
from config.clock import database_now
from entries.models import Ruling
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory, lock_round
from tests.support.playing import enter, play
from tests.support.ruling import game_of, propose, rule, state_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:entries_ruling_changelist")
FORMS = ("game", "pick", "disqualify", "reinstate")


def form_of(name):
    return reverse(f"admin:entries_ruling_propose_{name}")


def page_of(ruling):
    return reverse("admin:entries_ruling_change", args=[ruling.pk])


@pytest.fixture
def back_office(client):
    """A signed-in browser: `back_office(person)`."""

    def sign_in(person):
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return sign_in


@pytest.fixture
def pool():
    """Round 1 is played: ANT has won the pool, BAT and DOG are out."""
    pool = PoolFactory(name="Cup", entry_fee_cents=5000)
    for code in ("ANT", "BAT", "DOG"):
        enter(pool, code, owner=UserFactory(display_name=f"Fan of {code}"))
    play(pool, 1)
    return pool


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def act(browser, action, ruling, **fields):
    data = {"action": action, ACTION_CHECKBOX_NAME: [ruling.pk], "index": "0", "select_across": "0"}
    if action == "confirm" and "confirmed" in fields:
        # Whoever confirms has seen the page before, which is sent back with what it showed.
        fields = {**browser.post(LIST, data).context["hidden"], **fields}
    return browser.post(LIST, data | fields)


def correction(pool, by):
    return propose("game", by=by, game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)


def text_of(answer):
    return " ".join(answer.content.decode().split())


# --- Proposing ---------------------------------------------------------------------------------------------------


def test_another_score_is_proposed_and_its_page_shows_what_it_would_change(back_office, pool, moderator, colleague):
    before = state_of(pool)
    game = game_of(pool, 1, "ANT")
    browser = back_office(moderator)
    fields = {"game": game.pk, "verdict": "score", "status": "postponed", "home_score": "0", "away_score": "7"}
    answer = browser.post(form_of("game"), fields | {"reason": "Misread."})
    ruling = Ruling.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page_of(ruling))
    assert ruling.details == {"verdict": "score", "round": 1, "home_score": 0, "away_score": 7}
    page = text_of(back_office(colleague).get(page_of(ruling)))
    assert "BAT at ANT in round 1 ended 0-7, home side first." in page
    assert "Fan of ANT, entry 1</a>" in page
    assert "eliminated in round 1, pick lost" in page
    assert page.count("150.00 USD") == 4
    assert state_of(pool) == before


def test_every_kind_is_proposed_on_its_form(back_office, pool, moderator):
    ant, bat, _ = pool.entries.order_by("pk")
    browser = back_office(moderator)
    for name, fields, details in (
        ("pick", {"entry": bat.pk, "round": "1", "teams": "CAT"}, {"round": 1, "teams": ["CAT"]}),
        ("disqualify", {"entry": ant.pk}, {}),
        ("reinstate", {"entry": bat.pk, "resumes": ""}, {"from": 1, "resumes": 2}),
    ):
        answer = browser.post(form_of(name), fields | {"reason": "Seen."})
        assert answer.status_code == 302, answer.context["form"].errors
        made = Ruling.objects.first()
        assert (made.kind, made.details, made.proposed_by) == (name, details, moderator)


def test_a_game_is_moved_with_its_new_kickoff(back_office, moderator):
    pool = PoolFactory()
    kickoff = (database_now() + timedelta(days=9)).replace(second=0, microsecond=0)
    fields = {"game": game_of(pool, 1, "ANT").pk, "verdict": "moved", "to_round": "2", "reason": "Snow."}
    answer = back_office(moderator).post(form_of("game"), fields | {"kickoff_at": f"{kickoff:%Y-%m-%dT%H:%M}"})
    assert answer.status_code == 302, answer.context["form"].errors
    assert Ruling.objects.get().details["kickoff_at"] == kickoff.isoformat()


def test_what_the_service_refuses_is_told_beside_its_field_or_above(back_office, pool, moderator):
    browser = back_office(moderator)
    game, bat = game_of(pool, 1, "ANT"), pool.entries.order_by("pk")[1]
    answer = browser.post(form_of("game"), {"game": game.pk, "verdict": "moved", "reason": "x"})
    assert answer.context["form"].errors == {"to_round": ["Must be a whole number from 1 to 999."]}
    answer = browser.post(form_of("pick"), {"entry": bat.pk, "round": "2", "teams": "CAT", "reason": "x"})
    assert answer.context["form"].non_field_errors() == ["Picks of round 2 are the players' own until they lock."]
    answer = browser.post(form_of("disqualify"), {"entry": bat.pk, "reason": ""})
    assert answer.context["form"].errors == {"reason": ["This field is required."]}
    assert not Ruling.objects.exists()


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_are_for_moderators_alone(back_office, pool, moderator, admin_user, finance, player, client, name):
    assert client.get(form_of(name)).status_code == 302
    assert back_office(player).get(form_of(name)).status_code == 302
    assert back_office(finance).get(form_of(name)).status_code == 403
    for person in (moderator, admin_user):
        assert back_office(person).get(form_of(name)).status_code == 200


def test_games_and_entries_are_found_by_name_and_told_in_words(back_office, pool, moderator, finance, player):
    find = reverse("admin:entries_ruling_find")

    def found(browser, field, term):
        ask = {"app_label": "entries", "model_name": "ruling", "field_name": field, "term": term}
        return browser.get(find, ask)

    browser = back_office(moderator)
    entry = pool.entries.select_related("user").order_by("pk").first()
    [row] = found(browser, "entry", "Fan of ANT").json()["results"]
    assert row == {"id": str(entry.pk), "text": f"Fan of ANT <{entry.user.email}>, entry 1 in Cup: winner"}
    texts = [row["text"] for row in found(browser, "game", "01_BAT_ANT").json()["results"]]
    assert texts == ["01_BAT_ANT, The Bats at The Ants, Round 1: final 20-10"]
    assert found(back_office(player), "entry", "Fan").status_code == 302


def test_the_form_is_filled_in_from_the_page_of_the_game_or_the_entry(back_office, pool, moderator):
    browser = back_office(moderator)
    game, entry = game_of(pool, 1, "ANT"), pool.entries.first()
    page = browser.get(reverse("admin:pools_game_change", args=[game.pk])).content.decode()
    assert f'href="{form_of("game")}?game={game.pk}"' in page
    page = browser.get(reverse("admin:entries_entry_change", args=[entry.pk])).content.decode()
    for name in ("pick", "disqualify", "reinstate"):
        assert f'href="{form_of(name)}?entry={entry.pk}"' in page
    form = browser.get(f"{form_of('game')}?game={game.pk}").content.decode()
    assert f'<option value="{game.pk}" selected>01_BAT_ANT, The Bats at The Ants' in form


def test_pages_of_games_and_entries_offer_finance_no_rulings(back_office, pool, finance):
    page = back_office(finance).get(reverse("admin:entries_entry_change", args=[pool.entries.first().pk]))
    assert "propose" not in page.content.decode()


# --- Deciding ----------------------------------------------------------------------------------------------------


def test_the_second_person_confirms_and_the_page_tells_what_changed(back_office, pool, moderator, colleague):
    ruling = correction(pool, moderator)
    browser = back_office(colleague)
    page = text_of(browser.get(page_of(ruling)))
    assert ">Confirm</button>" in page
    sentences = text_of(act(browser, "confirm", ruling))
    assert "1 fall, 1 are revived, 1 win and 1 lose a title, 0 become void, 0 return, 0 change otherwise." in sentences
    assert "Cup: prizes of 150.00 USD go, 150.00 USD come." in sentences
    assert told(act(browser, "confirm", ruling, confirmed="1")) == ["1 of 1 confirmed and settled."]
    page = text_of(browser.get(page_of(ruling)))
    assert "fell 1, revived 1, titles won 1, titles lost 1." in page
    assert ">Reverse</button>" in page
    assert ">Confirm</button>" not in page
    [settlement] = ruling.settlements.all()
    lines = text_of(browser.get(reverse("admin:entries_settlement_change", args=[settlement.pk])))
    assert f"Ruling {ruling.pk}</a>" in lines
    assert "Fan of BAT, entry 1</a>" in lines


def test_whoever_proposed_it_is_told_why_there_is_no_button(back_office, pool, moderator):
    ruling = correction(pool, moderator)
    browser = back_office(moderator)
    page = text_of(browser.get(page_of(ruling)))
    assert ">Confirm</button>" not in page
    assert ">Withdraw</button>" in page
    assert "You proposed it: somebody else has to confirm it." in page
    answer = act(browser, "confirm", ruling, confirmed="1")
    assert told(answer) == ["1 of 1 refused: Whoever proposed a ruling cannot confirm it: somebody else has to."]
    assert Ruling.objects.get().status == "proposed"


def test_the_owner_of_the_entry_is_told_why_there_is_no_button(back_office, moderator, colleague):
    entry = enter(PoolFactory(), "ANT", owner=colleague)
    ruling = propose("disqualify", by=moderator, entry=entry)
    page = text_of(back_office(colleague).get(page_of(ruling)))
    assert "It is about an entry of yours: a colleague has to confirm it." in page
    assert ">Confirm</button>" not in page


def test_a_conflict_is_seen_before_and_after(back_office, moderator, colleague):
    pool = PoolFactory()
    enter(pool, "ANT", owner=colleague), enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    ruling = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="not_played")
    browser = back_office(colleague)
    assert "Conflict of interest" in text_of(browser.get(page_of(ruling)))
    act(browser, "confirm", ruling, confirmed="1")
    assert Ruling.objects.get().has_conflict
    assert "Conflict of interest" in text_of(browser.get(page_of(ruling)))
    assert list(browser.get(LIST, {"has_conflict__exact": "1"}).context["cl"].result_list) == [ruling]


def test_a_proposal_that_went_stale_says_so(back_office, pool, moderator, colleague):
    ruling = correction(pool, moderator)
    rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    browser = back_office(colleague)
    assert "It cannot be confirmed: A ruling has decided that already." in text_of(browser.get(page_of(ruling)))
    assert "A ruling has decided that already." in text_of(act(browser, "confirm", ruling))
    assert told(act(browser, "confirm", ruling, confirmed="1")) == [
        "1 of 1 refused: A ruling has decided that already."
    ]


def test_a_proposal_is_withdrawn_and_a_ruling_reversed(back_office, pool, moderator, colleague):
    gone, kept = correction(pool, moderator), correction(pool, moderator)
    browser = back_office(colleague)
    assert "1 of 1 wait; the others are refused." in text_of(act(browser, "withdraw", gone))
    assert told(act(browser, "withdraw", gone, confirmed="1")) == ["1 of 1 withdrawn."]
    assert "Nothing: it was not confirmed." in text_of(browser.get(page_of(gone)))
    act(browser, "confirm", kept, confirmed="1")
    assert "then all is as it was before the ruling." in text_of(act(browser, "reverse", kept))
    answer = act(browser, "reverse", kept, confirmed="1", reason="It was right.")
    assert told(answer)[-1] == "1 of 1 to be reversed."
    reversal = Ruling.objects.get(kind="reversal")
    act(back_office(moderator), "confirm", reversal, confirmed="1")
    page = text_of(back_office(moderator).get(page_of(kept)))
    assert f"Ruling {reversal.pk}</a>" in page
    assert ">Reverse</button>" not in page


def test_all_lines_are_a_file(back_office, pool, moderator, finance):
    ruling = correction(pool, moderator)
    address = reverse("admin:entries_ruling_lines", args=[ruling.pk])
    browser = back_office(moderator)
    assert address in browser.get(page_of(ruling)).content.decode()
    rows = list(csv.DictReader(io.StringIO(browser.get(address).getvalue().decode())))
    assert {(row["player"], row["to_status"]) for row in rows} == {
        ("Fan of ANT", "eliminated"), ("Fan of BAT", "winner"),
    }  # fmt: skip
    act(browser, "withdraw", ruling, confirmed="1")
    answer = browser.get(address)
    assert (answer.status_code, told(answer)[-1]) == (302, "A ruling that is withdrawn cannot become confirmed.")
    assert back_office(finance).get(address).status_code == 403


# --- Looking -----------------------------------------------------------------------------------------------------


def test_rulings_are_filtered_and_found(back_office, pool, moderator):
    game = correction(pool, moderator)
    entry = propose("disqualify", entry=pool.entries.order_by("pk").first(), reason="Two accounts.")
    browser = back_office(moderator)
    for query, found in (
        ({}, [entry, game]),
        ({"kind__exact": "game"}, [game]),
        ({"status__exact": "confirmed"}, []),
        ({"pool__id__exact": pool.pk}, [entry]),
        ({"competition__id__exact": pool.competition_id}, [entry, game]),
        ({"q": "Two accounts"}, [entry]),
        ({"q": "01_BAT_ANT"}, [game]),
    ):
        assert list(browser.get(LIST, query).context["cl"].result_list) == found


def test_finance_reads_but_decides_nothing(back_office, pool, finance, moderator):
    ruling = correction(pool, moderator)
    browser = back_office(finance)
    assert browser.get(LIST).status_code == 200
    page = text_of(browser.get(page_of(ruling)))
    assert "BAT at ANT in round 1 ended 0-7" in page
    assert ">Confirm</button>" not in page
    assert ">Withdraw</button>" not in page


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_however_long_it_is(
    back_office, pool, moderator, number, django_assert_max_num_queries
):
    for entry in list(pool.entries.all())[:number]:
        propose("disqualify", entry=entry)
    browser = back_office(moderator)
    with django_assert_max_num_queries(8):
        assert browser.get(LIST).context["cl"].result_count == number


def test_the_page_never_shows_how_things_stood_before(back_office, moderator):
    pool = PoolFactory()
    entry = enter(pool, None, "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    ruling = rule("pick", entry=entry, round=1, teams=["ANT"])
    [ahead] = Ruling.objects.get(pk=ruling.pk).before["ahead"]
    assert ahead["nonce"] not in back_office(moderator).get(page_of(ruling)).content.decode()


@pytest.mark.slow
@pytest.mark.parametrize("number", ["abc", "9" * 5_000])
def test_numbers_that_are_none_are_left_out(client, moderator, number):
    client.force_login(User.objects.get(pk=moderator.pk))
    for page in ("pools_game", "pools_pool", "entries_entry", "entries_request", "entries_ruling"):
        assert client.get(reverse(f"admin:{page}_change", args=[number])).status_code == 302, page
    for kind, subject in (("game", "game"), ("pick", "entry")):
        address = reverse(f"admin:entries_ruling_propose_{kind}")
        assert client.get(address, {subject: number}).status_code == 200
        assert client.post(address, {subject: number, "what": "look"}).status_code == 200
