"""Everything that is kept about one person, for that person.

Whoever keeps something says so, and its part of the file is written whenever somebody asks for theirs:

    @section("picks")
    def own_picks(user: User) -> Iterator[Row]: ...

All sections are read in one snapshot. Rows come one after the other and go into a file, so that how much there is does
not matter for memory; should there be more than `MOST_ROWS` of a section, the file says so.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from accounts.models import EmailChange, PersonalDetails, RecoveryCode, Session, Totp, User, UserChange
from config.locks import one_snapshot
from config.models import AuditEntry

MOST_ROWS = 200_000

Row = Mapping[str, Any]
Section = Callable[[User], Iterable[Row]]
_sections: dict[str, Section] = {}


def section(name: str) -> Callable[[Section], Section]:
    """Put the function's rows into everybody's own data, under this name."""

    def register(function: Section) -> Section:
        if name in _sections:
            raise ValueError(f"there is a section {name} already")
        _sections[name] = function
        return function

    return register


def sections() -> list[str]:
    """The names of all sections, in the order of the file."""
    return sorted(_sections)


def write_own_data(*, user: User, file: IO[bytes]) -> None:
    """Write one JSON object: section → list of rows, and the names of sections that were cut off under `truncated`."""
    with one_snapshot():
        for piece in _pieces(User.objects.get(pk=user.pk)):
            file.write(piece.encode())


def _pieces(user: User) -> Iterator[str]:
    truncated = []
    for number, name in enumerate(sections()):
        yield f"{',' if number else '{'}{json.dumps(name)}:["
        rows = iter(_sections[name](user))
        for position, row in enumerate(islice(rows, MOST_ROWS)):
            yield ("," if position else "") + json.dumps(dict(row), cls=DjangoJSONEncoder)
        if next(rows, None) is not None:
            truncated.append(name)
        yield "]"
    yield f',"truncated":{json.dumps(truncated)}}}'


@section("account")
def own_account(user: User) -> Iterator[Row]:
    """The row of the person."""
    yield {
        "id": user.pk,
        "email": user.email,
        "display_name": user.display_name,
        "date_of_birth": user.date_of_birth,
        "country": user.country,
        "region": user.region,
        "role": user.role,
        "email_verified_at": user.email_verified_at,
        "last_login": user.last_login,
        "created_at": user.created_at,
    }


@section("identity")
def own_identity(user: User) -> Iterator[Row]:
    """Their personal details: the one place where they are shown as they were given."""
    for found in PersonalDetails.objects.filter(user=user):
        yield {
            "legal_name": found.legal_name,
            "tax_country": found.tax_country,
            "tax_number": found.tax_number,
            "updated_at": found.updated_at,
        }


@section("sessions")
def own_sessions(user: User) -> Iterator[Row]:
    """Where and when they signed in, as long as it is kept."""
    yield from (
        Session.objects.filter(user=user)
        .order_by("created_at")
        .values(
            "id",
            "address",
            "user_agent",
            "created_at",
            "authenticated_at",
            "has_second_factor",
            "refreshed_at",
            "revoked_at",
            "revoked_because",
        )
        .iterator(chunk_size=500)
    )


@section("second_factor")
def own_second_factor(user: User) -> Iterator[Row]:
    """Since when there is one; never its secret, which would open the door for whoever finds the file."""
    yield from Totp.objects.confirmed().filter(user=user).values("created_at", "confirmed_at")


@section("recovery_codes")
def own_recovery_codes(user: User) -> Iterator[Row]:
    """When each was made and used."""
    yield from RecoveryCode.objects.filter(user=user).order_by("id").values("created_at", "used_at")


@section("email_changes")
def own_email_changes(user: User) -> Iterator[Row]:
    """Changes of their address, as long as they are kept."""
    yield from (
        EmailChange.objects.filter(user=user)
        .order_by("id")
        .values("old_email", "new_email", "asked_at", "confirmed_at", "undo_until", "ended_at")
        .iterator(chunk_size=500)
    )


@section("account_changes")
def own_changes(user: User) -> Iterator[Row]:
    """What became of their role and account. Who decided it is told as one of us, not by name."""
    changes = UserChange.objects.filter(subject_id=user.pk).order_by("id")
    for change in changes.iterator(chunk_size=500):
        yield {
            "at": change.at,
            "what": change.field,
            "from": change.from_value,
            "to": change.to_value,
            "by": _who(user, change.actor_id),
            "reason": change.reason,
        }


@section("audit")
def own_audit(user: User) -> Iterator[Row]:
    """What the audit says about them: what they did, and what was done to them. Of others' deeds no addresses."""
    entries = AuditEntry.objects.filter(Q(person_id=user.pk) | Q(actor_id=user.pk)).order_by("id")
    for entry in entries.iterator(chunk_size=500):
        yield {
            "at": entry.at,
            "what": entry.action,
            "of": entry.subject_type,
            "by": _who(user, entry.actor_id),
            "address": entry.address if entry.actor_id == user.pk else None,
        }


def _who(user: User, actor_id: int | None) -> str:
    if actor_id is None:
        return "the system"
    return "the person" if actor_id == user.pk else "staff"
