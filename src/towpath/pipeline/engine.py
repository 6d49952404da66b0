"""A run through the steps: each is taken from the cache or executed as soon as what it takes is there, several at once.

What comes out the same as before stops the wave: the next step's fingerprint has the content of its inputs, not where they came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep
from urllib.parse import quote

from towpath.clock import machine_s
from towpath.digest import Digest, canonical_json, of_value
from towpath.errors import TowpathError, UsageError
from towpath.pipeline import checkpoints, fan_out
from towpath.pipeline.code.reach import Project
from towpath.pipeline.errors import StepFailed
from towpath.pipeline.executor import Done, Executor, Fault, Resources, Task
from towpath.pipeline.fingerprint import causes_of
from towpath.pipeline.folders import part_of
from towpath.pipeline.graph import Step
from towpath.pipeline.reasons import SHOWN
from towpath.pipeline.reuse import Borrowed, Reuse
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed, Progress, Watch
from towpath.pipeline.wave import Wave
from towpath.pipeline.work import Each, Gather, Split
from towpath.project_steps import StepPlan
from towpath.quantities import size_in_words
from towpath.store import Execution, Store

PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0  # before a step is tried again
GLANCE_S = 1.0  # after so long, whoever looks on is told
_PLAIN, _LONGEST = " []@()+,=:", 200  # letters of a step's name that are those of its log, and how many
_SEEDED = ("numpy", "torch")  # the libraries whose global generators are sown, if the step's own libraries bring them


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a run's steps come from and what they are kept in.

    ``logs``: the folder for what they print. ``checkpoints``: that for how far they came; without one, they begin anew each time.
    ``images``: by what a plan's ``container`` names, the digest of the image. ``bring``: have a value where a container sees it.
    ``pause_s``: how long a step that is tried again waits first; each further time it is twice as long.
    """

    code: Project
    pipeline: str
    store: Store
    seed: Callable[[str], int]
    logs: Path
    checkpoints: Path | None = None
    plans: Mapping[str, StepPlan] = field(default_factory=dict)
    reuse: Reuse = field(default_factory=Reuse)
    images: Mapping[str, str] = field(default_factory=dict)
    bring: Callable[[Value], None] = lambda value: None
    watch: Watch = field(default_factory=Watch)
    pause_s: float = PAUSE_S


def make(steps: Sequence[Step], given: Mapping[str, Value], setting: Setting, executor: Executor) -> list[Executed]:
    """Make every step, in the order in which they ended. What was made is durable.

    Raises:
        StepFailed: a step made nothing. What else was going on is finished and kept before.
        UsageError: a step needs more than the executor ever has.
    """
    wave, watch = Wave(steps, given), setting.watch
    course = _Course(wave, setting, executor)

    def keep() -> None:
        executor.sync()
        setting.store.sync()
        if setting.checkpoints:
            checkpoints.remove(setting.checkpoints, [one.fingerprint for one in wave.done if not one.reused])

    watch.began(steps)
    try:
        while course.goes_on():
            for done in course.wait():
                course.ended(done)
            watch.passed(course.progress(), keep)
        if course.failed:
            raise course.failed
        keep()
    except BaseException as fault:  # an interrupt, too: what has ended until then is kept and told
        with suppress(TowpathError):  # that a step failed is told before that what others made may be lost
            keep()
        watch.stopped(fault)
        raise
    watch.stopped(None)
    return wave.done


@dataclass(frozen=True)
class _Asked:
    fingerprint: Digest
    task: Task
    tries: int  # that are left
    retry_on: tuple[str, ...]
    checked: Borrowed | None = None
    failed: int = 0  # times

    def may_try_again(self, fault: Fault) -> bool:
        return self.tries > 0 and (not self.retry_on or bool({*self.retry_on} & {*fault.kinds}))

    def again(self) -> _Asked:
        return replace(self, tries=self.tries - 1, failed=self.failed + 1)


class _Course:
    """Which tasks wait for room, which are under way, which wait to be tried again, and which failed first."""

    def __init__(self, wave: Wave, setting: Setting, executor: Executor) -> None:
        self.failed: StepFailed | None = None
        self._wave, self._setting, self._executor = wave, setting, executor
        self._waiting: list[_Asked] = []
        self._busy: dict[str, tuple[_Asked, float]] = {}  # with when it began
        self._later: list[tuple[float, _Asked]] = []  # from when on

    def goes_on(self) -> bool:
        """Take from the cache what is there, begin what there is room for; whether anything is under way."""
        while self._wave.ready and not self.failed:
            step = self._wave.ready.popleft()
            if isinstance(step.work, Each):
                self._wave.spread(step, step.work, self._setting.store)
                continue
            known = _known(step, self._wave.values, self._setting)
            if isinstance(known, Executed):
                self._setting.watch.ended(self._wave.ended(known))
            else:
                _begin_log(known.task)
                self._waiting.append(known)
        self._waiting += self._due()
        waited, self._waiting = self._waiting, []
        for one in waited if not self.failed else ():
            if self._executor.room(one.task.needs):
                self._busy[one.task.step] = one, machine_s()
                self._executor.submit(one.task)
            else:
                self._waiting.append(one)
        if self._waiting and not self._busy:
            raise _no_room(self._waiting[0].task)
        return bool(self._busy or self._later)

    def wait(self) -> list[Done]:
        """What ended, for a while at most."""
        soonest = min((due - machine_s() for due, _ in self._later), default=GLANCE_S)
        patience = min(GLANCE_S, max(0.0, soonest))
        if self._busy:
            return self._executor.wait(patience)
        sleep(patience)
        return []

    def ended(self, done: Done) -> None:
        """Keep what a task made, or try again."""
        one, _ = self._busy.pop(done.step)
        if done.fault and not self.failed and one.may_try_again(done.fault):
            self._try_again(one.again(), done.fault)
        elif done.value is None:
            self.failed = self.failed or _failure(one.task, done)
        else:
            self._setting.watch.ended(self._wave.ended(_remembered(one, done, done.value, self._setting.store)))

    def progress(self) -> Progress:
        now = machine_s()
        return Progress(
            done=len(self._wave.done), steps=self._wave.size, busy={name: now - since for name, (_, since) in self._busy.items()}
        )

    def _due(self) -> list[_Asked]:
        """What is tried again by now; nothing is once a step has failed."""
        now, later = machine_s(), self._later
        self._later = [(due, one) for due, one in later if due > now and not self.failed]
        return [one for due, one in later if due <= now]

    def _try_again(self, one: _Asked, fault: Fault) -> None:
        wait_s = min(LONGEST_PAUSE_S, self._setting.pause_s * 2 ** (one.failed - 1))
        because = fault.what.splitlines()[0]
        _note(one.task, f"--- tried again after: {because}")
        self._setting.watch.retried(one.task.step, because, wait_s)
        self._later.append((machine_s() + wait_s, one))


def _begin_log(task: Task) -> None:
    """What lies there under its name is from another time; what it prints is added to the log, time after time."""
    with suppress(OSError):  # who cannot write there tells it
        os.unlink(task.log)


def _note(task: Task, line: str) -> None:
    with suppress(OSError), open(task.log or os.devnull, "a", encoding="utf-8", errors="replace") as log:
        log.write(f"{line}\n")


def _failure(task: Task, done: Done) -> StepFailed:
    """The error of a task: with what it took, and where it says more."""
    fault = done.fault or Fault(what=f"step {task.step!r} made nothing", mend="run again")
    took = ", ".join(f"{name} {value.content[:SHOWN]}" for name, value in task.inputs.items())
    what = f"{fault.what}\nit took {took}" if took else fault.what
    is_logged = task.log and task.log not in fault.mend and Path(task.log).exists()
    mend = f"{fault.mend}; more is in its log, {task.log}" if is_logged else fault.mend
    return StepFailed(task.step, what, mend=mend, trace=fault.trace)


def _no_room(task: Task) -> UsageError:
    needs = task.needs
    return UsageError(
        f"there is no room for step {task.step!r}, which asks for {needs.cpus:g} cpus, {size_in_words(needs.memory)} and {needs.gpus} gpus",
        mend=f"ask for less under steps.{task.step} in towpath.yaml, or run where there is more",
    )


def _known(step: Step, values: Mapping[str, Value], setting: Setting) -> Executed | _Asked:
    """The execution that is known, or the task for a new one."""
    inputs = {parameter: values[name] for parameter, name in step.inputs.items()}
    inputs |= {parameter: part_of(inputs[parameter], path, setting.store) for parameter, path in step.parts.items()}
    seed = setting.seed(step.name)
    wanted = _plan(step, setting)
    image = setting.images[wanted.container] if wanted.container else ""
    known_by = causes_of(step, inputs, seed, setting.code, image)
    fingerprint = of_value(known_by)
    known, borrowed = setting.reuse.known(fingerprint, setting.store)
    if known:
        value = Value(known.codec, known.output, known.content)
        return Executed(step.name, fingerprint, True, known.seconds, value, borrowed and borrowed.origin)
    setting.store.put(canonical_json(known_by))
    for value in inputs.values() if image else ():
        setting.bring(value)
    libraries = _SEEDED[:1] if image else tuple(one for one in _SEEDED if one in known_by.get("distributions", ()))
    task = Task(
        step=step.name,
        work=step.work,
        tree=str(setting.code.root),
        pipeline=setting.pipeline,
        inputs=inputs,
        parameters=step.parameters,
        seed=seed,
        libraries=libraries,
        log=str(setting.logs / f"{quote(step.name, safe=_PLAIN)[:_LONGEST]}.log"),
        checkpoint=str(setting.checkpoints / fingerprint) if setting.checkpoints else "",
        timeout_s=wanted.timeout.total_seconds() if wanted.timeout else None,
        needs=Resources(cpus=wanted.cpus, memory=wanted.memory or 0, gpus=wanted.gpus),
        image=image,
    )
    return _Asked(fingerprint, task, wanted.retries, wanted.retry_on, borrowed)


def _plan(step: Step, setting: Setting) -> StepPlan:
    """How a step is executed; its parts as the whole."""
    if isinstance(step.work, Split | Gather):
        return StepPlan()
    return setting.plans.get(step.name) or setting.plans.get(fan_out.whole_of(step.name), StepPlan())


def _remembered(asked: _Asked, done: Done, value: Value, store: Store) -> Executed:
    store.remember(
        Execution(
            fingerprint=asked.fingerprint,
            step=done.step,
            output=value.output,
            content=value.content,
            seconds=done.seconds,
            codec=value.codec,
        )
    )
    origin, claimed = (asked.checked.origin, asked.checked.execution.content) if asked.checked else (None, value.content)
    return Executed(done.step, asked.fingerprint, False, done.seconds, value, origin, None if claimed == value.content else claimed)
