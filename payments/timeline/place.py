"""What happened to the request and to the entry that came of it: decisions, picks, results, rulings, returns."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext

from config.phrases import Name, tell
from config.words import spoken, status_of, within
from entries.models import (
    BulkItem,
    BulkOutcome,
    Entry,
    EntryChange,
    FallbackChange,
    PickSource,
    Reprieve,
    Request,
    RequestChange,
    RequestKind,
    Ruling,
)
from entries.queries.grades import CLOSED_SQL, RULES_SQL, VISIBLE_SQL
from entries.queries.picks import picks_of
from entries.queries.reveal import revealed_rounds
from payments.timeline.lines import Line, changes, page_of
from pools.models import GameChange, PoolStatus, Team

# Of rounds that are closed for good: before that, even how often somebody changed their mind is theirs alone.
PICK_CHANGES = f"""
    SELECT c.at, c.actor_id, c.reason, r.number, c.slot, was.code, now.code, c.source, c.ruling_id
    FROM entries_pickchange c
    JOIN entries_entry e ON e.id = c.entry_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = c.round_id
    {RULES_SQL}
    LEFT JOIN pools_team was ON was.id = c.from_team_id
    LEFT JOIN pools_team now ON now.id = c.to_team_id
    WHERE c.entry_id = %(entry)s AND {CLOSED_SQL}
    ORDER BY c.id
"""
# Rounds of the entry with a pick that is still secret.
SECRET = f"""
    SELECT DISTINCT r.number
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
    WHERE k.entry_id = %(entry)s AND NOT {VISIBLE_SQL}
    ORDER BY r.number
"""


class PickChanged(NamedTuple):
    """A row of `PICK_CHANGES`."""

    at: datetime
    actor_id: int | None
    reason: str
    round: int
    slot: int
    before: str | None
    after: str | None
    source: str
    ruling_id: int | None


def request_lines(requests: Sequence[Request]) -> Iterator[Line]:
    """Asked for, decided, paid, ended; of returns as well."""
    kinds = {request.pk: request.kind for request in requests}

    def noun(pk: int) -> str:
        return "Buy-back" if kinds[pk] == RequestKind.BUY_BACK else "Request"

    currencies = {request.pk: request.pool.currency for request in requests}
    yield from changes(RequestChange, noun, page_of(Request), currencies)
    items = BulkItem.objects.filter(request__in=kinds, outcome__in=(BulkOutcome.DONE, BulkOutcome.REFUSED))
    for item in items.select_related("bulk").order_by("id"):
        if item.decided_at is not None:
            said = within(item.get_outcome_display().lower()) + (f": {item.said}" if item.message else "")
            yield Line(
                at=item.decided_at,
                what=tell("{bulk}, among others: {said}", bulk=item.bulk, said=said),
                actor_id=item.bulk.by_id,
                why=item.bulk.reason,
                link=("entries_bulkdecision_change", item.bulk_id),
            )


def entry_lines(entry: Entry) -> Iterator[Line]:
    """From its birth to its fate."""
    currencies = {entry.pk: entry.pool.currency}
    yield from changes(EntryChange, lambda _: "Entry", page_of(Entry), currencies, name=str(entry.number))
    for reprieve in Reprieve.objects.filter(entry=entry).order_by("id"):
        facts = {"round": reprieve.before_round_number, "fall": reprieve.from_round_number}
        link = ("entries_ruling_change", reprieve.ruling_id) if reprieve.ruling_id else None
        if reprieve.request_id:
            link = (page_of(Request), reprieve.request_id)
        what = tell("Back in from round {round} on; its fall in round {fall} counts no more", **facts)
        yield Line(at=reprieve.created_at, what=what, link=link)
        if reprieve.revoked_at is not None:
            what = tell("The return from round {round} on; its fall in round {fall} counts again", **facts)
            yield Line(at=reprieve.revoked_at, what=what, link=link)


def pick_lines(entry: Entry) -> Iterator[Line]:
    """Each change of each pick, and each result, of what may be shown to anybody."""
    revealed_rounds(entry.pool.competition_id)
    with connection.cursor() as cursor:
        cursor.execute(PICK_CHANGES, {"entry": entry.pk})
        changed = [PickChanged(*row) for row in cursor.fetchall()]
    for change in changed:
        yield Line(
            at=change.at,
            what=_of_pick(change),
            actor_id=change.actor_id,
            why=change.reason,
            details={within("by"): within(spoken(change.source))},
            link=("entries_ruling_change", change.ruling_id) if change.ruling_id else None,
        )
    yield from _fallbacks(entry)
    yield from _results(entry)


def _of_pick(change: PickChanged) -> str:
    """What a pick became, of which slot where there are several."""
    nothing = gettext("nothing")
    told = f"{change.before} → {change.after or nothing}" if change.before else str(change.after)
    facts = {"round": change.round, "teams": told, "slot": f" {change.slot}" if change.slot > 1 else ""}
    if change.source in (PickSource.FALLBACK, PickSource.FAVOURITE):
        return tell("Round {round}, filled in{slot}: {teams}", **facts)
    return tell("Round {round}, pick{slot}: {teams}", **facts)


def secret_rounds(entry: Entry) -> list[int]:
    """Rounds for which there is a pick that nobody may see yet."""
    with connection.cursor() as cursor:
        cursor.execute(SECRET, {"entry": entry.pk})
        return [number for (number,) in cursor.fetchall()]


def ruling_lines(entry: Entry) -> Iterator[Line]:
    """What staff decided about this entry, each of the two names."""
    for ruling in Ruling.objects.filter(Q(entry=entry) | Q(reverses__entry=entry)).order_by("id"):
        link = (page_of(Ruling), ruling.pk)
        facts = {"number": ruling.pk, "kind": within(ruling.get_kind_display().lower())}
        what = tell("Ruling {number} ({kind}) proposed", **facts)
        yield Line(ruling.proposed_at, what, ruling.proposed_by_id, ruling.reason, link=link)
        if ruling.decided_at is not None:
            what = tell("Ruling {number} ({kind}) {state}", state=status_of(ruling), **facts)
            yield Line(ruling.decided_at, what, ruling.decided_by_id, link=link)


def _fallbacks(entry: Entry) -> Iterator[Line]:
    """The list for missed rounds is as secret as the picks that it may become, as long as there may be any."""
    if entry.pool.status not in (PoolStatus.FINISHED, PoolStatus.CANCELLED):
        return
    saved = list(FallbackChange.objects.filter(entry_id=entry.pk).order_by("id"))
    wanted = {team_id for change in saved for team_id in change.team_ids}
    codes = dict(Team.objects.filter(pk__in=wanted).values_list("pk", "code"))
    for change in saved:
        teams = ", ".join(codes.get(team_id, "?") for team_id in change.team_ids) or gettext("empty")
        yield Line(change.at, tell("List for missed rounds: {teams}", teams=teams), change.actor_id)


def _results(entry: Entry) -> Iterator[Line]:
    """When the game of a pick ended, or was told to have ended otherwise, and what the pick counts as by now."""
    picks = {pick.game: pick for pick in picks_of(entry, viewer_id=0) if pick.game is not None}
    for change in GameChange.objects.filter(game_id__in=picks).order_by("id"):
        before, after = change.before or {}, change.after
        facts = ("status", "home_score", "away_score")
        if after["status"] in ("scheduled", "live") or all(before.get(fact) == after.get(fact) for fact in facts):
            continue
        pick = picks[change.game_id]
        score = "" if after["home_score"] is None else f" {after['home_score']}:{after['away_score']}"
        yield Line(
            at=change.at,
            what=tell(
                "Round {round}, game of {team}: {state}{score}",
                round=pick.round,
                team=pick.team,
                state=Name(spoken(after["status"])),
                score=score,
            ),
            actor_id=change.actor_id,
            why=change.reason,
            details={gettext("the pick counts as"): within(str(pick.result))},
            link=("pools_game_change", change.game_id),
        )
