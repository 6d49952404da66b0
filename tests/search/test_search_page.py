"""docs/search.md: its Python runs as it stands, and its tables name what is there."""

import re
from pathlib import Path
from typing import get_args

import pytest

from towpath.project_search import Pruner, Sampler
from towpath.search.portfolio import CONTENDERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "search.md").read_text()


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_python_of_the_page_runs(code, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    exec(compile(code, "docs/search.md", "exec"), {})  # its assertions are the page's claims


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: one.name)
def test_each_model_is_in_the_table(contender):
    rows = {line.split("|")[1].strip(): line for line in PAGE.splitlines() if line.startswith("| ")}
    for task in contender.tasks:
        (row,) = [line for tasks, line in rows.items() if task in tasks.split(", ")]
        assert f"`{contender.name}`" in row


@pytest.mark.parametrize("name", [*get_args(Sampler), *get_args(Pruner)])
def test_each_sampler_and_pruner_is_in_the_reference(name):
    reference = (DOCS / "project.md").read_text()
    (line,) = [
        line for line in reference.splitlines() if line.startswith(("| `search.sampler`", "| `search.pruner`")) and f"`{name}`" in line
    ]
    assert line
