"""docs/data.md is followed to the letter by a shell; what it prints is what the page shows."""

import re
from pathlib import Path

import pytest
from tests.docs.test_readme import BLOCK, Shell

from towpath.cli.table import VERBS

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
BLOCKS = [(kind, name.strip(), text) for kind, name, text in BLOCK.findall(PAGE)]


def exchanges(text):
    """(command, what the page shows after it) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def as_pattern(shown):
    """A line that is ``…`` alone stands for any lines, ``…`` within a line for anything there; spaces between columns may differ."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else rf"{_line(line)}\n" for line in shown.splitlines()]
    return "".join(lines)


def _line(line):
    return ".*?".join(re.sub(r"(?:\\ ){2,}", " +", re.escape(part)) for part in line.split("…"))


@pytest.fixture
def shell(tmp_path):
    opened = Shell(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parts
def test_the_page_works_as_it_is_written(shell, tmp_path):
    pytest.importorskip("altair")
    ran = 0
    for kind, name, text in BLOCKS:
        if kind != "console":
            (tmp_path / name).write_text(text)
            continue
        for command, shown in exchanges(text):
            said, code = shell.run(command)
            assert code == 0, (command, said)
            assert re.fullmatch(as_pattern(shown), said), f"$ {command}\nis to say\n{shown}\nand said\n{said}"
            ran += 1
    assert ran > 20
    assert (tmp_path / "difference.svg").read_text().startswith("<svg")


def test_every_verb_of_the_page_is_there_and_none_of_these_is_left_out():
    told = set(re.findall(r"towpath data ([a-z]+)", PAGE))
    assert told == {name.removeprefix("data ") for name, verb in VERBS.items() if name.startswith("data ") and verb.group}


def test_links_lead_somewhere():
    root = Path(__file__).parents[2]
    for target, _, heading in (link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", PAGE)):
        page = (root / "docs" / target).read_text()
        headings = {
            re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in page.splitlines() if line.startswith("#")
        }
        assert not heading or heading in headings
