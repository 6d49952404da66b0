"""What was proved of a version, as an in-toto statement. Pure.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md with the predicate https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from towpath.pipeline.runs import Run
from towpath.report.reproduction import Part, Reproduction

KIND = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD, BUILDER = "urn:towpath:reproduce:v1", "urn:towpath:reproduce"


def statement(
    project: str, one: Reproduction, run: Run, manifest: Mapping[str, str], *, by: str, started: datetime, ended: datetime
) -> dict[str, Any]:
    """The statement on what came out.

    Args:
        manifest: digests of the package's manifest by algorithm.
        by: version of Towpath.
    """
    return {
        "_type": KIND,
        "subject": [{"name": f"{project}/version-{one.version}", "digest": dict(manifest)}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {"version": one.version, "run": one.run, "tolerance": one.tolerance},
                "internalParameters": {"parameters": dict(run.parameters), "labels_by": (run.labels_by or run.started).isoformat()},
                "resolvedDependencies": [*_materials(run)],
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"towpath": by}},
                "metadata": {"startedOn": started.isoformat(), "finishedOn": ended.isoformat()},
                "byproducts": [_product("package", one.package, one.answer.value), *_products(one)],
            },
        },
    }


def _materials(run: Run) -> Iterable[dict[str, Any]]:
    yield {"name": "commit", "digest": {"gitCommit": run.commit}}
    if run.patch:
        yield {"name": "patch", "digest": {"blake3": run.patch}}
    for name, taken in run.snapshots.items():
        kept = {"content": taken.content, "rows": taken.rows, "files": taken.files, "excluded": taken.excluded}
        yield {"name": f"data/{name}", "digest": {"blake3": taken.digest}, "annotations": kept}
    if run.distributions:
        yield {"name": "distributions", "digest": {"blake3": run.distributions}, "mediaType": "application/json"}


def _products(one: Reproduction) -> Iterable[dict[str, Any]]:
    yield from (_product(f"step/{part.name}", part, part.answer.value) for part in one.steps)
    for part in one.metrics:
        yield {"name": f"metric/{part.name}", "annotations": {"answer": part.answer.value, "before": part.before, "now": part.now}}


def _product(name: str, part: Part, answer: str) -> dict[str, Any]:
    digest = {"digest": {"blake3": part.now}} if part.now else {}
    return {"name": name, **digest, "annotations": {"answer": answer, "before": part.before}}
