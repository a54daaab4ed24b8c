"""Settlements while players save their picks for the next round: nobody is kept out, and no pick is lost.

Eight players' hands at once, each with entries of its own, as fast as they can and with the time limits of the web; and
meanwhile one settlement after the other, of a result that is corrected back and forth, so that entries fall, rise and
fall again while they are picked for.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction

from accounts.models import User
from config.connections import TIMEOUTS
from config.errors import Code, DomainError
from config.local.benches.bigpools import Plan, build, competition_id
from entries.models import Entry, EntryStatus, Pick
from entries.services.picks import save_pick
from entries.services.settlement import settle_competition
from pools.models import Game, Team
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES = 4_000
HANDS = 8
CORRECTIONS = 6
LEAST_SAVES = 200


@dataclass
class Hands:
    """Somebody with many entries. `saved` is what they were last told of each; `meanwhile` counts settlements."""

    entries: list[tuple[int, User]]
    used: dict[int, str]
    codes: list[str]
    settling: threading.Event
    done: threading.Event
    saved: dict[int, str] = field(default_factory=dict)
    refused: Counter = field(default_factory=Counter)
    meanwhile: int = 0

    def save(self) -> None:
        """Until all is settled: a pick for an entry, again and again another one."""
        dice = random.Random(self.entries[0][0])
        with connection.cursor() as cursor:
            for name, milliseconds in TIMEOUTS["web"].items():
                cursor.execute(f"SET {name} = {milliseconds}")
        while not self.done.is_set():
            entry_id, user = dice.choice(self.entries)
            code = dice.choice([code for code in self.codes if code != self.used.get(entry_id)])
            during = self.settling.is_set()
            try:
                save_pick(entry_id=entry_id, user=user, round_number=2, teams=[code])
            except DomainError as refusal:
                self.refused[str(refusal.code)] += 1
            else:
                self.saved[entry_id] = code
                self.meanwhile += during and self.settling.is_set()


def test_no_pick_is_lost_and_nobody_is_kept_out_while_a_round_is_settled():
    build(Plan("live", entries=ENTRIES))
    settling, done = threading.Event(), threading.Event()
    used = dict(Pick.objects.filter(round__number=1).values_list("entry_id", "team__code"))
    codes = list(Team.objects.values_list("code", flat=True))
    owned = [(entry.pk, entry.user) for entry in Entry.objects.select_related("user")]
    hands = [Hands(owned[n::HANDS], used, codes, settling, done) for n in range(HANDS)]

    outcomes = run_together([*(hand.save for hand in hands), lambda: settle_again_and_again(settling, done)])

    assert [outcome.error for outcome in outcomes if not outcome.worked] == []
    assert outcomes[-1].value == [True] * CORRECTIONS
    told = {entry_id: code for hand in hands for entry_id, code in hand.saved.items()}
    assert dict(Pick.objects.filter(round__number=2).values_list("entry_id", "team__code")) == told
    assert sum(hand.meanwhile for hand in hands) > LEAST_SAVES
    assert set(sum((hand.refused for hand in hands), Counter())) == {Code.ENTRY_NOT_ACTIVE}
    assert settle_competition(competition_id=competition_id(), afresh=True).difference.is_nothing
    assert Entry.objects.filter(status=EntryStatus.ELIMINATED).count() > ENTRIES / 4


def settle_again_and_again(settling: threading.Event, done: threading.Event) -> list[bool]:
    """Of each settlement whether it changed anything."""
    settling.set()
    try:
        return [settle_corrected(nth) for nth in range(CORRECTIONS)]
    finally:
        settling.clear()
        done.set()


def settle_corrected(nth: int) -> bool:
    """The most picked game ends the other way round, and back."""
    if nth:
        with transaction.atomic():
            game = Game.objects.locked().filter(round__number=1).order_by("kickoff_at")[1]
            game.home_score, game.away_score = game.away_score, game.home_score
            game.save(update_fields=["home_score", "away_score"])
    return not settle_competition(competition_id=competition_id()).difference.is_nothing
