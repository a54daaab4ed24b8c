"""Changing the rules of a pool in play: two names, forward only."""

import pytest

from config.errors import Code, DomainError, Malformed
from pools.models import Amendment, AmendmentStatus, Pool, PoolStatus, Rules
from pools.services.rules import (
    confirm_amendment,
    preview_changes,
    propose_amendment,
    sentences,
    switches_of,
    withdraw_amendment,
)
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory(competition=league(rounds=6), status=PoolStatus.RUNNING)


@pytest.fixture
def second():
    return ModeratorFactory()


def lock(pool, *numbers):
    for number in numbers:
        lock_round(pool.competition.rounds.get(number=number))


def refused(action, *args, **kwargs) -> tuple[str, str]:
    with pytest.raises(DomainError) as refusal:
        action(*args, **kwargs)
    return refusal.value.code, refusal.value.message


def blamed(pool, changes) -> dict[str, list[str]]:
    with pytest.raises(Malformed) as refusal:
        preview_changes(pool=pool, changes=changes)
    return refusal.value.details


def amend(pool, changes, first, second) -> Rules:
    proposed = propose_amendment(pool=pool, changes=changes, reason="Agreed.", by=first)
    return confirm_amendment(amendment=proposed, by=second).rules


# --- Two names --------------------------------------------------------------------------------------------------------


def test_a_proposal_changes_nothing_yet(pool, moderator):
    amendment = propose_amendment(
        pool=pool, changes={"tie": "win", "strikes": "0", "two_pick_rounds": "6,5"}, reason=" Agreed. ", by=moderator
    )
    assert (amendment.status, amendment.reason, amendment.proposed_by) == ("proposed", "Agreed.", moderator)
    # Read, and without what stays as it is.
    assert amendment.changes == {"tie": "win", "two_pick_rounds": [5, 6]}
    assert pool.rules_versions.count() == 1


def test_a_second_person_makes_it_the_rules_of_what_has_not_locked(pool, moderator, second):
    lock(pool, 1, 2)
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="Agreed.", by=moderator)
    decided = confirm_amendment(amendment=amendment, by=second)
    assert (decided.status, decided.decided_by) == (AmendmentStatus.CONFIRMED, second)
    assert decided.decided_at >= decided.proposed_at
    old, new = pool.rules_versions.order_by("version")
    assert decided.rules == new
    assert (new.version, new.effective_round_number, new.created_by, new.confirmed_by) == (2, 3, moderator, second)
    assert switches_of(new) == switches_of(old) | {"tie": "win"}
    assert sentences(new, pool)[-1] == "This is version 2; it governs from round 3 on."


def test_before_the_first_lock_an_amendment_governs_the_whole_pool(moderator, second):
    assert amend(PoolFactory(), {"tie": "win"}, moderator, second).effective_round_number == 1


def test_rounds_that_lock_while_it_waits_are_not_governed(pool, moderator, second):
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    lock(pool, 1, 2, 3)
    assert confirm_amendment(amendment=amendment, by=second).rules.effective_round_number == 4


def test_a_round_that_locked_out_of_order_bounds_what_it_governs(pool, moderator, second):
    lock(pool, 1, 3)
    assert amend(pool, {"tie": "win"}, moderator, second).effective_round_number == 4


def test_whoever_proposed_it_does_not_confirm_it(pool, moderator, second):
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    assert refused(confirm_amendment, amendment=amendment, by=moderator) == (
        Code.FORBIDDEN,
        "Whoever proposed an amendment cannot confirm it: somebody else has to.",
    )
    assert Amendment.objects.get().status == "proposed"
    assert confirm_amendment(amendment=amendment, by=second).status == "confirmed"


def test_a_proposal_is_withdrawn_by_anybody_and_then_gone(pool, moderator, second):
    for by in (moderator, second):
        amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
        withdrawn = withdraw_amendment(amendment=amendment, by=by)
        assert (withdrawn.status, withdrawn.decided_by, withdrawn.rules) == ("withdrawn", by, None)
        assert refused(confirm_amendment, amendment=amendment, by=second) == (
            Code.INVALID_TRANSITION,
            "An amendment that is withdrawn cannot become confirmed.",
        )
    assert pool.rules_versions.count() == 1


def test_what_was_confirmed_is_neither_confirmed_nor_withdrawn_again(pool, moderator, second):
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    confirm_amendment(amendment=amendment, by=second)
    for action in (confirm_amendment, withdraw_amendment):
        assert refused(action, amendment=amendment, by=second)[0] == Code.INVALID_TRANSITION
    assert pool.rules_versions.count() == 2


def test_one_waits_at_a_time(pool, moderator, second):
    first = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    assert refused(propose_amendment, pool=pool, changes={"strikes": 1}, reason="x", by=second) == (
        Code.INVALID_TRANSITION,
        f"Amendment {first.pk} of this pool waits already: confirm or withdraw it first.",
    )
    withdraw_amendment(amendment=first, by=moderator)
    propose_amendment(pool=pool, changes={"strikes": 1}, reason="x", by=second)
    # Another pool's does not stand in the way.
    propose_amendment(pool=PoolFactory(), changes={"strikes": 1}, reason="x", by=second)


def test_versions_follow_each_other(pool, moderator, second):
    amend(pool, {"tie": "win"}, moderator, second)
    lock(pool, 1)
    amend(pool, {"tie": "loss", "strikes": 1}, second, moderator)
    found = list(
        pool.rules_versions.order_by("version").values_list("version", "effective_round_number", "tie", "strikes")
    )
    assert found == [(1, 1, "loss", 0), (2, 1, "win", 0), (3, 2, "loss", 1)]


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("draft", "The pool is draft: its rules are revised without one."),
        ("finished", "The pool is finished: its rules stay as they are."),
        ("cancelled", "The pool is cancelled: its rules stay as they are."),
    ],
)
def test_only_pools_in_play_are_amended(moderator, status, said):
    pool = PoolFactory(status=status)
    assert refused(propose_amendment, pool=pool, changes={"tie": "win"}, reason="x", by=moderator) == (
        Code.POOL_CLOSED,
        said,
    )


def test_a_pool_that_ended_meanwhile_keeps_its_rules(pool, moderator, second):
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    Pool.objects.filter(pk=pool.pk).update(status="finished")
    assert refused(confirm_amendment, amendment=amendment, by=second)[0] == Code.POOL_CLOSED
    assert withdraw_amendment(amendment=amendment, by=second).status == "withdrawn"


def test_without_a_round_to_govern_there_is_no_amendment(pool, moderator, second):
    amendment = propose_amendment(pool=pool, changes={"tie": "win"}, reason="x", by=moderator)
    lock(pool, 1, 2, 3, 4, 5, 6)
    expected = (Code.DEADLINE_PASSED, "Every round of the pool has locked: an amendment would govern none.")
    assert refused(confirm_amendment, amendment=amendment, by=second) == expected
    assert refused(preview_changes, pool=pool, changes={"tie": "win"}) == expected
    assert pool.rules_versions.count() == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_given(pool, moderator, reason):
    assert refused(propose_amendment, pool=pool, changes={"tie": "win"}, reason=reason, by=moderator)[0] == (
        Code.VALIDATION_ERROR
    )


@pytest.mark.parametrize("changes", [{}, {"tie": "loss"}, {"strikes": "0", "two_pick_rounds": "none"}])
def test_changes_that_change_nothing_are_refused(pool, changes):
    assert blamed(pool, changes) == {"changes": ["They change nothing."]}


def test_contradictions_are_refused_as_at_creation(pool):
    assert blamed(pool, {"buy_back_until": 6, "buy_back_limit": 1}) == {
        "rules.buy_back_until": ["Round 6 is the last: whoever falls in it has no round left to come back for."]
    }
    assert list(blamed(pool, {"colour": "red", "tie": "draw"})) == ["rules.colour", "rules.tie"]


LOCKED = "has locked: an amendment governs only rounds that have not."


@pytest.mark.parametrize(
    ("rules", "changes", "key", "reason"),
    [
        ({}, {"house_fee_bp": 1}, "house_fee_bp", "Fees were paid under it: it stays as it is once players can join."),
        ({}, {"late_entry_until": 2}, "late_entry_until", f"Round 2 {LOCKED}"),
        ({"late_entry_until": 4}, {"late_entry_until": 1}, "late_entry_until", f"Round 1 {LOCKED}"),
        ({}, {"buy_back_until": 2, "buy_back_limit": 1}, "buy_back_until", f"Round 2 {LOCKED}"),
        ({}, {"reuse_reset_round": 2}, "reuse_reset_round", f"Round 2 {LOCKED}"),
        (
            {"reuse_reset_round": 2},
            {"reuse_reset_round": 5},
            "reuse_reset_round",
            "The count of used teams started again in round 2, which has locked.",
        ),
        (
            {"reuse_reset_round": 2},
            {"reuse_reset_round": "none"},
            "reuse_reset_round",
            "The count of used teams started again in round 2, which has locked.",
        ),
        ({}, {"two_pick_rounds": [1, 5]}, "two_pick_rounds", f"Round 1 {LOCKED}"),
        ({"two_pick_rounds": [1, 2]}, {"two_pick_rounds": [1]}, "two_pick_rounds", f"Round 2 {LOCKED}"),
        (
            {"picks_per_round": 2},
            {"picks_per_round": 1, "two_pick_rounds": [2, 3]},
            "two_pick_rounds",
            f"Round 2 {LOCKED}",
        ),
    ],
)
def test_what_would_act_backward_is_refused(moderator, second, rules, changes, key, reason):
    pool = PoolFactory(competition=league(rounds=6), status=PoolStatus.RUNNING, rules=rules)
    if "late_entry_until" in changes or key == "house_fee_bp":
        # Possible as long as nothing has locked, but the fee.
        assert (key == "house_fee_bp") == (not is_possible(pool, changes))
    amendment = None
    if is_possible(pool, changes):
        amendment = propose_amendment(pool=pool, changes=changes, reason="x", by=moderator)
    lock(pool, 1, 2)
    assert blamed(pool, changes) == {f"rules.{key}": [reason]}
    if amendment is not None:
        assert refused(confirm_amendment, amendment=amendment, by=second)[0] == Code.VALIDATION_ERROR
    assert pool.rules_versions.count() == 1


def is_possible(pool, changes) -> bool:
    try:
        preview_changes(pool=pool, changes=changes)
    except Malformed:
        return False
    return True


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ({"reuse_limit": 3}, {"reuse_limit": 1}),
        ({"strikes": 2}, {"strikes": 0}),
        ({}, {"lock": "game", "missed_pick": "fallback", "missed_pick_then": "strike", "strikes": 1}),
        ({"late_entry_until": 2}, {"late_entry_until": 4}),
        ({"late_entry_until": 2}, {"late_entry_until": None}),
        ({"late_entry_until": 2}, {"tie": "win"}),
        ({"buy_back_until": 2, "buy_back_limit": 1}, {"buy_back_limit": 3, "buy_back_fee_cents": 500}),
        ({"buy_back_until": 2, "buy_back_limit": 1}, {"buy_back_until": 3}),
        ({"buy_back_until": 2, "buy_back_limit": 1}, {"buy_back_until": "none", "buy_back_limit": 0}),
        ({}, {"reuse_reset_round": 3}),
        ({"reuse_reset_round": 5}, {"reuse_reset_round": 4}),
        ({"two_pick_rounds": [1, 5]}, {"two_pick_rounds": [1, 6]}),
        ({"two_pick_rounds": [1, 5]}, {"two_pick_rounds": [], "picks_per_round": 2}),
        ({"picks_per_round": 2}, {"picks_per_round": 1, "two_pick_rounds": [3]}),
        ({}, {"payout": "table", "payout_table": [7000, 3000], "all_out": "tiebreak", "last_round": "tiebreak"}),
    ],
)
def test_what_acts_forward_is_confirmed(moderator, second, rules, changes):
    pool = PoolFactory(competition=league(rounds=6), status=PoolStatus.RUNNING, rules=rules)
    lock(pool, 1, 2)
    assert amend(pool, changes, moderator, second).effective_round_number == 3
