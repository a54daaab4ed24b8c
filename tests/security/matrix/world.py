"""One of each thing that an address can name: of one player, where a thing is of players, else of the house."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Model
from rest_framework.test import APIClient

from accounts.models import Document, Login, WebhookDelivery
from accounts.services.closing import close_account
from accounts.services.sessions import begin_session
from accounts.services.webhooks.endpoints import make_endpoint
from config.clock import database_now
from entries.models import Request
from entries.services.bulk_decisions import start_bulk_decision
from payments.accounting.batches import make_batch
from payments.exports.asking import request_export
from payments.exports.schedules import Plan, create_schedule
from payments.ledger.models import Account
from payments.models import (
    AccountingSystem,
    BankLine,
    BankStatement,
    Dispute,
    FileFormat,
    ProviderPayout,
)
from payments.models.export_schedule import Every
from payments.reports import Narrowing
from payments.services.periods import propose_period
from payments.services.queue.foreign import mark_foreign
from payments.services.queue.write_offs import request_write_off
from payments.services.refunds.deciding import request_refund
from pools.services.rules import propose_amendment
from tests.accounting.books import mapped
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory, pick
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.factories.pools import PoolFactory, league
from tests.reports.story import Story
from tests.security.matrix.people import People, caller, credentials, everybody, new_key
from tests.security.matrix.world_office import of_the_back_office
from tests.support.by_hand import recorded, transfer
from tests.support.queue import moved
from tests.support.ruling import propose


@dataclass
class World:
    """Who there is, and what; `named` is what the first part of an address means by an id."""

    people: People
    credentials: dict[str, str]
    rows: dict[str, Model] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)

    def client(self, kind: str) -> APIClient:
        """One who calls as this kind of person."""
        return caller(self.credentials.get(kind, ""))

    def path(self, template: str, **instead: Any) -> str:
        """The address of what is the owner's; `instead` says other ids by the part they stand behind."""
        named = {**self.named, **OTHERWISE.get(template, {}), **instead}

        def value(found: re.Match[str]) -> str:
            it = named[found[1]]
            return f"{found[1]}/{self.rows[it].pk if it in self.rows else it}"

        return PLACE.sub(value, template)


# What stands behind a part of an address: the name of a row, or the text itself.
NAMED: dict[str, Any] = {
    "competitions": "live", "rounds": 1, "picks": 1, "auth": "google", "webhooks": "stripe", "pools": "pool",
    "entries": "entry", "requests": "request", "games": "game", "rulings": "ruling", "amendments": "amendment",
    "payments": "payment", "refunds": "refund", "manual-records": "record", "write-offs": "write-off",
    "foreign-objects": "foreign object", "discrepancies": "discrepancy", "payouts": "payout", "periods": "period",
    "exports": "export", "export-schedules": "schedule", "logins": "login", "documents": "document",
    "bank-lines": "bank line", "bank-statements": "bank statement", "disputes": "dispute", "accounts": "account",
    "provider-payouts": "provider payout", "journal-batches": "batch", "api-keys": "key",
    "webhook-endpoints": "webhook endpoint", "deliveries": "webhook delivery",
}  # fmt: skip
# A part of an address, and what stands behind it for a value.
PLACE = re.compile(r"([\w-]+)/<(?:\w+:)?\w+>")
# Of an address where the usual thing is not of the kind that it is about.
OTHERWISE = {
    "/api/v1/requests/<pk>/payment": {"requests": "unpaid"},
    "/api/v1/requests/<pk>/manual-payment": {"requests": "unpaid"},
    "/api/v1/pools/<pk>/publish": {"pools": "draft"},
    "/api/v1/refunds/<pk>": {"refunds": "paid refund"},
}


def build(story: Story) -> World:
    """Beside the story of the reports, whose finance objects are used: a pool that is on, and another."""
    people, now = everybody(), database_now()
    made = World(people, credentials(people))
    live = PoolFactory(competition=league(code="live", first_kickoff_in=timedelta(days=30)), max_entries_per_user=3)
    elsewhere = PoolFactory(competition=live.competition, name="Elsewhere")
    entry, *_ = (paid_entry(RequestFactory(approved=True, pool=live, user=user))
                 for user in (people.owner, people.pool, people.closed))  # fmt: skip
    foreign = paid_entry(RequestFactory(approved=True, pool=elsewhere, user=people.other))
    pick(entry, 1, "ANT"), pick(foreign, 1, "ANT")
    close_account(user=people.closed, now=now)
    waiting = RequestFactory(pool=live, user=people.owner, number=2)
    unpaid = RequestFactory(pool=live, user=people.owner, number=3, approved=True)
    money = unapplied_money(RequestFactory(pool=elsewhere, user=people.owner, approved=True))
    finance = story.fiona
    game = live.competition.games.get(round__number=1, home__code="ANT")
    made.rows = {
        "pool": live, "other pool": elsewhere, "entry": entry, "foreign entry": foreign, "request": waiting,
        "unpaid": unpaid, "payment": money.payment, "game": game, "receipt": money,
        "draft": PoolFactory(competition=live.competition, status="draft", created_by=people.moderator),
        "ruling": propose("disqualify", entry=entry),
        "bulk decision": start_bulk_decision(kind="approve", request_ids=[unpaid.pk], by=people.moderator),
        "amendment": propose_amendment(pool=live, changes={"strikes": 1}, reason="Agreed.", by=ModeratorFactory()),
        "login": Login.objects.create(user=people.owner, provider="google", issuer="https://google.test", subject="1"),
        "document": Document.objects.create(
            owner=people.owner, kind="identity", name="passport.png", key=f"documents/{uuid4()}",
            content_type="image/png", size=1, sha256="0" * 64,
        ),
        "key": new_key(people.owner, ["pools:read"]).key,
        **of_a_subscriber(people),
        **of_the_house(story, unpaid),
        "refund": request_refund(
            receipt_id=money.pk, amount_cents=None, taken_from="unapplied", reason="Why", by=finance, now=now
        ),
        "paid refund": refund_of(
            unapplied_money(RequestFactory(pool=elsewhere, user=people.owner, number=2, approved=True))
        ),
    }  # fmt: skip
    made.rows |= of_the_back_office(people, live)
    made.named = NAMED | {"sessions": second_session(people)}
    return made


def of_the_house(story: Story, unpaid: Request) -> dict[str, Model]:
    """What finance works with: of the story, and what waits for a second name."""
    finance, now = story.fiona, database_now()
    mapped(AccountingSystem.XERO)
    wanted, strange = moved(-100), moved(-200)
    monthly = Plan("Monthly", "trial_balance", FileFormat.CSV, Every.MONTH)
    return {
        "record": recorded(unpaid, by=finance, handover=transfer()),
        "write-off": request_write_off(discrepancy_id=wanted.pk, by=finance, reason="Nobody knows."),
        "foreign object": mark_foreign(discrepancy_id=strange.pk, by=finance, reason="Not ours."),
        "discrepancy": moved(-300),
        "payout": story.payouts["lea3"],
        "period": propose_period(first_day=date(2026, 1, 1), by=finance, now=now),
        "export": request_export(
            kind="payments", narrowing=Narrowing(), file_format=FileFormat.CSV, by=finance, now=now
        ),
        "schedule": create_schedule(plan=monthly, recipients=[finance], by=finance, now=now),
        "bank line": BankLine.objects.order_by("id")[0], "bank statement": BankStatement.objects.order_by("id")[0],
        "dispute": Dispute.objects.order_by("id")[0], "provider payout": ProviderPayout.objects.order_by("id")[0],
        "account": Account.objects.order_by("id")[0],
        "batch": make_batch(system=AccountingSystem.XERO, by=finance),
    }  # fmt: skip


def of_a_subscriber(people: People) -> dict[str, Model]:
    """An endpoint that nobody listens at, and what was not delivered to it."""
    endpoint = make_endpoint(user=people.owner, url="https://hooks.matrix.test/", events=["pool.ended"])
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event_id="evt_matrix", type="pool.ended", data={}, status="failed", ended_at=database_now()
    )
    return {"webhook endpoint": endpoint, "webhook delivery": delivery}


def second_session(people: People) -> UUID:
    """Of the owner's, beside the one they call with."""
    begin_session(user=people.owner, address="", user_agent="another", has_second_factor=False)
    return people.owner.sessions.order_by("-created_at")[0].pk
