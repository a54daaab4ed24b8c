"""Amending and revising rules in the back office."""

import pytest
from django.urls import reverse

from pools.admin.switch_fields import RULE_FIELDS
from pools.models import Amendment, PoolStatus, Rules
from pools.services.rules import propose_amendment
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.pools.test_pools_admin import errors_of, page_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:pools_amendment_changelist")
PROPOSE = reverse("admin:pools_amendment_add")
REVISE = reverse("admin:pools_rules_add")


@pytest.fixture
def pool():
    return PoolFactory(name="Main", competition=league(rounds=4), status=PoolStatus.RUNNING)


@pytest.fixture
def draft():
    return PoolFactory(name="Draft", competition=league(rounds=4), status=PoolStatus.DRAFT)


@pytest.fixture
def second():
    return ModeratorFactory()


@pytest.fixture
def amendment(pool, moderator):
    return propose_amendment(pool=pool, changes={"tie": "win", "strikes": 1}, reason="Agreed.", by=moderator)


# --- Proposing --------------------------------------------------------------------------------------------------------


def test_only_the_switches_that_were_filled_in_are_proposed(back_office, moderator, pool):
    browser = back_office(moderator)
    form = browser.get(PROPOSE, {"pool": pool.pk}).context["adminform"].form
    assert set(form.fields) == {"pool", "reason", *RULE_FIELDS}
    fees = {"rule_buy_back_until": "3", "rule_buy_back_limit": "1", "rule_buy_back_fee": "12.50"}
    assert str(form.initial["pool"]) == str(pool.pk)
    answer = browser.post(
        PROPOSE, {"pool": pool.pk, "reason": "Agreed.", "rule_two_pick_rounds": "3,4", "rule_tie": "", **fees}
    )
    assert answer.status_code == 302
    made = Amendment.objects.get()
    changes = {"two_pick_rounds": [3, 4], "buy_back_until": 3, "buy_back_limit": 1, "buy_back_fee_cents": 1250}
    assert (made.pool, made.changes, made.reason) == (pool, changes, "Agreed.")
    assert (made.proposed_by, made.status) == (moderator, "proposed")


@pytest.mark.parametrize(
    ("filled", "field", "message"),
    [
        ({"rule_house_fee_bp": "5"}, "rule_house_fee_bp", "Fees were paid under it"),
        ({"rule_buy_back_until": "2"}, "rule_buy_back_limit", "it must be at least 1"),
        ({"rule_strikes": "many"}, "rule_strikes", "Must be a whole number from 0 to 20."),
        ({}, "__all__", "They change nothing."),
        ({"rule_tie": "win", "reason": ""}, "reason", "This field is required."),
        ({"rule_tie": "win", "pool": ""}, "pool", "This field is required."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(back_office, moderator, pool, filled, field, message):
    errors = errors_of(back_office(moderator).post(PROPOSE, {"pool": pool.pk, "reason": "x"} | filled))
    assert list(errors) == [field]
    assert message in " ".join(errors[field])
    assert not Amendment.objects.exists()


def test_a_second_proposal_is_refused_above_the_form(back_office, moderator, amendment):
    filled = {"pool": amendment.pool.pk, "reason": "x", "rule_all_out": "revive"}
    page = back_office(moderator).post(PROPOSE, filled, follow=True).content.decode()
    assert f"Amendment {amendment.pk} of this pool waits already" in page
    assert Amendment.objects.count() == 1


def test_a_draft_or_an_ended_pool_cannot_be_chosen(back_office, moderator, draft):
    filled = {"pool": draft.pk, "reason": "x", "rule_tie": "win"}
    assert list(errors_of(back_office(moderator).post(PROPOSE, filled))) == ["pool"]


# --- Deciding ---------------------------------------------------------------------------------------------------------


def test_confirming_shows_the_sentences_before_and_after(back_office, second, amendment, choose):
    lock_round(amendment.pool.competition.rounds.get(number=1))
    page = choose(back_office(second), LIST, "confirm", [amendment]).content.decode()
    for said in (
        "1 of 1 waits; the others are refused, and so is your own proposal.",
        "Main, version 2, from round 2 on:",
        "strikes: 0 becomes 1.",
        "Before: A tie is a loss.",
        "After: A tie counts as won.",
        "Why: Agreed.",
        "Every player of the pool is told by mail.",
    ):
        assert said in page
    assert Amendment.objects.get().status == "proposed"


def test_somebody_else_confirms(back_office, moderator, second, amendment, confirm):
    own = confirm(back_office(moderator), LIST, "confirm", [amendment])
    assert own == ["1 of 1 refused: Whoever proposed an amendment cannot confirm it: somebody else has to."]
    assert "1 of 1 confirmed." in confirm(back_office(second), LIST, "confirm", [amendment])
    assert Rules.objects.latest("version").tie == "win"
    assert Amendment.objects.get().decided_by == second


def test_withdrawing_leaves_the_rules(back_office, moderator, amendment, confirm):
    assert confirm(back_office(moderator), LIST, "withdraw", [amendment]) == ["1 of 1 withdrawn."]
    assert Rules.objects.count() == 1


def test_what_became_impossible_is_told_before_it_is_tried(back_office, second, amendment, choose):
    for round_ in amendment.pool.competition.rounds.all():
        lock_round(round_)
    page = choose(back_office(second), LIST, "confirm", [amendment]).content.decode()
    assert "Main: would be refused now. Every round of the pool has locked" in page


def test_an_amendments_page_has_it_in_words_and_its_buttons(back_office, second, finance, amendment):
    address = reverse("admin:pools_amendment_change", args=[amendment.pk])
    page = back_office(second).get(address).content.decode()
    for said in ("tie = win", "After: A tie counts as won.", ">Confirm</button>", ">Withdraw</button>"):
        assert said in page
    assert 'name="reason"' not in page
    looked = back_office(finance).get(address).content.decode()
    assert "tie = win" in looked
    assert ">Confirm</button>" not in looked


def test_finance_and_players_do_not_amend(back_office, finance, player, pool, amendment, choose):
    filled = {"pool": pool.pk, "reason": "x", "rule_tie": "win"}
    for person, status in ((finance, 403), (player, 302)):
        assert back_office(person).post(PROPOSE, filled).status_code == status
        choose(back_office(person), LIST, "confirm", [amendment], confirmed="1")
    assert list(Amendment.objects.values_list("status", flat=True)) == ["proposed"]
    assert Rules.objects.filter(version=2).count() == 0


# --- Drafts -----------------------------------------------------------------------------------------------------------


def test_a_drafts_rules_are_revised_on_one_page(back_office, moderator, draft):
    browser = back_office(moderator)
    assert browser.post(REVISE, {"pool": draft.pk, "rule_tie": "void", "rule_strikes": "2"}).status_code == 302
    revised = draft.rules_versions.latest("version")
    assert (revised.version, revised.tie, revised.strikes, revised.created_by) == (2, "void", 2, moderator)
    errors = errors_of(browser.post(REVISE, {"pool": draft.pk, "rule_late_entry_strikes": "true"}))
    assert list(errors) == ["rule_late_entry_strikes"]


def test_a_pool_that_players_see_cannot_be_revised(back_office, moderator, pool):
    assert list(errors_of(back_office(moderator).post(REVISE, {"pool": pool.pk, "rule_tie": "win"}))) == ["pool"]


def test_pages_say_the_rules_in_words_and_where_to_change_them(back_office, moderator, pool, draft):
    browser = back_office(moderator)
    page = browser.get(page_of(draft)).content.decode()
    assert "<li>The first loss eliminates an entry.</li>" in page
    assert f'href="{REVISE}?pool={draft.pk}"' in page
    assert f'href="{PROPOSE}?pool={pool.pk}"' in browser.get(page_of(pool)).content.decode()
    rules = browser.get(reverse("admin:pools_rules_change", args=[pool.rules_versions.get().pk])).content.decode()
    assert "<li>The first loss eliminates an entry.</li>" in rules


def test_a_draft_is_shown_with_its_cautions(back_office, moderator, draft):
    browser = back_office(moderator)
    browser.post(REVISE, {"pool": draft.pk, "rule_strikes": "4"})
    caution = "Look again: With 4 strikes in 4 rounds no lost pick ever eliminates an entry."
    assert caution in browser.get(page_of(draft)).content.decode()
