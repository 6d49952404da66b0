"""What a gate says, and that it never passes what was not measured."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.evaluation.baseline import baseline
from towpath.gates import parse
from towpath.gates.evidence import Evidence, figures
from towpath.gates.judge import judge, judge_all
from towpath.verdict import Answer, Verdict

ROWS = 3000
_DRAWS = np.random.default_rng(7)
HIDDEN, NOISE = _DRAWS.normal(size=(2, ROWS))
LABEL = (HIDDEN + _DRAWS.logistic(size=ROWS) > 1).astype(int)
GOOD, TWIN, FAIR = (1 / (1 + np.exp(1 - HIDDEN - scale * NOISE)) for scale in (0.3, -0.3, 1.5))
ORIGIN = np.array(["EWR", "JFK", "LGA"])[np.arange(ROWS) % 3]


def said(rule, **evidence):
    return judge(parse(rule), Evidence(**{"task": "binary", "label": LABEL, "candidate": GOOD} | evidence))


@pytest.mark.parametrize(
    ("rule", "answer"),
    [("auc >= 0.6", "pass"), ("auc >= 90%", "fail"), ("log_loss <= 0.9", "pass"), ("log_loss <= 0.1", "fail"), ("auc <= 0.99", "pass")],
)
def test_a_limit_is_judged_on_the_value(rule, answer):
    verdict = said(rule)
    assert verdict.answer == answer
    assert verdict.numbers["low"] < verdict.numbers["estimate"] < verdict.numbers["high"]
    assert verdict.numbers["rows"] == ROWS


@pytest.mark.parametrize(
    ("rule", "candidate", "champion", "answer"),
    [
        ("auc >= champion - 0.005", GOOD, FAIR, "pass"),
        ("auc >= champion - 0.005", FAIR, GOOD, "fail"),
        ("auc >= champion - 0.001", GOOD, TWIN, "inconclusive"),
        ("auc >= champion", GOOD, GOOD, "pass"),
        ("log_loss <= champion + 0.005", GOOD, FAIR, "pass"),
        ("log_loss <= champion + 0.005", FAIR, GOOD, "fail"),
        ("log_loss <= 0.99x champion", GOOD, FAIR, "pass"),
        ("log_loss <= 0.99x champion", GOOD, GOOD, "fail"),
        ("log_loss <= champion + 0.0001", GOOD, TWIN, "inconclusive"),
    ],
)
def test_a_reference_is_judged_on_the_interval_of_the_difference(rule, candidate, champion, answer):
    verdict = said(rule, candidate=candidate, champion=champion)
    assert verdict.answer == answer, verdict.because
    numbers = verdict.numbers
    assert numbers["low"] <= numbers["estimate"] <= numbers["high"]


def test_the_sentence_has_the_words_and_the_numbers():
    verdict = said("auc >= champion - 0.005", champion=FAIR)
    n = verdict.numbers
    assert verdict.because == (
        f"auc {n['candidate']:.4g} against the champion's {n['reference']:.4g}: difference +{n['estimate']:.3g} "
        f"(95 % interval +{n['low']:.3g} to +{n['high']:.3g}), margin -0.005"
    )
    assert n["estimate"] == pytest.approx(n["candidate"] - n["reference"])


def test_a_verdict_survives_json():
    verdict = said("auc >= champion - 0.005", label=LABEL[:20], candidate=GOOD[:20], champion=FAIR[:20])
    assert verdict.answer is Answer.INCONCLUSIVE
    assert "20 rows are too few" in verdict.because
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_the_baseline_must_be_beaten():
    naive = baseline("binary", LABEL)
    assert said("auc >= baseline + 0.05", baseline=naive).answer == "pass"
    assert said("auc >= baseline + 0.05", baseline=naive, candidate=np.full(ROWS, 0.5)).answer == "fail"
    values = 10 + HIDDEN
    naive = baseline("regression", values)
    evidence = {"task": "regression", "label": values, "candidate": values + 0.5 * NOISE, "baseline": naive}
    assert said("rmse <= 0.9x baseline", **evidence).answer == "pass"
    assert said("mae <= 0.1x baseline", **evidence).answer == "fail"
    assert said("mae <= baseline - 0.1", **evidence).numbers["reference"] == pytest.approx(np.abs(values - np.median(values)).mean())


@pytest.mark.parametrize("who", ["champion", "best"])
def test_without_a_champion_there_is_nothing_to_beat(who):
    verdict = said(f"auc >= {who} - 0.005", missing={who: "no champion serves yet"})
    assert (verdict.answer, verdict.because) == ("pass", "nothing to beat: no champion serves yet")


@pytest.mark.parametrize(
    ("rule", "evidence", "says"),
    [
        ("auc >= champion", {}, "the champion could not be scored: no scores are there"),
        ("auc >= champion", {"unscored": {"champion": "its package is gone"}}, "its package is gone"),
        ("auc >= champion", {"unscored": {"champion": "its package is gone"}, "missing": {"champion": "none"}}, "its package is gone"),
        ("auc >= champion", {"unscored": {"champion": "half of it timed out"}, "champion": FAIR}, "half of it timed out"),
        ("auc >= champion", {"champion": FAIR[1:]}, "3000 labels beside 2999 scores"),
        ("auc >= champion", {"champion": np.full(ROWS, math.nan)}, "3000 of 3000 scores are not finite"),
        ("auc >= baseline", {"missing": {"baseline": "no training labels"}}, "no training labels"),
        ("auc >= 0.5", {"candidate": None}, "the candidate could not be scored"),
        ("auc >= 0.5", {"label": None}, "no test labels are there"),
        ("auc >= 0.5", {"candidate": np.where(np.arange(ROWS) == 5, math.nan, GOOD)}, "the first is in row 5"),
        ("auc >= 0.5", {"label": np.ones(ROWS)}, "of 3000 rows 3000 are positive"),
        ("rmse <= 5", {}, "no metric for the task binary called 'rmse'"),
        ("rmse <= 5", {"task": "regression", "candidate": np.full(ROWS, 1e200)}, "rmse came out as inf"),
        ("rmse <= 0.5x champion", {"task": "regression", "candidate": GOOD, "champion": np.full(ROWS, 1e200)}, "came out as"),
        ("each(auc, origin) >= 0.5", {}, "no column 'origin'"),
        ("each(auc, origin) >= 0.5", {"slices": {"origin": ORIGIN[1:]}}, "2999 rows"),
        ("parity <= 1e-5", {}, "parity was not measured"),
        ("parity <= 1e-5", {"missing": {"parity": "the package did not load"}}, "the package did not load"),
        ("p99 <= 20ms", {"measured": {"p99": math.nan}}, "p99 was measured as nan"),
        ("rows >= 10", {"measured": {"rows": math.inf}}, "measured as inf"),
        ("golden_rows", {}, "golden_rows was not measured"),
    ],
)
def test_what_could_not_be_measured_is_an_error(rule, evidence, says):
    verdict = said(rule, **evidence)
    assert verdict.answer is Answer.ERROR
    assert says in verdict.because


bad = st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300])


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, ROWS - 1),
    value=bad,
    where=st.sampled_from(["candidate", "champion", "label"]),
    task=st.sampled_from(["binary", "regression"]),
)
def test_a_number_that_is_none_never_passes(place, value, where, task):
    arrays = {"candidate": GOOD.copy(), "champion": FAIR.copy(), "label": LABEL.astype(float)}
    arrays[where][place] = value
    rule = "auc >= champion - 0.9" if task == "binary" else "mae <= 1.01x champion"
    verdict = said(rule, task=task, **arrays)
    if where == "champion" and task == "regression" and math.isfinite(value):
        assert verdict.answer is not Answer.ERROR  # a champion that answers 1e300 is bad, but measured
    else:
        assert verdict.answer is not Answer.PASS
    assert all(map(math.isfinite, verdict.numbers.values()))


@pytest.mark.parametrize(
    ("rule", "value", "answer", "because"),
    [
        ("parity <= 1e-5", 3e-7, "pass", "parity 3e-7, must be at most 1e-5"),
        ("parity <= 1e-5", 0.02, "fail", "parity 0.02, must be at most 1e-5"),
        ("p99 <= 20ms", 0.0125, "pass", "p99 12.5 ms, must be at most 20 ms"),
        ("p99 <= 20ms", 1.5, "fail", "p99 1.5 s, must be at most 20 ms"),
        ("rows >= 1000", 999, "fail", "rows 999, must be at least 1000"),
        ("golden_rows", 1.0, "pass", "every golden row was answered as recorded"),
        ("golden_rows", 0.98, "fail", "98.0% of the golden rows were answered as recorded"),
    ],
)
def test_measured_numbers_need_no_rows(rule, value, answer, because):
    name = rule.split()[0]
    verdict = judge(parse(rule), Evidence(task="binary", measured={name: value}))
    assert (verdict.gate, verdict.answer, verdict.because) == (rule, answer, because)


def test_a_planted_slice_regression_is_blocked_and_named():
    hurt = GOOD.copy()
    at = ORIGIN == "LGA"
    hurt[at] = np.random.default_rng(1).permutation(hurt[at])
    assert said("auc >= 0.6", candidate=hurt).answer == "pass"  # on the whole it is hardly seen
    assert said("each(auc, origin) >= 0.6", slices={"origin": ORIGIN}).answer == "pass"
    verdict = said("each(auc, origin) >= 0.6", candidate=hurt, slices={"origin": ORIGIN})
    assert verdict.answer == "fail"
    assert verdict.because.startswith("the worst of 3 values of origin is LGA (1000 rows): auc 0.")
    assert verdict.numbers["wrong"] == 1


def test_the_worst_slice_of_a_loss_is_the_highest():
    hurt = np.where(ORIGIN == "JFK", 0.999, GOOD)
    verdict = said("each(log_loss, origin) <= 0.6", candidate=hurt, slices={"origin": ORIGIN})
    assert verdict.answer == "fail"
    assert "is JFK" in verdict.because


def test_small_slices_are_left_out_and_named():
    column = np.where(np.arange(ROWS) < 250, "SYX", ORIGIN)
    verdict = said("each(auc, origin) >= 0.6", slices={"origin": column}, candidate=np.where(np.arange(ROWS) < 250, 0.5, GOOD))
    assert verdict.answer == "pass"
    assert verdict.because.endswith("not judged: SYX (250 rows are under 300)")
    assert (verdict.numbers["judged"], verdict.numbers["slices"]) == (3, 4)


def test_only_small_slices_are_inconclusive():
    verdict = said("each(auc, plane) >= 0.6", slices={"plane": np.arange(ROWS) // 200})
    assert verdict.answer is Answer.INCONCLUSIVE
    assert "and 12 more" in verdict.because


def test_a_slice_just_below_its_limit_is_said_to_be_perhaps_by_chance():
    worst = said("each(auc, origin) >= 0.5", slices={"origin": ORIGIN}).numbers["estimate"]
    verdict = said(f"each(auc, origin) >= {worst + 0.001:.4f}", slices={"origin": ORIGIN})
    assert verdict.answer == "fail"
    assert "may be chance" in verdict.because


def test_all_gates_are_judged_in_their_order_whatever_one_says():
    texts = ["auc >= champion", "parity <= 1e-5", "auc >= 0.6"]
    verdicts = judge_all(map(parse, texts), Evidence(task="binary", label=LABEL, candidate=GOOD, champion=FAIR))
    assert [verdict.gate for verdict in verdicts] == texts
    assert [verdict.answer.value for verdict in verdicts] == ["pass", "error", "pass"]


def test_words_as_classes_and_three_of_them():
    words = np.array(["no", "yes"])[LABEL]
    evidence = {"label": words, "classes": ("no", "yes"), "champion": FAIR}
    assert said("auc >= champion", **evidence).numbers == said("auc >= champion", champion=FAIR).numbers
    three = np.random.default_rng(1).dirichlet(np.ones(3), ROWS)
    letters = np.array(list("abc"))[three.argmax(axis=1)]
    task = {"task": "multiclass", "label": letters, "classes": tuple("abc"), "candidate": three}
    assert said("accuracy >= 0.99", **task).answer == "pass"
    assert said("macro_f1 >= baseline + 0.1", **task, baseline=baseline("multiclass", letters, "abc")).answer == "pass"
    assert "of 4 classes, but 3 are named" in said("accuracy >= champion", **task, champion=np.c_[three, np.zeros(ROWS)]).because


def test_figures_stand_beside_the_verdicts():
    found = figures(Evidence(task="binary", label=LABEL, candidate=GOOD, champion=FAIR, baseline=baseline("binary", LABEL)))
    assert list(found) == ["candidate", "baseline", "champion"]
    assert found["candidate"]["auc"] > found["champion"]["auc"] > found["baseline"]["auc"] == 0.5
    assert figures(Evidence(task="binary")) == {}
