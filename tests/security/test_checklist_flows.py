"""Row 20: a script that does what people do, without end."""

import pytest

from config.api import ratelimit
from entries.models import Request
from tests.factories.pools import PoolFactory, league
from tests.support.playing import enter

pytestmark = pytest.mark.django_db


def test_row_20_a_script_joins_no_further_than_its_limit_and_the_pools(api, player):
    pool = PoolFactory(competition=league(), max_entries_per_user=3)
    client, answers = api(player), []
    for number in range(ratelimit.JOIN.limit + 5):
        client.credentials(HTTP_IDEMPOTENCY_KEY=f"one-of-many-{number:04}")
        answers.append(client.post(f"/api/v1/pools/{pool.pk}/requests", {}, format="json").status_code)

    assert answers == [201] * 3 + [409] * (ratelimit.JOIN.limit - 3) + [429] * 5
    assert Request.objects.filter(user=player).count() == 3


def test_row_20_a_script_that_picks_is_limited(api, settings):
    """By the minute: ten in a second are a person who changes their mind, thousands are not."""
    settings.RATE_LIMIT_SCALE = 0.01
    entry = enter(PoolFactory(competition=league()), "ANT")
    client, most = api(entry.user), int(ratelimit.PICK.allowed)
    path = f"/api/v1/entries/{entry.pk}/picks/1"

    answers = [client.put(path, {"team": team}, format="json").status_code for team in ("ANT", "BAT") * most]

    assert answers == [200] * most + [429] * most
    assert 1 < most < 60
