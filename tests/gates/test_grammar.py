"""A rule reads as it was written; a wrong one gets its character, the nearest name and an example."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.errors import UsageError
from towpath.evaluation import Direction, find, names
from towpath.gates import Against, Each, Fixed, Reference, Sense, Word, parse
from towpath.gates.rules import Quantity

AT_LEAST, AT_MOST = Sense


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("auc >= 0.6", Fixed(subject="auc", sense=AT_LEAST, limit=Quantity(0.6))),
        ("  accuracy>=90% ", Fixed(subject="accuracy", sense=AT_LEAST, limit=Quantity(90.0, "%"))),
        ("auc <= .99", Fixed(subject="auc", sense=AT_MOST, limit=Quantity(0.99))),
        ("r2 >= -0.5", Fixed(subject="r2", sense=AT_LEAST, limit=Quantity(-0.5))),
        ("auc >= baseline + 0.05", Against(metric="auc", sense=AT_LEAST, reference=Reference.BASELINE, margin=Quantity(0.05))),
        ("auc >= champion - 0.005", Against(metric="auc", sense=AT_LEAST, reference=Reference.CHAMPION, margin=Quantity(-0.005))),
        ("log_loss<=champion+0.005", Against(metric="log_loss", sense=AT_MOST, reference=Reference.CHAMPION, margin=Quantity(0.005))),
        ("auc >= best - 1%", Against(metric="auc", sense=AT_LEAST, reference=Reference.BEST, margin=Quantity(-1.0, "%"))),
        ("auc >= champion", Against(metric="auc", sense=AT_LEAST, reference=Reference.CHAMPION)),
        ("rmse <= 1.02x champion", Against(metric="rmse", sense=AT_MOST, reference=Reference.CHAMPION, factor=1.02)),
        ("each(auc, origin) >= 0.55", Each(metric="auc", column="origin", sense=AT_LEAST, limit=Quantity(0.55))),
        ("each(mae, 2nd carrier) <= 12", Each(metric="mae", column="2nd carrier", sense=AT_MOST, limit=Quantity(12.0))),
        ("parity <= 1e-5", Fixed(subject="parity", sense=AT_MOST, limit=Quantity(1e-5))),
        ("rows >= 1000", Fixed(subject="rows", sense=AT_LEAST, limit=Quantity(1000.0))),
        ("p99 <= 20ms", Fixed(subject="p99", sense=AT_MOST, limit=Quantity(20.0, "ms"))),
        ("golden_rows", Word(word="golden_rows")),
    ],
)
def test_a_rule_is_read(text, rule):
    assert parse(text) == rule
    assert parse(str(rule)) == rule


@pytest.mark.parametrize(("text", "value"), [("p99 <= 20ms", 0.02), ("p99 <= 2s", 2), ("p50 <= 900us", 9e-4), ("auc >= 65%", 0.65)])
def test_units_are_seconds_and_shares(text, value):
    assert parse(text).limit.value == pytest.approx(value)


numbers = st.floats(0, 1, allow_subnormal=False)
limits = st.builds(Quantity, numbers) | st.builds(Quantity, st.floats(0, 100), st.just("%"))
columns = st.text("ab 2_-.é", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def rules(draw):
    name = draw(st.sampled_from(names()))
    metric = find(name)
    better = AT_LEAST if metric.better is Direction.HIGHER else AT_MOST
    bounded = metric.high == 1
    limit = draw(limits if bounded else st.builds(Quantity, numbers))
    if draw(st.booleans()):
        return draw(
            st.builds(Fixed, subject=st.just(name), sense=st.sampled_from(Sense), limit=st.just(limit))
            | st.builds(
                Each,
                metric=st.just(name),
                column=columns,
                sense=st.just(better),
                limit=st.just(limit),
            )
        )
    who = draw(st.sampled_from(Reference))
    if not bounded and draw(st.booleans()):
        return Against(metric=name, sense=better, reference=who, factor=draw(st.floats(0.1, 3)))
    sign = draw(st.sampled_from([1, -1]))
    return Against(metric=name, sense=better, reference=who, margin=Quantity(sign * limit.number if limit.number else 0.0, limit.unit))


@given(rules())
def test_what_is_written_reads_as_the_same_rule(rule):
    again = parse(str(rule))
    if isinstance(rule, Against) and not rule.margin.number:  # a margin of nothing is not written
        assert (again.metric, again.reference, again.margin.value) == (rule.metric, rule.reference, 0)
    else:
        assert again == rule


WORDS = "auc each ( ) , >= <= champion - + 0.5 20ms % x p99 golden_rows 1e999"


@given(st.text(max_size=30) | st.lists(st.sampled_from(WORDS.split()), max_size=8).map(" ".join))
def test_whatever_is_written_is_a_rule_or_a_usage_error(text):
    fault = _fault(text)
    if fault is None:
        assert parse(str(parse(text))) == parse(text)
    else:
        assert repr(text) in fault.what
        assert "example" in fault.mend


def _fault(text):
    try:
        parse(text)
    except UsageError as fault:
        return fault
    return None


@pytest.mark.parametrize(
    ("text", "character", "what", "mend"),
    [
        ("acu >= 0.5", 1, "no metric called 'acu'", "did you mean auc?"),
        ("golden_row", 1, "no metric called 'golden_row'", "did you mean golden_rows?"),
        ("auc >= champoin - 0.1", 8, "no reference called 'champoin'", "did you mean champion?"),
        ("auc > 0.5", 5, "expected >= or <= after auc, found '>'", "auc >="),
        ("auc", 4, "found the end", "auc >="),
        ("auc >= ", 8, "expected a number", "auc >="),
        ("auc >= champion -", 18, "expected a number", "auc >="),
        ("auc >= 0.6 today", 12, "expected the end, found 'today'", "auc >= 0.6"),
        ("auc <= champion", 5, "a higher auc is better", "auc >= champion - 0.005"),
        ("log_loss >= best - 0.1", 10, "a lower log_loss is better", "log_loss <= champion + 0.005"),
        ("p99 >= 20ms", 1, "would pass the wrong side", "p99 <= 20ms"),
        ("p99 <= 20", 8, "is a time and needs a unit", "p99 <= 20ms"),
        ("rows >= 10%", 9, "rows has no unit", "rows >= 1000"),
        ("auc >= 65", 8, "auc lies from 0 to 1", "auc >= 0.65"),
        ("rmse <= champion + 2%", 20, "rmse is not a share", "rmse <="),
        ("auc >= 1.1x champion", 8, "by a margin, not a factor", "auc >="),
        ("rmse <= 1.1x champion + 3", 14, "a factor and a margin", "rmse <= 1.1x champion"),
        ("rmse <= 3 champion", 9, "is no factor", "rmse <="),
        ("each(auc) >= 0.5", 9, "expected a comma and a column", "each(auc, origin)"),
        ("each(auc, origin >= 0.5", 9, "each() needs", "each(auc, origin)"),
        ("each(auc, origin) >= champion", 22, "not a reference", "each(auc, origin)"),
        ("log_loss <= 1e999", 13, "too large", "log_loss <="),
        ("", 1, "found the end", "auc >="),
    ],
)
def test_a_wrong_rule_gets_its_place_and_an_example(text, character, what, mend):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.what.startswith(f"gate {text!r}, character {character}: ")
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(UsageError, match="f1 is a metric of binary, not of regression") as caught:
        parse("f1 >= 0.5", "regression")
    assert "rmse <= champion" in caught.value.mend
    assert parse("f1 >= 0.5", "binary") == parse("f1 >= 0.5")


def test_the_example_in_each_mend_is_itself_a_rule():
    for text in ("acu >= 1", "auc", "each", "p99 >= 1s", "parity", "rows >= 1%", "golden", "auc >= 7", "rmse <= 2 best"):
        with pytest.raises(UsageError) as caught:
            parse(text)
        parse(caught.value.mend.rpartition("xample: ")[2])


def test_the_grammar_needs_no_numeric_library():
    code = "import sys, towpath.gates; print([m for m in ('numpy', 'scipy', 'polars', 'sklearn') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
