"""``towpath.yaml`` as a frozen value. Configuration enters here, once; nothing deeper reads a file or the environment."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from towpath.errors import ProjectError, UsageError
from towpath.project_checks import Checks
from towpath.project_fields import Duration, Factor, Part, Place, Rate, Share
from towpath.project_model import Clusters, Model, Split
from towpath.project_search import Search
from towpath.project_steps import ImagePlan, StepPlan
from towpath.quantities import rate

FILE = "towpath.yaml"
BUCKETS = ("s3", "gs", "az")


class Dataset(Part, frozen=True, kw_only=True):
    """A named source: files by ``path``, a ``delta`` table, or what the query ``sql`` gives at ``url``.

    ``path``: a file, a folder or a pattern relative to the project; a ``.dvc`` file; ``s3://``, ``gs://``, ``az://``; ``lakefs://``.
    """

    path: Place = ""
    delta: Place | None = None
    version: Annotated[int, Meta(ge=0)] | None = None
    sql: str | None = None
    url: Place | None = None
    watermark: str | None = None
    time: str | None = None
    key: tuple[str, ...] = ()
    checks: Checks = Checks()

    @classmethod
    def short(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    def __post_init__(self) -> None:
        if sum(map(bool, (self.path, self.delta, self.sql))) != 1:
            raise ValueError("data come from one of `path`, `delta` or `sql`")
        if self.version is not None and not self.delta:
            raise ValueError("`version` is that of a `delta` table")
        if (self.url or self.watermark) and not self.sql:
            raise ValueError("`url` and `watermark` belong to `sql`")
        if self.sql and not self.url:
            raise ValueError("`sql` asks a database: add `url: postgresql://...`, `sqlite:///file.db` or `duckdb:///file.db`")
        scheme, is_url, _ = self.path.partition("://")
        if is_url and scheme not in (*BUCKETS, "lakefs"):
            raise ValueError(f"a path begins with one of {', '.join(BUCKETS)}, lakefs, or is that of a file")

    @property
    def source(self) -> Literal["files", "dvc", "bucket", "lakefs", "delta", "sql"]:
        """What is to be read."""
        if self.sql or self.delta:
            return "sql" if self.sql else "delta"
        scheme, is_url, _ = self.path.partition("://")
        if is_url:
            return "lakefs" if scheme == "lakefs" else "bucket"
        return "dvc" if self.path.endswith(".dvc") else "files"

    @property
    def tells(self) -> bool:
        """Whether something tells of new data without reading all of it: of a query on a server, only a watermark does."""
        return self.source != "sql" or bool(self.watermark) or not (self.url or "").startswith("postgres")

    @property
    def is_here(self) -> bool:
        """Whether its files lie in the project or elsewhere on this machine, where a person may change them and a check-out writes them."""
        return self.source == "files"


def _one_of(*names: str) -> Meta:
    return Meta(extra_json_schema={"propertyNames": {"enum": list(names)}})


Guards = Annotated[dict[Literal["errors", "latency_p99", "loss"], Factor], _one_of("errors", "latency_p99", "loss")]


class ReleasePlan(Part, frozen=True, kw_only=True):
    """How a challenger takes over: shadowed requests, then shares of the traffic, under guards.

    ``deadline``: the challenger's time for a request, then the champion answers. ``slow``: a request that took less is never slow,
    whatever the champion's p99: down there the machine speaks, not the model.
    """

    shadow: Annotated[int, Meta(ge=0)] = 0
    canary: tuple[Share, ...] = ()
    guards: Guards = field(default_factory=lambda: {"errors": 1.25, "latency_p99": 1.25, "loss": 1.25})
    deadline: Duration = timedelta(milliseconds=250)
    slow: Duration = timedelta(milliseconds=20)
    timeout: Duration = timedelta(days=30)

    def __post_init__(self) -> None:
        if any(not 0 < share < 1 for share in self.canary):
            raise ValueError("a canary compares two arms: each share lies between 0 % and 100 %, both excluded")
        if (self.shadow or self.canary) and not self.guards:
            raise ValueError("stages without guards could never show harm: declare at least one of errors, latency_p99, loss")


class Environment(Part, frozen=True, kw_only=True):
    """A place where a version serves: ``check`` before it may, ``release`` to get there."""

    check: tuple[str, ...] = ()
    release: ReleasePlan = ReleasePlan()


class Drift(Part, frozen=True, kw_only=True):
    false_alarms: Rate = rate("1/year")
    window: Duration = timedelta(days=1)


def _limit(value: Any) -> Any:
    match = re.fullmatch(r"(champion)?\s*(?:([+-])\s*)?([0-9.]+)?", str(value).strip())
    if not match or not (match[1] or match[3]):
        raise ValueError(f"{value!r} is no limit; write a number or `champion - 0.04`")
    offset = float(match[3] or 0) * (-1 if match[2] == "-" else 1)
    return {"champion": bool(match[1]), "offset": offset}


class Limit(Part, frozen=True, kw_only=True):
    """A limit for a realised metric: ``offset``, or the champion's figure at its gates plus ``offset``."""

    champion: bool = False
    offset: float

    @classmethod
    def short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else _limit(value)


class Monitor(Part, frozen=True, kw_only=True):
    drift: Drift | None = Drift()
    performance: dict[str, Limit] = {}
    window: Duration = timedelta(days=14)


def _trigger(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind, _, rest = value.partition(" ")
    return {"kind": kind, "share": rest} if rest else {"kind": kind}


class TriggerRule(Part, frozen=True, kw_only=True):
    """What starts a run: ``commit``, ``new_rows 10%``, ``drift`` or ``performance``; a command always may."""

    kind: Literal["commit", "new_rows", "drift", "performance"]
    share: Share = 0.1

    @classmethod
    def short(cls, value: Any) -> Any:
        return _trigger(value)


class Retrain(Part, frozen=True, kw_only=True):
    when: tuple[TriggerRule, ...] = (TriggerRule(kind="commit"), TriggerRule(kind="new_rows"))
    cooldown: Duration = timedelta(0)
    limit: Rate = rate("20/week")


class Alert(Part, frozen=True, kw_only=True):
    webhook: str


class Serve(Part, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    workers: Annotated[int, Meta(ge=1, le=256)] = 1


class Declared(Part, frozen=True, kw_only=True):
    """What stands in a ``towpath.yaml``."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")]
    data: Annotated[dict[str, Dataset], Meta(min_length=1)] = {}
    trained: Model | None = field(default=None, name="model")
    clusters: Clusters | None = None
    steps: dict[str, StepPlan] = {}
    executor: Annotated[str, Meta(pattern=r"^(local|ray|ray://[^/\s]+)$")] = "local"
    pipeline: str | None = None
    split: Split = Split()
    search: Search | None = None
    image: ImagePlan = ImagePlan()
    gates: tuple[str, ...] = ()
    environments: Annotated[dict[Literal["staging", "production"], Environment], _one_of("staging", "production")] = {}
    monitor: Monitor = Monitor()
    retrain: Retrain = Retrain()
    alerts: tuple[Alert, ...] = ()
    serve: Serve = Serve()
    remote: Place | None = None
    ledger: Place | None = None
    trusted_keys: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.trained is None and self.clusters is None and not self.steps:
            raise ValueError("there is nothing to make: declare a `model`, or the `steps` of the pipeline that are wanted")
        if self.trained is not None and self.clusters is not None:
            raise ValueError("a project has a `model` or `clusters`")
        if (self.trained is not None or self.clusters is not None) and not self.data:
            raise ValueError("a model learns from `data`, and there is none")

    @property
    def wanted(self) -> list[str]:
        """The steps that a run makes for their own sake. Of the training, only how it executes is declared among them."""
        training = self.trained.train if self.trained else None
        return [name for name in self.steps if name != training]

    @property
    def model(self) -> Model:
        """The model that is declared. Raises UsageError where the project only makes steps."""
        if self.trained is None:
            raise UsageError(f"the project {self.name} trains no model", mend="declare one under `model` in towpath.yaml")
        return self.trained

    @property
    def rows(self) -> str:
        """The step or the dataset whose rows are learned from. Raises as ``model``."""
        return self.clusters.rows if self.clusters else self.model.rows


class Project(Declared, frozen=True, kw_only=True):
    """A folder with a ``towpath.yaml``.

    ``root`` is that folder; data paths are relative to it. Ledger, store and journal live in ``home``: ``.towpath`` in the root, unless
    TOWPATH_HOME names another place. ``lines``: that of every key in the file.
    """

    root: Path = Path()
    home: Path = Path(".towpath")
    lines: dict[tuple[str | int, ...], int] = {}

    def environment(self, name: Literal["staging", "production"]) -> Environment:
        """What is declared for an environment, or its defaults."""
        return self.environments.get(name, Environment())

    def placed(self, root: Path, home: Path) -> Project:
        """The same project in another folder."""
        return replace(self, root=root, home=home)

    def fault(self, *key: str | int, what: str, mend: str) -> ProjectError:
        """An error about one key, with its line in the file."""
        return ProjectError(what, mend=mend, file=str(self.root / FILE), line=self.line(*key), key=".".join(map(str, key)))

    def line(self, *key: str | int) -> int | None:
        """The line of a key, or of the nearest key above it that the file has."""
        return next((self.lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in self.lines), None)
