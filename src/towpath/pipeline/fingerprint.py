"""When is an execution the same? Its code, parameters, seed, inputs and surroundings, as one digest."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from typing import Any

from towpath.digest import Digest, of_value
from towpath.pipeline.code.reach import Project, Reached
from towpath.pipeline.distributions import versions
from towpath.pipeline.graph import Step
from towpath.pipeline.values import TABLES, Value
from towpath.pipeline.work import Call, Command, Commands, Each, Gather, Split, Use

__all__ = ["causes", "causes_of", "fingerprint", "surroundings", "versions"]

ENGINE = "polars"  # frames come as Polars where a step names no library


def fingerprint(reached: Reached, *, parameters: Mapping[str, Any], inputs: Mapping[str, Digest], seed: int) -> Digest:
    """Digest of everything that can change what a step makes: of its ``causes``."""
    return of_value(causes(reached, parameters=parameters, inputs=inputs, seed=seed))


def causes(reached: Reached, *, parameters: Mapping[str, Any], inputs: Mapping[str, Digest], seed: int, image: str = "") -> dict[str, Any]:
    """Everything that can change what a step makes, spelled out, for whoever asks why it ran again.

    Args:
        reached: the step's code and what it can reach.
        inputs: content digests by parameter name.
        image: that of the container in which it executes; then what is installed on this machine says nothing.
    """
    around = {"image": image} if image else {"distributions": versions({*reached.imports, ENGINE}), "surroundings": surroundings()}
    return {"code": reached.code, "parameters": dict(parameters), "inputs": dict(inputs), "seed": seed, **around}


def causes_of(step: Step, values: Mapping[str, Value], seed: int, code: Project, image: str = "") -> dict[str, Any]:
    """Everything that can change what a step makes of these values, whatever its work is."""
    inputs = {name: value.content for name, value in values.items()}
    match step.work:
        case Call(function, workers):
            found = causes(code.reach(function), parameters=step.parameters, inputs=inputs, seed=seed, image=image)
            return {**found, "workers": workers} if workers else found
        case Use(module, function):
            installed = Reached({f"{module}:{function}": "used as it is installed"}, frozenset({module.partition(".")[0]}))
            return causes(installed, parameters=step.parameters, inputs=inputs, seed=seed, image=image)
        case Command() as command:
            told = {"version": command.says} if command.version else {}
            is_written = any(value.codec in TABLES for value in values.values())  # which library writes a table may show in its file
            by = {"distributions": versions({ENGINE})} if is_written else {}
            return {**_of_command({"cmd": command.cmd, "out": command.outputs, **told}, step.parameters, inputs, image), **by}
        case Commands() as commands:
            told = {"always changed": commands.mark} if commands.mark else {}
            known = {"cmd": "\n".join(commands.cmd), "wdir": commands.wdir, "out": commands.outputs, **told}
            counted = {name: digest for name, digest in inputs.items() if name not in commands.uncounted}
            return _of_command(known, step.parameters, counted, image)
        case Split(_, column):
            return _of_tables({"split by": column}, inputs)
        case Gather():
            return _of_tables({"gathered": 1}, inputs)
        case Each():
            raise ValueError(f"{step.name} is made in parts, each of which has its causes")


def _of_tables(known: Mapping[str, Any], inputs: Mapping[str, Digest]) -> dict[str, Any]:
    return {"tables": dict(known), "inputs": dict(inputs), "distributions": versions({ENGINE})}


def _of_command(known: Mapping[str, Any], parameters: Mapping[str, Any], inputs: Mapping[str, Digest], image: str) -> dict[str, Any]:
    here = surroundings()
    del here["python"]  # of a command, only `version` can tell
    around = {"image": image} if image else {"surroundings": here}
    return {"command": dict(known), "parameters": dict(parameters), "inputs": dict(inputs), **around}


def surroundings() -> dict[str, str]:
    """Python's minor version, the system and the architecture."""
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "system": platform.system(), "machine": platform.machine()}
