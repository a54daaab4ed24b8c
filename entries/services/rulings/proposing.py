"""Proposing a ruling: nothing changes, but everything is tried, so that what cannot be is refused at once."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from config.clock import ClockTimestamp
from config.errors import Code, NotFound, invalid
from config.locks import advisory_lock, allow_long_statements
from config.phrases import phrase
from entries.models import Entry, Ruling, RulingKind, RulingStatus
from entries.queries.reveal import revealed_rounds
from entries.services.rulings.decision import Details, Stale
from entries.services.rulings.games import game_details
from entries.services.rulings.kinds import decision_of, reversals_of
from entries.services.rulings.people import check_may_rule
from entries.services.rulings.picks import pick_details
from entries.services.rulings.places import disqualify_details, reinstate_details
from pools.models import Game

LONGEST_REASON = 500
ABOUT_ENTRIES: Mapping[str, Callable[[Entry, Details], dict[str, Any]]] = {
    RulingKind.PICK: pick_details,
    RulingKind.DISQUALIFY: disqualify_details,
    RulingKind.REINSTATE: reinstate_details,
}


class _Rehearsed(Exception):
    """Undoes what was only tried."""


def propose_ruling(
    *,
    kind: str,
    by: User,
    reason: str,
    game_id: int | None = None,
    entry_id: int | None = None,
    details: Details | None = None,
) -> Ruling:
    """Propose a ruling about a game (`game`) or an entry (`pick`, `disqualify`, `reinstate`). Nothing changes yet.

    `details` by kind. `game`: `verdict` of `not_played` (with `status` postponed or cancelled), `stands` (with
    `kickoff_at`, if it moved), `moved` (`to_round`, `kickoff_at`) or `score` (`home_score`, `away_score`). `pick`:
    `round` and `teams`, none to take the pick away. `reinstate`: `resumes`, the round in which it plays again.

    Refuses with VALIDATION_ERROR what is malformed, with NOT_FOUND, with FORBIDDEN the entry's owner, and whatever
    confirming would refuse as things stand now.
    """
    return put_forward(draft_of(kind=kind, game_id=game_id, entry_id=entry_id, details=details), by=by, reason=reason)


def draft_of(
    *, kind: str, game_id: int | None = None, entry_id: int | None = None, details: Details | None = None
) -> Ruling:
    """What `propose_ruling` would propose, not saved. Refuses what is malformed, and what is not there."""
    if kind == RulingKind.GAME:
        return _about_game(game_id, details or {})
    if kind in ABOUT_ENTRIES:
        return _about_entry(kind, entry_id, details or {})
    raise invalid("kind", phrase("Must be one of {choices}.", choices=", ".join((RulingKind.GAME, *ABOUT_ENTRIES))))


def propose_reversal(*, ruling: Ruling, by: User, reason: str) -> Ruling:
    """Propose to undo a confirmed ruling, so that all is as before. Refuses like `propose_ruling`, and with
    RULING_STALE one that was reversed, that a later one rests on, or that is a reversal itself."""
    ruling = Ruling.objects.get(pk=ruling.pk)
    kept = {key: ruling.details[key] for key in ("round", "to_round") if key in ruling.details}
    reversal = Ruling(
        kind=RulingKind.REVERSAL, reverses=ruling, competition_id=ruling.competition_id, pool_id=ruling.pool_id,
        game_id=ruling.game_id, entry_id=ruling.entry_id, details=kept,
    )  # fmt: skip
    if ruling.kind == RulingKind.REVERSAL or reversals_of(ruling).exists():
        raise Stale("It is reversed already, or a reversal itself: propose the decision again.", ruling=ruling.pk)
    return put_forward(reversal, by=by, reason=reason)


def put_forward(ruling: Ruling, *, by: User, reason: str) -> Ruling:
    """Save a draft as a proposal, once everything was tried. Refuses as `propose_ruling`."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise invalid(
            "reason",
            phrase("Say why, in at most {most} characters; every player of the pool reads it.", most=LONGEST_REASON),
        )
    check_may_rule(by, ruling)
    revealed_rounds(ruling.competition_id)
    ruling.proposed_by, ruling.reason = by, reason
    with transaction.atomic():
        allow_long_statements()
        advisory_lock("settle", ruling.competition_id)
        ruling.save(force_insert=True)
        ruling.refresh_from_db()
        _rehearse(ruling)
    return ruling


@transaction.atomic
def withdraw_ruling(*, ruling: Ruling, by: User) -> Ruling:
    """Take a proposal back; whoever runs pools may, who proposed it too. Refuses one that was decided already."""
    ruling = Ruling.objects.locked().get(pk=ruling.pk)
    check_may_rule(by, ruling)
    ruling.move_to(RulingStatus.WITHDRAWN)
    ruling.decided_by, ruling.decided_at = by, ClockTimestamp()
    ruling.save(update_fields=["status", "decided_by", "decided_at"])
    ruling.refresh_from_db()
    return ruling


def _about_game(game_id: int | None, details: Details) -> Ruling:
    game = Game.objects.select_related("round").filter(pk=game_id or 0).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    return Ruling(
        kind=RulingKind.GAME, competition_id=game.competition_id, game=game, details=game_details(game, details)
    )


def _about_entry(kind: str, entry_id: int | None, details: Details) -> Ruling:
    entry = Entry.objects.select_related("pool").filter(pk=entry_id or 0).first()
    if entry is None:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    asked = ABOUT_ENTRIES[kind](entry, details)
    return Ruling(kind=kind, competition_id=entry.pool.competition_id, pool=entry.pool, entry=entry, details=asked)


def _rehearse(ruling: Ruling) -> None:
    try:
        with transaction.atomic():
            decision = decision_of(ruling)
            decision.look()
            decision.carry_out()
            raise _Rehearsed
    except _Rehearsed:
        pass
