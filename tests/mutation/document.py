"""The table of all guards, `docs/guards.md`: what each holds, and the test that misses it."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.mutation.attacks import OF_HISTORY, OF_KEEPING, attacks_on
from tests.mutation.catalog import Guard
from tests.mutation.code_guards import CONDITIONS, FINANCE, KEYS, LOCKS, ROOT, SIGN_INS, Mutation

FILE = ROOT / "docs" / "guards.md"
HEAD = """# The guards of money and of the ways in, and the tests that miss them

Each guard below is taken away by a test, and something that must not happen happens then. The tests write this file:
`python -m tests.mutation`.

## In the code

Locks, keys and conditions that no constraint holds. `tests/mutation/test_code_guards.py` takes each out of the code
(`manage.py test -m slow tests/mutation`); the tests named here fail then.
"""
OF_CODE = (
    ("Locks", LOCKS),
    ("Keys, and once for all", KEYS),
    ("Conditions", CONDITIONS),
    ("Runs, the queue, banks, exports and accounting", FINANCE),
    ("Sign-ins through a provider, and API keys", SIGN_INS),
)
DATABASE = """
## In the database

Found in PostgreSQL's catalog: a guard that nothing attacks fails the test. Each is attacked with raw SQL, alone: with
it the attack is refused in its name, without it the attack goes through, all in one transaction that is taken back.
The test of a table is `tests/mutation/test_database_guards.py::test_each_guard_holds_and_is_missed[TABLE]`.
"""


def document(guards: Iterable[Guard]) -> str:
    """The whole file."""
    lines = HEAD.splitlines()
    for title, mutations in OF_CODE:
        lines += _section(title, ("Guard", "Holds", "Tests"), map(_row_of, mutations))
    lines += DATABASE.splitlines()
    for table, own in groupby(guards, lambda guard: guard.table):
        lines += _section(f"`{table}`", ("Guard", "Holds"), _of_table(list(own)))
    return "\n".join([*lines, ""])


def _section(title: str, columns: tuple[str, ...], rows: Iterable[str]) -> list[str]:
    return ["", f"### {title}", "", f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |", *rows]


def _row_of(mutation: Mutation) -> str:
    tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in mutation.tests)
    return f"| {mutation.name} | {mutation.holds} | {tests} |"


def _of_table(guards: list[Guard]) -> Iterator[str]:
    for guard in guards:
        if guard.kind == "trigger" and (guard.short in OF_KEEPING or guard.short in OF_HISTORY):
            continue
        for name, attacks in attacks_on(guard).items():
            shown = name if guard.kind != "trigger" or name == guard.short else f"{guard.short}: {name}"
            yield f"| {shown} | {' '.join(dict.fromkeys(_shown(attack.holds) for attack in attacks))} |"
    everywhere = [guard for guard in guards if guard.short in OF_KEEPING or guard.short in OF_HISTORY]
    for guard in sorted(everywhere, key=lambda guard: guard.short):
        holds = OF_KEEPING.get(guard.short) or OF_HISTORY[guard.short]
        yield f"| {guard.short} | {' '.join(attack.holds for attack in holds)} |"


def _shown(text: str) -> str:
    return text.replace("|", "\\|").replace("<>", "is not")
