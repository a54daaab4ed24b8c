"""Rulings about an entry's place: out of the contest for good, or back in after it fell."""

from typing import Any, ClassVar

from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Refused, invalid
from config.phrases import Name, phrase
from config.states import correcting
from entries.models import Entry, EntryStatus, PaymentStatus, Reprieve, Request, Ruling
from entries.models.entry import EliminationReason
from entries.services.places import post_prizes_changed
from entries.services.rulings.decision import (
    Decision,
    Details,
    Stale,
    check_keys,
    lock_entry,
    refuse_void,
    whole_number,
)
from pools.models import Round
from pools.queries import rounds_of

FATE = ("status", "strikes", "eliminated_round_number", "eliminated_code", "rules_version", "prize_cents")


def disqualify_details(entry: Entry, asked: Details) -> dict[str, Any]:
    """There is nothing to say but the reason."""
    check_keys(asked, Disqualification.KEYS)
    return {}


def reinstate_details(entry: Entry, asked: Details) -> dict[str, Any]:
    """The round it fell in, and the one in which it plays again: the next to lock, unless another is named."""
    check_keys(asked, Reinstatement.KEYS)
    _refuse_unless_fallen(entry)
    if asked.get("resumes") is not None:
        return {"from": entry.eliminated_round_number, "resumes": whole_number(asked, "resumes")}
    after = rounds_of(entry.pool).filter(number__gt=entry.eliminated_round_number, locks_at__gt=database_now()).first()
    if after is None:
        raise invalid("details.resumes", "Every round has locked: say in which one it plays again.")
    return {"from": entry.eliminated_round_number, "resumes": after.number}


class Disqualification(Decision):
    """The entry is void: it counts nowhere and wins nothing. Its picks and its fee stay."""

    entry: Entry

    def look(self) -> None:
        """Refuses an entry that is void already."""
        self.entry = lock_entry(self.ruling)
        refuse_void(self.entry)

    def carry_out(self) -> dict[str, Any]:
        before = fate_of(self.entry)
        _write(self.entry, {"status": EntryStatus.VOID, "prize_cents": None}, by=self.ruling)
        return before

    def look_back(self) -> None:
        """Refuses when the fee was given back: no entry without money."""
        self.entry = lock_entry(self.ruling)
        if self.entry.status != EntryStatus.VOID:
            raise Stale(phrase("The entry is {status} by now.", status=Name(self.entry.status)))
        request = Request.objects.locked().get(pk=self.entry.request_id)
        if request.payment_status != PaymentStatus.COMPLETED:
            raise Stale("The entry's fee was given back: there is no place to return to.")

    def undo(self, *, reversal: Ruling) -> None:
        """Settlement, which follows, puts right what has changed since."""
        _write(self.entry, self.ruling.before, by=reversal)


class Reinstatement(Decision):
    """What put the entry out does not count, and it plays again from a later round on."""

    KEYS: ClassVar = ("resumes",)

    entry: Entry

    def look(self) -> None:
        """Refuses an entry that is not out, or not in the round that the ruling names, and a round that has gone by."""
        self.entry = lock_entry(self.ruling)
        _refuse_unless_fallen(self.entry)
        fell, resumes = self.ruling.details["from"], self.ruling.details["resumes"]
        if self.entry.eliminated_round_number != fell:
            raise Stale(
                phrase(
                    "The entry fell in round {now} by now, not in round {fell}.",
                    now=self.entry.eliminated_round_number,
                    fell=fell,
                )
            )
        last = self.entry.pool.last_round_number
        if not fell < resumes <= last:
            raise invalid(
                "details.resumes", phrase("Must be a round after {fell}, up to {last}.", fell=fell, last=last)
            )
        # A round that was to be picked when this was proposed would now only be missed.
        gone = Round.objects.filter(
            competition_id=self.ruling.competition_id,
            number=resumes,
            locks_at__gt=self.ruling.proposed_at,
            locks_at__lte=database_now(),
        )
        if gone.exists():
            raise Stale(phrase("Round {round} has locked since this was proposed.", round=resumes), round=resumes)

    def carry_out(self) -> dict[str, Any]:
        attribute(by=self.ruling.decided_by, reason=f"ruling {self.ruling.pk}")
        Reprieve.objects.create(
            entry=self.entry,
            from_round_number=self.ruling.details["from"],
            before_round_number=self.ruling.details["resumes"],
            ruling=self.ruling,
        )
        return fate_of(self.entry)

    def look_back(self) -> None:
        self.entry = lock_entry(self.ruling)
        self.reprieve = Reprieve.objects.locked().get(ruling=self.ruling)
        if self.reprieve.revoked_at is not None:
            raise Stale("The reinstatement was taken back already.")

    def undo(self, *, reversal: Ruling) -> None:
        attribute(by=reversal.decided_by, reason=f"ruling {reversal.pk}")
        self.reprieve.revoked_by, self.reprieve.revoked_at = reversal, database_now()
        self.reprieve.save(update_fields=["revoked_by", "revoked_at"])


def fate_of(entry: Entry) -> dict[str, Any]:
    """What became of the entry, as JSON keeps it."""
    return {name: getattr(entry, name) for name in FATE} | {"status": str(entry.status)}


def _refuse_unless_fallen(entry: Entry) -> None:
    refuse_void(entry)
    if entry.status != EntryStatus.ELIMINATED:
        raise Stale(phrase("The entry is {status}: only one that is out is reinstated.", status=Name(entry.status)))
    if entry.eliminated_code == EliminationReason.TIEBREAK:
        raise Refused(Code.ENTRY_NOT_ACTIVE, "The entry lost the tiebreak, not a round.", {"status": str(entry.status)})


def _write(entry: Entry, fate: dict[str, Any], *, by: Ruling) -> None:
    """Past the map of transitions, which a ruling may leave."""
    attribute(by=by.decided_by, reason=f"ruling {by.pk}")
    prize_before = entry.prize_cents
    for name, value in fate.items():
        setattr(entry, name, value)
    with correcting("ruling"):
        entry.save(update_fields=list(fate))
    if entry.prize_cents != prize_before:
        post_prizes_changed(entry)
