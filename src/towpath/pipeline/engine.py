"""A run through the steps: each is taken from the cache or executed as soon as what it takes is there, several at once.

What comes out the same as before stops the wave: the next step's fingerprint has the content of its inputs, not where they came from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import msgspec

from towpath.digest import Digest, canonical_json, of_value
from towpath.errors import TowpathError, UsageError
from towpath.origin import Origin
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
from towpath.pipeline.work import Each, Gather, Split
from towpath.project_steps import StepPlan
from towpath.quantities import size_in_words
from towpath.store import Execution, Store

_PLAIN, _LONGEST = " []@()+,=:", 200  # letters of a step's name that are those of its log, and how many
_SEEDED = "numpy"  # the library whose global generator is sown, if the step's own libraries bring it


class Executed(msgspec.Struct, frozen=True):
    """What a step made; ``reused`` when it had made it before. ``fingerprint`` is also the digest of a stored JSON that spells it out.

    ``origin``: whose execution was taken or, where it was executed here all the same, checked; ``refused`` is the content that this one
    claimed, where it was another.
    """

    step: str
    fingerprint: Digest
    reused: bool
    seconds: float
    value: Value
    origin: Origin | None = None
    refused: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a run's steps come from and what they are kept in.

    ``logs``: the folder for what they print. ``checkpoints``: that for how far they came; without one, they begin anew each time.
    ``images``: by what a plan's ``container`` names, the digest of the image. ``bring``: have a value where a container sees it.
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
    tell: Callable[[Executed], None] = lambda executed: None


def make(steps: Sequence[Step], given: Mapping[str, Value], setting: Setting, executor: Executor) -> list[Executed]:
    """Make every step, in the order in which they ended. What was made is durable.

    Raises:
        StepFailed: a step made nothing. What else was going on is finished and kept before.
        UsageError: a step needs more than the executor ever has.
    """
    wave = _Wave(steps, given)
    course = _Course(wave, setting, executor)
    while course.goes_on():
        for done in executor.wait():
            course.ended(done)
    failed = course.failed
    with suppress(TowpathError) if failed else nullcontext():  # that a step failed is told before that what others made may be lost
        executor.sync()
        setting.store.sync()
        if setting.checkpoints:
            checkpoints.remove(setting.checkpoints, [one.fingerprint for one in wave.done if not one.reused])
    if failed:
        raise failed
    return wave.done


@dataclass(frozen=True)
class _Asked:
    fingerprint: Digest
    task: Task
    tries: int  # that are left
    retry_on: tuple[str, ...]
    checked: Borrowed | None = None

    def may_try_again(self, fault: Fault) -> bool:
        return self.tries > 0 and (not self.retry_on or bool({*self.retry_on} & {*fault.kinds}))


class _Course:
    """Which tasks wait for room, which are under way, and which failed first."""

    def __init__(self, wave: _Wave, setting: Setting, executor: Executor) -> None:
        self.failed: StepFailed | None = None
        self._wave, self._setting, self._executor = wave, setting, executor
        self._waiting: list[_Asked] = []
        self._busy: dict[str, _Asked] = {}

    def goes_on(self) -> bool:
        """Take from the cache what is there, begin what there is room for; whether anything is under way."""
        while self._wave.ready and not self.failed:
            step = self._wave.ready.popleft()
            if isinstance(step.work, Each):
                self._wave.spread(step, step.work, self._setting.store)
                continue
            known = _known(step, self._wave.values, self._setting)
            if isinstance(known, Executed):
                self._setting.tell(self._wave.ended(known))
            else:
                self._waiting.append(known)
        waited, self._waiting = self._waiting, []
        for one in waited if not self.failed else ():
            if self._executor.room(one.task.needs):
                self._begin(one)
            else:
                self._waiting.append(one)
        if self._waiting and not self._busy:
            raise _no_room(self._waiting[0].task)
        return bool(self._busy)

    def ended(self, done: Done) -> None:
        """Keep what a task made, or try again."""
        one = self._busy.pop(done.step)
        if done.fault and not self.failed and one.may_try_again(done.fault):
            self._begin(replace(one, tries=one.tries - 1))
        elif done.value is None:
            self.failed = self.failed or _failure(one.task, done)
        else:
            self._setting.tell(self._wave.ended(_remembered(one, done, done.value, self._setting.store)))

    def _begin(self, one: _Asked) -> None:
        self._busy[one.task.step] = one
        self._executor.submit(one.task)


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


class _Wave:
    """Which steps have all that they take."""

    def __init__(self, steps: Sequence[Step], given: Mapping[str, Value]) -> None:
        self.values = dict(given)
        self.done: list[Executed] = []
        self._steps = {step.name: step for step in steps}
        self._missing = {step.name: {name for name in step.inputs.values() if name in self._steps} for step in steps}
        self._users: dict[str, list[str]] = {}
        for step in steps:
            for name in self._missing[step.name]:
                self._users.setdefault(name, []).append(step.name)
        self.ready = deque(step for step in steps if not self._missing[step.name])

    def spread(self, step: Step, each: Each, store: Store) -> None:
        """Put the parts of a step in its place, now that they are known, and behind them what gathers them."""
        tables, parts, gather = fan_out.spread(step, each, self.values[step.inputs[each.parameter]], store)
        self.values |= tables
        self._steps[step.name] = gather
        self._missing[step.name] = {part.name for part in parts}
        self._users |= {part.name: [step.name] for part in parts}
        self.ready.extend(parts)

    def ended(self, executed: Executed) -> Executed:
        """Note a value; what waited for nothing else is ready."""
        self.values[executed.step] = executed.value
        self.done.append(executed)
        for user in self._users.get(executed.step, ()):
            self._missing[user].discard(executed.step)
            if not self._missing[user]:
                self.ready.append(self._steps[user])
        return executed


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
    libraries = (_SEEDED,) if image or _SEEDED in known_by.get("distributions", ()) else ()
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
