"""What this app keeps about a player, for the player's own data (`accounts.services.own_data`)."""

from collections.abc import Iterator

from accounts.models import User
from accounts.services.own_data import Row, section
from entries.models import Entry, Fallback, Pick, PickChange, ReminderOptOut, Request

AT_ONCE = 1000


@section("requests")
def own_requests(user: User) -> Iterator[Row]:
    """Wishes for a place, and what became of them."""
    yield from (
        Request.objects.filter(user=user)
        .order_by("id")
        .values(
            "id", "pool_id", "kind", "number", "status", "payment_status", "fee_cents", "currency", "reason", "pay_by",
            "waitlisted_at", "waiver_reason", "created_at", "decided_at",
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("entries")
def own_entries(user: User) -> Iterator[Row]:
    """Places, and how they fared."""
    yield from (
        Entry.objects.filter(user=user)
        .order_by("id")
        .values(
            "id", "request_id", "pool_id", "number", "reference", "status", "strikes", "eliminated_round_number",
            "eliminated_code", "prize_cents", "is_suspended", "created_at",
        )
        .iterator(chunk_size=AT_ONCE)
    )  # fmt: skip


@section("picks")
def own_picks(user: User) -> Iterator[Row]:
    """What they picked, also before the lock: it is theirs."""
    yield from (
        Pick.objects.filter(entry__user=user)
        .order_by("entry_id", "round__number", "slot")
        .values("entry_id", "round__number", "slot", "team__code", "source", "picked_at")
        .iterator(chunk_size=AT_ONCE)
    )


@section("pick_changes")
def own_pick_changes(user: User) -> Iterator[Row]:
    """Every change of those."""
    entries = Entry.objects.filter(user=user).values("pk")
    yield from (
        PickChange.objects.filter(entry_id__in=entries)
        .order_by("id")
        .values("entry_id", "round_id", "slot", "from_team_id", "to_team_id", "source", "at", "reason")
        .iterator(chunk_size=AT_ONCE)
    )


@section("fallbacks")
def own_fallbacks(user: User) -> Iterator[Row]:
    """The teams they would like where they miss a round, in order."""
    yield from Fallback.objects.filter(entry__user=user).order_by("entry_id").values("entry_id", "team_ids", "saved_at")


@section("reminder_opt_outs")
def own_reminder_opt_outs(user: User) -> Iterator[Row]:
    """Entries of which they want no reminders, by channel."""
    yield from ReminderOptOut.objects.filter(entry__user=user).order_by("id").values("entry_id", "channel", "at")
