"""What a run makes and how: the keys below ``steps`` in ``towpath.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any

from msgspec import Meta, field

from towpath.project_fields import Duration, Part, Scalar, Size, Written

PROJECT_IMAGE = "project"  # as `container`: the image that `towpath image build` makes


def plain_path(path: str) -> str:
    """A path inside a folder in one form.

    Raises ValueError where it leads out of it, or is the folder itself.

    >>> plain_path("./plots/")
    'plots'
    """
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or not found.parts:
        raise ValueError(f"{path!r} does not lie inside: write a relative path without `..`")
    return str(found)


def _by_name(value: Any) -> Any:
    """One, a list, or a mapping of names; an item of a list may be a mapping too. What has no name is called what it is."""
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    pairs = list(_pairs(value if isinstance(value, list | tuple) else [value]))
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _pairs(items: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for item in items:
        if isinstance(item, Mapping):
            yield from ((str(name), one) for name, one in item.items())
        else:
            yield str(item), item


def _made(value: Any) -> Any:
    found = _by_name(value)
    paths = [plain_path(str(one)) for one in found.values()]
    for path in paths:
        if inside := next((other for other in paths if other.startswith(f"{path}/")), None):
            raise ValueError(f"{inside!r} is part of {path!r} already")
    if len({*paths}) < len(paths):
        raise ValueError("two names have one path")
    return found


_SAID = Meta(extra_json_schema={"type": ["array", "object", "string"]})

Sources = Annotated[dict[str, str], Written(_by_name), _SAID]  # by the name under which the step takes it
Outputs = Annotated[dict[str, str], Written(_made), _SAID]  # paths in the step's own folder, by name; a folder may end with `/`


class StepPlan(Part, frozen=True, kw_only=True):
    """A step that a run makes: the function of the pipeline that has its name, the command ``cmd``, or a function of an installed
    distribution that it is to ``use``.

    ``inputs``: by the name under which the step takes it, a dataset, a step, or a path; ``outputs``: what a command writes.
    ``version`` is a command whose output counts. A function may be called for ``each`` value of a column of what it takes first.
    It is tried again after errors of the types ``retry_on`` (any, when left out). It begins when so many ``cpus`` and ``gpus`` and so
    much ``memory`` are free, and gets no more memory than that.
    With ``workers`` it is called in so many at once on a cluster, each with that much.
    ``container``: the image in which it executes; ``project`` is the one that is made of the project.
    """

    use: Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None
    cmd: str | tuple[str, ...] | None = None
    inputs: Sources = field(default_factory=dict, name="in")
    outputs: Outputs = field(default_factory=dict, name="out")
    version: str | None = None
    each: Annotated[str, Meta(min_length=1)] | None = None
    parameters: dict[str, Scalar] = {}
    params: dict[str, Scalar] = {}
    timeout: Duration | None = None
    retries: Annotated[int, Meta(ge=0)] = 0
    retry_on: tuple[str, ...] = ()
    cpus: Annotated[float, Meta(gt=0)] = 1.0
    memory: Size | None = None
    gpus: Annotated[int, Meta(ge=0)] = 0
    workers: Annotated[int, Meta(ge=0, le=1024)] = 0
    container: Annotated[str, Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        if self.cmd is None and (self.outputs or self.version):
            raise ValueError("`out` and `version` belong to a command: add `cmd`")
        if self.use and self.cmd is not None:
            raise ValueError("a step is a command or a function: `cmd` or `use`")
        if self.workers and (self.cmd is not None or self.use or self.each or self.memory or self.container):
            raise ValueError("`workers` goes with a function of the pipeline, and with no `each`, `memory` or `container`")
        if self.each and self.cmd is not None:
            raise ValueError("`each` is for functions, and this is a command")
        if self.cmd is not None and not self.cmd:
            raise ValueError("`cmd` is empty")
        if self.cmd is not None and not self.outputs:
            raise ValueError("a command says what it makes: add `out` with the files or folders that it writes")
        if self.container and (self.gpus or self.version):
            raise ValueError("a `container` gets no `gpus`, and its image tells the `version` of what is in it: take the other key away")
        if self.params and self.parameters:
            raise ValueError("`params` is short for `parameters`: write one of them")

    @property
    def values(self) -> dict[str, Scalar]:
        """The parameters, under whichever key they stand."""
        return self.parameters or self.params


class ImagePlan(Part, frozen=True, kw_only=True):
    """Of what the project's image is made: a ``base`` with Python (the slim one of this version), Debian ``packages``, requirements."""

    base: str | None = None
    packages: tuple[Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9+.=:~-]*$")], ...] = ()
    requirements: str | None = None
