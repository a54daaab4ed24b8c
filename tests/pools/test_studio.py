"""The studio: pools from templates, step by step."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.clock import database_now
from pools.admin.pool_form import FIELDS
from pools.admin.studio import HANDED_ON
from pools.admin.switch_fields import RULE_FIELDS
from pools.models import Pool
from pools.queries import current_rules
from pools.services.rules import switches_of
from tests.factories.entries import RequestFactory
from tests.factories.pools import CompetitionFactory, PoolFactory, league
from tests.support.sessions import sessions_in_the_database

__all__ = ["sessions_in_the_database"]

pytestmark = pytest.mark.django_db

STUDIO = reverse("admin:pools_pool_studio")


def filled_in(page) -> dict[str, str]:
    """The second step as a browser sends it."""
    form, start = page.context["form"], page.context["start"]
    sent = {name: str(value) for name, value in start.hidden().items()}
    for name in form.fields:
        value = form[name].value()
        if name == "registration_closes_at":
            sent |= {f"{name}_0": "", f"{name}_1": ""}
        elif name not in sent and value is not False:
            sent[name] = "" if value is None else ",".join(value) if isinstance(value, list) else str(value)
    return sent


def begin(browser, competition, template="classic") -> dict[str, str]:
    page = browser.get(STUDIO, {"template": template, "competition": competition.pk})
    assert page.status_code == 200
    return filled_in(page)


def test_the_first_step_asks_for_a_template_and_a_competition_that_has_rounds(back_office, moderator):
    browser = back_office(moderator)
    page = browser.get(STUDIO).content.decode()
    assert page.count('type="radio" name="template"') == 4
    assert "Premier League last man standing" in page
    empty = CompetitionFactory()
    page = browser.get(STUDIO, {"template": "classic", "competition": empty.pk}).content.decode()
    assert "It has no rounds yet. Import its schedule first." in page


def test_a_pool_is_made_from_a_template_in_three_steps(back_office, moderator):
    browser = back_office(moderator)
    terms = begin(browser, league(rounds=9, name="English Cup"), "last-man-standing")
    assert (terms["currency"], terms["rule_missed_pick"], terms["rule_reuse_reset_round"]) == ("gbp", "fallback", "5")
    terms |= {"name": "Main", "entry_fee": "25.00"}
    page = browser.post(STUDIO, terms | {"step": "look"}).content.decode()
    assert not Pool.objects.exists()
    assert "25.00 GBP" in page
    assert "it eliminates nobody and costs nobody a strike." in page
    assert 'type="hidden" name="rule_all_out" value="revive"' in page
    answer = browser.post(STUDIO, terms | {"step": "make"})
    pool = Pool.objects.get()
    assert answer["Location"] == reverse("admin:pools_pool_change", args=[pool.pk])
    assert (pool.name, pool.status, pool.entry_fee_cents, pool.created_by) == ("Main", "draft", 2500, moderator)
    rules = pool.rules_versions.get()
    assert (rules.missed_pick, rules.cancelled_game, rules.all_out, rules.created_by) == (
        "fallback", "void", "revive", moderator,
    )  # fmt: skip


def test_what_the_rules_refuse_is_told_before_anything_is_made(back_office, moderator):
    browser = back_office(moderator)
    terms = begin(browser, league(), "two-lives") | {"name": "Main", "rule_buy_back_until": "3", "step": "make"}
    page = browser.post(STUDIO, terms)
    assert set(page.context["form"].errors) == {"rule_buy_back_until", "rule_buy_back_limit"}
    assert '<details class="mb-6" open>' in page.content.decode()
    assert not Pool.objects.exists()


def test_going_back_keeps_what_was_filled_in(back_office, moderator):
    browser = back_office(moderator)
    terms = begin(browser, league()) | {"name": "Main", "countries": "US-NV,CA"}
    del terms["suspended_may_pick"]
    look = browser.post(STUDIO, terms | {"step": "look"})
    form, start = look.context["form"], look.context["start"]
    # As the hidden fields of the last step send it.
    kept = {str(name): str(value) for name, value in start.hidden().items()}
    kept |= dict(pair for field in look.context["kept"] for pair in hidden_values(field.as_hidden()))
    assert form.is_valid()
    back = browser.post(STUDIO, kept | {"step": "terms"}).context["form"]
    assert (back["name"].value(), back["countries"].value()) == ("Main", "US-NV,CA")
    assert browser.post(STUDIO, kept | {"step": "make"}).status_code == 302
    pool = Pool.objects.get()
    assert (pool.countries, pool.suspended_may_pick) == (["US-NV", "CA"], False)


def hidden_values(html: str) -> list[tuple[str, str]]:
    return re.findall(r'name="([^"]+)"(?: value="([^"]*)")?', html)


def test_the_sections_have_every_field(back_office, moderator):
    page = back_office(moderator).get(STUDIO, {"template": "classic", "competition": league().pk})
    shown = [field.name for _title, fields in page.context["sections"] for field in fields]
    assert {*shown, "competition"} == set(FIELDS)
    assert [field.name for field in page.context["switches"]] == list(RULE_FIELDS)


def test_a_template_that_lacks_its_rounds_says_so(back_office, moderator):
    browser = back_office(moderator)
    terms = begin(browser, league(), "holidays") | {"name": "Main", "step": "look"}
    page = browser.post(STUDIO, terms).content.decode()
    assert "Import its schedule with a rounds file" in page


def test_finance_makes_no_pools(back_office, finance):
    browser = back_office(finance)
    assert browser.get(STUDIO).status_code == 403
    assert browser.post(STUDIO, {"step": "make"}).status_code == 403


def test_looking_costs_the_same_for_three_rounds_and_for_nine(back_office, moderator):
    browser = back_office(moderator)

    def queries(rounds: int) -> int:
        terms = begin(browser, league(rounds=rounds)) | {"name": "Main", "step": "look"}
        with CaptureQueriesContext(connection) as seen:
            assert browser.post(STUDIO, terms).status_code == 200
        return len(seen)

    assert queries(3) == queries(9) == 22


# --- Rounds and locks -------------------------------------------------------------------------------------------------


def instants_of(page) -> dict[str, list[str]]:
    return {str(name): [str(instant) for instant in instants] for name, _games, instants in page.context["zone_rows"]}


@pytest.fixture
def cup():
    """The clocks of New York change between its first two rounds."""
    competition = league(rounds=3)
    for number, at in ((1, "2030-11-02T16:00Z"), (2, "2030-11-09T16:00Z"), (3, "2030-11-16T16:00Z")):
        competition.games.filter(round__number=number).update(kickoff_at=datetime.fromisoformat(at))
    return competition


def test_rounds_and_locks_are_shown_in_three_zones(back_office, moderator, cup, settings):
    settings.FINANCE_TIME_ZONE = ZoneInfo("UTC")
    browser = back_office(moderator)
    terms = begin(browser, cup) | {"name": "Main", "step": "look"}
    page = browser.post(STUDIO, terms)
    assert [zone.key for zone in page.context["zones"]] == ["UTC", "America/New_York", "Europe/London"]
    shown = instants_of(page)
    assert shown["1 · Round 1"] == ["Sat 2030-11-02 16:00 UTC", "Sat 2030-11-02 12:00 EDT", "Sat 2030-11-02 16:00 GMT"]
    assert shown["2 · Round 2"] == ["Sat 2030-11-09 16:00 UTC", "Sat 2030-11-09 11:00 EST", "Sat 2030-11-09 16:00 GMT"]
    assert shown["Registration closes"] == shown["1 · Round 1"]
    shown = instants_of(browser.post(STUDIO, terms | {"zone": "Asia/Tokyo"}))
    assert shown["1 · Round 1"][2] == "Sun 2030-11-03 01:00 JST"


def test_the_zone_that_somebody_chose_stays(back_office, moderator, cup):
    pool = PoolFactory(competition=cup, rules={"lock": "game"})
    last = cup.games.filter(round__number=1).last()
    last.kickoff_at = datetime.fromisoformat("2030-11-03T18:00Z")
    last.save(update_fields=["kickoff_at"])
    browser = back_office(moderator)
    address = reverse("admin:pools_pool_change", args=[pool.pk])
    browser.get(address, {"zone": "Asia/Tokyo"})
    browser.get(address, {"zone": "Nowhere/At_All"})
    page = browser.get(address)
    assert page.context["zone"] == "Asia/Tokyo"
    # Each game locks for itself.
    assert instants_of(page)["1 · Round 1"][0] == "Sat 2030-11-02 16:00 UTC – Sun 2030-11-03 18:00 UTC"


# --- A new season -----------------------------------------------------------------------------------------------------


def test_a_pool_is_cloned_with_its_rules_and_money_for_another_competition(back_office, moderator):
    old = PoolFactory(
        name="Main 2029", description="Of 2029", entry_fee_cents=2500, currency="eur", capacity=40, countries=["US-NV"],
        max_entries_per_user=2, pay_within_hours=24, minimum_age=21, chargeback_bearer="pot", suspended_may_pick=False,
        registration_closes_at=database_now(), rules={
            "strikes": 1, "payout": "table", "payout_table": [7000, 3000], "buy_back_until": 1, "buy_back_limit": 1,
            "buy_back_fee_cents": 1250,
        },
    )  # fmt: skip
    RequestFactory(pool=old)
    browser, season = back_office(moderator), league(rounds=5)
    page = browser.get(reverse("admin:pools_pool_change", args=[old.pk])).content.decode()
    assert f'href="{STUDIO}?pool={old.pk}"' in page
    choices = browser.get(STUDIO, {"pool": old.pk}).context["form"].fields
    assert (list(choices), list(choices["competition"].queryset)) == (["competition"], [season])
    terms = filled_in(browser.get(STUDIO, {"pool": old.pk, "competition": season.pk}))
    assert terms["rule_buy_back_fee"] == "12.50"
    assert (terms["name"], terms["description"], terms["registration_closes_at_0"]) == ("", "", "")
    assert browser.post(STUDIO, terms | {"name": "Main 2030", "step": "make"}).status_code == 302
    new = Pool.objects.get(competition=season)
    copied = (*HANDED_ON, "countries")
    assert {name: getattr(new, name) for name in copied} == {name: getattr(old, name) for name in copied}
    assert (new.status, new.first_round_number, new.last_round_number, new.created_by) == ("draft", 1, 5, moderator)
    assert not new.requests.exists()
    assert switches_of(new.rules_versions.get()) == switches_of(current_rules(old))


def test_rules_that_the_new_season_cannot_have_are_told_beside_them(back_office, moderator):
    old = PoolFactory(competition=league(rounds=9), rules={"reuse_reset_round": 8})
    browser = back_office(moderator)
    terms = filled_in(browser.get(STUDIO, {"pool": old.pk, "competition": league().pk}))
    page = browser.post(STUDIO, terms | {"name": "Main", "step": "look"})
    assert page.context["form"].errors == {"rule_reuse_reset_round": ["The pool does not play round 8."]}


def test_a_pool_that_is_not_there_is_not_cloned(back_office, moderator):
    browser = back_office(moderator)
    assert browser.get(STUDIO, {"pool": "99"}).status_code == 404
    assert browser.get(STUDIO, {"pool": "9" * 30}).status_code == 404
    # Python makes no number of so many digits.
    assert browser.get(STUDIO, {"pool": "9" * 5000}).status_code == 404
    assert browser.get(STUDIO, {"pool": "²"}).status_code == 200


def test_the_page_of_a_pool_costs_the_same_for_three_rounds_and_for_nine(back_office, moderator):
    browser = back_office(moderator)

    def queries(rounds: int) -> int:
        address = reverse("admin:pools_pool_change", args=[PoolFactory(competition=league(rounds=rounds)).pk])
        browser.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    assert queries(3) == queries(9)
