"""Which code this is, told by the deployment or by git's own files."""

import pytest

from config import version
from config.version import code_version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def git(tmp_path):
    """A folder as git keeps one, on a branch that has no commit yet."""
    (tmp_path / "HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path


def test_what_was_deployed_is_said(settings):
    settings.OUTLAST_RELEASE = "2026.11.4"

    assert code_version() == "2026.11.4"


def test_a_branch_is_followed_to_its_commit(git):
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(f"{COMMIT}\n")

    assert version._commit.__wrapped__(git) == COMMIT[:12]


def test_also_where_git_has_packed_its_names(git):
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{COMMIT} refs/heads/main\n^{COMMIT}\n")

    assert version._commit.__wrapped__(git) == COMMIT[:12]


def test_a_commit_that_is_checked_out_by_itself(git):
    (git / "HEAD").write_text(f"{COMMIT}\n")

    assert version._commit.__wrapped__(git) == COMMIT[:12]


def test_without_git_nobody_knows(settings, tmp_path, monkeypatch):
    settings.OUTLAST_RELEASE = ""
    monkeypatch.setattr(version, "ROOT", tmp_path)

    assert code_version() == "unknown"
