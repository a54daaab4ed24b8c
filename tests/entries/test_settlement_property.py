"""An entry's fate is a function of rules, picks, results and rulings, whatever the order in which they arrive.

Random worlds live through random seasons (`season`, `season_rulings`), each in a transaction that is rolled back. After
each settlement an oracle that shares no code with it says the same. The run tells its seed at its end, and
`OUTLAST_PROPERTY_SEED` runs it again.
"""

import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.entries.season import THEN
from tests.entries.season_rulings import RuledSeason
from tests.oracle.worlds import worlds
from tests.support.mirror import Stage

SEED = int(os.environ["OUTLAST_PROPERTY_SEED"])
SLICES = 4
# The others take CI too long; all of them run with `-m slow`.
SLICES_IN_CI = 1
usual = settings(
    deadline=None,
    print_blob=True,
    database=None,
    stateful_step_count=7,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


class Seasons(RuleBasedStateMachine):
    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.is_well, self.is_unsettled = False, True

    def teardown(self) -> None:
        try:
            if self.is_well and self.is_unsettled:
                self.season.settle("settle", None)
        finally:
            self.roll_back()

    def roll_back(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize(world=worlds())
    def begin(self, world) -> None:
        self.season = RuledSeason(self.stage, *world)
        self.is_well = True

    @rule(
        when=st.sampled_from(RuledSeason.TIMES),
        what=st.sampled_from(RuledSeason.EVENTS),
        then=st.sampled_from(THEN),
        data=st.data(),
    )
    def happens(self, when, what, then, data) -> None:
        self.is_well = False
        getattr(self.season, when)(data.draw)
        getattr(self.season, what)(data.draw)
        self.is_unsettled = then == "wait"
        if then != "wait":
            self.season.settle(then, data.draw)
        self.is_well = True


def play_seasons(how_many: int, this_seed: int) -> None:
    """That many random seasons."""
    machine = seed(this_seed)(type("TheseSeasons", (Seasons,), {"stage": Stage()}))
    run_state_machine_as_test(machine, settings=settings(usual, max_examples=how_many))


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_the_tables_say_what_the_oracle_says():
    play_seasons(12, SEED)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=() if part < SLICES_IN_CI else pytest.mark.longest) for part in range(SLICES)]
)
def test_whatever_happens_over_thousands_of_seasons_the_tables_say_what_the_oracle_says(part):
    play_seasons(500, SEED + 1 + part)
