"""Changing the rules of a pool that players have joined: proposed by one member of staff, confirmed by another.

An amendment governs the rounds that have not locked when it is confirmed, never an earlier one, and every player of
the pool is told by mail, with what changes, from which round on, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from config import outbox
from config.clock import ClockTimestamp
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, Refused, invalid
from config.phrases import Name, phrase
from config.versions import Seen
from pools.models import Amendment, AmendmentStatus, Pool, PoolStatus, Rules
from pools.models.competition import REVEAL_LOCK
from pools.queries import audience, current_rules
from pools.services.rules.contradictions import Faults, check_rules, contest_of, refusal
from pools.services.rules.frozen import frozen
from pools.services.rules.versions import switches_of
from pools.services.unchanged import refuse_changed

LONGEST_REASON = 500
MAIL = "mail.rules_amended"

# The pool's first round after the last one that has locked: what an amendment may govern.
FIRST_UNLOCKED = """
    SELECT r.id, r.number FROM pools_round r
    WHERE r.competition_id = %(competition)s AND r.number BETWEEN %(first)s AND %(last)s
      AND r.number > coalesce((SELECT max(number) FROM pools_round WHERE competition_id = %(competition)s
                               AND locks_at <= clock_timestamp()), 0)
    ORDER BY r.number LIMIT 1
"""
# Whoever shares it, as each save of a pick does, keeps the round from being revealed and graded until the commit.
SHARE_ROUND = "SELECT pg_advisory_xact_lock_shared(%s, %s)"

PLAYERS_MAILS = """
    SELECT 'rules-amended-' || %(amendment)s::bigint || '-' || p.user_id,
           jsonb_build_object('amendment', %(amendment)s::bigint, 'user', p.user_id)
    FROM ({players}) p
"""

explain("rules_forward_only", Code.DEADLINE_PASSED, "A round has locked meanwhile. Look again and confirm again.")
explain("rules_two_names", Code.FORBIDDEN, "Somebody else has to confirm an amendment, while the pool is in play.")


class NotInPlay(Refused):
    """Neither drafts nor ended pools have amendments."""

    def __init__(self, pool: Pool) -> None:
        if pool.status == PoolStatus.DRAFT:
            message = phrase("The pool is draft: its rules are revised without one.")
        else:
            message = phrase("The pool is {status}: its rules stay as they are.", status=Name(pool.status))
        super().__init__(Code.POOL_CLOSED, message, {"status": pool.status})


class EveryRoundLocked(Refused):
    """Nothing is left to govern."""

    def __init__(self) -> None:
        super().__init__(Code.DEADLINE_PASSED, "Every round of the pool has locked: an amendment would govern none.")


class OwnProposal(Forbidden):
    """Two names means two people."""

    def __init__(self) -> None:
        super().__init__(Code.FORBIDDEN, "Whoever proposed an amendment cannot confirm it: somebody else has to.")


class OneWaitsAlready(Conflict):
    """Two proposals at once could contradict each other."""

    def __init__(self, amendment: Amendment) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "Amendment {amendment} of this pool waits already: confirm or withdraw it first.",
                amendment=amendment.pk,
            ),
            {"amendment": amendment.pk},
        )


@dataclass(frozen=True)
class Outcome:
    """What confirming now would make of the rules."""

    before: Rules
    after: Rules


@transaction.atomic
def propose_amendment(*, pool: Pool, changes: Mapping[str, Any], reason: str, by: User, seen: Seen = None) -> Amendment:
    """Propose new values of some switches. Nothing changes until somebody else confirms.

    Refuses a draft and an ended pool, a second proposal while one waits, changes that change nothing, that contradict,
    or that act on what is past, each with its reason under `rules.<key>`; and a pool that is not as it was `seen`.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise invalid(
            "reason",
            phrase("Say why, in at most {most} characters; every player of the pool reads it.", most=LONGEST_REASON),
        )
    pool = Pool.objects.locked().get(pk=pool.pk)
    refuse_changed(pool, seen)
    _refuse_unless_in_play(pool)
    waiting = Amendment.objects.filter(pool=pool, status=AmendmentStatus.PROPOSED).first()
    if waiting is not None:
        raise OneWaitsAlready(waiting)
    _, number = _first_unlocked(pool)
    outcome = _outcome(pool, changes, number)
    now, then = switches_of(outcome.before), switches_of(outcome.after)
    return Amendment.objects.create(
        pool=pool,
        changes={key: value for key, value in then.items() if value != now[key]},
        reason=reason,
        proposed_by=by,
    )


@transaction.atomic
def confirm_amendment(*, amendment: Amendment, by: User) -> Amendment:
    """Make it the rules of the rounds that have not locked, and tell every player of the pool.

    Refuses whoever proposed it and one that was decided already, and checks again all that proposing checks: rounds
    lock while a proposal waits.
    """
    pool = Pool.objects.locked().get(pk=amendment.pool_id)
    amendment = Amendment.objects.locked().get(pk=amendment.pk)
    amendment.move_to(AmendmentStatus.CONFIRMED)
    _refuse_unless_in_play(pool)
    if amendment.proposed_by_id == by.pk:
        raise OwnProposal
    _outcome(pool, amendment.changes, _first_unlocked(pool)[1])
    # Before the round is held: telling a million players takes longer than a round's lock may wait.
    _tell_players(amendment)
    rules = _outcome(pool, amendment.changes, _hold_first_unlocked(pool)).after
    rules.created_by_id, rules.confirmed_by = amendment.proposed_by_id, by
    rules.save(force_insert=True)
    amendment.rules, amendment.decided_by = rules, by
    amendment.decided_at = ClockTimestamp()
    amendment.save(update_fields=["status", "rules", "decided_by", "decided_at"])
    amendment.refresh_from_db()
    return amendment


@transaction.atomic
def withdraw_amendment(*, amendment: Amendment, by: User) -> Amendment:
    """Take a proposal back; any member of staff may, who proposed it too. Refuses one that was decided already."""
    Pool.objects.locked().get(pk=amendment.pool_id)
    amendment = Amendment.objects.locked().get(pk=amendment.pk)
    amendment.move_to(AmendmentStatus.WITHDRAWN)
    amendment.decided_by, amendment.decided_at = by, ClockTimestamp()
    amendment.save(update_fields=["status", "decided_by", "decided_at"])
    amendment.refresh_from_db()
    return amendment


def preview_changes(*, pool: Pool, changes: Mapping[str, Any]) -> Outcome:
    """The rules before and after, if these changes were confirmed now. Raises what proposing them would raise."""
    _refuse_unless_in_play(pool)
    return _outcome(pool, changes, _first_unlocked(pool)[1])


def _refuse_unless_in_play(pool: Pool) -> None:
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise NotInPlay(pool)


def _outcome(pool: Pool, changes: Mapping[str, Any], number: int) -> Outcome:
    """The version that these changes make of the pool's rules, unsaved, governing from round `number` on."""
    before = current_rules(pool)
    old = switches_of(before)
    new = check_rules({**old, **changes}, contest=contest_of(pool))
    faults: Faults = {}
    for key, message in frozen(old, new, number):
        faults.setdefault(key, []).append(message)
    if faults:
        raise refusal(faults)
    if new == old:
        raise invalid("changes", "They change nothing.")
    return Outcome(before, Rules(pool=pool, version=before.version + 1, effective_round_number=number, **new))


def _first_unlocked(pool: Pool) -> tuple[int, int]:
    """Id and number of the first round that an amendment could govern. Refuses when every round has locked."""
    span = {"first": pool.first_round_number, "last": pool.last_round_number}
    with connection.cursor() as cursor:
        cursor.execute(FIRST_UNLOCKED, {"competition": pool.competition_id, **span})
        found = cursor.fetchone()
    if found is None:
        raise EveryRoundLocked
    return found[0], found[1]


def _hold_first_unlocked(pool: Pool) -> int:
    """The number of that round, which nobody can reveal or grade before our commit, whatever the clock says then."""
    round_id, number = _first_unlocked(pool)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(SHARE_ROUND, [REVEAL_LOCK, round_id])
        # Its lock may have passed while we waited for whoever reveals it: look again.
        again, number = _first_unlocked(pool)
        if again == round_id:
            return number
        round_id = again


def _tell_players(amendment: Amendment) -> None:
    """One mail to each player, in this transaction, however many there are."""
    outbox.post_many(
        kind=MAIL,
        rows=PLAYERS_MAILS.format(players=audience.players_sql()),
        params={"amendment": amendment.pk, "pool": amendment.pool_id},
    )
