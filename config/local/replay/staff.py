"""Two members of staff, who enter what a contest's own staff decided beyond the results."""

from dataclasses import dataclass

from accounts.models import Role, User
from accounts.services.roles import assign_role
from config.clock import database_now
from config.local.replay.season import NotPlayed
from entries.models import RulingKind
from entries.services.rulings import confirm_ruling, propose_ruling
from pools.models import Game, Pool

DOMAIN = "replay.outlast.test"


@dataclass(frozen=True)
class Ruled:
    """A ruling as it is shown, with how many entries it alone put out."""

    number: int
    decided: NotPlayed
    eliminated: int
    proposed_by: str
    confirmed_by: str


class Staff:
    """One who proposes and one who confirms."""

    def __init__(self) -> None:
        self.first, self.second = (_moderator(name) for name in ("first", "second"))

    def rule_not_played(self, pool: Pool, decided: NotPlayed) -> Ruled:
        """Rule that the game was not played in its round, which settles."""
        game = Game.objects.get(competition_id=pool.competition_id, external_id=decided.game)
        proposed = propose_ruling(
            kind=RulingKind.GAME, by=self.first, reason=decided.because, game_id=game.pk,
            details={"verdict": "not_played"},
        )  # fmt: skip
        ruling = confirm_ruling(ruling=proposed, by=self.second)
        eliminated = ruling.difference.get("eliminated", 0)
        return Ruled(ruling.pk, decided, eliminated, self.first.display_name, self.second.display_name)


def _moderator(name: str) -> User:
    user = User(
        email=f"{name}@{DOMAIN}", display_name=f"{name.title()} Moderator", email_verified_at=database_now(),
    )  # fmt: skip
    user.set_unusable_password()
    user.save()
    return assign_role(user=user, role=Role.MODERATOR, by=None)
