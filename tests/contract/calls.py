"""The documented calls, as they are sent to the world of the matrix.

The documentation invents ids and names; in a world they are others: `NAMED`, `ROWS` and `PATHS` say which. `PREPARED`
does what has to be done before a call can be answered well.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyotp
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from accounts.models import EmailChange, User
from accounts.services.links import Purpose, make_change_token, make_token
from accounts.services.second_factor import begin_setup
from accounts.services.sessions import begin_session
from config.api.document import operations as described
from config.api.examples import PASSWORD
from config.clock import database_now
from payments.accounting.batches import withdraw_batch
from payments.exports.work import write_waiting
from payments.models import Export
from payments.services.refunds.deciding import request_refund
from pools.models import Pool
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, lock_round
from tests.security.matrix.knocking import KEY
from tests.security.matrix.operations import operations as walked
from tests.security.matrix.world import World
from tests.support.buying_back import fallen_in, generous_pool
from tests.support.contract import schema_of
from tests.support.exporting import wish
from tests.support.papers import picture
from tests.support.truth import URLS

Prepare = Callable[[World], dict[str, str] | None]

# What the documentation calls so is called so here.
NAMED = {"KC": "BAT", "BUF": "ANT", "nfl-2026": "live"}
# The row that an id in a body stands for, by the field.
ROWS = {"entry": "entry", "requests": "request", "payouts": "payout"}
# Where it stands for another in the call of this name.
OTHER_ROWS = {"createRuling": {"entry": "foreign entry"}, "giveDiscrepancy": {"owner": "colleague"}}
# Where the usual row of an address is not of the kind that the call is about.
PATHS = {
    "cancelPool": {"pools": "draft"},
    "updatePoolRules": {"pools": "draft"},
    "createPoolAmendment": {"pools": "other pool"},
    "updateEntryFallback": {"entries": "listed entry"},
    "buyBackEntry": {"entries": "fallen entry"},
    "createPaymentRefund": {"payments": "placed payment"},
    "approveExport": {"exports": "personal export"},
    "declineRefund": {"refunds": "large refund"},
}
TOKEN = "example-token-from-the-mail"


@dataclass(frozen=True)
class Documented:
    """One operation with what is documented of it."""

    name: str
    method: str
    template: str
    status: int
    body: Any
    is_form: bool


def documented() -> Iterator[Documented]:
    """Every operation of the schema, with the template of the router that leads to it."""
    templates = {(one.verb, one.route.nameless): one.route.template for one in walked()}
    for path, method, operation in described(schema_of(URLS)):
        content = operation.get("requestBody", {}).get("content", {})
        kind = next(iter(content), "")
        yield Documented(
            name=operation["operationId"],
            method=method.upper(),
            template=templates[method.upper(), re.sub(r"\{[^}]+\}", "{}", path)],
            status=min(int(status) for status in operation["responses"] if int(status) < 400),
            body=content[kind]["example"] if kind else None,
            is_form=kind.startswith("multipart"),
        )


CALLS = {one.name: one for one in documented()}


def address(world: World, call: Documented) -> str:
    """Of what the call is about in this world."""
    return world.path(call.template, **PATHS.get(call.name, {}))


def send(world: World, call: Documented, who: str, instead: dict[str, str] | None = None) -> Any:
    """What this person is told who makes the documented call. Limits of calls begin at zero."""
    caches["limits"].clear()
    client = world.client(who)
    client.raise_request_exception = False
    headers = {"Idempotency-Key": KEY} if call.method == "POST" and who != "anonymous" else {}
    if call.body is None:
        return client.generic(call.method, address(world, call), headers=headers)
    verb = getattr(client, call.method.lower())
    body = said(call.body, Meant(world, ROWS | OTHER_ROWS.get(call.name, {}), instead or {}))
    if call.is_form:
        return verb(address(world, call), form(body), format="multipart", headers=headers)
    return verb(address(world, call), body, format="json", headers=headers)


@dataclass(frozen=True)
class Meant:
    """What a call means by the ids and the words of the documentation."""

    world: World
    rows: dict[str, str]
    instead: dict[str, str]


def said(value: Any, meant: Meant, field: str = "") -> Any:
    """A value of the documentation, as one says it in this world."""
    if isinstance(value, dict):
        return {name: said(one, meant, name) for name, one in value.items()}
    if isinstance(value, list):
        return [said(one, meant, field) for one in value]
    if isinstance(value, str):
        return meant.instead.get(value, NAMED.get(value, value))
    return meant.world.rows[meant.rows[field]].pk if field in meant.rows and type(value) is int else value


def form(body: dict[str, Any]) -> dict[str, Any]:
    """With a file for each that the documentation only hints at."""
    return {
        name: SimpleUploadedFile("paper.png", picture("PNG"), "image/png") if value == "…" else value
        for name, value in body.items()
    }


def person(world: World, who: str = "owner") -> User:
    """As the database has them: what a call before has changed was taken back."""
    return User.objects.get(pk=getattr(world.people, who).pk)


def with_password(world: World) -> None:
    """The owner has the password of the documentation."""
    owner = person(world)
    owner.set_password(PASSWORD)
    owner.save(update_fields=["password"])


def as_documented(world: World) -> None:
    """The owner has its address, too."""
    with_password(world)
    owner = person(world)
    owner.email = "ann@example.com"
    owner.save(update_fields=["email"])


def mailed(purpose: Purpose, whose: str) -> Prepare:
    """The token that a mail would have brought."""
    return lambda world: {TOKEN: make_token(purpose, person(world, whose), now=database_now())}


def mailed_for_a_change(purpose: Purpose) -> Prepare:
    """The token that the new address, or the old one, would have got."""

    def prepare(world: World) -> dict[str, str]:
        owner = person(world)
        change = EmailChange.objects.create(user=owner, old_email=owner.email, new_email="ann@example.com")
        return {TOKEN: make_change_token(purpose, change, now=database_now())}

    return prepare


def signed_in(world: World) -> dict[str, str]:
    """The refresh token of a session."""
    pair = begin_session(user=person(world), address="", user_agent="", has_second_factor=False)
    return {"example-refresh-token": pair.refresh}


def at_the_device(world: World) -> dict[str, str]:
    """What a new device shows at this moment."""
    return {"123456": pyotp.TOTP(begin_setup(user=person(world)).secret).now()}


def with_a_locked_round(world: World) -> None:
    """The first round of the owner's pool has locked."""
    lock_round(world.rows["pool"].competition.rounds.get(number=1))


def with_a_full_pool(world: World) -> None:
    """Every place of the owner's pool is held."""
    pool = Pool.objects.get(pk=world.rows["pool"].pk)
    pool.capacity = pool.requests.holding_a_place().count()
    pool.save(update_fields=["capacity"])


def with_fallbacks(world: World) -> None:
    """The owner has an entry in a pool that fills in from players' lists."""
    pool = PoolFactory(competition=world.rows["pool"].competition, rules={"missed_pick": "fallback"})
    world.rows["listed entry"] = paid_entry(RequestFactory(approved=True, pool=pool, user=person(world)))


def with_a_way_back_in(world: World) -> None:
    """The owner has an entry that fell in a pool of such rules."""
    world.rows["fallen entry"] = fallen_in(generous_pool(), owner=person(world))


def with_a_place_that_is_paid(world: World) -> None:
    """Of the payment nothing was given back."""
    world.rows["placed payment"] = world.rows["entry"].receipts.get().payment


def with_a_colleague(world: World) -> None:
    """Somebody of finance."""
    world.rows["colleague"] = person(world, "finance")


def with_a_large_refund(world: World) -> None:
    """So large that it waits for its second name."""
    receipt = world.rows["entry"].receipts.get()
    with override_settings(REFUND_APPROVAL_ABOVE=0):
        world.rows["large refund"] = request_refund(
            receipt_id=receipt.pk, amount_cents=None, taken_from="place", reason="Why", by=FinanceFactory(),
            now=database_now(),
        )  # fmt: skip


def with_a_personal_export(world: World) -> None:
    """Of a report that names people: it waits for its second name."""
    world.rows["personal export"] = wish(FinanceFactory(), "tax_year", options={"year": 2026})


def with_a_written_export(world: World) -> None:
    """A worker has come by."""
    assert write_waiting() == 1


def with_a_failed_export(world: World) -> None:
    """A worker has come by and given it up."""
    for status in ("running", "failed"):
        Export.objects.filter(pk=world.rows["export"].pk).update(status=status)


def with_days_to_export(world: World) -> None:
    """The newest batch was taken back: its days are to be exported anew."""
    withdraw_batch(batch_id=world.rows["batch"].pk, by=FinanceFactory(), reason="wrong accounts")


def after(name: str, who: str) -> Prepare:
    """Another documented call was made before."""

    def prepare(world: World) -> None:
        assert send(world, CALLS[name], who).status_code == CALLS[name].status, name

    return prepare


PREPARED: dict[str, Prepare] = {
    "changePassword": with_password,
    "changeEmail": with_password,
    "reauthenticate": with_password,
    "deleteMyLogin": with_password,
    "createToken": as_documented,
    "refreshToken": signed_in,
    "logout": signed_in,
    "verifyEmail": mailed(Purpose.VERIFY_EMAIL, "unverified"),
    "confirmPasswordReset": mailed(Purpose.RESET_PASSWORD, "owner"),
    "confirmEmail": mailed_for_a_change(Purpose.CONFIRM_EMAIL),
    "undoEmail": mailed_for_a_change(Purpose.UNDO_EMAIL),
    "confirmMyTotp": at_the_device,
    "getPoolRoundReportCsv": with_a_locked_round,
    "getPoolRoundReportJson": with_a_locked_round,
    "listPoolRoundDistribution": with_a_locked_round,
    "updateEntryFallback": with_fallbacks,
    "buyBackEntry": with_a_way_back_in,
    "waitlistRequest": with_a_full_pool,
    "createPaymentRefund": with_a_place_that_is_paid,
    "declineRefund": with_a_large_refund,
    "giveDiscrepancy": with_a_colleague,
    "createJournalBatch": with_days_to_export,
    "approveExport": with_a_personal_export,
    "checkExport": with_a_written_export,
    "createExportLink": with_a_written_export,
    "getExportFile": with_a_written_export,
    "retryExport": with_a_failed_export,
    "getPoolLogo": after("updatePoolLogo", "admin"),
    "getPoolCancellation": after("proposePoolCancellation", "finance"),
    "confirmPoolCancellation": after("proposePoolCancellation", "finance"),
    "withdrawPoolCancellation": after("proposePoolCancellation", "finance"),
    "reverseRuling": after("confirmRuling", "admin"),
    "startExportSchedule": after("stopExportSchedule", "finance"),
}
