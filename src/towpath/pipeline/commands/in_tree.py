"""Commands executed in a copy of the project's tree, into which what they take is laid."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from towpath.pipeline.commands.command import executed, failed, files_in, outputs_of
from towpath.pipeline.commands.laying import lay
from towpath.pipeline.executor import Task
from towpath.pipeline.folders import keep_below
from towpath.pipeline.values import Value
from towpath.pipeline.work import Commands
from towpath.store import Store


def made(task: Task, commands: Commands, store: Store, place: Path) -> Value:
    """Execute them below ``place``; the files that they made. Raises StepFailed as a command does."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tree-", dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name, "tree")
        shutil.copytree(task.tree, folder, symlinks=True)
        for absent in commands.absent:
            _remove(folder / absent)
        for path, value in task.inputs.items():
            _remove(folder / path)
            lay(path, value, store, folder)
        for output in commands.outputs:
            (folder / output).parent.mkdir(parents=True, exist_ok=True)
        laid = {*files_in(folder)} - {*commands.outputs}
        shell = os.environ.get("SHELL", "/bin/sh")
        environ = {**os.environ, "DVC_ROOT": str(folder), "DVC_STAGE": task.step}
        for command in commands.cmd:
            if code := executed(task.step, [shell, "-c", command], folder / commands.wdir, task.log, environ):
                there = "it had the files that Git knows, and what stands under `deps`: " + (", ".join(task.inputs) or "nothing")
                raise failed(task, code, there)
        return keep_below(folder, outputs_of(task, commands.outputs, folder, laid), store)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
