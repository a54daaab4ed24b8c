"""Rule sets that pools begin with."""

import pytest

from pools.models import Competition
from pools.services.pool_fields import check_fields
from pools.services.pools import create_pool
from pools.services.rules import SWITCHES
from pools.services.rules.templates import TEMPLATES
from tests.factories.pools import league

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", TEMPLATES)
@pytest.mark.parametrize("rounds", [1, 2, 9])
def test_every_template_is_possible_in_any_competition(key, rounds):
    competition, template = league(rounds=rounds), TEMPLATES[key]
    switches = template.switches(competition)
    pool = create_pool(competition=competition, name="New", created_by=None, rules=switches, **template.fields)
    made = pool.rules_versions.get()
    assert {name: getattr(made, name) for name in switches} == switches
    # What is the default already needs no saying.
    assert all(SWITCHES[name].default != value for name, value in switches.items())
    assert check_fields(competition, {"name": "New", **template.fields}).items() >= dict(template.fields).items()


def test_last_man_standing_gives_the_clubs_back_once_there_are_more_rounds_than_clubs():
    switches = TEMPLATES["last-man-standing"].switches
    assert switches(league(rounds=9))["reuse_reset_round"] == 5
    assert "reuse_reset_round" not in switches(league(rounds=4))


def test_holiday_rounds_have_to_be_drawn():
    competition = league()
    cautions = TEMPLATES["holidays"].cautions
    assert "Import its schedule with a rounds file" in str(cautions(competition)[0])
    Competition.objects.update(rounds_are_drawn=True)
    competition.refresh_from_db()
    assert cautions(competition) == []
