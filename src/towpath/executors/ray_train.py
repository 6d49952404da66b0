"""One model, trained by several workers of a Ray cluster: the step is called in each of them, as a loop of Ray Train."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from towpath.errors import TowpathError
from towpath.executors.alike import check
from towpath.executors.cluster import Connection, first_line
from towpath.executors.node import Answer, code_on_node, decoded, kept, refused
from towpath.executors.worker import logged
from towpath.pipeline.executor import Done, Fault, Task
from towpath.pipeline.perform import perform
from towpath.pipeline.work import Call

TRAINERS = {"torch": ("ray.train.torch", "TorchTrainer"), "xgboost": ("ray.train.xgboost", "XGBoostTrainer")}
PLAIN = ("ray.train.data_parallel_trainer", "DataParallelTrainer")  # no library is told of the others: the loop does that itself


class Answers:
    """An actor that keeps what the first worker made, and the fault that was told first: when one fails, others fail for that."""

    def __init__(self) -> None:
        self._told, self._fault = b"", b""

    def tell(self, answer: bytes) -> None:
        self._told = answer

    def fail(self, answer: bytes) -> None:
        self._fault = self._fault or answer

    def told(self) -> bytes:
        return self._told

    def fault(self) -> bytes:
        return self._fault


class Failed(Exception):
    """The step failed in a worker: so Ray ends the others, which may be waiting for it."""


def performed_by_many(asked: bytes) -> bytes:
    """Perform a task in its workers. What the first one returns is what the step makes. An encoded Answer."""
    task = decoded(asked).task
    ray = Connection().ray
    train = import_module("ray.train")
    answers = ray.remote(Answers).options(num_cpus=0).remote()
    try:
        with tempfile.TemporaryDirectory(prefix="towpath-train-") as folder:
            _trainer(asked)(
                _loop,
                train_loop_config={"asked": asked, "answers": answers},
                scaling_config=_scaling(train, task),
                run_config=train.RunConfig(name="step", storage_path=folder),
            ).fit()
    except (TowpathError, OSError) as fault:
        return refused(task, fault)
    except train.TrainingFailedError as fault:
        return ray.get(answers.fault.remote()) or _lost(task, fault)
    answer: bytes = ray.get(answers.told.remote())
    return answer


def _trainer(asked: bytes) -> Any:
    """By what the step's code imports."""
    imports = decoded(asked).around.modules
    module, name = next((TRAINERS[library] for library in TRAINERS if library in imports), PLAIN)
    return getattr(import_module(module), name)


def _scaling(train: Any, task: Task) -> Any:
    count = task.work.workers if isinstance(task.work, Call) else 1
    needs = task.needs
    return train.ScalingConfig(num_workers=count, use_gpu=needs.gpus > 0, resources_per_worker={"CPU": needs.cpus, "GPU": needs.gpus})


def _loop(given: dict[str, Any]) -> None:
    """What each worker does."""
    train, ray = import_module("ray.train"), Connection().ray
    one = decoded(given["asked"])
    task = one.task
    try:
        check(one.around)
        here, code, store = code_on_node(one.home, one.tree)
    except (TowpathError, OSError) as fault:
        ray.get(given["answers"].fail.remote(refused(task, fault)))
        raise Failed(task.step) from fault
    is_first = train.get_context().get_world_rank() == 0
    with tempfile.TemporaryDirectory(prefix="towpath-log-") as folder:
        log = Path(folder, "log")
        with logged(str(log)):
            checkpoint = str(Path(here.home, "checkpoints", Path(task.checkpoint).name)) if task.checkpoint else ""
            done = perform(msgspec.structs.replace(task, tree=code, checkpoint=checkpoint), store, Path(here.home, "lent"))
        if done.value and is_first:
            store.sync()
            kept(here, [done.value])
        answer = msgspec.msgpack.encode(Answer(done, log.read_bytes() if log.exists() else b""))
    if done.fault:
        ray.get(given["answers"].fail.remote(answer))
        raise Failed(task.step)
    if is_first:
        ray.get(given["answers"].tell.remote(answer))


def _lost(task: Task, fault: Exception) -> bytes:
    what = f"a worker of step {task.step!r} was lost: {first_line(fault)}"
    told = Fault(what=what, mend="look at the nodes (`ray status`, Ray's dashboard)", kinds=(type(fault).__name__,))
    return msgspec.msgpack.encode(Answer(Done(step=task.step, seconds=0.0, fault=told), b""))
