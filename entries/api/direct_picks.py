"""The plain case of saving a pick, in one statement: one team, for a round with one lock, by the entry's owner.

It is what nearly everybody does in the last minutes before a lock. The statement asks whether the token still holds,
locks the entry, looks at what `entries.services.picks` looks at, and writes. Where anything is not as it should be it
writes nothing and says nothing: the view then finds out why. Its looks are for that alone; the guards on the table have
the last word here as there (`entries.models.pick_guards`), the deadline among them.
"""

import json
import re
from datetime import datetime
from secrets import token_hex
from typing import Final

from django.conf import settings

from accounts.queries import bearer_sql
from accounts.services.tokens import AccessClaims, TokenInvalid, read_access
from config.api.arrival import seconds_since_arrival
from config.api.ratelimit import PICK, Policy
from config.api.shortcuts import Call, Caller
from config.audit.origin import told
from config.prepared import Statement
from entries.api.serializers.picks import just_saved
from entries.figures import pick_decided
from entries.queries.grades import ASKED_SQL, RULES_SQL
from entries.services.picks import SavedPick

# Nothing but one team, by a name without any escape: all else means what the parser and the view say.
BODY: Final = re.compile(rb'\s*\{\s*"team"\s*:\s*"([A-Za-z0-9_-]{1,20})"\s*\}\s*')

# A pick that stands already stays as it is, in all but name: what is answered is read under the row's lock.
_KEPT = "(entries_pick.team_id, entries_pick.game_id) = (excluded.team_id, excluded.game_id)"
_FRESH = ", ".join(
    f"{column} = CASE WHEN {_KEPT} THEN entries_pick.{column} ELSE {value} END"
    for column, value in {
        "source": "excluded.source",
        "rules_version": "excluded.rules_version",
        "nonce": "excluded.nonce",
        "picked_at": "clock_timestamp()",
    }.items()
)
SAVE = Statement(
    "save_pick",
    f"""
    WITH bearer AS MATERIALIZED (
        {bearer_sql(user="$1::bigint", session="$2::uuid", version="$3::integer", strict="$4::boolean")}
    ), asked AS MATERIALIZED (
        SELECT e.id AS entry_id, r.id AS round_id, t.id AS team_id, game.id AS game_id, rules.version
        FROM bearer
        JOIN entries_entry e ON e.id = $5::bigint AND e.user_id = bearer.id AND e.status = 'active'
        JOIN pools_pool p ON p.id = e.pool_id AND p.status IN ('open', 'running')
            AND (p.suspended_may_pick OR NOT e.is_suspended)
        JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = $6::integer
            AND r.number BETWEEN greatest(p.first_round_number, e.first_round_number) AND p.last_round_number
            AND r.locks_at > clock_timestamp()
        {RULES_SQL}
        JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = $7::text
        JOIN LATERAL (
            SELECT id FROM pools_game
            WHERE round_id = r.id AND t.id IN (home_id, away_id) AND status = 'scheduled'
              AND least(locks_at, kickoff_at) > clock_timestamp()
            ORDER BY kickoff_at, id LIMIT 1
        ) game ON true
        WHERE rules.lock = 'round' AND {ASKED_SQL} = 1
          AND NOT EXISTS (SELECT 1 FROM entries_pick k WHERE k.entry_id = e.id AND k.round_id = r.id AND k.slot > 1)
          AND rules.reuse_limit > (
              SELECT count(*) FROM entries_pick k WHERE k.entry_id = e.id AND k.team_id = t.id AND k.round_id <> r.id)
        FOR NO KEY UPDATE OF e
    ), who AS MATERIALIZED (
        SELECT asked.*, set_config('outlast.actor', $1::bigint::text, true), set_config('outlast.reason', '', true),
               set_config('outlast.origin', $8::text, true) FROM asked
    )
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
    SELECT entry_id, round_id, 1, team_id, game_id, 'player', version, $9::text, clock_timestamp() FROM who
    ON CONFLICT (entry_id, round_id, slot) DO UPDATE
        SET team_id = excluded.team_id, game_id = excluded.game_id, {_FRESH}
    RETURNING game_id, source, rules_version, nonce, picked_at
    """,
    waits_once=True,
)


class SavePick:
    """`PUT /api/v1/entries/{id}/picks/{round}`."""

    method = "PUT"
    path = re.compile(r"/api/v1/entries/(?P<entry_id>[0-9]{1,18})/picks/(?P<number>[0-9]{1,4})")
    like = "/api/v1/entries/1/picks/1"
    limits: tuple[Policy, ...] = (PICK,)

    def caller(self, call: Call) -> Caller | None:
        """Whom the token names."""
        if BODY.fullmatch(call.body) is None:
            return None
        try:
            claims = read_access(call.token)
        except TokenInvalid:
            return None
        return Caller(claims.user_id, claims)

    def answer(self, call: Call, caller: Caller) -> bytes | None:
        """Save it; the pick with its slip."""
        body, claims = BODY.fullmatch(call.body), caller.claims
        assert body is not None
        assert isinstance(claims, AccessClaims)
        entry, number, team, nonce = int(call.path["entry_id"]), int(call.path["number"]), body[1], token_hex(16)
        strict = b"true" if settings.STAFF_TOTP_REQUIRED else b"false"
        row = SAVE.row(
            b"%d" % claims.user_id, claims.session_id.hex.encode(), b"%d" % claims.token_version, strict, b"%d" % entry,
            b"%d" % number, team, told().encode(), nonce.encode(),
        )  # fmt: skip
        if row is None:
            return None
        game, source, version, known, at = row
        is_changed = known == nonce
        saved = SavedPick(
            entry, number, team.decode(), int(game), source, int(version), known, datetime.fromisoformat(at),
            is_changed, False, "pending",
        )  # fmt: skip
        pick_decided("saved" if is_changed else "unchanged", seconds_since_arrival(call.environ))
        return _text(saved)


def _text(saved: SavedPick) -> bytes:
    """As `SavedPickOut` and the renderer of the view write it."""
    shown = just_saved(saved)
    shown["picked_at"] = saved.picked_at.isoformat().replace("+00:00", "Z")
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
