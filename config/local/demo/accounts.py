"""What the demo's people have set up: a limit and a key of the player to sign in with, times without play, papers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO

from PIL import Image, ImageDraw

from accounts.models import Document, DocumentKind, ExclusionKind, Role, Session, User
from accounts.services.api_keys import make_key
from accounts.services.documents import upload
from accounts.services.exclusions import begin_exclusion, exclude_player
from accounts.services.identity import save_identity
from accounts.services.sessions import begin_session
from accounts.services.spending import set_limit
from accounts.services.tokens import AccessClaims
from config.local.demo.people import DOMAIN

# Both play the running pool: what is paid plays on.
RESTING, EXCLUDED = 60, 61
PAPERS = ((DocumentKind.IDENTITY, "passport.png"), (DocumentKind.ADDRESS, "electricity bill.png"))
OWNER_OF_PAPERS = f"player003@{DOMAIN}"


def settle_in(staff: Mapping[Role, User], players: Sequence[User], now: datetime) -> None:
    """Everything but the papers. The text of the key is not kept: it is there to be listed, rotated and revoked."""
    player = players[0]
    begin_session(user=player, address="203.0.113.7", user_agent="Outlast for iOS 2.1", has_second_factor=False)
    session = Session.objects.get(user=player)
    claims = AccessClaims(player.pk, session.pk, player.token_version, session.authenticated_at)
    make_key(
        user=player, claims=claims, name="Scoreboard in the clubhouse", scopes=("pools:read", "entries:read"),
        expires_at=None, now=now,
    )  # fmt: skip
    set_limit(user=player, currency="usd", amount_cents=50_000, now=now)
    taxed = players[2]
    save_identity(user=taxed, legal_name=taxed.display_name, tax_country="US", tax_number="000-00-0000", now=now)
    begin_exclusion(user=players[RESTING], kind=ExclusionKind.COOLING_OFF, days=14)
    exclude_player(
        user=players[EXCLUDED], days=None, by=staff[Role.MODERATOR],
        reason="Opened a second account to play beyond the limit of three entries.",
    )  # fmt: skip


def hand_in_papers(now: datetime) -> None:
    """Two pictures that wait for somebody of finance, once. Commits in between, so it comes after the story."""
    owner = User.objects.get(email=OWNER_OF_PAPERS)
    known = set(Document.objects.of(owner.pk).values_list("kind", flat=True))
    for kind, name in PAPERS:
        if kind not in known:
            upload(owner=owner, kind=kind, name=name, content=_specimen(kind.label, owner), now=now)


def _specimen(title: str, owner: User) -> bytes:
    """A picture of a paper on which everything is made up."""
    picture = Image.new("RGB", (640, 400), "#eef2f7")
    drawn = ImageDraw.Draw(picture)
    drawn.rectangle((20, 20, 619, 379), outline="#334155", width=3)
    for line, (text, size) in enumerate(((title, 30), (owner.display_name, 22), ("SPECIMEN, not a real paper", 22))):
        drawn.text((60, 70 + 80 * line), text, fill="#0f172a", font_size=size)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
