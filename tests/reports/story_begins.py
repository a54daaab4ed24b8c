"""The first half of the story: pools, players and their places."""

from datetime import date, datetime, timedelta

from django.db import transaction

from entries.models import Entry, PaymentStatus
from entries.services.imports.land import WAIVER_REASON
from payments.models import Receipt, TaxForm, TaxYear
from payments.services.booking import book_waiver
from payments.services.manual.deciding import confirm_record
from payments.services.manual.incoming import record_payment
from payments.services.manual.records import Handover
from payments.services.waivers import waive_fee
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.pools import PoolFactory, league
from tests.reports.cast import Story

# Whatever somebody calls himself, a file shows it and runs nothing.
PLAYERS = {
    "ann": ("Ann Archer", "US"),
    "bob": ("=1+1", "US"),
    "cara": ("Cara Núñez", "US"),
    "dan": ('Dan; the "man"', "US"),
    "eve": ("@Eve", "US"),
    "fay": ("Fay", "US"),
    "gus": ("-Gus", "US"),
    "hal": ("Hal", "US"),
    "ivy": ("Ivy", "US"),
    "jon": ("Jón", "IS"),
    "kim": ("Kim", "US"),
    "lea": ("Léa", "DE"),
    "mai": ("舞", "JP"),
    "nao": ("直 Nao", "JP"),
}
WINS, FALLS = ("ANT", "CAT"), ("ANT", "DOG")


def pools_are_made(story: Story) -> None:
    with story.calendar.on("2026-01-05 15:00"):
        for name, (shown, country) in PLAYERS.items():
            story.people[name] = UserFactory(email=f"{name}@story.test", display_name=shown, country=country)
        for name in ("fiona", "frank"):
            story.people[name] = FinanceFactory(email=f"{name}@story.test", display_name=name.title())
        cup = league(rounds=2, first_kickoff_in=timedelta(days=20), code="story", name="Story")
        for name, shown, fee, currency, house in (
            ("usd", "Dollars", 5000, "usd", 1000),
            ("eur", "Euros, +1", 2550, "eur", 1200),
            ("jpy", "Yen", 3000, "jpy", 500),
            ("off", "Called off", 2000, "usd", 0),
        ):
            story.pools[name] = PoolFactory(
                competition=cup, name=shown, entry_fee_cents=fee, currency=currency, rules={"house_fee_bp": house},
                max_entries_per_user=2,
            )  # fmt: skip
        TaxYear.objects.create(
            country="US", year=2026, currency="usd", form="W-9", threshold_cents=10_000, withholding_bp=2400
        )
        TaxForm.objects.create(
            tin_last_four="6789",
            player=story.people["ann"],
            form="W-9",
            received_on=date(2026, 1, 5),
            recorded_by=story.fiona,
        )


def places_are_bought(story: Story) -> None:
    with story.calendar.on("2026-01-10 15:00") as at:
        story.buys("ann", "usd", at)
    # In New York it is half past eleven in the evening of the tenth.
    with story.calendar.on("2026-01-11 04:30") as at:
        story.buys("bob", "usd", at)
    with story.calendar.on("2026-01-12 15:00") as at:
        cash_is_taken(story, at)
        waive_fee(request_id=story.asks("dan", "usd").pk, by=story.fiona, reason="=won a raffle", now=at)
        moved_here(story)
    with story.calendar.on("2026-01-14 15:00") as at:
        for name in ("eve", "fay", "gus"):
            story.buys(name, "usd", at)
        story.buys("ann2", "usd", at, number=2)
        story.buys("bob2", "usd", at, number=2)
        story.buys("kim", "usd", at, amount=4999)
        # Paid twice: the second payment was given up by us, and was paid all the same.
        story.receipts["hal again"] = paid_twice(story, at)
    with story.calendar.on("2026-01-16 15:00") as at:
        for name in ("bob", "jon", "lea"):
            story.buys(f"{name}3", "eur", at)
        for name in ("mai", "nao"):
            story.buys(f"{name}4", "jpy", at, settles=("usd", "0.67"))
        for name in ("gus", "fay"):
            story.buys(f"{name}5", "off", at)
    with story.calendar.on("2026-01-18 15:00"):
        for name in ("ann", "cara", "lea3", "nao4"):
            story.picks(name, WINS)
        for name in ("bob", "dan", "ivy", "eve", "fay", "ann2", "bob2", "hal", "bob3", "mai4"):
            story.picks(name, FALLS)


def cash_is_taken(story: Story, at: datetime) -> None:
    """Fiona counted it, Frank signed for it."""
    request = story.asks("cara", "usd")
    handover = Handover(method="cash", reference="R-0001", passed_at=at - timedelta(hours=2))
    record = record_payment(
        request_id=request.pk, handover=handover, amount_cents=5000, currency="usd", by=story.fiona, now=at
    )
    confirm_record(record_id=record.pk, by=story.frank)
    story.receipts["cara"] = Receipt.objects.get(payment__request=request)


def moved_here(story: Story) -> None:
    """Ivy had paid where the pool was before."""
    with transaction.atomic():
        request = story.asks("ivy", "usd")
        request.payment_status, request.waived_by, request.waiver_reason = (
            PaymentStatus.COMPLETED, story.fiona, WAIVER_REASON,
        )  # fmt: skip
        request.save(update_fields=["payment_status", "waived_by", "waiver_reason"])
        Entry.objects.create(
            request=request, pool=request.pool, user=request.user, number=request.number, reference="=Ivy-1"
        )
        book_waiver(request)


def paid_twice(story: Story, at: datetime) -> Receipt:
    request = story.asks("hal", "usd")
    given_up = story.till.opens(request, "hal_again")
    given_up.move_to("cancelled")
    given_up.save(update_fields=["status"])
    story.receipts["hal"] = story.till.is_paid(story.till.opens(request, "hal"), at)
    return story.till.is_paid(given_up, at)
