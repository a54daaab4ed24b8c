"""The players of a pool: whoever has a place in it, alive or out, or still asks for one."""

from accounts.models import NOBODYS_DOMAIN
from entries.models import Request, RequestStatus

# An entry keeps its approved request for ever, so requests tell all players; whoever got the fee back plays no more.
# Imported people have no address.
PLAYERS = f"""
    SELECT DISTINCT q.user_id FROM entries_request q JOIN accounts_user u ON u.id = q.user_id
    WHERE q.pool_id = %(pool)s AND q.status IN ('pending', 'approved') AND q.payment_status <> 'refunded'
      AND u.is_active AND right(u.email, {len(NOBODYS_DOMAIN)}) <> '{NOBODYS_DOMAIN}'
"""


class Players:
    """The provider of pools' players."""

    def players_sql(self) -> str:
        """Each of them once, as far as they can get mail."""
        return PLAYERS

    def is_player(self, pool_id: int, user_id: int) -> bool:
        """Whether this person has a place in the pool or asks for one."""
        holding = (RequestStatus.PENDING, RequestStatus.APPROVED)
        return Request.objects.of(user_id).filter(pool_id=pool_id, status__in=holding).not_given_back().exists()
