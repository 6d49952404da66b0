"""Every towpath.lock that Git has: of commits that a branch, a tag or a reflog reaches, and of the index."""

from __future__ import annotations

from pathlib import Path

from towpath.cli.repository import git, git_bytes
from towpath.data import lock
from towpath.data.live import named_in
from towpath.data.lock import LOCK, Locked
from towpath.digest import Digest
from towpath.errors import Refused, UsageError


def refuse_shallow(root: Path) -> None:
    """Raise UsageError in a clone that was cut off: what its missing commits name would be taken for needless."""
    if git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise UsageError(
            f"the repository of {root} is shallow: what its missing commits need looks like what nobody needs",
            mend="`git fetch --unshallow`, then `git fetch --all`; in CI, check out with the whole history and all branches",
        )


def needed(root: Path) -> set[Digest]:
    """Every digest that one of these locks mentions.

    Raises:
        Refused: of one of them no line can be read; names its commit.
    """
    locks = _ever(root)
    for blob, text in locks.items():
        if text is None or not lock.is_understood(_decoded(text)):
            raise _unreadable(root, blob)
    return {digest for text in locks.values() if text for digest in named_in(text)}


def named(root: Path) -> list[tuple[str, Digest]]:
    """Each dataset with each snapshot that one of these locks names."""
    lines = (line for text in _ever(root).values() if text for line in lock.legible(_decoded(text)))
    return list(dict.fromkeys((name, one.digest) for name, one in lines))


def of_commits(root: Path, commits: list[str]) -> list[dict[str, Locked] | None]:
    """The lock of this folder as each commit has it; None where there is none that says one thing."""
    return [_parsed(text) for text in _contents(root, [f"{commit}:./{LOCK}" for commit in commits])]


def _parsed(text: bytes | None) -> dict[str, Locked] | None:
    try:
        return None if text is None else lock.parse(_decoded(text))
    except UsageError:
        return None


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _ever(root: Path) -> dict[str, bytes | None]:
    """These locks by their Git object; those of other folders too, for a project may have been moved."""
    # Git's own choice of commits leaves out a side of which a merge took nothing
    reached = ("--all", "--reflog", "--indexed-objects", "--full-history")
    listed = git(root, "rev-list", "--objects", *reached, "--", f":(top,glob)**/{LOCK}")
    found = (line.partition(" ") for line in listed.splitlines())
    blobs = [blob for blob, _, path in found if path.rpartition("/")[2] == LOCK]
    return dict(zip(blobs, _contents(root, blobs), strict=True))


def _contents(root: Path, names: list[str]) -> list[bytes | None]:
    """What is in each object; None where there is no such file. One process for all of them."""
    said = git_bytes(root, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    found: list[bytes | None] = []
    place = 0
    for _ in names:
        end = said.index(b"\n", place)
        words = said[place:end].split()
        is_file = len(words) == 3 and words[1] == b"blob"
        size = int(words[2]) + 1 if len(words) == 3 else 0  # with the newline that follows
        found.append(said[end + 1 : end + size] if is_file else None)
        place = end + 1 + size
    return found


def _unreadable(root: Path, blob: str) -> Refused:
    touched = git(root, "log", "--all", "--reflog", "-m", "--abbrev=8", "--format=%h", f"--find-object={blob}").split()
    commit = touched[-1] if touched else ""  # the first; later ones may have mended it
    place = f"{commit}:{LOCK}" if commit else f"the staged {LOCK}"
    return Refused(
        f"no line of {place} can be read, so what it needs would be removed",
        mend=f"look at it (`git show {blob[:8]}`); nothing is collected while a branch, a tag, the reflog or the index has it",
    )
