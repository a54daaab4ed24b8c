"""What a settlement would change, or changed, as tables: pool by pool in numbers, then the entries line by line."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext

from accounts.models import User
from config.confirmations import Shown
from config.errors import DomainError
from config.phrases import Money, Name, shown_amount, tell, tell_of
from config.words import within
from entries.models import Ruling, RulingStatus
from entries.models.entry import EliminationReason
from entries.services.rulings import PoolTally, Preview, Tally, preview_ruling
from entries.services.settlement import Line, MovedEnd

# Lines of each sort on a page; the file has all of them.
SHOWN = 25


class PoolRow(NamedTuple):
    """One pool's numbers, to read."""

    pool: str
    eliminated: int
    revived: int
    winners: int
    unseated: int
    voided: int
    returned: int
    adjusted: int
    gained: str
    lost: str


class EntryRow(NamedTuple):
    """One entry, to read."""

    entry: int
    who: str
    pool: str
    before: str
    after: str
    prize_before: str
    prize_after: str


class Table(NamedTuple):
    """Lines of one sort; `total` counts those that are not shown, too."""

    title: str
    rows: list[EntryRow]
    total: int


def ruling_tables(ruling: Ruling, user: User) -> dict[str, Any]:
    """The context of a ruling's page: what confirming would change now, or why it cannot be; or what it changed."""
    if ruling.status != RulingStatus.PROPOSED:
        return {
            "changed": said_of(ruling.difference),
            "is_confirmed": ruling.status == RulingStatus.CONFIRMED,
            "settlements": ruling.settlements.all(),
        }
    try:
        preview = preview_ruling(ruling=ruling, by=user, listed=SHOWN)
    except DomainError as refusal:
        return {"refusal": refusal.sentence}
    return {"preview": preview, **tables_of(preview.tally), "ends": ends_of(preview.difference)}


def tables_of(tally: Tally) -> dict[str, Any]:
    """The tables of what was told."""
    titles = {
        "titles": "Titles",
        "fallen": gettext("Who falls"),
        "revived": gettext("Who is revived"),
        "others": gettext("Other changes"),
    }
    tables = [
        Table(title, [_row(line) for line in getattr(tally, sort)], tally.counts[sort])
        for sort, title in titles.items()
        if tally.counts[sort]
    ]
    return {
        "pools": [_pool_row(one) for one in list(tally.pools.values())[:SHOWN]],
        "more_pools": max(len(tally.pools) - SHOWN, 0),
        "tables": tables,
        "is_nothing": not tally.pools,
        "pool_ends": [_end_row(end) for end in tally.ends[:SHOWN]],
        "more_ends": max(len(tally.ends) - SHOWN, 0),
        "rounds": [
            (number, tally.rounds[number, "fall"], tally.rounds[number, "back"])
            for number in sorted({number for number, _sort in tally.rounds})
        ],
        "paid_out": _paid_out(tally),
    }


def _end_row(end: MovedEnd) -> str:
    """Where one pool ends, before and then."""
    if end.ended_before is None:
        return tell("{pool} ends with round {round}.", pool=end.pool, round=end.ends_in)
    if end.ends_in is None:
        return tell("{pool}, which ended with round {round}, goes on again.", pool=end.pool, round=end.ended_before)
    return tell(
        "{pool} ends with round {round} instead of round {before}.",
        pool=end.pool,
        round=end.ends_in,
        before=end.ended_before,
    )


def _paid_out(tally: Tally) -> list[str]:
    """Money that has gone, or is about to go, to players whose prize shrinks."""
    said = []
    for is_gone in (True, False):
        for (pool_id, currency), (count, cents) in sorted(tally.paid_out.of(is_gone=is_gone).items()):
            name = tally.pools[pool_id].pool if pool_id in tally.pools else tell("Pool {number}", number=pool_id)
            facts = {"pool": name, "amount": Money(cents, currency)}
            said.append(_gone_out(count, facts) if is_gone else _on_their_way(count, facts))
    return said


def _gone_out(count: int, facts: dict[str, Any]) -> str:
    return tell_of(
        count,
        "{pool}: {count} payout of {amount} to players whose prize shrinks has gone out already and is not called back"
        " by this.",
        "{pool}: {count} payouts of {amount} to players whose prize shrinks have gone out already and are not called"
        " back by this.",
        **facts,
    )


def _on_their_way(count: int, facts: dict[str, Any]) -> str:
    return tell_of(
        count,
        "{pool}: {count} payout of {amount} to players whose prize shrinks is on its way.",
        "{pool}: {count} payouts of {amount} to players whose prize shrinks are on their way.",
        **facts,
    )


def ends_of(difference: Any) -> list[str]:
    """Whether pools end, or go on, by it."""
    said = []
    if difference.pools_finished:
        said.append(tell("Pools that end: {count}.", count=difference.pools_finished))
    if difference.pools_reopened:
        said.append(tell("Pools that go on again: {count}.", count=difference.pools_reopened))
    return said


def sentences_of(ruling: Ruling) -> Shown:
    """The same in a few sentences, for a confirm page, which brings the fingerprint of just this back."""
    try:
        preview = preview_ruling(ruling=ruling, by=ruling.proposed_by, listed=0)
    except DomainError as refusal:
        return Shown([refusal.sentence])
    tally = preview.tally
    ends = [_end_row(end) for end in tally.ends[:SHOWN]]
    said = [_numbers(preview), *_money(tally), *_paid_out(tally), *(ends or ends_of(preview.difference))]
    return Shown(said, **{seen_name(ruling): preview.fingerprint})


def seen_name(ruling: Ruling) -> str:
    """Under which name a confirm page brings back the fingerprint of what it showed."""
    return f"seen-{ruling.pk}"


def _numbers(preview: Preview) -> str:
    total = preview.tally.total
    return tell(
        "{fall} fall, {revived} are revived, {won} win and {lost} lose a title, {void} become void, {returned} return,"
        " {others} change otherwise.",
        fall=total.eliminated,
        revived=total.revived,
        won=total.winners,
        lost=total.unseated,
        void=total.voided,
        returned=total.returned,
        others=total.adjusted,
    )


def _money(tally: Tally) -> list[str]:
    return [
        tell(
            "{pool}: prizes of {lost} go, {gained} come.",
            pool=one.pool,
            lost=Money(one.lost_cents, one.currency),
            gained=Money(one.gained_cents, one.currency),
        )
        for one in list(tally.pools.values())[:SHOWN]
        if one.lost_cents or one.gained_cents
    ]


def _pool_row(one: PoolTally) -> PoolRow:
    return PoolRow(
        one.pool, one.eliminated, one.revived, one.winners, one.unseated, one.voided, one.returned,
        one.adjusted,
        shown_amount(one.gained_cents, one.currency), shown_amount(one.lost_cents, one.currency),
    )  # fmt: skip


def _row(line: Line) -> EntryRow:
    return EntryRow(
        line.entry_id,
        _who(line),
        line.pool,
        _standing(line.from_status, line.from_round),
        _standing(line.to_status, line.to_round, line.code),
        _prize(line.from_prize_cents, line.currency),
        _prize(line.to_prize_cents, line.currency),
    )


def _who(line: Line) -> str:
    said = tell("{player}, entry {number}", player=line.player, number=line.number)
    return f"{said} ({line.reference})" if line.reference else said


def _standing(status: str, round_number: int | None, code: str = "") -> str:
    said = within(status)
    if round_number is not None:
        said = tell("{state} in round {round}", state=Name(status), round=round_number)
    return f"{said}, {within(EliminationReason(code).label.lower())}" if code else said


def _prize(cents: int | None, currency: str) -> str:
    return "" if cents is None else shown_amount(cents, currency)


def said_of(difference: Mapping[str, Any]) -> list[str]:
    """The numbers that are kept, in words."""
    names = {
        "eliminated": "fell",
        "revived": "revived",
        "winners": gettext("titles won"),
        "unseated": gettext("titles lost"),
        "voided": "void",
        "returned": "returned",
        "adjusted": gettext("changed otherwise"),
        "pools_finished": gettext("pools ended"),
        "pools_reopened": gettext("pools went on again"),
        "filled_in": gettext("missed picks filled in"),
    }
    return [f"{words} {difference[name]}" for name, words in names.items() if difference.get(name)]
