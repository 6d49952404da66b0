"""`towpath why A B`: planted changes are found in their layer, and what each did to the metrics adds up."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proof.conftest import PIPELINE, YAML, Work

from towpath import events as ev
from towpath import holdings, kept
from towpath.data.manifest import files_of
from towpath.project_file import load
from towpath.report.attribution import LAYERS, coalitions, shapley, shares

LESS = PIPELINE.replace("miles=miles(", "km=pl.col('km') % 20, miles=1.0 + 0 * miles(")
NAMED = PIPELINE.replace('miles(pl.col("km"))', 'miles(pl.col("km")), wide=pl.col("hour").shift(1).fill_null(0) * 0')


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Version 2 has a function and a parameter planted, version 3 the function alone, with other rows and another seed."""
    work = Work(tmp_path_factory.mktemp("grown"))
    loose = YAML.replace("auc >= baseline + 0.1, ", "") + "split: {leaks: ignore}\n"  # the planted km tells no rows apart
    for yaml, pipeline, rows in (
        (loose, PIPELINE, 600),
        (loose.replace("train: model}", "train: model, parameters: {c: 0.00001}}"), LESS, 600),
        (loose + "seed: 5\n", LESS, 900),
    ):
        work.write(yaml, pipeline)
        work.rides(rows)
        work.commit()
        work.run()
    return work


def test_a_planted_function_and_a_planted_parameter_are_named_and_measured(grown, towpath):
    said = towpath(grown.root, "why", "1", "2", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    apart = found["apart"]
    assert [change["name"] for change in apart["code"]] == ["pipeline:rows"]
    assert [(change["name"], change["before"], change["after"]) for change in apart["parameters"]] == [("c", 1.0, 0.00001)]
    assert (apart["seed"], apart["distributions"], apart["rows"]) == ([], [], [])
    assert found["candidates"] == 4
    (only,) = found["attributions"]
    parts = {share["metric"]: share["parts"] for share in only["shares"]}
    assert list(parts["auc"]) == ["code", "parameters"]
    assert abs(parts["auc"]["code"]) > 10 * abs(parts["auc"]["parameters"])  # a ranking minds what the rows tell, not how strongly
    assert abs(parts["log_loss"]["parameters"]) > 0.03
    figures = [json.loads(towpath(grown.root, "show", number, "--json").out)["run"]["metrics"]["candidate"] for number in "12"]
    for share in only["shares"]:
        assert (share["a"], share["b"]) == pytest.approx([page[share["metric"]] for page in figures])
        assert sum(share["parts"].values()) == pytest.approx(share["b"] - share["a"], abs=1e-12)


def test_other_rows_and_another_seed_are_told_in_words(grown, towpath):
    said = towpath(grown.root, "why", "v2", "v3")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[:2] == ["version 2 -> version 3", "data"]
    assert "300 added" in said.out
    assert "  seed is 5, was 0" in lines
    assert "code: the same" in lines
    assert "  parameter c is 1.0, was 1e-05" in lines
    assert "distributions: the same" in lines
    heads = [line.split() for line in lines if line.strip().startswith("metric")]
    assert heads == [["metric", "version", "2", "version", "3", "difference", "test", "rows", "data", "parameters", "seed"]] * 2
    assert "on the test rows of version 3's data" in said.out
    assert "8 candidates" in said.out


def test_the_second_time_all_comes_from_the_cache(grown, towpath):
    towpath(grown.root, "why", "1", "2")
    assert "step" not in towpath(grown.root, "why", "1", "2").err


def test_without_attribution_nothing_is_made(grown, towpath):
    said = towpath(grown.root, "why", "1", "3", "--no-attribute")
    assert said.err == ""
    assert "code: rows of pipeline changed" in said.out
    assert "candidates" not in said.out


def test_a_version_beside_itself_differs_in_nothing(grown, towpath):
    lines = towpath(grown.root, "why", "1", "1").out.splitlines()
    assert lines[1:] == [f"{layer}: the same" for layer in ("data", "code", "parameters", "seed", "distributions")]


def test_of_rows_that_were_erased_the_differences_are_told_all_the_same(grown, towpath, tmp_path):
    copy = shutil.copytree(grown.root, tmp_path / "copy")
    project = load(copy, {})
    run = kept.state(project).runs.all[1]
    (file,) = files_of(holdings.store_here(project), run.snapshots["rides"].digest)
    erased = {"dataset": "rides", "key": file.digest, "rows": 1, "objects": {file.digest: ""}, "snapshots": (), "versions": (1,)}
    kept.records(project).tell(ev.RowsErased(**erased, journal=0, by="ann", because="asked"))
    said = towpath(copy, "why", "1", "2")
    assert said.code == 0, said.err
    assert "code: rows of pipeline changed" in said.out
    assert "what each layer did cannot be told: version 1 cannot be made again: rows of rides" in said.out.replace("\n", " ")


def test_what_cannot_be_mixed_is_told(grown, towpath):
    """The code of version 4 asks for a column that older data do not have."""
    head, *lines = (grown.root / "rides.csv").read_text().splitlines()
    (grown.root / "rides.csv").write_text("\n".join([f"{head},far", *(f"{line},{number}" for number, line in enumerate(lines))]))
    grown.write(pipeline=PIPELINE.replace('"km"', '"far"'))
    grown.commit()
    grown.run()
    said = towpath(grown.root, "why", "3", "4")
    assert said.code == 0
    assert "the candidate with data of version 3 and code of version 4: step 'rows' raised" in said.out.replace("\n", " ")


values = st.floats(-10, 10, allow_nan=False)


@st.composite
def games(draw: st.DrawFn) -> tuple[dict[frozenset[str], float], list[str]]:
    layers = draw(st.lists(st.sampled_from(LAYERS), min_size=1, unique=True))
    return {chosen: draw(values) for chosen in coalitions(layers)}, layers


@given(games())
def test_the_parts_add_up(game):
    figures, layers = game
    parts = shapley(figures, layers)
    assert sum(parts.values()) == pytest.approx(figures[frozenset(layers)] - figures[frozenset()], abs=1e-12)


@given(games(), values)
def test_a_layer_that_adds_the_same_to_all_has_just_that_and_one_that_adds_nothing_has_nothing(game, added):
    figures, layers = game
    wider = {**figures, **{chosen | {"image"}: figures[chosen] + added for chosen in figures}}
    parts = shapley(wider, [*layers, "image"])
    assert parts["image"] == pytest.approx(added, abs=1e-12)
    assert {layer: parts[layer] for layer in layers} == pytest.approx(shapley(figures, layers), abs=1e-12)


@given(games(), values, values)
def test_with_other_test_rows_the_parts_add_up_too(game, a, b):
    figures, layers = game
    (share,) = shares({chosen: {"auc": value} for chosen, value in figures.items()}, {"auc": a, "f1": 1}, {"auc": b}, [*layers])
    if "data" in layers:
        assert sum(share.parts.values()) == pytest.approx(b - a, abs=1e-12)
    assert ("test rows" in share.parts) == ("data" in layers)
