"""What has happened in the demo so far: four pools on one season, each by its own rules and at its own moment.

* The Long Season began six rounds ago: entries have fallen, most of the living have picked for the open round. Staff
  have ruled on one entry, and wait for a second name about another.
* The Ten-Minute Cup begins with the open round: ask, approve, pay and pick before it locks. Who forgets gets a pick.
* The Second Half begins in two weeks, with two lives: requests wait for staff, some are approved and unpaid, some paid.
* The Small Table begins then, too, and is full: a waiting list. Each pick locks with its own game, three prizes.
"""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.models import Role, User
from config.audit import attribute
from config.clock import database_now
from config.local.demo.accounts import settle_in
from config.local.demo.bank import bring_statement
from config.local.demo.money import book_transfers, leave_work
from config.local.demo.people import create_players, create_staff
from config.local.demo.rulings import rule
from config.local.demo.season import OPEN, PLAYED, ROUNDS, SEED, TEAMS, Fixture, draw, strengths
from entries.models import Entry, EntryStatus, PaymentStatus, Pick, PickSource, Request, RequestStatus
from entries.models.pick import LATE_SETTING
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.picks import save_pick
from entries.services.places import grant_place
from entries.services.requests import ask_to_join, withdraw_request
from entries.services.settlement import settle_competition
from payments.exports.asking import request_export
from payments.models import FileFormat
from payments.reconciliation.wanted import want_run
from payments.reports import Narrowing
from payments.services.catching_up import catch_up
from pools.models import Competition, Game, GameStatus, Pool, Round, Team
from pools.services.pools import create_pool, publish_pool, start_due_pools

CODE = "demo"


@dataclass
class Stage:
    """What the story's scenes share."""

    now: datetime
    dice: random.Random
    staff: dict[Role, User]
    players: list[User]
    competition: Competition
    teams: dict[str, Team]
    games: dict[tuple[int, str], Game] = field(default_factory=dict)


def tell() -> Competition:
    """Build the demo in one transaction: it is there whole or not at all. Refuses nothing, does it once."""
    known = Competition.objects.filter(code=CODE).first()
    if known is not None:
        return known
    with transaction.atomic():
        stage = _set_the_stage()
        _long_season(stage)
        _ten_minute_cup(stage)
        _second_half(stage)
        _small_table(stage)
        start_due_pools(stage.now)
        settle_competition(competition_id=stage.competition.pk)
        catch_up()
        rule(staff=stage.staff, fallen=Entry.objects.filter(pool__competition=stage.competition, status="eliminated"))
        _pick_for_the_open_round(stage)
        bring_statement(stage.staff)
        _ask_for_reports(stage)
        settle_in(stage.staff, stage.players, stage.now)
    return stage.competition


def _ask_for_reports(stage: Stage) -> None:
    """What finance asks for in the morning; workers do it as soon as there are any."""
    finance = stage.staff[Role.FINANCE]
    want_run(by=finance)
    for kind, file_format in (("trial_balance", FileFormat.PDF), ("journal", FileFormat.XLSX)):
        request_export(kind=kind, narrowing=Narrowing(), file_format=file_format, by=finance, now=stage.now)


def _set_the_stage() -> Stage:
    now = database_now()
    fixtures = draw(now)
    competition = Competition.objects.create(
        code=CODE, name="Continental League (demo)", season=str(now.year), time_zone="America/New_York"
    )
    Team.objects.bulk_create(Team(competition=competition, code=code, name=name) for code, name in TEAMS.items())
    Round.objects.bulk_create(
        Round(competition=competition, number=number, name=f"Round {number}") for number in range(1, ROUNDS + 1)
    )
    stage = Stage(
        now=now,
        dice=random.Random(SEED),
        staff=create_staff(),
        players=create_players(),
        competition=competition,
        teams={team.code: team for team in competition.teams.all()},
    )
    attribute(reason="demo season")
    _schedule(stage, fixtures)
    return stage


def _schedule(stage: Stage, fixtures: Sequence[Fixture]) -> None:
    rounds = {this.number: this for this in stage.competition.rounds.all()}
    games = Game.objects.bulk_create(
        Game(
            competition=stage.competition,
            round=rounds[fixture.round_number],
            external_id=fixture.name,
            home=stage.teams[fixture.home],
            away=stage.teams[fixture.away],
            kickoff_at=fixture.kickoff_at,
            home_spread=fixture.home_spread,
            **(
                {"status": GameStatus.FINAL, "home_score": fixture.home_score, "away_score": fixture.away_score}
                if fixture.round_number <= PLAYED
                else {}
            ),
        )
        for fixture in fixtures
    )
    for fixture, game in zip(fixtures, games, strict=True):
        stage.games[fixture.round_number, fixture.home] = game
        stage.games[fixture.round_number, fixture.away] = game


def _open_pool(stage: Stage, name: str, *, first: int, fee: int, capacity: int, about: str, **rules: object) -> Pool:
    pool = create_pool(
        competition=stage.competition,
        name=name,
        created_by=stage.staff[Role.ADMIN],
        rules=rules,
        description=about,
        entry_fee_cents=fee,
        currency="usd",
        capacity=capacity,
        first_round_number=first,
        last_round_number=ROUNDS,
    )
    return publish_pool(pool=pool, by=stage.staff[Role.ADMIN], now=stage.now, allow_past=True)


# --- The Long Season --------------------------------------------------------------------------------------------


def _long_season(stage: Stage) -> None:
    pool = _open_pool(
        stage, "The Long Season", first=1, fee=5000, capacity=200, about="Eighteen rounds, one life, one pot.",
        last_round="tiebreak",
    )  # fmt: skip
    began = stage.now - timedelta(weeks=PLAYED + 1)
    places = [
        (user, number) for user in stage.players[:120] for number in range(1, stage.dice.choice((1, 1, 1, 2, 3)) + 1)
    ]
    requests = Request.objects.bulk_create(
        Request(
            pool=pool,
            user=user,
            number=number,
            status=RequestStatus.APPROVED,
            payment_status=PaymentStatus.COMPLETED,
            fee_cents=pool.entry_fee_cents,
            currency=pool.currency,
            created_at=began - timedelta(days=stage.dice.randrange(2, 20)),
            decided_at=began - timedelta(days=1),
            decided_by=stage.staff[Role.MODERATOR],
        )
        for user, number in places[:180]
    )
    entries = Entry.objects.bulk_create(
        Entry(request=request, pool=pool, user=request.user, number=request.number) for request in requests
    )
    book_transfers(stage.staff, requests, entries, stage.now)
    _past_picks(stage, entries)


def _past_picks(stage: Stage, entries: Sequence[Entry]) -> None:
    """Six rounds of picks, as a pool has them that moved here in mid-season; nobody picks on after falling.

    The player to sign in with is still in, so that there is something to do.
    """
    power = strengths()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [LATE_SETTING, PickSource.IMPORT])
    picks = []
    for entry in entries:
        used: set[str] = set()
        for number in range(1, PLAYED + 1):
            if stage.dice.random() < 0.01 and entry.user != stage.players[0]:
                break  # forgot
            code = _sensible_team(stage, power, number, used, lucky=entry.user == stage.players[0])
            used.add(code)
            picks.append(_pick(stage, entry, number, code, PickSource.IMPORT))
            if not _won(stage.games[number, code], code):
                break
    Pick.objects.bulk_create(picks, batch_size=1000)


def _sensible_team(stage: Stage, power: dict[str, float], number: int, used: set[str], *, lucky: bool = False) -> str:
    """One of the clearer favourites that the entry has not used; a lucky entry has always chosen a winner."""
    free = [code for code in TEAMS if code not in used and not (lucky and not _won(stage.games[number, code], code))]
    free.sort(key=lambda code: power[_opponent(stage, number, code)] - power[code])
    return stage.dice.choice(free[:5])


def _opponent(stage: Stage, number: int, code: str) -> str:
    game = stage.games[number, code]
    return game.away.code if game.home.code == code else game.home.code


def _won(game: Game, code: str) -> bool:
    margin = (game.home_score or 0) - (game.away_score or 0)
    return margin > 0 if code == game.home.code else margin < 0


def _pick(stage: Stage, entry: Entry, number: int, code: str, source: PickSource) -> Pick:
    game = stage.games[number, code]
    return Pick(
        entry=entry,
        round_id=game.round_id,
        team=stage.teams[code],
        game=game,
        source=source,
        nonce=secrets.token_hex(16),
        picked_at=game.kickoff_at - timedelta(hours=stage.dice.randrange(5, 90)),
    )


def _pick_for_the_open_round(stage: Stage) -> None:
    """Most of the living have picked, some changed their mind; the entries of the player to try have not."""
    power = strengths()
    alive = Entry.objects.filter(
        pool__competition=stage.competition, pool__first_round_number__lte=OPEN, status=EntryStatus.ACTIVE
    )
    for entry in alive.exclude(user=stage.players[0]).select_related("user").order_by("id"):
        if stage.dice.random() < 0.12:
            continue
        used = set(entry.picks.values_list("team__code", flat=True))
        for _ in range(stage.dice.choice((1, 1, 1, 2, 3))):
            team = _sensible_team(stage, power, OPEN, used)
            save_pick(entry_id=entry.pk, user=entry.user, round_number=OPEN, teams=[team])


# --- The pools that are still filling ---------------------------------------------------------------------------


def _ten_minute_cup(stage: Stage) -> None:
    pool = _open_pool(
        stage, "The Ten-Minute Cup", first=OPEN, fee=1000, capacity=60,
        about="Begins with the round that locks in ten minutes. Join quickly.",
        missed_pick="fallback", missed_pick_then="favourite", late_entry_until=OPEN + 1,
    )  # fmt: skip
    requests = _ask(stage, pool, stage.players[20:55])
    _approve_and_pay(stage, requests[:25])
    _approve(stage, requests[25:29])


def _second_half(stage: Stage) -> None:
    pool = _open_pool(
        stage, "The Second Half", first=OPEN + 2, fee=2500, capacity=120,
        about="For everybody who is out already, or came late.",
        strikes=1, tie="win", buy_back_until=OPEN + 5, buy_back_limit=1, buy_back_fee_cents=2500,
    )  # fmt: skip
    requests = _ask(stage, pool, stage.players[100:178])
    _approve_and_pay(stage, requests[:28])
    approved = _approve(stage, requests[28:40])
    leave_work(stage.staff, approved[:2], requests[0].entry, stage.now)
    moderator = stage.staff[Role.MODERATOR]
    for request in requests[40:43]:
        reject_request(request=request, by=moderator, reason="Please write to us about your address.", now=stage.now)
    for request in requests[43:46]:
        withdraw_request(request=request, by=request.user, now=stage.now)


def _small_table(stage: Stage) -> None:
    pool = _open_pool(
        stage, "The Small Table", first=OPEN + 2, fee=20000, capacity=8, about="Eight places, and all of them taken.",
        lock="game", payout="table", payout_table=[7000, 2000, 1000],
    )  # fmt: skip
    requests = _ask(stage, pool, stage.players[180:194])
    _approve_and_pay(stage, requests[:6])
    _approve(stage, requests[6:8])
    for request in requests[8:11]:
        waitlist_request(request=request, by=stage.staff[Role.MODERATOR], now=stage.now)


def _ask(stage: Stage, pool: Pool, players: Sequence[User]) -> list[Request]:
    return [ask_to_join(pool_id=pool.pk, user=user, now=stage.now) for user in players]


def _approve(stage: Stage, requests: Sequence[Request]) -> list[Request]:
    return [approve_request(request=request, by=stage.staff[Role.MODERATOR], now=stage.now) for request in requests]


def _approve_and_pay(stage: Stage, requests: Sequence[Request]) -> None:
    approved = _approve(stage, requests)
    entries = [grant_place(request=request, by=stage.staff[Role.FINANCE], now=stage.now) for request in approved]
    book_transfers(stage.staff, approved, entries, stage.now)
