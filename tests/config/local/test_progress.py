import sys
from io import StringIO

import pytest

from config.local.progress import Progress, StepFailed


class Terminal(StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def python(code):
    return [sys.executable, "-S", "-c", code]


def test_a_step_is_announced_and_then_ticked_with_its_seconds():
    said = StringIO()

    Progress(stream=said).run("packages", python("print('quiet')"))

    first, last = said.getvalue().splitlines()
    assert first == "· packages …"
    assert last.startswith("✓ packages (")


def test_a_long_step_says_now_and_then_what_it_does():
    said = StringIO()

    Progress(stream=said, every=0.1).run(
        "packages", python("import time; print('fetching numpy', flush=True); time.sleep(0.5)")
    )

    assert "packages: 0 s  fetching numpy" in said.getvalue()


def test_a_terminal_sees_one_moving_line():
    said = Terminal()

    Progress(stream=said).run("packages", python("import time; print('numpy', flush=True); time.sleep(0.3)"))

    assert "packages 0 s  numpy" in said.getvalue()
    assert said.getvalue().count("\n") == 1


def test_a_failed_step_keeps_all_that_the_program_said():
    said = StringIO()

    with pytest.raises(StepFailed) as failure:
        Progress(stream=said).run("packages", python("print('disk full'); raise SystemExit(7)"))

    assert (failure.value.code, failure.value.output) == (7, "disk full\n")
    assert "✗ packages" in said.getvalue()


def test_signs_that_the_terminal_cannot_show_do_no_harm():
    class Old(StringIO):
        encoding = "ascii"

    said = Old()
    Progress(stream=said).done("packages", 1.0)

    assert said.getvalue() == "? packages (1.0 s)\n"


def test_notes_show_the_last_lines():
    said = StringIO()

    Progress(stream=said).note("one\ntwo\nthree", lines=2)

    assert said.getvalue() == "  two\n  three\n"
