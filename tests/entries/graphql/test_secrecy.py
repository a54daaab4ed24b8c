"""Before its lock nobody but the owner learns a pick, by whatever way through the schema that leads to one.

The ways are read off the schema: whoever adds a field that leads to picks has it tried here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from graphql import GraphQLObjectType, get_named_type, is_required_argument

from config.urls import graphql_schema
from entries.services.picks import save_pick
from payments.models import Payment
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.asking import send

pytestmark = pytest.mark.django_db

# What tells a pick, and what of it to ask for.
PICKS = {
    "Pick": """
        round team result source locked pickedAt game { id home { code } away { code } } slip { team nonce signature }
    """,
    "StandingPick": "round team result",
    "Spread": "team picks share result",
}
USED = ("Entry", "teamsUsed")
SCHEMA = graphql_schema._schema
TYPES = {name: one for name, one in SCHEMA.type_map.items() if isinstance(one, GraphQLObjectType)}


@dataclass(frozen=True)
class Way:
    """Fields from a question to something that tells a pick, each with the type that has it."""

    steps: tuple[tuple[str, str], ...]
    leaf: str

    def __str__(self) -> str:
        return ".".join(name for _, name in self.steps)

    def query(self, world) -> str:
        text = self.leaf
        for parent, name in reversed(self.steps):
            text = f"{name}{world.arguments(parent, name)}" + (f" {{ {text} }}" if text else "")
        return f"{{ {text} }}"


def ways(parent: str = "Query", steps: tuple[tuple[str, str], ...] = ()) -> Iterator[Way]:
    """Depth first; no type is gone through twice."""
    for name, field in TYPES[parent].fields.items():
        here = (*steps, (parent, name))
        target = get_named_type(field.type).name
        if target in PICKS:
            yield Way(here, PICKS[target])
        elif (parent, name) == USED:
            yield Way(here, "")
        elif target in TYPES and target not in {each for each, _ in steps} | {parent}:
            yield from ways(target, here)


WAYS = list(ways())
OTHERS = ("anonymous", "of the pool", "of another pool", "moderator", "finance", "admin")
# Those from whom most is to be kept; the others with each commit.
EVERYDAY = ("of the pool", "moderator")


class World:
    """An entry that has picked, and everybody who would like to know."""

    def __init__(self) -> None:
        pool = PoolFactory(competition=league(rounds=2))
        self.entry = paid_entry(RequestFactory(approved=True, pool=pool))
        pick(self.entry, 1, "ANT")
        self.payment = Payment.objects.get()
        mate = EntryFactory(in_pool=pool)
        elsewhere = EntryFactory(in_pool=PoolFactory())
        self.people = {
            "anonymous": None, "owner": self.entry.user, "of the pool": mate.user, "of another pool": elsewhere.user,
            "moderator": ModeratorFactory(), "finance": FinanceFactory(), "admin": AdminFactory(),
        }  # fmt: skip

    def arguments(self, parent: str, name: str) -> str:
        """Those that have to be given."""
        said = {
            "id": {"pool": self.entry.pool_id, "entry": self.entry.pk, "request": self.entry.request_id,
                   "payment": self.payment.pk}.get(name),
            "code": f'"{self.entry.pool.competition.code}"',
            "number": 1,
            "round": 1,
        }  # fmt: skip
        needed = [each for each, arg in TYPES[parent].fields[name].args.items() if is_required_argument(arg)]
        return f"({', '.join(f'{each}: {said[each]}' for each in needed)})" if needed else ""

    def told(self, api, kind) -> dict[str, object]:
        """What each way says."""
        answers = {}
        for way in WAYS:
            answer = send(api(self.people[kind]), way.query(self)).json()
            answers[str(way)] = {name: answer.get(name) for name in ("data", "errors")}
        return answers

    def change(self) -> None:
        save_pick(entry_id=self.entry.pk, user=self.entry.user, round_number=1, teams=["DOG"])


def as_marked(kinds):
    return [kind if kind in EVERYDAY else pytest.param(kind, marks=pytest.mark.slow) for kind in kinds]


@pytest.fixture
def told_world(db):
    return World()


def test_all_ways_are_known():
    """Through entries, requests, payments, a pool and its own places: and none of them is tried twice."""
    names = [str(way) for way in WAYS]

    assert len(names) == len(set(names))
    assert {
        "entry.picks", "entries.nodes.picks", "entry.teamsUsed", "request.entry.picks",
        "requests.nodes.entry.teamsUsed",
        "payment.request.entry.picks", "payments.nodes.request.entry.picks", "pool.standings.nodes.picks",
        "pool.distribution", "pool.myEntries.picks", "pool.myRequests.entry.picks",
    } <= set(names)  # fmt: skip


@pytest.mark.parametrize("kind", as_marked(OTHERS))
def test_no_way_tells_which_team_was_picked(api, told_world, kind):
    """Not by the team, nor by anything else: every answer is the same whichever it was."""
    before = told_world.told(api, kind)

    told_world.change()

    assert told_world.told(api, kind) == before


def test_the_ways_do_tell_the_owner(api, told_world):
    before = told_world.told(api, "owner")
    told_world.change()
    after = told_world.told(api, "owner")

    changed = {way for way in before if before[way] != after[way]}
    own = {str(way) for way in WAYS if way.leaf == PICKS["Pick"] or way.steps[-1] == USED}
    assert changed == own


@pytest.mark.parametrize("kind", as_marked(["moderator", "finance", "admin"]))
def test_once_it_has_locked_staff_are_told_and_slips_stay_the_owners(api, told_world, kind):
    before = told_world.told(api, kind)

    lock_round(told_world.entry.pool.competition.rounds.get(number=1))

    after = told_world.told(api, kind)
    changed = {way for way in before if before[way] != after[way]}
    assert {"entry.picks", "entries.nodes.picks", "pool.standings.nodes.picks", "pool.distribution"} <= changed
    assert after["entry.picks"]["data"]["entry"]["picks"][0]["team"] == "ANT"
    assert after["entry.picks"]["data"]["entry"]["picks"][0]["slip"] is None


@pytest.mark.parametrize("kind", as_marked(["anonymous", "of the pool", "of another pool"]))
def test_players_never_reach_anothers_entry(api, told_world, kind):
    lock_round(told_world.entry.pool.competition.rounds.get(number=1))

    found = told_world.told(api, kind)

    for way in ("entry.picks", "request.entry.picks", "payment.request.entry.picks"):
        assert list(found[way]["data"].values()) == [None]
        expected = "NOT_AUTHENTICATED" if kind == "anonymous" else "NOT_FOUND"
        assert [error["extensions"]["code"] for error in found[way]["errors"]] == [expected]


def test_a_stranger_and_nobodys_id_are_told_the_same(api, told_world, stranger):
    real = send(api(stranger), f"{{ entry(id: {told_world.entry.pk}) {{ id picks {{ team }} }} }}").json()
    never = send(api(stranger), "{ entry(id: 999999) { id picks { team } } }").json()

    assert {**real, "extensions": 0} == {**never, "extensions": 0}


def test_a_filter_by_somebody_else_finds_nothing(api, told_world, stranger):
    query = f"{{ entries(user: {told_world.entry.user_id}) {{ total nodes {{ id }} }} }}"

    assert send(api(stranger), query).json()["data"] == {"entries": {"total": 0, "nodes": []}}


def test_a_cursor_of_another_person_is_refused(api, told_world):
    """Staff see everybody's; what their list gave out leads nowhere for others."""
    query = "query ($after: String) { entries(first: 1, after: $after) { pageInfo { endCursor } } }"
    staff = api(told_world.people["moderator"])
    cursor = send(staff, query).json()["data"]["entries"]["pageInfo"]["endCursor"]

    answer = send(api(UserFactory()), query, variables={"after": cursor}).json()

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["VALIDATION_ERROR"]
