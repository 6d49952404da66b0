"""The loop's own verbs in one process, as a notebook calls them: each lets go of its lock at its end, and respects another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.loop import little

from towpath.cli import main
from towpath.events import EnvironmentJudged
from towpath.locks import OUTBOX, STAGING, Lock, lock_of


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TOWPATH_HOME", raising=False)
    return little.prepared(tmp_path / "little", little.ran)


def said(capfd: pytest.CaptureFixture[str], root: Path, *words: str) -> tuple[int, str, str]:
    code = main([*words, "--project", str(root)])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_version_is_staged_twice_in_one_process(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lock = lock_of(root / ".towpath", STAGING)
    for times in (1, 2):
        code, out, _ = said(capfd, root, "stage", "1")
        assert (code, "pass" in out) == (0, True)
        assert lock.is_free()
        assert len(little.events(root, EnvironmentJudged)) == times
    with Lock(lock.path).held("someone else"):
        code, _, err = said(capfd, root, "stage", "1")
    assert (code, "staging is taken by someone else" in err) == (1, True)
    assert said(capfd, root, "stage", "7")[0] == 2
    assert lock.is_free()  # also after an error


def test_the_outbox_is_told_twice_in_one_process(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lock = lock_of(root / ".towpath", OUTBOX)
    for _ in range(2):
        code, out, _ = said(capfd, root, "tell")
        assert (code, out) == (0, "nobody outside is to be told\n")
        assert lock.is_free()
    with Lock(lock.path).held("someone else"):
        assert said(capfd, root, "tell") == (0, "", "")  # whoever is at it tells this too


def test_a_lock_is_let_go_of_when_its_block_fails_and_an_inherited_one_is_held(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "locks" / "run")

    def fail() -> None:
        with lock.held("me") as mine:
            assert mine
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lock.is_free()
    assert lock.take("the parent")
    child = Lock(lock.path)
    with child.held("the child", inherited=lock.file) as mine:
        assert mine
        assert child.holder() == "the parent"
        assert not Lock(lock.path).is_free()
    assert Lock(lock.path).is_free()
