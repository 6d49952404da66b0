"""How often gates are wrong, by simulation: the promises that the interval makes, kept by the whole gate."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import norm

from towpath.gates import parse
from towpath.gates.evidence import Evidence
from towpath.gates.judge import judge

REPEATS = 1000
MOST = 0.041  # 2.5 % and three and a half standard errors of 1,000 repeats, minus a hair


def rates(rule, draw, repeats=REPEATS):
    """Share of each answer over simulated test rows."""
    one = parse(rule)
    answers = Counter(judge(one, draw(np.random.default_rng(repeat))).answer for repeat in range(repeats))
    return {answer.value: count / repeats for answer, count in answers.items()}


def two_classes(random, *aucs, rows=1200):
    """Labels, and for each AUC scores that truly have it (normal in both classes) and share most of their noise."""
    label = (random.uniform(size=rows) < 0.3).astype(int)
    common = random.normal(size=rows)
    noises = (0.9 * common + np.sqrt(1 - 0.9**2) * random.normal(size=rows) for _ in aucs)
    return label, [norm.cdf(np.sqrt(2) * norm.ppf(auc) * label + noise) for auc, noise in zip(aucs, noises, strict=True)]


def of_auc(candidate, champion):
    def draw(random):
        label, (ours, theirs) = two_classes(random, candidate, champion)
        return Evidence(task="binary", label=label, candidate=ours, champion=theirs)

    return draw


def of_errors(candidate, champion, rows=400):
    def draw(random):
        common = random.normal(size=rows)
        ours, theirs = (scale * (0.8 * common + 0.6 * random.normal(size=rows)) for scale in (candidate, champion))
        label = random.normal(10, 3, size=rows)
        return Evidence(task="regression", label=label, candidate=label + ours, champion=label + theirs)

    return draw


def of_rights(rows=600):
    """The candidate is wrong alone in 6 %, the champion alone in 4 %: worse by 0.02."""

    def draw(random):
        kind = random.uniform(size=rows)
        label = random.integers(0, 2, rows)
        ours, theirs = kind < 0.06, (kind >= 0.06) & (kind < 0.10)
        return Evidence(task="binary", label=label, candidate=np.abs(label - ours * 0.9), champion=np.abs(label - theirs * 0.9))

    return draw


@pytest.mark.parametrize(
    ("rule", "draw"),
    [
        ("auc >= champion - 0.02", of_auc(0.70, 0.72)),
        ("auc >= champion", of_auc(0.70, 0.70)),
        ("auc >= champion + 0.02", of_auc(0.72, 0.70)),
        ("rmse <= 1.05x champion", of_errors(1.05, 1.0)),
        ("rmse <= champion + 0.05", of_errors(1.05, 1.0)),
        ("mae <= 1.05x champion", of_errors(1.05, 1.0)),
        ("accuracy >= champion - 2%", of_rights()),
    ],
)
def test_a_candidate_worse_by_just_the_margin_passes_in_one_of_forty(rule, draw):
    found = rates(rule, draw)
    assert found.get("pass", 0) <= MOST
    assert found.get("fail", 0) <= MOST  # and it is as seldom called wrong
    assert found["inconclusive"] >= 0.9


def test_equal_models_are_seldom_called_worse_and_pass_where_the_margin_leaves_room():
    found = rates("auc >= champion - 0.03", of_auc(0.70, 0.70), repeats=300)
    assert found["pass"] > 0.8
    assert "fail" not in found


def test_a_truly_worse_candidate_is_rejected():
    found = rates("auc >= champion - 0.005", of_auc(0.66, 0.72), repeats=300)
    assert found["fail"] > 0.9
    assert "pass" not in found


def sliced(spoiled):
    def draw(random):
        label, (score,) = two_classes(random, 0.70, rows=3000)
        origin = np.array(["EWR", "JFK", "LGA"])[random.integers(0, 3, 3000)]
        at = origin == "LGA"
        if spoiled:
            score[at] = random.permutation(score[at])
        return Evidence(task="binary", label=label, candidate=score, slices={"origin": origin})

    return draw


def test_a_spoiled_slice_is_blocked_though_the_whole_looks_well():
    assert rates("each(auc, origin) >= 0.55", sliced(True), repeats=300)["fail"] > 0.97
    assert rates("each(auc, origin) >= 0.55", sliced(False), repeats=300) == {"pass": 1.0}
    assert rates("auc >= 0.58", sliced(True), repeats=300)["pass"] > 0.9
