"""Mails about pools. A service leaves an outbox message; what is written here is done with it."""

from typing import Any

from accounts.models import User
from accounts.services.letters.preferences import language_of
from config import outbox
from config.mail import send
from config.phrases import phrase
from pools.models import Amendment
from pools.services.rules import changed_sentences
from pools.services.rules.amendments import MAIL


@outbox.handler(MAIL)
def mail_rules_amended(payload: dict[str, Any]) -> None:
    """The rules changed: which sentences are new, from which round on, and why. Left out for a closed account."""
    user = User.objects.get(pk=payload["user"])
    if not user.can_get_mail:
        return
    amendment = Amendment.objects.select_related("pool", "rules").get(pk=payload["amendment"])
    pool, rules = amendment.pool, amendment.rules
    assert rules is not None, "only a confirmed amendment is told, and it has become rules"
    before = pool.rules_versions.get(version=rules.version - 1)
    gone, new = changed_sentences(before, rules, pool)
    send(
        to=user.email,
        subject=phrase(
            "The rules of {pool} change from round {round} on", pool=pool.name, round=rules.effective_round_number
        ),
        template="rules_amended",
        context={"user": user, "pool": pool, "rules": rules, "reason": amendment.reason, "gone": gone, "new": new},
        language=language_of(user),
    )
