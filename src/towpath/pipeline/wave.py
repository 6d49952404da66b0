"""Which steps of a run have all that they take."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from towpath.pipeline import fan_out
from towpath.pipeline.graph import Step
from towpath.pipeline.values import Value
from towpath.pipeline.watching import Executed
from towpath.pipeline.work import Each
from towpath.store import Store


class Wave:
    """``values``: those that are there by now, with what was given; ``ready``: steps that may begin."""

    def __init__(self, steps: Sequence[Step], given: Mapping[str, Value]) -> None:
        self.values = dict(given)
        self.done: list[Executed] = []
        self.size = len(steps)
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
        self.size += len(parts)
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
