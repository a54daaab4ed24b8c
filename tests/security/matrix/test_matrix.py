"""Rows 1, 3, 14 and 19: every address × verb × who asks, each answered as `cells.txt` and `keys.txt` say.

The addresses are those of the URL conf: a new one without a row fails. `OUTLAST_WRITE_MATRIX=1` writes both as things
are now, in a run with `-m ""`; whoever does so reads each cell that changed.
"""

import os
import re

import pytest

from tests.security.matrix.knocking import Answer, Told, knock
from tests.security.matrix.operations import operations
from tests.security.matrix.people import EVERYDAY, KEYS_OF, KINDS, STRANGERS
from tests.security.matrix.table import CELLS, KEYS, table
from tests.security.matrix.world import PLACE

pytestmark = pytest.mark.django_db
IS_WRITTEN = bool(os.environ.get("OUTLAST_WRITE_MATRIX"))
ADDRESS = re.compile(rb"[\w.+-]+@(?:matrix|story|example)\.test")
OF_PLAYERS = ("anonymous", "owner", "key", *STRANGERS)
# The others where there is time.
KINDS_AS_MARKED = [kind if kind in EVERYDAY else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
# Nothing there is the owner's alone.
OF_THE_HOUSE = re.compile(r"/api/v1/(auth|competitions|pools|games|webhooks|schema)\b")


def keys_of(data, inside="") -> set[str]:
    """The names that the answer has, whole: `rules.strikes`."""
    if isinstance(data, list):
        return set().union(*(keys_of(each, inside) for each in data))
    if isinstance(data, dict):
        return set().union(*({inside + name} | keys_of(value, f"{inside}{name}.") for name, value in data.items()))
    return set()


def write(told: Told) -> None:
    rows = ((one.name, (str(told.by(kind)[one.name].status) for kind in KINDS)) for one in operations())
    lines = "".join(f"{' '.join(statuses)}  {name}\n" for name, statuses in rows)
    CELLS.write_text(f"# Who asks: {' '.join(KINDS)}\n{lines}")
    KEYS.write_text("\n".join(shapes(told)) + "\n")


def shapes(told: Told) -> list[str]:
    """A line for each operation and shape of its answer: who is shown which names."""
    lines = []
    for one in operations():
        seen: dict[str, list[str]] = {}
        for kind in KINDS:
            if one.name in (shown := shown_names(told.by(kind))):
                seen.setdefault(shown[one.name], []).append(kind)
        lines += [f"{one.name} [{' '.join(kinds)}]: {names}" for names, kinds in seen.items()]
    return lines


def shown_names(answers: dict[str, Answer]) -> dict[str, str]:
    return {
        name: " ".join(sorted(keys_of(answer.data)))
        for name, answer in answers.items()
        if answer.status < 300 and answer.data
    }


def written_names(kind: str) -> dict[str, str]:
    found = {}
    for line in KEYS.read_text().splitlines():
        name, _, rest = line.partition(" [")
        kinds, _, names = rest.partition("]: ")
        if kind in kinds.split():
            found[name] = names
    return found


def test_row_19_every_operation_has_a_row_and_no_row_is_of_none(told):
    """Whoever adds an address says here what each may do there."""
    if IS_WRITTEN:
        write(told)
    assert [one.name for one in operations()] == list(table())


@pytest.mark.parametrize("kind", KINDS_AS_MARKED)
class TestEverybody:
    """Asked at every door about what is the owner's."""

    def test_rows_01_and_19_every_cell_is_as_written(self, told, kind):
        assert {name: answer.status for name, answer in told.by(kind).items()} == {
            name: cells[kind] for name, cells in table().items()
        }

    def test_row_14_every_answer_has_the_names_that_are_written(self, told, kind):
        assert shown_names(told.by(kind)) == written_names(kind)

    def test_row_48_no_door_breaks(self, told, kind):
        assert [name for name, answer in told.by(kind).items() if answer.status >= 500] == []

    def test_row_14_no_player_is_told_anothers_address(self, told, kind):
        """Staff are; and who registers is told their own."""
        if kind in OF_PLAYERS:
            own = f"{KEYS_OF.get(kind, kind)}@matrix.test".encode()
            assert {
                (name, found)
                for name, answer in told.by(kind).items()
                for found in ADDRESS.findall(answer.content)
                if found != own and name != "POST /api/v1/auth/register"
            } == set()


def test_row_01_what_is_anothers_is_as_good_as_not_there(world, told):
    """A stranger is told the same about it as about an id that nobody has: status, code and words."""
    tried = 0
    for one in operations():
        template = one.route.template
        if not PLACE.search(template) or OF_THE_HOUSE.match(template):
            continue
        parts = {part: 10**17 for part in PLACE.findall(template) if part not in ("rounds", "picks", "sessions")}
        if not parts:
            continue
        absent = knock(world, "other", one, **parts)
        present = told.by("other")[one.name]
        assert absent.status == present.status, one.name
        assert code_and_words(absent) == code_and_words(present), one.name
        tried += 1
    assert tried > 80


def code_and_words(answer) -> tuple[bytes, ...]:
    return tuple(re.findall(rb'"(?:code|message)":"[^"]*"', answer.content))


@pytest.mark.parametrize("kind", ["pool", "other"])
def test_row_01_a_stranger_gets_nothing_out_of_any_id(told, kind):
    """Whatever is the owner's alone: 404 to other players, or 403 where no player has any business."""
    for name, answer in told.by(kind).items():
        template = name.split()[1]
        if PLACE.search(template) and not OF_THE_HOUSE.match(template):
            mine = told.by("owner")[name].status
            # Papers are opened by a link that is signed, whoever has it.
            allowed = {400} if template == "/api/v1/documents/<int:pk>/file" else {403} if mine == 403 else {404}
            assert answer.status in allowed, name


def test_row_01_a_draft_is_not_there_for_players(world):
    tried = 0
    for one in operations():
        if one.verb == "GET" and one.route.template.startswith("/api/v1/pools/<") and "cancellation" not in one.name:
            for kind in ("anonymous", "other"):
                assert knock(world, kind, one, pools="draft").status in ({404} if kind == "other" else {401, 404})
            tried += 1
    assert tried >= 9


def test_row_03_no_address_holds_two_ids():
    """The second part is a number within the first, so that nothing of one thing can be asked for through another."""
    parts = [PLACE.findall(one.route.template) for one in operations()]
    assert {part for each in parts for part in each[1:]} == {"rounds", "picks", "deliveries"}
