"""Rows 1, 3, 14 and 19: every address × verb × who asks, each answered as `cells.txt` and `keys.txt` say.

The addresses are those of the URL conf: a new one without a row fails. `OUTLAST_WRITE_MATRIX=1` writes both as things
are now, in a run with `-m ""`; whoever does so reads each cell that changed.
"""

import os
import re

import pytest

from tests.security.matrix.knocking import knock
from tests.security.matrix.operations import operations
from tests.security.matrix.people import EVERYDAY, KINDS, STRANGERS
from tests.security.matrix.table import CELLS, KEYS, table
from tests.security.matrix.world import PLACE

IS_WRITTEN = bool(os.environ.get("OUTLAST_WRITE_MATRIX"))
ADDRESS = re.compile(rb"[\w.+-]+@(?:matrix|story|example)\.test")
# Of everybody in the table, though each is asked about a thing of the owner's alone.
OF_THE_HOUSE = re.compile(r"/api/v1/(auth|competitions|pools|games|webhooks|schema)\b")


def keys_of(data, inside="") -> set[str]:
    """The names that the answer has, whole: `rules.strikes`."""
    if isinstance(data, list):
        return set().union(*(keys_of(each, inside) for each in data))
    if isinstance(data, dict):
        return set().union(*({inside + name} | keys_of(value, f"{inside}{name}.") for name, value in data.items()))
    return set()


def shapes(answers) -> list[str]:
    """A line for each operation and shape of its answer: who is shown which names."""
    lines = []
    for one in operations():
        seen: dict[str, list[str]] = {}
        for kind in KINDS:
            answer = answers.get((one.name, kind))
            if answer is not None and answer.status < 300 and answer.data:
                seen.setdefault(" ".join(sorted(keys_of(answer.data))), []).append(kind)
        lines += [f"{one.name} [{' '.join(kinds)}]: {names}" for names, kinds in seen.items()]
    return lines


@pytest.mark.slow
def test_rows_1_and_19_every_cell_is_as_written(all_answers):
    if IS_WRITTEN:
        lines = [f"# Who asks: {' '.join(KINDS)}"]
        for one in operations():
            lines.append(" ".join(str(all_answers[one.name, kind].status) for kind in KINDS) + f"  {one.name}")
        CELLS.write_text("\n".join(lines) + "\n")
    assert {(one.name, kind): all_answers[one.name, kind].status for one in operations() for kind in KINDS} == {
        (name, kind): status for name, cells in table().items() for kind, status in cells.items()
    }


@pytest.mark.slow
def test_row_14_every_answer_has_the_names_that_are_written(all_answers):
    lines = shapes(all_answers)
    if IS_WRITTEN:
        KEYS.write_text("\n".join(lines) + "\n")
    assert lines == KEYS.read_text().splitlines()


def test_rows_1_and_19_the_cells_of_every_day(answers):
    assert {key: answer.status for key, answer in answers.items()} == {
        (name, kind): cells[kind] for name, cells in table().items() for kind in EVERYDAY
    }


def test_row_14_no_name_of_every_day_is_new(answers):
    """As in the slow one, by operation and person."""
    written = {}
    for line in KEYS.read_text().splitlines():
        name, _, rest = line.partition(" [")
        kinds, _, names = rest.partition("]: ")
        written |= {(name, kind): names for kind in kinds.split()}
    for (name, kind), answer in answers.items():
        if answer.status < 300 and answer.data:
            assert " ".join(sorted(keys_of(answer.data))) == written.get((name, kind)), (name, kind)


def test_no_door_breaks(answers):
    assert [key for key, answer in answers.items() if answer.status >= 500] == []


def test_row_14_no_player_is_told_anothers_address(answers):
    """Nor where they called from."""
    told = {
        (key, found.decode())
        for key, answer in answers.items()
        for found in ADDRESS.findall(answer.content)
        if key[1] in (None, "anonymous", "owner", *STRANGERS) and found != f"{key[1]}@matrix.test".encode()
    }
    assert {one for one in told if one[0][0] != "POST /api/v1/auth/register"} == set()


def test_row_1_what_is_anothers_is_as_good_as_not_there(world, answers):
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
        assert absent.status == answers[one.name, "other"].status, one.name
        assert code_and_words(absent) == code_and_words(answers[one.name, "other"]), one.name
        tried += 1
    assert tried > 80


def code_and_words(answer) -> tuple[bytes, ...]:
    return tuple(re.findall(rb'"(?:code|message)":"[^"]*"', answer.content))


def test_row_1_a_stranger_gets_nothing_out_of_any_id(answers):
    """Whatever is the owner's alone: 404 to the other player, or 403 where no player has any business."""
    for (name, kind), answer in answers.items():
        verb, template = name.split()
        if kind == "other" and PLACE.search(template) and not OF_THE_HOUSE.match(template):
            mine = answers[name, "owner"].status
            # Papers are opened by a link that is signed, whoever has it.
            allowed = {400} if template == "/api/v1/documents/<int:pk>/file" else {403} if mine == 403 else {404}
            assert answer.status in allowed, name


def test_row_1_a_draft_is_not_there_for_players(world):
    tried = 0
    for one in operations():
        if one.verb == "GET" and one.route.template.startswith("/api/v1/pools/<") and "cancellation" not in one.name:
            for kind in ("anonymous", "other"):
                assert knock(world, kind, one, pools="draft").status in ({404} if kind == "other" else {401, 404})
            tried += 1
    assert tried >= 9


def test_row_3_no_address_holds_two_ids():
    """The second part is a number within the first, so that nothing of one thing can be asked for through another."""
    second = {PLACE.findall(one.route.template)[1] for one in operations() if len(PLACE.findall(one.route.template)) > 1}
    assert second <= {"rounds", "picks"}
