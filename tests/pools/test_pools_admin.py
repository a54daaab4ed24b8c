"""Pools in the back office."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.clock import database_now
from config.errors import Refused
from entries.services.approvals import approve_request
from entries.services.requests import ask_to_join
from pools.admin.pool_form import FIELDS
from pools.admin.pool_previews import what_closing_does
from pools.admin.switch_fields import RULE_FIELDS
from pools.models import Pool, PoolChange, PoolStatus, Rules
from pools.queries import first_lock_at
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db

LIST = reverse("admin:pools_pool_changelist")
ADD = reverse("admin:pools_pool_add")
BUY_BACK = {"rule_buy_back_until": "2", "rule_buy_back_limit": "1"}
RULES = reverse("admin:pools_rules_changelist")


def page_of(pool) -> str:
    return reverse("admin:pools_pool_change", args=[pool.pk])


def status_of(pool) -> str:
    return Pool.objects.get(pk=pool.pk).status


@pytest.fixture
def filled():
    """The form of a new pool, as a browser sends it."""
    defaults = dict.fromkeys(RULE_FIELDS, "")
    return defaults | {
        "competition": league(code="cup-2026").pk, "name": "Main", "description": "", "entry_fee": "50",
        "currency": "usd", "capacity": "", "max_entries_per_user": "3", "registration_closes_at_0": "",
        "registration_closes_at_1": "", "first_round_number": "", "last_round_number": "", "pay_within_hours": "72",
        "minimum_age": "18", "countries": "", "rule_tie": "win", "rule_strikes": "1",
    }  # fmt: skip


def errors_of(answer) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


# --- Making -----------------------------------------------------------------------------------------------------------


def test_the_form_has_every_field_and_every_switch(back_office, moderator):
    form = back_office(moderator).get(ADD).context["adminform"].form
    assert list(form.fields) == [*FIELDS, *RULE_FIELDS]
    assert set(RULE_FIELDS) == {f"rule_{key.removesuffix('_cents')}" for key in Rules.KEYS}


def test_a_moderator_makes_a_draft_with_its_rules(back_office, moderator, filled):
    assert back_office(moderator).post(ADD, filled).status_code == 302
    pool = Pool.objects.get()
    assert (pool.name, pool.status, pool.entry_fee_cents, pool.created_by) == ("Main", "draft", 5000, moderator)
    assert (pool.first_round_number, pool.last_round_number) == (1, 3)
    rules = pool.rules_versions.get()
    assert (rules.version, rules.tie, rules.strikes, rules.lock) == (1, "win", 1, "round")


@pytest.mark.parametrize(("currency", "typed", "minor"), [("usd", "12.50", 1250), ("JPY", "1250", 1250)])
def test_what_buying_back_costs_is_typed_as_money(back_office, moderator, filled, currency, typed, minor):
    fees = {"entry_fee": "100", "currency": currency, "rule_buy_back_fee": typed}
    assert back_office(moderator).post(ADD, filled | BUY_BACK | fees).status_code == 302
    assert Pool.objects.get().rules_versions.get().buy_back_fee_cents == minor


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"rule_tie": "draw"}, "rule_tie", "Select a valid choice. draw is not one of the available choices."),
        ({"rule_two_pick_rounds": "4"}, "rule_two_pick_rounds", "The pool does not play round 4."),
        ({"rule_buy_back_until": "3", "rule_buy_back_limit": "1"}, "rule_buy_back_until", "Round 3 is the last"),
        ({"rule_strikes": "many"}, "rule_strikes", "Must be a whole number from 0 to 20."),
        ({"rule_late_entry_strikes": "true"}, "rule_late_entry_strikes", "late_entry_until is not given"),
        ({"last_round_number": "9"}, "last_round_number", "cup-2026 has no round 9; it has 1 to 3."),
        ({"capacity": "0"}, "capacity", "Must be from 1 to 10000000."),
        ({"currency": "x"}, "currency", "Must be a currency of ISO 4217, such as usd."),
        ({"name": ""}, "name", "This field is required."),
        ({"entry_fee": "12.345"}, "entry_fee", "USD has 2 decimals."),
        ({"entry_fee": "25.50", "currency": "jpy"}, "entry_fee", "JPY has 0 decimals."),
        ({"entry_fee": "-1"}, "entry_fee", "greater than or equal to 0."),
        ({"entry_fee": "0.49"}, "entry_fee", "at least 50 (0.50 USD)"),
        ({"entry_fee": "1000000.01"}, "entry_fee", "Must be at most 1,000,000.00 USD."),
        ({**BUY_BACK, "rule_buy_back_fee": "9.999"}, "rule_buy_back_fee", "USD has 2 decimals."),
        ({**BUY_BACK, "rule_buy_back_fee": "0.49"}, "rule_buy_back_fee", "at least 50 (0.50 USD)"),
        ({**BUY_BACK, "rule_buy_back_fee": "1000000.01"}, "rule_buy_back_fee", "Must be at most 1,000,000.00 USD."),
        ({"rule_buy_back_fee": "5"}, "rule_buy_back_fee", "buy_back_until"),
        ({"competition": ""}, "competition", "This field is required."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(back_office, moderator, filled, change, field, message):
    errors = errors_of(back_office(moderator).post(ADD, filled | change))
    assert list(errors) == [field]
    assert message in " ".join(errors[field])
    assert not Pool.objects.exists()


# --- Publishing and cancelling ------------------------------------------------------------------------------------


def test_publishing_says_first_what_it_does(back_office, moderator, choose):
    rows = [PoolFactory(status="draft", capacity=40, countries=["US-NV"]), PoolFactory()]
    page = choose(back_office(moderator), LIST, "publish", rows).content.decode()
    assert (
        f"{rows[0].name}: Fee: 50.00 USD; Places: 40; For each player: up to 3; Minimum age: 18; Countries: US-NV."
        in page
    )
    locks_at = first_lock_at(rows[0]).strftime("%Y-%m-%d %H:%M UTC")
    times = f"The first locks: {locks_at}. Registration closes: {locks_at}."
    assert f"{rows[0].name}: It plays 3 rounds of {rows[0].competition}. {times}" in page
    assert "1 of 2 is a draft; the others are refused." in page
    assert f"{rows[0].name}: The first loss eliminates an entry." in page
    assert f"{rows[1].name}: " not in page
    assert status_of(rows[0]) == "draft"


def test_drafts_are_published_and_others_refused_by_reason(back_office, moderator, confirm):
    late = PoolFactory(status="draft")
    lock_round(late.competition.rounds.get(number=1))
    rows = [PoolFactory(status="draft"), PoolFactory(), late]
    messages = confirm(back_office(moderator), LIST, "publish", rows)
    assert messages[0] == "1 of 3 published."
    assert "1 of 3 refused: A pool that is open cannot become open." in messages
    assert any("nobody could join" in message for message in messages)
    assert status_of(rows[0]) == "open"
    assert PoolChange.objects.filter(subject_id=rows[0].pk).latest("id").actor_id == moderator.pk


def test_closing_registration_says_first_what_it_does_and_takes_nobody_in_any_more(
    back_office, moderator, choose, confirm
):
    pool, draft = PoolFactory(name="Main"), PoolFactory(status="draft")
    RequestFactory(pool=pool)
    RequestFactory(pool=pool, waitlisted_at=database_now())
    owing = RequestFactory(pool=pool, approved=True)
    browser = back_office(moderator)

    said = choose(browser, LIST, "close_registration", [pool, draft]).context["sentences"]
    assert said[0] == "1 of 2 takes players now; the others are refused."
    closes = first_lock_at(pool).strftime("%Y-%m-%d %H:%M")
    assert f"Main: registration would have closed: {closes} UTC." in said
    assert "Main: requests not decided, which can only be rejected then: 2, 1 of them on the waiting list." in said
    assert said[-1].endswith("which keep their place until their time is over: 1. They owe 50.00 USD.")
    assert Pool.objects.get(pk=pool.pk).registration_closes_at is None

    assert confirm(browser, LIST, "close_registration", [pool, draft]) == [
        "1 of 2 closed to new players.",
        "1 of 2 refused: The pool is draft: nobody can ask to join.",
    ]

    change = PoolChange.objects.filter(subject_id=pool.pk).latest("id")
    assert (change.actor_id, change.reason, change.to_status) == (moderator.pk, "registration closed", "open")
    closed = Pool.objects.get(pk=pool.pk)
    assert closed.registration_closes_at <= database_now()
    for refused in (
        lambda: ask_to_join(pool_id=closed.pk, user=UserFactory(), now=database_now()),
        lambda: approve_request(request=pool.requests.filter(status="pending")[0], by=moderator, now=database_now()),
    ):
        with pytest.raises(Refused, match="Registration closed at"):
            refused()
    owing.refresh_from_db()
    assert owing.status == "approved"
    again = confirm(browser, LIST, "close_registration", [pool])
    assert again[-1].startswith("1 of 1 refused: Registration closed at")


def test_asking_about_closing_costs_the_same_for_one_pool_and_for_three():
    PoolFactory(), PoolFactory(), PoolFactory(rules={"late_entry_until": 2})

    def asked(count):
        with CaptureQueriesContext(connection) as seen:
            said = what_closing_does(Pool.objects.filter(pk__in=Pool.objects.order_by("pk")[:count].values("pk")))
        assert len(said) == 2 + count
        return len(seen)

    assert asked(3) == asked(1)


def test_cancelling_needs_a_reason_and_refuses_pools_with_entries(back_office, moderator, choose, confirm):
    empty, paid = PoolFactory(), EntryFactory().pool
    browser = back_office(moderator)
    assert "Say why." in choose(browser, LIST, "cancel", [empty], confirmed="1", reason=" ").content.decode()
    messages = confirm(browser, LIST, "cancel", [empty, paid], reason="Too few.")
    assert messages == [
        "1 of 2 cancelled.",
        "1 of 2 refused: The pool has 1 paid entry. It is cancelled together with giving their money back.",
    ]
    assert (status_of(empty), status_of(paid)) == ("cancelled", "open")


# --- Looking ----------------------------------------------------------------------------------------------------------


def test_a_pool_that_is_there_cannot_be_edited(back_office, admin_user):
    pool = PoolFactory(name="Main", rules={"strikes": 2})
    browser = back_office(admin_user)
    page = browser.get(page_of(pool)).content.decode()
    assert "50.00 USD" in page
    assert page.index("survives") < page.index("The switches, version 1")
    assert "lock = round, strikes = 2" in page
    assert 'name="name"' not in page
    browser.post(page_of(pool), {"name": "Other", "suspended_may_pick": "on", "chargeback_bearer": "house"})
    assert Pool.objects.get().name == "Main"


def test_what_happens_in_a_dispute_is_changed_until_the_pool_ends(back_office, moderator, finance):
    pool = PoolFactory(status=PoolStatus.RUNNING)
    change = {"suspended_may_pick": "", "chargeback_bearer": "pot"}
    assert back_office(finance).post(page_of(pool), change).status_code == 403
    browser = back_office(moderator)
    assert 'name="chargeback_bearer"' in browser.get(page_of(pool)).content.decode()
    assert browser.post(page_of(pool), change).status_code == 302
    pool.refresh_from_db()
    assert (pool.suspended_may_pick, pool.chargeback_bearer) == (False, "pot")
    assert PoolChange.objects.latest("id").actor_id == moderator.pk
    Pool.objects.update(status=PoolStatus.FINISHED)
    assert 'name="chargeback_bearer"' not in browser.get(page_of(pool)).content.decode()
    assert browser.post(page_of(pool), change | {"chargeback_bearer": "house"}).status_code == 403
    assert Pool.objects.get().chargeback_bearer == "pot"


def test_a_new_pool_says_what_happens_in_a_dispute(back_office, moderator, filled):
    asked = {"suspended_may_pick": "", "chargeback_bearer": "pot", "entry_fee": "0.49"}
    browser = back_office(moderator)
    assert "at least 50 (0.50 USD)" in errors_of(browser.post(ADD, filled | asked))["entry_fee"][0]
    assert browser.post(ADD, filled | asked | {"entry_fee": "0.50"}).status_code == 302
    pool = Pool.objects.get()
    assert (pool.suspended_may_pick, pool.chargeback_bearer) == (False, "pot")


def test_a_pool_that_is_not_there_leads_back(back_office, moderator):
    assert back_office(moderator).get(reverse("admin:pools_pool_change", args=[99])).status_code == 302


def test_lists_cost_the_same_for_one_row_and_for_three(back_office, moderator):
    browser = back_office(moderator)

    def queries(address):
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    EntryFactory()
    queries(LIST)
    one = queries(LIST), queries(RULES)
    EntryFactory.create_batch(2)
    assert (queries(LIST), queries(RULES)) == one


def test_the_list_shows_numbers_and_money(back_office, finance):
    paid_entry()
    page = back_office(finance).get(LIST).content.decode()
    assert page.count("50.00 USD") == 2  # the fee, and the pot of one paid entry


def test_the_list_is_searched_and_filtered(back_office, moderator):
    PoolFactory(name="Alpha")
    PoolFactory(name="Beta", status=PoolStatus.RUNNING)
    browser = back_office(moderator)
    for query, found in (("?q=alp", "Alpha"), ("?status__exact=running", "Beta")):
        changelist = browser.get(LIST + query).context["cl"]
        assert [pool.name for pool in changelist.result_list] == [found]


# --- Who --------------------------------------------------------------------------------------------------------------


def test_finance_looks_but_does_not_touch(back_office, finance, choose, filled):
    pool = PoolFactory(status="draft")
    browser = back_office(finance)
    assert browser.get(LIST).status_code == 200
    assert browser.get(page_of(pool)).status_code == 200
    assert browser.get(RULES).status_code == 200
    assert browser.post(ADD, filled).status_code == 403
    assert "Publish" not in browser.get(LIST).content.decode()
    choose(browser, LIST, "publish", [pool], confirmed="1")
    assert status_of(pool) == "draft"


def test_players_and_strangers_are_sent_away(back_office, client, player):
    assert client.get(LIST).status_code == 302
    assert back_office(player).get(LIST).status_code == 302


def test_nobody_deletes(back_office, admin_user):
    pool = PoolFactory()
    assert back_office(admin_user).post(reverse("admin:pools_pool_delete", args=[pool.pk])).status_code == 403
    rules = pool.rules_versions.get()
    browser = back_office(admin_user)
    assert browser.post(reverse("admin:pools_rules_delete", args=[rules.pk])).status_code == 403
    assert browser.get(reverse("admin:pools_rules_change", args=[rules.pk])).status_code == 200
