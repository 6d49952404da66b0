"""`towpath data diff --picture`: the three forms, and what it says when it cannot."""

import sys

import polars as pl
import pytest

pytest.importorskip("altair")
pytest.importorskip("vl_convert")


@pytest.fixture
def rides(tmp_path, run):
    """A project whose rides have moved since they were added."""
    (tmp_path / "towpath.yaml").write_text(
        "name: small\ndata: {rides: {path: rides.parquet, key: [id]}, notes: notes}\nmodel: {task: binary, rows: rides, label: km}\n"
    )
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("a")
    frame = pl.DataFrame({"id": range(400), "km": [float(row % 40) for row in range(400)], "zone": ["north", "it's <b>"] * 200})
    frame.write_parquet(tmp_path / "rides.parquet")
    assert run("data", "add", cwd=tmp_path).code == 0
    frame.with_columns(km=pl.col("km") * 3, zone=pl.lit("north")).head(350).write_parquet(tmp_path / "rides.parquet")
    (tmp_path / "notes/b.txt").write_text("b")
    return tmp_path


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!DOCTYPE html>")])
def test_a_picture_is_written_beside_the_words(run, rides, form, begins):
    said = run("data", "diff", "--picture", f"d.{form}", cwd=rides)
    assert said.code == 0, said.err
    assert "50 removed" in said.out
    data = (rides / f"d.{form}").read_bytes()
    assert data.startswith(begins)
    assert len(data) > 10_000


def test_a_picture_tells_what_the_words_tell(run, rides):
    assert run("data", "diff", "--picture", "d.svg", cwd=rides).code == 0
    picture = (rides / "d.svg").read_text()
    titles = ("rides: lock → work", "notes: lock → work", "400 rows before, 350 after", "how far columns moved", "what they looked like")
    assert [text for text in (*titles, "&gt; 39") if text not in picture] == []
    assert "<b>" not in picture


def test_where_nothing_differs_it_says_so(run, rides):
    assert run("data", "add", cwd=rides).code == 0
    assert run("data", "diff", "--picture", "d.svg", cwd=rides).code == 0
    assert "nothing differs" in (rides / "d.svg").read_text()


@pytest.mark.parametrize(("file", "code", "wanted"), [("d.jpg", 2, "*.png, *.svg, *.html"), ("no/d.svg", 1, "no/d.svg cannot be written")])
def test_a_file_that_cannot_be_is_named(run, rides, file, code, wanted):
    said = run("data", "diff", "--picture", file, cwd=rides)
    assert (said.code, wanted in said.err) == (code, True), said.err


@pytest.mark.parametrize("module", ["altair", "vl_convert"])
def test_without_the_extra_it_says_how_to_install_it(run, rides, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    said = run("data", "diff", "--picture", "d.svg", cwd=rides)
    assert (said.code, "pip install 'towpath[plots]'" in said.err) == (2, True), said.err
