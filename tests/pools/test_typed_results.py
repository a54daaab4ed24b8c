"""Results by hand: typed twice alike or not at all, also when two people and a feed are at the same game."""

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from config.clock import database_now
from config.errors import DomainError
from config.models import AuditEntry
from pools.models import Game, GameChange, TypedResult
from pools.services.results import record_result
from pools.services.typed_results import Typed, type_result, withdraw_typed_result
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, finish, league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def game():
    """Of a locked round, in a pool under way."""
    pool = PoolFactory(status="running")
    lock_round(pool.competition.rounds.get(number=1))
    return pool.competition.games.filter(round__number=1).order_by("id").first()


@pytest.fixture
def colleague():
    return ModeratorFactory()


def types(game, by, home, away, waiting=0):
    return type_result(game_id=game.pk, typed=Typed(home, away, waiting), by=by)


def stands(game):
    return Game.objects.values_list("status", "home_score", "away_score").get(pk=game.pk)


def refused(call, *args, **kwargs):
    with pytest.raises(DomainError) as refusal, transaction.atomic():
        call(*args, **kwargs)
    return str(refusal.value.code)


def test_two_equal_ones_become_the_result_with_both_names(game, moderator, colleague):
    first = types(game, moderator, 24, 17)
    assert (first.status, stands(game)) == ("once", ("scheduled", None, None))
    second = types(game, colleague, 24, 17, first.pk)
    assert (second.pk, second.status, second.typed_by, second.decided_by) == (first.pk, "taken", moderator, colleague)
    assert stands(game) == ("final", 24, 17)
    change = GameChange.objects.latest("id")
    assert (change.actor_id, change.reason) == (colleague.pk, f"typed twice: typed result {first.pk}")
    told = AuditEntry.objects.filter(subject_type="typed_result").order_by("pk")
    assert [(one.action, one.actor_id) for one in told] == [
        ("typed_result.typed", moderator.pk),
        ("typed_result.taken", colleague.pk),
    ]
    assert "24" not in str(told[0].data)


def test_two_unequal_ones_change_nothing_and_the_game_is_typed_anew(game, moderator, colleague):
    first = types(game, moderator, 24, 17)
    assert types(game, colleague, 17, 24, first.pk).status == "differs"
    assert stands(game) == ("scheduled", None, None)
    again = types(game, colleague, 24, 17)
    assert (again.status, again.pk != first.pk) == ("once", True)
    assert types(game, moderator, 24, 17, again.pk).status == "taken"


def test_the_same_person_may_type_it_again_but_not_send_it_twice(game, moderator):
    first = types(game, moderator, 0, 0)
    assert refused(types, game, moderator, 0, 0) == "VERSION_CONFLICT"
    assert types(game, moderator, 0, 0, first.pk).status == "taken"
    assert refused(types, game, moderator, 0, 0, first.pk) == "VERSION_CONFLICT"


def test_who_did_not_know_of_the_first_is_the_second(game, moderator, colleague):
    types(game, moderator, 3, 0)
    assert types(game, colleague, 3, 0).status == "taken"


def test_a_feed_that_was_quicker_agrees_or_is_contradicted(game, moderator, colleague):
    first = types(game, moderator, 24, 17)
    record_result(game_id=game.pk, status="final", home_score=24, away_score=17, by=None)
    assert types(game, colleague, 24, 17, first.pk).status == "taken"
    other = game.round.games.exclude(pk=game.pk).get()
    first = types(other, moderator, 7, 6)
    record_result(game_id=other.pk, status="final", home_score=6, away_score=7, by=None)
    held = types(other, colleague, 7, 6, first.pk)
    assert (held.status, "is final already, and pools are settled on it" in held.note) == ("held", True)
    assert stands(other) == ("final", 6, 7)
    assert refused(types, other, moderator, 7, 6) == "CORRECTION_NEEDS_RULING"


def test_what_is_no_result_is_refused(game, moderator):
    for home, away in ((-1, 0), (0, 1000)):
        assert refused(types, game, moderator, home, away) == "VALIDATION_ERROR"
    assert refused(type_result, game_id=0, typed=Typed(1, 0), by=moderator) == "NOT_FOUND"
    assert refused(types, league().games.first(), moderator, 1, 0) == "INVALID_TRANSITION"
    later = game.round.games.exclude(pk=game.pk).get()
    later.kickoff_at = database_now() + timedelta(hours=1)
    later.save(update_fields=["kickoff_at"])
    assert refused(types, later, moderator, 1, 0) == "INVALID_TRANSITION"
    finish(game, 1, 0)
    assert refused(types, game, moderator, 2, 0) == "CORRECTION_NEEDS_RULING"
    assert not TypedResult.objects.exists()


def test_what_was_typed_once_is_taken_back_once(game, moderator, colleague):
    first = types(game, moderator, 24, 17)
    gone = withdraw_typed_result(typed_id=first.pk, by=colleague)
    assert (gone.status, gone.decided_by) == ("withdrawn", colleague)
    assert refused(withdraw_typed_result, typed_id=first.pk, by=moderator) == "INVALID_TRANSITION"
    assert refused(withdraw_typed_result, typed_id=0, by=moderator) == "NOT_FOUND"
    assert refused(types, game, moderator, 24, 17, first.pk) == "VERSION_CONFLICT"
    assert types(game, moderator, 24, 17).status == "once"


def test_the_database_keeps_what_was_typed(game, moderator, colleague):
    row = types(game, moderator, 24, 17)
    name = "pools_typedresult"
    into = f"INSERT INTO {name} (game_id, home_score, away_score, status, typed_by_id) VALUES ({game.pk}, 1, 0,"
    again = f"again_home_score = 24, again_away_score = 17, decided_by_id = {colleague.pk}, decided_at = now()"
    for statement, constraint in (
        (f"UPDATE {name} SET home_score = 3", "typed_result_stays"),
        (f"UPDATE {name} SET status = 'taken'", "typed_result_twice"),
        (f"UPDATE {name} SET status = 'differs', {again}", "typed_result_twice"),
        (f"UPDATE {name} SET status = 'taken', {again.replace('24', '9')}", "typed_result_twice"),
        (f"UPDATE {name} SET status = 'withdrawn'", "typed_result_twice"),
        (f"DELETE FROM {name}", "never_deleted"),
        (f"{into} 'once', {moderator.pk})", "typed_result_one_waits"),
        (f"{into} 'taken', {moderator.pk})", "typed_result_begins_once"),
    ):
        with pytest.raises(Error) as refusal, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert refusal.value.__cause__.diag.constraint_name == constraint, statement
    types(game, colleague, 24, 17, row.pk)
    with pytest.raises(Error), transaction.atomic():
        TypedResult.objects.update(note="x")
