"""What a stampede says of itself: rates, the knee, and what must not be."""

from random import Random

import pytest

from config.local.benches.crowd import MIX, PICK, READ, Crowd, Done
from config.local.benches.knee import draw
from config.local.benches.runs import Meaningless
from config.local.benches.stampede import Kept, Level, _expect_no_error


def done(status, milliseconds=10.0, **others):
    return Done(PICK, status, milliseconds, **others)


def test_only_who_got_an_answer_of_the_contest_is_served():
    level = Level(100, 2.0, [done(200), done(304), done(422, code="DEADLINE_PASSED"), done(503), done(0)])
    assert (len(level.served), len(level.refused), level.served_per_second) == (3, 1, 1.5)


def test_what_is_done_when_nobody_comes_any_more_is_not_done_a_second():
    level = Level(100, 2.0, [done(200, ended=0.5), done(200, ended=2.0), done(200, ended=3.5)])
    assert (len(level.served), level.served_per_second) == (3, 1.0)


@pytest.mark.parametrize(
    ("answers", "keeps_up"),
    [
        ([done(200)] * 100, True),
        ([done(200)] * 97 + [done(503)] * 3, False),
        ([done(200)] * 90 + [done(200, 400.0)] * 10, False),
    ],
)
def test_it_keeps_up_while_nearly_all_are_served_in_time(answers, keeps_up):
    assert Level(100, 1.0, answers).keeps_up is keeps_up


def test_who_comes_after_the_lock_is_no_error_and_anybody_else_refused_is():
    _expect_no_error([done(200), done(422, code="DEADLINE_PASSED")])
    with pytest.raises(Meaningless, match="SERVICE_UNAVAILABLE"):
        _expect_no_error([done(503, code="SERVICE_UNAVAILABLE")])


@pytest.mark.django_db
def test_a_pick_that_was_acknowledged_and_is_not_there_is_missed():
    with pytest.raises(Meaningless, match="1 picks were acknowledged and are missing"):
        Kept().expect([done(200, entry_id=5, nonce="a")])


def test_the_crowd_is_as_mixed_as_it_should_be():
    crowd = Crowd(0, 0, 1, (0, 1), [], [])
    crowd._random = Random(1)
    kinds = crowd._kinds()
    drawn = [next(kinds) for _ in range(300)]
    assert {kind: drawn.count(kind) for kind in MIX} == {kind: 3 * share for kind, share in MIX.items()}
    assert sum(MIX.values()) == 100
    assert MIX[READ] == 30


def test_the_picture_is_drawn(tmp_path):
    file = tmp_path / "pictures" / "knee.png"
    draw([(100, 100, 20), (200, 200, 90), (400, 260, 900)], knee=200, file=file)
    assert file.read_bytes().startswith(b"\x89PNG")
