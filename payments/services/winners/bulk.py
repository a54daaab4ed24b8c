"""All winners of a pool at once, and many approvals: each for itself, so that one who is refused stops nobody."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from config import outbox
from config.errors import Code, DomainError, NotFound
from entries.models import Entry
from payments.models import Payout
from payments.services.payouts import approve_payout, request_payout_of
from payments.services.prizes import latest_booking
from payments.services.taxes import TaxFormMissing
from payments.services.winners.standing import standings
from pools.models import Pool


@dataclass(frozen=True, slots=True)
class RefusedOne:
    """Whose it is (a player, or a payout), and why not."""

    subject: int
    code: Code
    message: str


@dataclass
class Outcome:
    """What was done, and what was refused with its reason."""

    done: list[Payout] = field(default_factory=list)
    refused: list[RefusedOne] = field(default_factory=list)

    def note(self, subject: int, refusal: DomainError) -> None:
        """One that was refused."""
        self.refused.append(RefusedOne(subject, refusal.code, refusal.message))


def winners_due(pool: Pool) -> dict[int, int]:
    """Who of the pool is owed a part of their prize that nobody has asked for, by number, and how much, in cents."""
    booking = latest_booking(pool)
    won = [] if booking is None else [int(entry) for entry in booking.prizes]
    players = list(Entry.objects.filter(pk__in=won).values_list("user_id", flat=True).distinct())
    return {player: standing.due for player, standing in standings(pool.pk, players).items() if standing.due}


def request_payouts(*, pool_id: int, by: User, provider: str | None = None) -> Outcome:
    """Ask for the payout of every winner of the pool who is due one. Again, it finds those who are left.

    A winner whose country wants a form first is written to, once for the form and year. Raises NOT_FOUND.
    """
    pool = Pool.objects.filter(pk=pool_id).first()
    if pool is None:
        raise NotFound(Code.NOT_FOUND, "There is no such pool.")
    outcome = Outcome()
    for player_id in winners_due(pool):
        try:
            payout = request_payout_of(pool_id=pool_id, player_id=player_id, by=by, provider=provider)
        except DomainError as refusal:
            outcome.note(player_id, refusal)
            if isinstance(refusal, TaxFormMissing):
                _ask_for_form(player_id, pool, refusal)
        else:
            outcome.done.append(payout)
    return outcome


def approve_payouts(*, payout_ids: Iterable[int], by: User) -> Outcome:
    """Give the second name to each; what is refused is told, and stops nothing."""
    outcome = Outcome()
    for payout_id in dict.fromkeys(payout_ids):
        try:
            outcome.done.append(approve_payout(payout_id=payout_id, by=by))
        except DomainError as refusal:
            outcome.note(payout_id, refusal)
    return outcome


@transaction.atomic
def _ask_for_form(player_id: int, pool: Pool, refusal: TaxFormMissing) -> None:
    wanted = refusal.details
    outbox.post(
        kind="mail.tax_form_wanted",
        key=f"tax-form-{player_id}-{wanted['form']}-{wanted['year']}",
        payload={"player": player_id, "pool": pool.pk, "form": wanted["form"], "year": wanted["year"]},
    )
