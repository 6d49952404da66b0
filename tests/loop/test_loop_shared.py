"""Two clones of a project with one bucket: what one executed the other takes, as far as it is trusted; and lies are found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from towpath import kept
from towpath.digest import Digest
from towpath.pipeline.runs import Runs
from towpath.project_file import load
from towpath.store import Execution
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.batches import Batch, Signed, of_batch
from towpath.store.remote.folder import FolderBucket

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")
YAML = "name: words\npipeline: pipeline.py\nsteps: {longest: {}, known: {}}\nremote: %s\n"
PIPELINE = """
def words():
    return ['lock', 'gate', 'barge']


def longest(words):
    return max(words, key=len)


def known(words):
    return set(words)
"""


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True)


class Clone:
    """A work tree of one member of the team."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environ = folder, dict(os.environ)

    def __call__(self, *words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "towpath", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, env=self.environ)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stderr + done.stdout

    def runs(self) -> Runs:
        return kept.state(load(self.folder, self.environ)).runs

    def why(self, step: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("why", "step", step, "--json"))
        return found


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest.fixture
def clones(tmp_path: Path, shared: Path) -> Callable[..., tuple[Clone, Clone]]:
    def make(pipeline: str = PIPELINE, more: str = "", **files: str) -> tuple[Clone, Clone]:
        one = tmp_path / "one"
        one.mkdir()
        texts = {"towpath.yaml": YAML % shared + more, ".gitignore": ".towpath\n", "pipeline.py": pipeline, **files}
        for name, text in texts.items():
            (one / name).write_text(text)
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"], ["clone", "-q", ".", str(tmp_path / "two")]):
            git(one, *words)
        return Clone(one), Clone(tmp_path / "two")

    return make


def key(folder: Path, name: str) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("apt-get install openssh-client")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True)
    return folder / name


def signers(*keys: Path) -> str:
    return "".join(f"{one.name}@example.org {' '.join(one.with_suffix('.pub').read_text().split()[:2])}\n" for one in keys)


def test_the_second_executes_nothing_but_what_would_execute_code_when_it_is_read(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, two = clones()
    one("run")
    said = two("run")
    assert "executed by others: words, longest" in said
    assert "step known:" in said, "a set is kept as a pickle, which is read from trusted keys only"
    why = two.why("longest")
    assert why["reused"]
    assert why["origin"]["client"]
    assert why["origin"]["key"] == ""
    assert why["because"].startswith(
        f"reused: nothing that it depends on has changed since it was executed by {why['origin']['client']} on {why['origin']['host']}, "
    )


def test_an_edit_is_executed_by_one_and_taken_by_the_other(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, two = clones()
    one("run")
    (two.folder / "pipeline.py").write_text(PIPELINE.replace("barge", "lighter"))
    git(two.folder, "commit", "-qam", "lighter")
    said = two("run")
    assert "step words:" in said
    assert "step longest:" in said
    git(one.folder, "pull", "-q", str(two.folder))
    said = one("run")
    assert "executed by others: words, longest" in said
    assert "code changed" in one("why", "step", "words")


def test_a_pickle_is_taken_from_a_trusted_key(clones: Callable[..., tuple[Clone, Clone]], tmp_path: Path) -> None:
    ann = key(tmp_path, "ann")
    one, two = clones(more="trusted_keys: allowed_signers\n", allowed_signers=signers(ann))
    one.environ["TOWPATH_SIGNING_KEY"] = str(ann)
    one("run")
    assert "executed by others: words, longest, known" in two("run")
    assert two.why("known")["origin"]["key"].startswith("ann@example.org (ED25519 SHA256:")
    assert "signed by ann@example.org" in two("why", "step", "known")


@pytest.mark.parametrize("who", ["eve", "nobody"])
def test_where_keys_are_declared_nothing_else_is_taken(clones: Callable[..., tuple[Clone, Clone]], tmp_path: Path, who: str) -> None:
    ann, eve = key(tmp_path, "ann"), key(tmp_path, "eve")
    one, two = clones(more="trusted_keys: allowed_signers\n", allowed_signers=signers(ann))
    if who == "eve":
        one.environ["TOWPATH_SIGNING_KEY"] = str(eve)
    one("run")
    said = two("run")
    assert "executed by others" not in said
    assert said.count("step ") == 3


def forged(shared: Path, home: Path, ran: Execution, **lie: Any) -> None:
    """Tell the team of an execution that never was."""
    remote = Remote(FolderBucket(shared))
    store = LocalStore(home)
    output = lie.pop("output", None)
    if output is not None:
        lie["output"] = store.put(output)
        remote.push(store, [(lie["output"], len(output))])
    told = Execution(**{**{name: getattr(ran, name) for name in ran.__struct_fields__}, **lie})
    remote.executions.add(Signed(of_batch(Batch(client="eve", host="far", at=datetime(2020, 1, 1, tzinfo=UTC), executions=(told,)))))


def made(clone: Clone, step: str) -> Execution:
    return next(one for one in LocalStore(clone.folder / ".towpath/store").executions() if one.step == step)


def test_a_content_that_is_not_that_of_the_output_is_not_taken(clones: Callable[..., tuple[Clone, Clone]], shared: Path) -> None:
    one, two = clones()
    one("run")
    forged(shared, one.folder / ".towpath/store", made(one, "longest"), content=Digest("0" * 64))
    two("run")
    assert two.why("longest")["origin"]["client"] != "eve"


def test_a_table_that_has_not_the_content_that_is_claimed_is_not_taken(clones: Callable[..., tuple[Clone, Clone]], shared: Path) -> None:
    one, two = clones(
        "import polars as pl\n\n\ndef longest():\n    return pl.DataFrame({'a': [1]})\n\n\ndef known(longest):\n    return longest.height\n"
    )
    one("run")
    ran = made(one, "longest")
    buffer = BytesIO()
    pl.DataFrame({"a": [2, 2]}).write_ipc(buffer)
    for lie in (buffer.getvalue(), b"no table"):
        forged(shared, one.folder / ".towpath/store", ran, output=lie)
    assert "executed by others: longest, known" in two("run")
    assert two.why("longest")["origin"]["client"] != "eve"
    last = two.runs().all[two.runs().next_number - 1]
    assert {step.content for step in last.steps if step.step == "longest"} == {ran.content}


def test_a_codec_that_nobody_knows_is_not_taken(clones: Callable[..., tuple[Clone, Clone]], shared: Path) -> None:
    one, two = clones()
    one("run")
    for codec in ("pickle", "magic"):
        forged(shared, one.folder / ".towpath/store", made(one, "longest"), codec=codec)
    two("run")
    assert two.why("longest")["origin"]["client"] != "eve"


MACHINE = """
import os


def place():
    return os.getcwd() + os.environ['WHERE']


def length(place):
    return len(place)
"""


def test_what_depends_on_the_machine_is_found_and_refused(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, two = clones(MACHINE)
    for clone, where in ((one, "here"), (two, "elsewhere")):
        (clone.folder / "towpath.yaml").write_text(
            (clone.folder / "towpath.yaml").read_text().replace("longest: {}, known: {}", "length: {}")
        )
        clone.environ["WHERE"] = where
    one("run")
    said = two("run", "--verify", "100%", code=1)
    mine, theirs = made(two, "place"), made(one, "place")
    assert mine.content != theirs.content
    assert f"step place makes content {mine.content} here, and {theirs.content} was claimed by" in said
    assert "made something else" in two("history")
    assert list((two.folder / ".towpath/remote/unsent").iterdir()) == []
    said = two("run")
    assert "reused: place, length" in said, "its own"
    for clone in (one, two):
        (clone.folder / ".towpath/store").rename(clone.folder / "away")
        clone("run")
        place = next(step for step in clone.runs().all[clone.runs().next_number - 1].steps if step.step == "place")
        assert (place.reused, place.content) == (True, mine.content), "theirs stays refused, though it was the first"


def test_what_is_verified_and_right_goes_on(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, two = clones()
    one("run")
    said = two("run", "--verify", "100%")
    assert "step longest:" in said
    assert "executed by others" not in said
    assert two.why("longest")["because"].startswith("executed in ")
    assert "to compare with the execution by" in two("why", "step", "longest")


def test_no_cache_executes_all(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, two = clones()
    one("run")
    for clone in (one, two):
        said = clone("run", "--no-cache")
        assert said.count("step ") == 3
        assert "0 of them reused" in said


def test_a_gc_leaves_what_steps_made_here_and_there(clones: Callable[..., tuple[Clone, Clone]], tmp_path: Path) -> None:
    folder = """
from pathlib import Path


def longest():
    folder = Path(__file__).parent / "made"
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_text("a")
    return folder


def known(longest: Path):
    return sorted(file.read_text() for file in longest.iterdir())
"""
    one, two = clones(folder)
    one("run")
    told = json.loads(one("data", "gc", "--remote", "--json"))["remote"]
    assert (told["executions"], told["executions_forgotten"], told["condemned"]) == (2, 0, 0)
    for clone in (one, two):
        (clone.folder / "pipeline.py").write_text(folder.replace("sorted(", "list("))
        git(clone.folder, "commit", "-qam", "list")
        said = clone("run")
        assert "step longest" not in said, "its files are still there"
        assert "1 of them reused" in said or "2 of them reused" in said


def test_without_a_team_there_is_nobody_to_verify(tmp_path: Path, clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, _ = clones()
    one.environ["TOWPATH_REMOTE"] = ""
    assert "there are no others" in one("run", "--verify", "5%", code=2)
    assert "often" in one("run", "--verify", "often", code=2)


def test_a_remote_that_is_away_stops_no_steps_and_gets_them_later(
    clones: Callable[..., tuple[Clone, Clone]], shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "ledger").mkdir()
    one, two = clones(more=f"ledger: {tmp_path / 'ledger'}\n")
    shared.rename(tmp_path / "unmounted")
    said = one("run")
    assert f"no executions are shared with others for now, the next run tries again: there is no folder {shared}" in said
    assert said.count("no folder") == 1
    assert said.count("step ") == 3
    (tmp_path / "unmounted").rename(shared)
    assert "executed by others" not in two("run")
    assert "3 of them reused" in one("run")
    two.environ["TOWPATH_HOME"] = str(tmp_path / "a new machine")
    assert "executed by others: words, longest" in two("run")


def test_a_file_of_keys_that_is_not_there_is_told_with_its_line(clones: Callable[..., tuple[Clone, Clone]]) -> None:
    one, _ = clones(more="trusted_keys: nobody\n")
    said = one("run", code=1)
    assert "towpath.yaml:5" in said
    assert "there is no file nobody" in said
