"""The grammar of gates.

    rule      = subject sense limit | "each(" metric "," column ")" sense limit | metric sense against | "golden_rows"
    sense     = ">=" | "<="
    limit     = ["-"] number [unit]                    0.55   90%   20ms   1e-5
    against   = [number "x"] reference [("+" | "-") number ["%"]]
    reference = "baseline" | "champion" | "best"

A subject is a metric of the task or a measured number: parity, rows, p50, p95, p99. A share may be written in per cent; a
time must carry its unit. A limit against a metric's direction (``auc <= 0.99``) is allowed: it stops what is too good to be true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple, NoReturn

import msgspec

from towpath.errors import UsageError
from towpath.evaluation.names import Direction, MetricName, find, names
from towpath.gates.rules import Against, AnyRule, Each, Fixed, Quantity, Reference, Sense, Word, plain

WORDS = ("golden_rows",)
_EACH = "each(auc, origin) >= 0.55"


class Measure(msgspec.Struct, frozen=True):
    """A measured number: which side its limit may be on, whether it is a time, and an example."""

    sense: Sense
    is_time: bool
    example: str


MEASURES = {
    "parity": Measure(Sense.AT_MOST, False, "parity <= 1e-5"),
    "rows": Measure(Sense.AT_LEAST, False, "rows >= 1000"),
    "p50": Measure(Sense.AT_MOST, True, "p50 <= 5ms"),
    "p95": Measure(Sense.AT_MOST, True, "p95 <= 10ms"),
    "p99": Measure(Sense.AT_MOST, True, "p99 <= 20ms"),
}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<unit>%|[A-Za-z]+)?|(?P<name>[A-Za-z_]\w*)|(?P<sign>[<>=!≥≤]+|[-+(),])|(?P<odd>\S))"
)


class _Token(NamedTuple):
    kind: str  # number, name, sign, odd, end
    text: str
    unit: str
    start: int


def parse(text: str, task: str | None = None) -> AnyRule:
    """Read one gate. With ``task``, only its metrics are known.

    Raises:
        UsageError: says the gate, the character (from 1) where it stops making sense, and an example that does.

    >>> parse("auc >= champion - 0.005").margin.value
    -0.005
    >>> str(parse("each( auc,origin )>=55%"))
    'each(auc, origin) >= 55%'
    """
    return _Reader(text, task).rule()


class _Reader:
    """Reads tokens from the left; every complaint knows where it is."""

    def __init__(self, text: str, task: str | None) -> None:
        self.text, self.task = text, task
        self.tokens = [*_tokens(text), _Token("end", "", "", len(text))]
        self.next = 0

    def rule(self) -> AnyRule:
        first = self.tokens[0]
        if first.text in WORDS:
            self.next = 1
            return self.ended(Word(word=first.text))
        if first.text == "each":
            return self.each()
        name = self.take("name", "a metric or a measured number")
        if name.text in MEASURES:
            return self.measured(name)
        metric = self.metric(name)
        sense = self.sense(metric.name)
        ahead = [token.text for token in self.tokens[self.next :]]
        if any(reference.value in ahead for reference in Reference) or self.tokens[self.next].kind == "name":
            return self.against(metric, sense)
        return self.ended(Fixed(subject=metric.name, sense=sense, limit=self.limit(metric)))

    def each(self) -> AnyRule:
        self.next = 1
        self.take("sign", "an opening bracket", "(", _EACH)
        metric = self.metric(self.take("name", "a metric", example=_EACH))
        comma = self.take("sign", "a comma and a column", ",", _EACH)
        close = self.text.find(")", comma.start)
        column = self.text[comma.start + 1 : close].strip() if close > 0 else ""
        if not column:
            self.fail(comma.start, "each() needs a metric, a comma and a column", _EACH)
        while self.tokens[self.next].start <= close:
            self.next += 1
        sense = self.sense(metric.name)
        token = self.tokens[self.next]
        if token.kind == "name" or token.unit == "x":
            self.fail(token.start, "each() takes a number as its limit, not a reference", _EACH)
        return self.ended(Each(metric=metric.name, column=column, sense=sense, limit=self.limit(metric)))

    def measured(self, name: _Token) -> AnyRule:
        sense, measure = self.sense(name.text), MEASURES[name.text]
        if sense is not measure.sense:
            self.fail(name.start, f"{name.text} {sense} would pass the wrong side", measure.example)
        token = self.take("number", "a number")
        if measure.is_time and token.unit not in ("us", "ms", "s"):
            self.fail(token.start, f"{name.text} is a time and needs a unit: us, ms or s", measure.example)
        if not measure.is_time and token.unit:
            self.fail(token.start, f"{name.text} has no unit, {token.unit!r} was given", measure.example)
        return self.ended(Fixed(subject=name.text, sense=sense, limit=Quantity(float(token.text), token.unit)))

    def against(self, metric: MetricName, sense: Sense) -> AnyRule:
        example = _example(metric)
        better = Sense.AT_LEAST if metric.better is Direction.HIGHER else Sense.AT_MOST
        factor = self.factor(metric)
        token = self.take("name", "baseline, champion or best")
        if token.text not in list(Reference):
            self.unknown(token, "reference", [*Reference], example)
        if sense is not better:
            what = f"a {metric.better} {metric.name} is better, so {sense} {token.text} would let only worse models through"
            self.fail(self.tokens[1].start, what, example)
        margin = self.margin(metric)
        if factor != 1 and margin.number:
            self.fail(token.start, "a factor and a margin together", f"{metric.name} {sense} {plain(factor)}x {token.text}")
        return self.ended(Against(metric=metric.name, sense=sense, reference=Reference(token.text), margin=margin, factor=factor))

    def factor(self, metric: MetricName) -> float:
        token = self.tokens[self.next]
        if token.kind != "number":
            return 1.0
        self.next += 1
        if token.unit != "x" or not float(token.text):
            self.fail(token.start, f"{token.text}{token.unit} before a reference is no factor", _example(metric))
        if math.isfinite(metric.high):
            self.fail(token.start, f"{metric.name} lies under {metric.high:g}; compare it by a margin, not a factor", _example(metric))
        return float(token.text)

    def margin(self, metric: MetricName) -> Quantity:
        token = self.tokens[self.next]
        if token.text not in ("+", "-"):
            return Quantity(0.0)
        self.next += 1
        size = self.number(metric)
        return Quantity(-size.number if token.text == "-" else size.number, size.unit)

    def limit(self, metric: MetricName) -> Quantity:
        negative = self.tokens[self.next].text == "-"
        self.next += negative
        start = self.tokens[self.next].start
        size = self.number(metric)
        limit = Quantity(-size.number if negative else size.number, size.unit)
        if not metric.low <= limit.value <= metric.high:
            span = f"from {metric.low:g} to {metric.high:g}"
            self.fail(
                start, f"{metric.name} lies {span}, so {limit} is no limit for it", f"{metric.name} >= {plain(min(metric.high, 0.65))}"
            )
        return limit

    def number(self, metric: MetricName) -> Quantity:
        token = self.take("number", "a number")
        if token.unit not in ("", "%") or (token.unit and math.isinf(metric.high)):
            unit = "is not a share and takes no %" if token.unit == "%" else f"has no unit {token.unit!r}"
            self.fail(token.start, f"{metric.name} {unit}", _example(metric))
        if math.isinf(float(token.text)):
            self.fail(token.start, f"{token.text} is too large a number", _example(metric))
        return Quantity(float(token.text), token.unit)

    def sense(self, subject: str) -> Sense:
        token = self.tokens[self.next]
        if token.text not in list(Sense):
            example = MEASURES[subject].example if subject in MEASURES else _example(find(subject))
            self.fail(token.start, f"expected >= or <= after {subject}, found {repr(token.text) if token.text else 'the end'}", example)
        self.next += 1
        return Sense(token.text)

    def metric(self, token: _Token) -> MetricName:
        known = names(self.task)
        if token.text not in names():
            self.unknown(token, "metric", [*known, *MEASURES, *WORDS], _example(find(known[0])))
        if token.text not in known:
            tasks = " and ".join(find(token.text).tasks)
            self.fail(token.start, f"{token.text} is a metric of {tasks}, not of {self.task}", _example(find(known[0])))
        return find(token.text, self.task)

    def take(self, kind: str, wanted: str, text: str = "", example: str = "auc >= champion - 0.005") -> _Token:
        token = self.tokens[self.next]
        if token.kind != kind or (text and token.text != text):
            self.fail(token.start, f"expected {wanted}, found {repr(token.text) if token.text else 'the end'}", example)
        self.next += 1
        return token

    def ended(self, rule: AnyRule) -> AnyRule:
        token = self.tokens[self.next]
        if token.kind != "end":
            self.fail(token.start, f"expected the end, found {token.text!r}", str(rule))
        return rule

    def unknown(self, token: _Token, kind: str, known: Iterable[str], example: str) -> NoReturn:
        known = list(known)
        near = get_close_matches(token.text, known, n=2)
        nearest = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(known)}."
        raise UsageError(self.place(token.start, f"no {kind} called {token.text!r}"), mend=f"{nearest} For example: {example}")

    def fail(self, start: int, what: str, example: str = "auc >= champion - 0.005") -> NoReturn:
        raise UsageError(self.place(start, what), mend=f"for example: {example}")

    def place(self, start: int, what: str) -> str:
        return f"gate {self.text!r}, character {start + 1}: {what}"


def _tokens(text: str) -> Iterable[_Token]:
    for match in _TOKEN.finditer(text):
        kind = next(kind for kind in ("number", "name", "sign", "odd") if match[kind] is not None)
        yield _Token(kind, match[kind], match["unit"] or "", match.start(kind))


def _example(metric: MetricName) -> str:
    return f"{metric.name} >= champion - 0.005" if metric.better is Direction.HIGHER else f"{metric.name} <= champion + 0.005"
