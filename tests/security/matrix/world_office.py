"""One of each thing that only the back office names, so that its pages are walked with something on them."""

from datetime import timedelta

from django.db.models import Model

from accounts.models import AgeLimit, Exclusion, Letter, MessagePreferences, SpendingLimit, UnreachableAddress
from accounts.services.letters.templates import write_template
from config.audit.sealing import close_days
from config.clock import database_now
from entries.models import ReasonTemplate
from entries.services.announcements import write_announcement
from entries.services.rehearsals import Wish, ask_rehearsal, run_rehearsal
from payments.models import PrizeCorrection, ReconciliationRun, RunKind, WebhookEvent
from payments.services.inbox import note_refusal
from payments.services.winners.accounts import record_account
from pools.models import FeedPull, FeedSource, LetStand, Pool
from pools.services.typed_results import Typed, type_result
from tests.factories.accounts import UserFactory
from tests.factories.pools import league
from tests.security.matrix.people import People
from tests.support.rehearsing import season

A_TEXT = {"en": {"subject": "News of {pool}", "body": "It goes on."}}


def of_the_back_office(people: People, pool: Pool) -> dict[str, Model]:
    """Of a player who owns nothing else."""
    finance, now = people.finance, database_now()
    player = UserFactory(email="listed@matrix.test")
    made = {
        "letter": Letter.objects.create(user=player, kind="reminder", subject_id=1, key="matrix", status="sent"),
        "unreachable": UnreachableAddress.objects.create(user=player, because="bounced"),
        "preferences": MessagePreferences.objects.create(user=player, announcements=False),
        "exclusion": Exclusion.objects.create(user=player, kind="cooling_off", days=7),
        "spending limit": SpendingLimit.objects.create(user=player, currency="usd", amount_cents=5000),
        "template": write_template(
            kind="reminder", language="en", subject="Pick", body="Missing: {entries}", by=people.moderator
        ),
        "age limit": AgeLimit.objects.create(country="AQ", region="", minimum_age=21),
        "reason template": ReasonTemplate.objects.first() or a_reason(),
        "announcement": write_announcement(pool=pool, audience="players", texts=A_TEXT, by=people.moderator),
        "payout account": record_account(player=player, provider="stripe", reference="acct_1", note="", by=finance),
        "correction": PrizeCorrection.objects.create(
            pool=pool, player=player, kind="borne", amount_cents=100, currency="usd", livemode=False,
            reason="Goodwill.", requested_by=finance,
        ),
        "run": ReconciliationRun.objects.create(
            kind=RunKind.DEEP, provider="stripe", since=now - timedelta(hours=2), until=now
        ),
        "event": WebhookEvent.objects.create(provider="stripe", event_id="evt_m", event_type="x", payload={}),
        "rehearsal": rehearsed(people),
        **of_a_feed(people),
    }  # fmt: skip
    AgeLimit.objects.update(minimum_age=18)
    note_refusal(provider="stripe", body=b"forged")
    close_days()
    return made


def a_reason() -> Model:
    """Migrations make some, which tests that empty every table take away."""
    return ReasonTemplate.objects.create(kind="reject", title="Full", text="It is full.")


def rehearsed(people: People) -> Model:
    """Two rule sets, played."""
    wish = Wish(season(rounds=2), ("template:classic", "template:two-lives"), entries=20, fee_cents=1000)
    rehearsal = ask_rehearsal(wish=wish, by=people.moderator)
    run_rehearsal(rehearsal_id=rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.status == "done", rehearsal.error
    return rehearsal


def of_a_feed(people: People) -> dict[str, Model]:
    """A source that failed, a difference that was let stand, and a score that one person typed."""
    played = league(rounds=1, first_kickoff_in=timedelta(days=-1))
    game = played.games.order_by("pk")[0]
    source = FeedSource.objects.create(competition=played, kind="nflverse", url="https://feeds.test/", season="2026")
    return {
        "source": source,
        "pull": FeedPull.objects.create(source=source, outcome="failed", refusal="no connection"),
        "stood": LetStand.objects.create(game=game, difference="dropped", by=people.moderator, reason="It is on."),
        "typed": type_result(game_id=game.pk, typed=Typed(1, 0, 0), by=people.moderator),
    }
