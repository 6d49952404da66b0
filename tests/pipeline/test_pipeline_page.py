"""docs/pipeline.md is followed to the letter by a shell; what it prints is what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.docs.test_data_page import as_pattern, exchanges
from tests.docs.test_readme import BLOCK, Shell

from towpath.pipeline.code import listed

PAGE = (Path(__file__).parents[2] / "docs" / "pipeline.md").read_text()
BLOCKS = [(kind, name.strip(), text) for kind, name, text in BLOCK.findall(PAGE)]


@pytest.mark.parts
def test_the_page_works_as_it_is_written(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    ran = 0
    try:
        for kind, name, text in BLOCKS:
            if kind != "console":
                if name:  # what has none shows a form
                    (tmp_path / name).write_text(text)
                continue
            for command, shown in exchanges(text):
                said, code = shell.run(command)
                assert code == 0, (command, said)
                assert re.fullmatch(as_pattern(shown), said), f"$ {command}\nis to say\n{shown}\nand said\n{said}"
                ran += 1
    finally:
        shell.close()
    assert ran > 10


def test_every_kind_of_weakness_is_on_the_page() -> None:
    table = PAGE.split("| weakness |")[1].split("\n\n")[0]
    kinds = [one for one in vars(listed).values() if isinstance(one, listed.Weakness)]
    assert len(table.splitlines()) - 2 == len(kinds)


def test_the_figures_count_the_cases_that_there_are() -> None:
    for file in ("followed.txt", "unseen.txt"):
        cases = (Path(__file__).parent / file).read_text().count("\n=== ")
        assert f"| {cases} |" in PAGE
