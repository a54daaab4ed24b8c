"""Mails to winners, sent by the outbox after what they tell was committed."""

from typing import Any

from django.utils.translation import gettext_noop

from accounts.models import NOBODYS_DOMAIN, User
from accounts.services.letters.preferences import language_of
from config import mail, outbox
from config.phrases import Money, phrase
from payments.models import Payout, Provider
from pools.models import Pool


@outbox.handler("mail.prize_paid")
def send_prize_paid(payload: dict[str, Any]) -> None:
    """The prize is out: how much was won, what was withheld, and which way it went."""
    _about_payout(payload["payout"], "prize_paid", gettext_noop("Your prize: {amount} for {pool}"))


@outbox.handler("mail.prize_returned")
def send_prize_returned(payload: dict[str, Any]) -> None:
    """It came back: it is safe, and we have to know where to send it."""
    _about_payout(payload["payout"], "prize_returned", gettext_noop("Your prize of {amount} for {pool} came back"))


@outbox.handler("mail.tax_form_wanted")
def send_tax_form_wanted(payload: dict[str, Any]) -> None:
    """A prize waits for a tax form: which one, and for which year."""
    pool, player = Pool.objects.get(pk=payload["pool"]), User.objects.get(pk=payload["player"])
    _write_to(
        player,
        subject=phrase("Your prize for {pool} waits for form {form}", pool=pool.name, form=payload["form"]),
        template="tax_form_wanted",
        context={"player": player, "pool": pool, "form": payload["form"], "year": payload["year"]},
    )


def _about_payout(payout_id: int, template: str, subject: str) -> None:
    payout = Payout.objects.select_related("booking__pool", "player").get(pk=payout_id)
    net, pool = Money(payout.net_cents, payout.currency), payout.booking.pool
    _write_to(
        payout.player,
        subject=phrase(subject, amount=net, pool=pool.name),
        template=template,
        context={
            "payout": payout,
            "player": payout.player,
            "pool": pool,
            "amount": net,
            "gross": Money(payout.amount_cents, payout.currency),
            "withheld": Money(payout.withheld_cents, payout.currency) if payout.withheld_cents else "",
            "by_hand": payout.provider == Provider.MANUAL,
            "is_rest": payout.amount_cents < payout.won_cents,
        },
    )


def _write_to(player: User, **letter: Any) -> None:
    """Also to somebody who was shut out, for it is their money; not to an address that is nobody's any more."""
    if not player.email.endswith(NOBODYS_DOMAIN):
        mail.send(to=player.email, language=language_of(player), **letter)
