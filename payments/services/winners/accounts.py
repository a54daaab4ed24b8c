"""Where a player is paid at a provider: written down by one, confirmed by another, and by neither for themselves."""

from django.conf import settings
from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp
from config.constraints import explain
from config.errors import Code, Forbidden, NotFound, invalid
from config.locks import LockedQuerySet
from config.phrases import phrase
from config.reasons import check_reason
from payments.models import PayoutAccount, PayoutAccountState, Provider
from payments.providers import provider_names

LONGEST_REFERENCE, LONGEST_NOTE = 255, 300

explain("payout_account_in_use_once", Code.VERSION_CONFLICT, "Another account of the player was confirmed just now.")
explain("payout_account_two_names", Code.FORBIDDEN, "An account needs two different names.")
explain("payout_account_not_ones_own", Code.FORBIDDEN, "Nobody writes down or confirms an account of their own.")


def account_in_use(player_id: int, provider: str) -> PayoutAccount | None:
    """The player's confirmed account at the provider."""
    return _in_use(player_id, provider).first()


def usual_way(player_id: int, provider: str | None) -> PayoutAccount | None:
    """The account to pay to, or None for by hand. Refuses a provider at which the player has none in use."""
    if provider is None:
        return account_in_use(player_id, settings.PAYMENT_PROVIDER)
    if provider == Provider.MANUAL:
        return None
    found = account_in_use(player_id, provider)
    if found is None:
        raise invalid("provider", phrase("The player has no confirmed account at {provider}.", provider=provider))
    return found


@transaction.atomic
def record_account(*, player: User, provider: str, reference: str, note: str, by: User) -> PayoutAccount:
    """Write down where a player is paid; somebody else confirms it. Refuses one's own, and a provider of no such name.

    An account that is in use stays so until the new one is confirmed.
    """
    reference, note = reference.strip(), note.strip()
    if provider == Provider.MANUAL or provider not in provider_names():
        raise invalid("provider", "Must be a provider that can send money.")
    if not 0 < len(reference) <= LONGEST_REFERENCE or not reference.isascii() or not reference.isprintable():
        raise invalid(
            "reference",
            phrase("Give the provider's name of the account, in 1 to {most} characters.", most=LONGEST_REFERENCE),
        )
    if len(note) > LONGEST_NOTE:
        raise invalid("note", phrase("At most {most} characters.", most=LONGEST_NOTE))
    if player.pk == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody writes down an account of their own. Ask a colleague.")
    attribute(by=by, reason=f"{provider} {reference}")
    return PayoutAccount.objects.create(
        player=player, provider=provider, reference=reference, note=note, recorded_by=by
    )


@transaction.atomic
def confirm_account(*, account_id: int, by: User) -> PayoutAccount:
    """The second name: from now on the player is paid there, and no more where they were before.

    Refuses whoever wrote it down, the player, and one that is decided. What is approved for the old account is refused
    when it is to be sent.
    """
    account = _decide(account_id, PayoutAccountState.CONFIRMED, by)
    # One that somebody is retiring by itself is waited for, and found no more.
    old = _in_use(account.player_id, account.provider).locked().first()
    if old is not None:
        _retire(old, by, f"replaced by {account.reference}")
    account.save(update_fields=["status", "decided_by", "decided_at"])
    return account


@transaction.atomic
def reject_account(*, account_id: int, by: User, reason: str) -> PayoutAccount:
    """It is not the player's, or not wanted. Whoever wrote it down may take it back."""
    reason = check_reason(reason)
    account = _locked(account_id)
    account.move_to(PayoutAccountState.REJECTED)
    attribute(by=by, reason=reason)
    account.decided_by, account.decided_at, account.reason = by, ClockTimestamp(), reason
    account.save(update_fields=["status", "decided_by", "decided_at", "reason"])
    return account


@transaction.atomic
def retire_account(*, account_id: int, by: User, reason: str) -> PayoutAccount:
    """Nothing is sent there from now on: one name is enough to stop it. Refuses one that is not in use."""
    account = _locked(account_id)
    _retire(account, by, check_reason(reason))
    return account


def _in_use(player_id: int, provider: str) -> LockedQuerySet[PayoutAccount]:
    return PayoutAccount.objects.filter(player=player_id, provider=provider, status=PayoutAccountState.CONFIRMED)


def _retire(account: PayoutAccount, by: User, reason: str) -> None:
    account.move_to(PayoutAccountState.RETIRED)
    attribute(by=by, reason=reason)
    account.reason = reason
    account.save(update_fields=["status", "reason"])


def _decide(account_id: int, status: PayoutAccountState, by: User) -> PayoutAccount:
    account = _locked(account_id)
    # One player's accounts are decided one after the other.
    User.objects.select_for_update(no_key=True).get(pk=account.player_id)
    if by.pk in (account.recorded_by_id, account.player_id):
        raise Forbidden(Code.FORBIDDEN, "Somebody else confirms it: neither who wrote it down, nor the player.")
    account.move_to(status)
    attribute(by=by, reason=f"{status} {account}")
    account.decided_by, account.decided_at = by, ClockTimestamp()
    return account


def _locked(account_id: int) -> PayoutAccount:
    account = PayoutAccount.objects.locked().filter(pk=account_id).first()
    if account is None:
        raise NotFound(Code.NOT_FOUND, "There is no such account.")
    return account
