"""`cancelled_game = repick`: a pick whose game will not be played in its round is taken back in time, and told."""

from datetime import timedelta

import pytest
from django.db import transaction

from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.models import OutboxMessage
from entries import tasks
from entries.models import EntryStatus, Pick, PickChange
from entries.queries.picks import RELEASED, picks_of
from entries.services.picks import save_pick
from entries.services.repicks import release_due_picks, release_picks
from pools.models import Game, GameStatus, Pool, PoolStatus, Round
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, game_of, kick_off, league, lock_round
from tests.support.calls import call
from tests.support.playing import enter, void

CODES = ("ANT", "BAT", "CAT", "DOG")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES), rules={"cancelled_game": "repick"})


def round_(number=1) -> Round:
    return Round.objects.get(number=number)


def call_off(code, number=1, status=GameStatus.CANCELLED) -> None:
    Game.objects.filter(pk=game_of(round_(number), code).pk).update(status=status)


def move(code, to, number=1) -> None:
    game = game_of(round_(number), code)
    game.round = round_(to)
    game.save(update_fields=["round"])


def standing(entry) -> list[str]:
    return list(Pick.objects.filter(entry=entry).order_by("round", "slot").values_list("team__code", flat=True))


@pytest.mark.parametrize("status", [GameStatus.CANCELLED, GameStatus.POSTPONED])
def test_a_pick_on_a_game_that_is_off_is_taken_back(pool, status):
    entry, other = enter(pool, "ANT"), enter(pool, "CAT")
    call_off("ANT", status=status)

    assert release_picks(competition_id=pool.competition_id) == 1

    assert (standing(entry), standing(other)) == ([], ["CAT"])
    change = PickChange.objects.filter(entry_id=entry.pk).last()
    assert (change.to_team_id, change.actor_id, change.reason) == (None, None, RELEASED)


def test_a_pick_whose_game_has_left_the_round_is_taken_back(pool):
    entry = enter(pool, "BAT")
    move("BAT", to=2)

    assert release_due_picks() == 1
    assert standing(entry) == []


def test_a_game_that_came_back_keeps_its_picks(pool):
    entry = enter(pool, "BAT")
    game = game_of(round_(1), "BAT")
    for number in (2, 1):
        game.round = round_(number)
        game.save(update_fields=["round"])

    assert release_due_picks() == 0
    assert standing(entry) == ["BAT"]


def test_a_second_time_there_is_nothing_left_to_take_back(pool):
    enter(pool, "ANT")
    call_off("ANT")

    assert (release_due_picks(), release_due_picks()) == (1, 0)
    assert OutboxMessage.objects.filter(kind="mail.pick_released").count() == 1


@pytest.mark.parametrize("rule", ["loss", "win", "void"])
def test_other_rules_leave_the_pick(db, rule):
    pool = PoolFactory(rules={"cancelled_game": rule})
    entry = enter(pool, "ANT")
    call_off("ANT")

    assert release_due_picks() == 0
    assert standing(entry) == ["ANT"]


def test_what_is_known_after_the_lock_is_too_late(pool):
    entry = enter(pool, "ANT")
    lock_round(round_(1))
    call_off("ANT")

    assert release_due_picks() == 0
    assert standing(entry) == ["ANT"]
    assert [line["result"] for line in call_picks_of(entry)] == ["void"]


def call_picks_of(entry):
    return [line._asdict() for line in picks_of(entry, viewer_id=entry.user_id)]


def test_picks_of_entries_that_are_out_or_void_stay(pool):
    out, gone = enter(pool, "ANT"), void(enter(pool, "ANT"))
    out.status, out.eliminated_round_number, out.eliminated_code = EntryStatus.ELIMINATED, 1, "pick_lost"
    out.save()
    call_off("ANT")

    assert release_due_picks() == 0
    assert (standing(out), standing(gone)) == (["ANT"], ["ANT"])


def test_a_pool_that_is_over_keeps_its_picks(pool):
    enter(pool, "ANT")
    call_off("ANT")
    Pool.objects.update(status=PoolStatus.FINISHED)

    assert release_due_picks() == release_picks(competition_id=pool.competition_id) == 0


def test_two_pools_of_one_competition_follow_their_own_rules(pool):
    other = PoolFactory(competition=pool.competition, rules={"cancelled_game": "void"})
    mine, theirs = enter(pool, "ANT"), enter(other, "ANT")
    call_off("ANT")

    release_due_picks()

    assert (standing(mine), standing(theirs)) == ([], ["ANT"])


def test_where_each_game_locks_for_itself_its_own_lock_counts(db):
    pool = PoolFactory(competition=league(codes=CODES), rules={"cancelled_game": "repick", "lock": "game"})
    started, ahead = enter(pool, "ANT"), enter(pool, "CAT")
    kick_off(game_of(round_(1), "ANT"))
    call_off("ANT"), call_off("CAT")
    Game.objects.create(
        competition=pool.competition, round=round_(1), external_id="monday",
        kickoff_at=database_now() + timedelta(days=2), home=game_of(round_(1), "ANT").home,
        away=game_of(round_(1), "CAT").home,
    )  # fmt: skip

    assert release_due_picks() == 1
    assert (standing(started), standing(ahead)) == (["ANT"], [])


def test_where_no_game_is_left_to_pick_the_pick_stays(db):
    """Rule 2: it is fixed once every other game has started, and void then."""
    pool = PoolFactory(competition=league(codes=CODES), rules={"cancelled_game": "repick", "lock": "game"})
    entry = enter(pool, "CAT")
    kick_off(game_of(round_(1), "ANT"))
    call_off("CAT")

    assert release_due_picks() == 0
    assert standing(entry) == ["CAT"]


def test_the_other_pick_of_a_two_pick_round_stays(db):
    pool = PoolFactory(competition=league(codes=CODES), rules={"cancelled_game": "repick", "picks_per_round": 2})
    entry = EntryFactory(in_pool=pool)
    save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT", "CAT"])
    call_off("ANT")
    release_due_picks()
    assert standing(entry) == ["CAT"]

    saved = save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["DOG", "CAT"])

    assert [one.changed for one in saved.picks] == [True, False]
    assert standing(entry) == ["DOG", "CAT"]


def test_whoever_calls_stays_the_actor_and_keeps_his_reason(pool, moderator):
    entry = enter(pool, "ANT")
    call_off("ANT")

    with transaction.atomic():
        attribute(by=moderator, reason="storm")
        release_picks(competition_id=pool.competition_id)
        pick(entry, 2, "CAT")

    changes = PickChange.objects.filter(entry_id=entry.pk).order_by("-id")[:2]
    assert [(change.actor_id, change.reason) for change in changes] == [
        (moderator.pk, "storm"), (moderator.pk, RELEASED),
    ]  # fmt: skip


def test_the_team_can_be_used_again_and_another_be_picked(api, pool):
    entry = enter(pool, "ANT")
    call_off("ANT")
    tasks.reveal_due_rounds()
    path = f"/entries/{entry.pk}/picks"

    assert call(api(entry.user), "PUT", f"{path}/1", {"team": "ANT"}) == (422, "TEAM_NOT_PLAYING")
    assert call(api(entry.user), "PUT", f"{path}/1", {"team": "CAT"})[0] == 200
    assert call(api(entry.user), "PUT", f"{path}/2", {"team": "ANT"})[0] == 200


def test_picks_are_taken_back_before_a_round_is_revealed(pool):
    """What was known before the lock is acted on even where the task comes late for nothing else."""
    entry = enter(pool, "ANT", "CAT")
    call_off("CAT", 2)
    lock_round(round_(1))

    assert tasks.reveal_due_rounds() == 1
    assert standing(entry) == ["ANT"]


def test_the_number_of_statements_does_not_grow_with_entries(pool, django_assert_num_queries):
    counts = []
    for number, entries in ((1, 1), (2, 3)):
        for _ in range(entries):
            pick(EntryFactory(in_pool=pool), number, "ANT")
        call_off("ANT", number)
        with django_assert_num_queries(12, exact=False) as queries:
            assert release_picks(competition_id=pool.competition_id) == entries
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- The mail ---------------------------------------------------------------------------------------------------


@pytest.fixture
def ann(db):
    return UserFactory(email="ann@example.test", display_name="Ann <3")


def test_the_player_reads_what_was_taken_back_and_until_when_to_pick(pool, ann, mailoutbox, settings):
    Pool.objects.update(name="Fish & Chips")
    entry = enter(pool, "ANT", owner=ann)
    call_off("ANT")
    release_due_picks()

    outbox.drain()

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ann@example.test"], "Pick again: Fish & Chips")
    assert "Hello Ann <3,\n\nin Fish & Chips, entry number 1 must pick again" in mail.body
    assert "- Round 1: The Ants no longer counts. Pick another team until " in mail.body
    assert f"{settings.PUBLIC_URL}/api/v1/entries/{entry.pk}/picks" in mail.body
    assert "Hello Ann &lt;3," in mail.alternatives[0][0]


def test_one_mail_tells_of_all_rounds(pool, ann, mailoutbox):
    enter(pool, "ANT", "CAT", owner=ann)
    call_off("ANT"), call_off("CAT", 2)
    release_due_picks()

    outbox.drain()

    (mail,) = mailoutbox
    assert "Round 1: The Ants" in mail.body
    assert "Round 2: The Cats" in mail.body


def test_each_entry_gets_a_mail_of_its_own(pool, ann, mailoutbox):
    enter(pool, "ANT", owner=ann), enter(pool, "ANT", owner=ann, number=2)
    call_off("ANT")
    release_due_picks()

    outbox.drain()

    assert len(mailoutbox) == 2


def test_no_mail_goes_out_once_another_team_is_picked_or_the_round_has_locked(pool, ann, mailoutbox):
    entry, late = enter(pool, "ANT", owner=ann), enter(pool, None, "ANT")
    call_off("ANT"), call_off("ANT", 2)
    release_due_picks()
    pick(entry, 1, "CAT")
    lock_round(round_(2))

    outbox.drain()

    assert mailoutbox == []
    assert standing(late) == []


def test_a_closed_account_gets_none(pool, ann, mailoutbox):
    enter(pool, "ANT", owner=ann)
    call_off("ANT")
    release_due_picks()
    ann.is_active = False
    ann.save()

    outbox.drain()

    assert mailoutbox == []


def test_the_message_that_waits_names_no_team(pool):
    enter(pool, "ANT")
    call_off("ANT")
    release_due_picks()

    message = OutboxMessage.objects.get(kind="mail.pick_released")
    assert set(message.payload) == {"entry", "rounds"}
    assert "ANT" not in message.key
