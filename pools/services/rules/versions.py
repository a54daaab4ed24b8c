"""Versions of a pool's rules: what two of them differ in, and the revision of a draft, which needs one name only."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction

from accounts.models import User
from config.errors import Code, Conflict
from config.phrases import Name, phrase
from config.versions import Seen
from pools.models import Amendment, Pool, PoolStatus, Rules
from pools.queries import current_rules
from pools.services.rules.contradictions import check_rules, contest_of
from pools.services.unchanged import refuse_changed


class Change(NamedTuple):
    """One switch that two versions differ in."""

    key: str
    before: Any
    after: Any


class NotADraft(Conflict):
    """The rules of a pool that players see need two names."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "The pool is {status}: its rules change by an amendment, which somebody else confirms.",
                status=Name(pool.status),
            ),
            {"status": pool.status},
        )


def switches_of(rules: Rules) -> dict[str, Any]:
    """The switches of a version as a mapping."""
    return {key: getattr(rules, key) for key in Rules.KEYS}


def differences(before: Rules | None, after: Rules) -> list[Change]:
    """What the later version changed, in the order of the switches; the first version changed nothing."""
    if before is None:
        return []
    return [
        Change(key, getattr(before, key), getattr(after, key))
        for key in Rules.KEYS
        if getattr(before, key) != getattr(after, key)
    ]


class Version(NamedTuple):
    """A version with what it changed in the one before, and why where it was an amendment."""

    rules: Rules
    changes: list[Change]
    reason: str | None


def versions_of(pool: Pool) -> list[Version]:
    """All versions of the pool's rules, the first one first, in one query."""
    found = list(pool.rules_versions.select_related("amendment").order_by("version"))
    told = []
    for before, rules in zip([None, *found], found, strict=False):
        amendment: Amendment | None = getattr(rules, "amendment", None)
        told.append(Version(rules, differences(before, rules), amendment.reason if amendment else None))
    return told


@transaction.atomic
def revise_rules(*, pool: Pool, changes: Mapping[str, Any], by: User | None, seen: Seen = None) -> Rules:
    """A new version of a draft's rules, from its first round on; the same again makes none.

    Refuses a pool that is no draft, one that is not as it was `seen` (VERSION_CONFLICT), and with `rules.<key>` →
    messages whatever cannot be meant.
    """
    pool = Pool.objects.locked().get(pk=pool.pk)
    if pool.status != PoolStatus.DRAFT:
        raise NotADraft(pool)
    current = current_rules(pool)
    refuse_changed(pool, seen)
    switches = check_rules({**switches_of(current), **changes}, contest=contest_of(pool))
    if switches == switches_of(current):
        return current
    return Rules.objects.create(
        pool=pool,
        version=current.version + 1,
        effective_round_number=pool.first_round_number,
        created_by=by,
        **switches,
    )
