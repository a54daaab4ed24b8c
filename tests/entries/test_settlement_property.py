"""An entry's fate is a function of rules, picks, results and rulings, whatever the order in which they arrive.

Whole seasons as in `settlement_machine`, each in a transaction that is rolled back. A run that fails prints its seed;
`OUTLAST_PROPERTY_SEED` runs it again.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.entries.settlement_machine import Season
from tests.support.mirror import Stage

SEED = int(os.environ.get("OUTLAST_PROPERTY_SEED") or random.SystemRandom().randrange(10**9))
SLICES = 4
usual = settings(
    deadline=None,
    print_blob=True,
    database=None,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


def play_seasons(how_many: int, this_seed: int) -> None:
    """That many random seasons."""
    print(f"OUTLAST_PROPERTY_SEED={this_seed}")
    machine = seed(this_seed)(type("Season", (Season,), {"stage": Stage()}))
    run_state_machine_as_test(machine, settings=settings(usual, max_examples=how_many))


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_the_tables_say_what_the_oracle_says():
    play_seasons(30, SEED)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(SLICES))
def test_whatever_happens_over_thousands_of_seasons_the_tables_say_what_the_oracle_says(part):
    play_seasons(500, SEED + 1 + part)
