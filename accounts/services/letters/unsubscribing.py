"""Turning off a kind of letters by the link that each of them carries, without signing in.

The link is good for as long as the key that signed it, and for nothing else: it shows nothing of its reader and turns
on nothing. It is what mail programs call for "Unsubscribe" (RFC 8058).
"""

from django.conf import settings
from django.core import signing

from accounts.models import MessagePreferences, User
from accounts.services.letters.kinds import Kind, kind_of
from accounts.services.letters.preferences import change_preferences, preferences_of
from config.errors import Malformed, invalid

SALT = "accounts.unsubscribe"


def unsubscribe_link(user_id: int, kind: str, one: int | None = None) -> str:
    """The address that turns the kind off for this person, or for `one` of those that its letters are about."""
    said = {"u": user_id, "k": kind} | ({} if one is None else {"o": one})
    token = signing.Signer(salt=SALT, sep=".").sign_object(said)
    return f"{settings.PUBLIC_URL}/unsubscribe?token={token}"


def unsubscribe(*, token: str) -> str:
    """Turn off what the token names, for whom it was made, and say what there is no more of.

    Twice is as good as once. Refuses what we did not sign.
    """
    user, kind, one = _read(token)
    if one is not None and kind.stop_one is not None:
        return kind.stop_one(user, one)
    preferences: MessagePreferences = preferences_of(user)
    kind.stop(preferences)
    change_preferences(
        user=user,
        changes={"reminder_hours": preferences.reminder_hours, "announcements": preferences.announcements},
    )
    return str(kind.what)


def _read(token: str) -> tuple[User, Kind, int | None]:
    try:
        said = signing.Signer(salt=SALT, sep=".").unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise _no_good() from None
    user, kind = User.objects.filter(pk=said["u"], is_active=True).first(), kind_of(said["k"])
    if user is None or kind is None:
        raise _no_good()
    return user, kind, said.get("o")


def _no_good() -> Malformed:
    return invalid("token", "This link is not valid, or not any more.")
