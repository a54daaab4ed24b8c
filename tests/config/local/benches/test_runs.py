"""The benchmark compares like with like: every way of settling comes to the same fates and the same history."""

import pytest
from django.db import connection, transaction

from config.local.benches import reading
from config.local.benches.bigpools import Plan, build
from config.local.benches.correction import DRY, REAL, correct
from config.local.benches.runs import BY_HAND, BY_LOOP, OURS, Meaningless, fates
from entries.models import Entry

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = Plan("tried", entries=300, pools=3)
IN_SEASON = Plan("in-season", entries=300, earlier=2)


def settled(plan, way):
    """What the way comes to; taken back afterwards."""
    with transaction.atomic():
        way.settle(plan)
        found = fates(plan)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("plan", [PLAN, IN_SEASON], ids=lambda plan: plan.name)
def test_all_ways_come_to_the_same_fates(plan):
    build(plan)

    by_hand = settled(plan, BY_HAND)

    assert settled(plan, BY_LOOP) == by_hand
    assert settled(plan, OURS) == by_hand


def test_a_round_in_which_nobody_fell_is_no_measurement():
    build(PLAN)

    with pytest.raises(Meaningless, match="nobody fell in plan tried: the measurement means nothing"):
        fates(PLAN)


@pytest.mark.parametrize(
    "mistake",
    [
        "UPDATE entries_entry SET eliminated_code = 'pick_tied' WHERE id = %s",
        "UPDATE entries_entry SET rules_version = 2 WHERE id = %s",
        "UPDATE entries_entry SET strikes = 1 WHERE id = %s",
    ],
)
def test_one_entry_settled_otherwise_is_noticed(mistake):
    build(PLAN)
    with transaction.atomic():
        BY_HAND.settle(PLAN)
        right = fates(PLAN)
        with connection.cursor() as cursor:
            cursor.execute(mistake, [Entry.objects.filter(status="eliminated").first().pk])
        wrong = fates(PLAN)
        transaction.set_rollback(True)

    assert wrong != right


def test_a_dry_run_that_wrote_and_a_correction_that_did_not_are_both_noticed():
    build(PLAN)
    OURS.settle(PLAN)
    correct(PLAN)

    DRY.settle(PLAN)
    DRY.check(PLAN)
    with pytest.raises(Meaningless, match="the correction was not settled"):
        REAL.check(PLAN)

    REAL.settle(PLAN)
    REAL.check(PLAN)
    with pytest.raises(Meaningless, match="the dry run changed something"):
        DRY.check(PLAN)


def test_a_page_that_does_not_answer_is_no_measurement():
    build(Plan("tried", entries=300))

    assert len(reading._standings(page=1)["data"]) == reading.LIMIT
    with pytest.raises(Meaningless, match="rounds/9/distribution answered 403"):
        reading._get("rounds/9/distribution")
