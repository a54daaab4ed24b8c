"""Pages of pools that everybody sees the same: what versions they have, until when they hold, and the page of a pool.

Each is one statement, and PostgreSQL writes the JSON: a page is read far more often than it changes, and when it has
changed, everybody reads it at once.
"""

import json
from collections.abc import Mapping
from functools import cache, lru_cache

from django.db import connection

from config.api.envelope import Encoded, Page, encode
from config.clock import database_now
from config.pages.registry import Asked, Shown
from config.pages.versions import Version
from config.prepared import Statement, is_ready, numbered
from pools.api.serializers import PoolRoundOut
from pools.models import Pool, Rules
from pools.queries import round_cards, rounds_in_full, rounds_of, statistics
from pools.queries.rounds import OFF
from pools.services.rules import sentences

# A sum for each topic; a pool that players do not see has none.
VERSIONS = """
    SELECT p.id::text, concat_ws('.',
        (SELECT coalesce(sum(raised), 0) FROM config_pagechange WHERE topic = 'pool:' || p.id),
        (SELECT coalesce(sum(raised), 0) FROM config_pagechange WHERE topic = 'competition:' || p.competition_id),
        (SELECT coalesce(sum(raised), 0) FROM config_pagechange WHERE topic = 'names')
    ), extract(epoch FROM clock_timestamp())::text
    FROM pools_pool p WHERE p.id = {which} AND p.status <> 'draft'
"""
# Nearly always many ask about one.
VERSION = Statement("page_version", VERSIONS.format(which="$1::bigint"))

# The next instant at which something of the pool's pages changes without anybody writing it, and whether a lock has
# passed that is not revealed yet. Of one clock: what has not passed lies ahead.
HORIZON = """
    SELECT extract(epoch FROM min(i.at) FILTER (WHERE i.at > now.at))::float8,
           coalesce(bool_or(i.at <= now.at AND i.is_secret), false), p.competition_id
    FROM (SELECT clock_timestamp() AS at) now, pools_pool p
    JOIN LATERAL (
        SELECT locks_at AS at, revealed_at IS NULL AS is_secret FROM pools_round WHERE competition_id = p.competition_id
        UNION ALL SELECT opens_at, false FROM pools_round WHERE competition_id = p.competition_id
        UNION ALL SELECT locks_at, revealed_at IS NULL FROM pools_game WHERE competition_id = p.competition_id
        UNION ALL SELECT p.registration_closes_at, false
    ) i ON true
    WHERE p.id = %s GROUP BY p.competition_id
"""

_OFF = ", ".join(f"'{status}'" for status in OFF)


def utc(at: str) -> str:
    """SQL: an instant as the API writes it, in UTC, with microseconds where it has some."""
    format_ = f"""CASE WHEN date_trunc('second', {at}) = {at} THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                  ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END"""
    return f"to_char({at} AT TIME ZONE 'UTC', {format_})"


_SWITCHES = ", ".join(f"rules.{key}" for key in Rules.KEYS)

# As `pools.queries.pools` has it, of one pool; `pools.api.serializers.PoolOut` says what each means. What the rules'
# sentences are made of comes apart.
CARD = f"""
    SELECT row_to_json(card)::text, row_to_json(switches)::text, json_build_object('currency', p.currency,
        'entry_fee_cents', p.entry_fee_cents, 'max_entries_per_user', p.max_entries_per_user,
        'first_round_number', p.first_round_number, 'last_round_number', p.last_round_number)::text
    FROM (SELECT clock_timestamp() AS at) now, pools_pool p
    JOIN pools_competition c ON c.id = p.competition_id
    JOIN LATERAL (SELECT * FROM pools_rules WHERE pool_id = p.id ORDER BY version DESC LIMIT 1) rules ON true
    LEFT JOIN ({{numbers}}) n ON n.pool_id = p.id
    CROSS JOIN LATERAL (
        SELECT min(r.number) FILTER (WHERE r.is_open) AS open_number, max(r.number) AS last_number,
            min(r.number) FILTER (WHERE r.locks_at > now.at OR r.locks_at IS NULL) AS next_number,
            array_agg(r.number) AS numbers,
            min(r.locks_at) FILTER (WHERE r.number = coalesce(rules.late_entry_until, p.first_round_number)) AS locks_at
        FROM (
            SELECT r.number, r.locks_at, coalesce(CASE governing.lock WHEN 'game' THEN coalesce(
                (SELECT max(g.locks_at) FROM pools_game g WHERE g.round_id = r.id AND g.status NOT IN ({_OFF})),
                r.locks_at) ELSE r.locks_at END > now.at, true) AS is_open
            FROM pools_round r
            LEFT JOIN LATERAL (SELECT lock FROM pools_rules WHERE pool_id = p.id AND effective_round_number <= r.number
                               ORDER BY version DESC LIMIT 1) governing ON true
            WHERE r.competition_id = p.competition_id
                AND r.number BETWEEN p.first_round_number AND p.last_round_number
        ) r
    ) r
    CROSS JOIN LATERAL (
        SELECT least(p.registration_closes_at, r.locks_at) AS closes_at,
            coalesce(r.open_number, r.last_number) AS current_number,
            coalesce(r.next_number, r.last_number) AS entry_number,
            CASE WHEN rules.late_entry_strikes THEN (
                SELECT count(*) FROM unnest(r.numbers) number WHERE number < coalesce(r.next_number, r.last_number)
            ) ELSE 0 END AS strikes
    ) f
    CROSS JOIN LATERAL (
        SELECT p.id, p.name, p.description, c.code AS competition, p.status, p.entry_fee_cents, p.currency, p.capacity,
            p.max_entries_per_user, {utc("f.closes_at")} AS registration_closes_at,
            CASE WHEN f.closes_at <= now.at THEN NULL
                 WHEN rules.late_entry_until IS NULL THEN
                    CASE WHEN p.status = 'open' THEN
                        json_build_object('first_round', p.first_round_number, 'strikes', 0) END
                 WHEN p.status IN ('open', 'running') AND f.strikes <= rules.strikes THEN
                    json_build_object('first_round', f.entry_number, 'strikes', f.strikes)
            END AS joining,
            p.first_round_number AS first_round, p.last_round_number AS last_round, f.current_number AS current_round,
            p.pay_within_hours, p.minimum_age, p.countries, p.suspended_may_pick, p.chargeback_bearer,
            coalesce(n.entries_total, 0) AS entries_total, coalesce(n.entries_active, 0) AS entries_active,
            coalesce(n.pot_cents, 0) AS pot_cents, coalesce(n.paid_count, 0) AS paid_count,
            coalesce(n.value_per_entry_cents, 0) AS value_per_entry_cents,
            CASE WHEN p.logo_key <> '' THEN '/api/v1/pools/' || p.id || '/logo?v='
                || left(regexp_replace(p.logo_key, '^.*/', ''), 12) END AS logo_url,
            {utc("p.created_at")} AS created_at
    ) card
    CROSS JOIN LATERAL (
        SELECT {_SWITCHES}, rules.version, rules.effective_round_number AS effective_round
    ) switches
    WHERE p.id = %(pool)s AND p.status <> 'draft'
"""


def versions_of(pool_ids: frozenset[int]) -> Mapping[int, Version]:
    """The versions of these pools' pages, as committed now; drafts, and what is not there, have none.

    Nor has anything while the database is away: then whoever asks goes on without pages, and is told by what follows.
    """
    if len(pool_ids) == 1 and is_ready():
        found = VERSION.row(*(b"%d" % pool_id for pool_id in pool_ids))
        rows = [] if found is None else [found]
    else:
        with connection.cursor() as cursor:
            cursor.execute(VERSIONS.format(which="ANY(%s)"), [list(pool_ids)])
            rows = cursor.fetchall()
    return {int(pool_id): Version(text, float(now)) for pool_id, text, now in rows}


def horizon(pool_id: int) -> tuple[float | None, bool, int] | None:
    """Until when pages hold (seconds of PostgreSQL's clock, None: for good), whether a reveal is due, and where."""
    with connection.cursor() as cursor:
        cursor.execute(HORIZON, [pool_id])
        found: tuple[float | None, bool, int] | None = cursor.fetchone()
        return found


def pool_page(pool_id: int) -> Encoded | None:
    """The page of a pool that players see, in one statement; None where there is none."""
    # Planned once for each connection: that takes longer than reading what it finds.
    found = _card().row(b"%d" % pool_id, b"{%d}" % pool_id)
    if found is None:
        return None
    card, switches, pool = found
    return Encoded(f'{card[:-1]},"rules":{switches[:-1]},"text":{_words(switches, pool)}}}}}'.encode())


@cache
def _card() -> Statement:
    return Statement("pool_card", card_by_number())


def card_by_number() -> str:
    """The statement, with the numbers of whoever knows them: the pool is its first value, an array of it the second."""
    whole = CARD.replace("{numbers}", statistics.pool_numbers_sql())
    return numbered(whole, {"pool": "bigint", "pools": "bigint[]"})


@lru_cache(maxsize=512)
def _words(switches: str, pool: str) -> str:
    """The rules as sentences, in JSON: they follow from these two, and from nothing else."""
    said = json.loads(switches)
    said["effective_round_number"] = said.pop("effective_round")
    return json.dumps(sentences(Rules(**said), Pool(**json.loads(pool))), ensure_ascii=False, separators=(",", ":"))


def rounds_page(asked: Asked) -> Shown | None:
    """The rounds that a pool plays."""
    pool = Pool.objects.public().filter(pk=asked.pool).first()
    if pool is None:
        return None
    now, page, limit = database_now(), int(asked.query.get("page", 1)), int(asked.query.get("limit", 20))
    found = rounds_in_full(rounds_of(pool), now, pool=pool)
    rounds, total = list(found[(page - 1) * limit : page * limit]), found.count()
    items = PoolRoundOut(round_cards(pool, rounds, now), many=True).data
    return Shown(encode(Page(items, {"page": page, "limit": limit, "total": total})))


def round_page(asked: Asked) -> Shown | None:
    """One of them."""
    pool, now = Pool.objects.public().filter(pk=asked.pool).first(), database_now()
    if pool is None:
        return None
    found = rounds_in_full(rounds_of(pool), now, pool=pool).filter(number=asked.number).first()
    return None if found is None else Shown(encode(PoolRoundOut(round_cards(pool, [found], now)[0]).data))
