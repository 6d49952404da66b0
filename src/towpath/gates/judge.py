"""What a rule says of a candidate: a verdict, with one sentence for people and the same numbers for machines.

A limit is judged on the value itself. A reference is judged on the interval of the paired difference: ``pass`` when all
of it is on the right side of the margin, ``fail`` when all of it is on the wrong side, else ``inconclusive``. So a
candidate that is worse by just the margin passes in at most (1 - level) / 2 of all cases. What cannot be measured is
``error``: it never passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from towpath.errors import UsageError
from towpath.evaluation.compare import Interval, difference, interval
from towpath.evaluation.metrics import metric
from towpath.evaluation.slices import Slice, by_value
from towpath.gates.evidence import Evidence
from towpath.gates.grammar import MEASURES
from towpath.gates.rules import Against, AnyRule, Each, Fixed, Reference, Sense, Word
from towpath.verdict import Answer, Verdict


def judge_all(rules: Iterable[AnyRule], evidence: Evidence) -> tuple[Verdict, ...]:
    """One verdict a rule, in their order."""
    return tuple(judge(rule, evidence) for rule in rules)


def judge(rule: AnyRule, evidence: Evidence) -> Verdict:
    """What ``rule`` says; raises nothing for evidence that is missing or broken, but says ``error``."""
    try:
        with np.errstate(all="ignore"):  # what overflows comes out as inf or NaN, and is an error below
            return _judge(rule, evidence)
    except UsageError as fault:
        return _verdict(rule, Answer.ERROR, fault.what)


def _judge(rule: AnyRule, evidence: Evidence) -> Verdict:
    match rule:
        case Fixed() if rule.subject in MEASURES:
            return _measured(rule, evidence)
        case Fixed():
            return _fixed(rule, evidence)
        case Against():
            return _against(rule, evidence)
        case Each():
            return _each(rule, evidence)
        case Word():
            return _golden(rule, evidence)


def _verdict(rule: AnyRule, answer: Answer, because: str, **numbers: float) -> Verdict:
    finite = {name: float(number) for name, number in numbers.items() if math.isfinite(number)}  # JSON knows no other
    return Verdict(gate=str(rule), answer=answer, because=because, numbers=finite)


def _holds(value: float, sense: Sense, limit: float) -> bool:
    return value >= limit if sense is Sense.AT_LEAST else value <= limit


def _words(sense: Sense) -> str:
    return "at least" if sense is Sense.AT_LEAST else "at most"


def _measured(rule: Fixed, evidence: Evidence) -> Verdict:
    value = _number(rule.subject, evidence)
    limit = rule.limit.value
    show = _time if MEASURES[rule.subject].is_time else _short
    because = f"{rule.subject} {show(value)}, must be {_words(rule.sense)} {show(limit)}"
    return _verdict(rule, _answer(_holds(value, rule.sense, limit)), because, estimate=value, limit=limit)


def _golden(rule: Word, evidence: Evidence) -> Verdict:
    share = _number(rule.word, evidence)
    because = "every golden row was answered as recorded" if share == 1 else f"{share:.1%} of the golden rows were answered as recorded"
    return _verdict(rule, _answer(share == 1), because, estimate=share, limit=1.0)


def _number(name: str, evidence: Evidence) -> float:
    value = evidence.measured.get(name)
    if value is None:
        because = evidence.missing.get(name)
        raise UsageError(f"{name} was not measured" + (f": {because}" if because else ""), mend="measure it before the gates are judged")
    if not math.isfinite(value):
        raise UsageError(f"{name} was measured as {value}", mend="find out why; a number that is none decides nothing")
    return value


def _fixed(rule: Fixed, evidence: Evidence) -> Verdict:
    given = evidence.predictions("candidate")
    found = interval(metric(evidence.task, rule.subject), given.label, given.score, level=evidence.level, seed=evidence.seed)
    limit = rule.limit.value
    _sound(rule.subject, found.estimate)
    because = f"{rule.subject} {_short(found.estimate)}{_span(found)}, must be {_words(rule.sense)} {_short(limit)}"
    return _verdict(rule, _answer(_holds(found.estimate, rule.sense, limit)), because, **_ends(found), limit=limit)


def _against(rule: Against, evidence: Evidence) -> Verdict:
    who = rule.reference.value
    if because := evidence.nothing_to_beat(who):
        return _verdict(rule, Answer.PASS, f"nothing to beat: {because}")
    ours, theirs = evidence.predictions("candidate"), evidence.predictions(who, rule.metric)
    measured = metric(evidence.task, rule.metric)
    found = difference(measured, ours.label, ours.score, theirs.score, factor=rule.factor, level=evidence.level, seed=evidence.seed)
    candidate, reference = (measured.value(ours.label, each.score) for each in (ours, theirs))
    _sound(rule.metric, candidate, reference, found.estimate)
    if math.isnan(found.low) or math.isnan(found.high):
        raise UsageError(f"the interval of {rule.metric} came out as {found.low} to {found.high}", mend="look for extreme scores or labels")
    margin = rule.margin.value
    factor = "" if rule.factor == 1 else f"{rule.factor:g} x "
    because = (
        f"{rule.metric} {_short(candidate)} against {factor}the {_owner(rule.reference)}'s {_short(reference)}: "
        f"difference {_signed(found.estimate)}{_span(found, signed=True)}, margin {_signed(margin)}"
    )
    answer = _by_interval(found, rule.sense, margin)
    if answer is Answer.INCONCLUSIVE:
        because += f"; {_undecided(found)}"
    return _verdict(rule, answer, because, **_ends(found), limit=margin, candidate=candidate, reference=reference)


def _by_interval(found: Interval, sense: Sense, margin: float) -> Answer:
    low, high = _holds(found.low, sense, margin), _holds(found.high, sense, margin)
    if low == high:
        return _answer(low)
    return Answer.INCONCLUSIVE


def _undecided(found: Interval) -> str:
    if math.isinf(found.low):
        return f"{found.rows} rows are too few for an interval"
    return "the interval holds the margin, so more test rows are needed to decide"


def _each(rule: Each, evidence: Evidence) -> Verdict:
    given = evidence.predictions("candidate")
    if rule.column not in evidence.slices:
        because = evidence.missing.get(rule.column) or f"the test rows have {', '.join(evidence.slices) or 'no columns to slice by'}"
        raise UsageError(f"there is no column {rule.column!r} to slice by: {because}", mend="name a column of the rows")
    column = evidence.slices[rule.column]
    found = by_value(metric(evidence.task, rule.metric), given.label, given.score, column, level=evidence.level)
    judged = [(part.interval, part) for part in found if part.interval is not None]
    if not judged:
        because = f"no value of {rule.column} can be judged: " + _left_out(found)
        return _verdict(rule, Answer.INCONCLUSIVE, because, judged=0, slices=len(found))
    _sound(rule.metric, *(value.estimate for value, _ in judged))
    sign = 1 if rule.sense is Sense.AT_LEAST else -1
    worst, part = min(judged, key=lambda pair: sign * pair[0].estimate)
    return _of_slices(rule, worst, part, found)


def _of_slices(rule: Each, worst: Interval, part: Slice, found: tuple[Slice, ...]) -> Verdict:
    limit = rule.limit.value
    judged = [other.interval for other in found if other.interval is not None]
    wrong = sum(not _holds(value.estimate, rule.sense, limit) for value in judged)
    because = (
        f"the worst of {len(judged)} values of {rule.column} is {part.value} ({part.rows} rows): "
        f"{rule.metric} {_short(worst.estimate)}{_span(worst)}, must be {_words(rule.sense)} {_short(limit)}"
    )
    if wrong and _by_interval(worst, rule.sense, limit) is not Answer.FAIL:
        because += "; the interval reaches the limit, so this may be chance"
    if wrong > 1:
        because += f"; {wrong} values are on the wrong side"
    if left := _left_out(found):
        because += f"; not judged: {left}"
    numbers = {"limit": limit, "judged": len(judged), "slices": len(found), "wrong": wrong}
    return _verdict(rule, _answer(not wrong), because, **_ends(worst), **numbers)


def _left_out(found: tuple[Slice, ...], shown: int = 3) -> str:
    left = [part for part in found if part.interval is None]
    named = ", ".join(f"{part.value} ({part.because})" for part in left[:shown])
    return named + (f" and {len(left) - shown} more" if len(left) > shown else "")


def _answer(holds: bool) -> Answer:
    return Answer.PASS if holds else Answer.FAIL


def _sound(name: str, *values: float) -> None:
    if not all(map(math.isfinite, values)):
        raise UsageError(f"{name} came out as {', '.join(map(str, values))}", mend="look for extreme scores or labels")


def _ends(found: Interval) -> dict[str, float]:
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "rows": found.rows, "level": found.level}


def _owner(reference: Reference) -> str:
    return "best version" if reference is Reference.BEST else reference.value


def _span(found: Interval, *, signed: bool = False) -> str:
    if math.isinf(found.low):
        return ""
    show = _signed if signed else _short
    return f" ({100 * found.level:.3g} % interval {show(found.low)} to {show(found.high)})"


def _short(value: float) -> str:
    """Four significant digits, and never fewer than the units.

    >>> _short(0.71234), _short(123456.7), _short(3e-7)
    ('0.7123', '123457', '3e-7')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}".replace("e-0", "e-")


def _signed(value: float) -> str:
    """Three digits are enough for a difference.

    >>> _signed(0.014321), _signed(-0.005), _signed(0.0)
    ('+0.0143', '-0.005', '0')
    """
    size = f"{abs(value):.0f}" if abs(value) >= 100 else f"{abs(value):.3g}".replace("e-0", "e-")
    return "0" if value == 0 else f"{'+' if value > 0 else '-'}{size}"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
