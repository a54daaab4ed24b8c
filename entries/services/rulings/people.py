"""Who may propose and confirm: two different people who run pools, and never about an entry of their own."""

from accounts.models import User
from config.constraints import explain
from config.errors import Code, Forbidden
from config.phrases import phrase
from entries.models import Ruling

PERMISSION = "entries.change_ruling"

explain("ruling_two_names", Code.FORBIDDEN, "A ruling needs two different names.")
explain("pick_needs_ruling", Code.FORBIDDEN, "A pick after its lock needs a ruling of two names.")


def check_may_rule(user: User, ruling: Ruling) -> None:
    """Refuses whoever does not run pools, and the owner of the entry that the ruling is about."""
    if not user.is_active or not user.has_perm(PERMISSION):
        raise Forbidden(Code.FORBIDDEN, phrase("{user} does not run pools.", user=user.display_name))
    if ruling.entry is not None and ruling.entry.user_id == user.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody rules on an entry of their own. Ask a colleague.")


def check_confirms(user: User, ruling: Ruling) -> None:
    """Refuses the proposer; and a proposal of somebody who runs pools no more, for its name counts as much."""
    if ruling.proposed_by_id == user.pk:
        raise Forbidden(Code.FORBIDDEN, "Whoever proposed a ruling cannot confirm it: somebody else has to.")
    check_may_rule(user, ruling)
    check_may_rule(ruling.proposed_by, ruling)
