"""The versions of what steps import: exact, from the distributions' own records; by the files where no version says what is in them."""

from __future__ import annotations

import importlib.metadata as metadata
import sys
from pathlib import Path

import pytest

from towpath.pipeline import distributions
from towpath.pipeline.distributions import normal, versions

CACHES = ("_providers", "_listed", "_folders", "_distribution")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder on the path in which distributions can be installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def forget() -> None:
        for name in CACHES:
            getattr(distributions, name).cache_clear()

    forget()
    yield tmp_path, forget
    forget()


def install(site: Path, name: str, version: str, *files: str, needs: str = "", editable: bool = False) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nVersion: 9, says the text\n")
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if editable:
        (folder / "direct_url.json").write_text('{"dir_info": {"editable": true}, "url": "file:///x"}')
    for file in files:
        (site / file).parent.mkdir(exist_ok=True)
        (site / file).write_text("A = 1\n")


def test_they_are_those_that_python_itself_finds() -> None:
    found = metadata.packages_distributions()
    asked = [module for module in found if module.isidentifier() and module not in sys.stdlib_module_names and module != "towpath"]
    assert len(asked) > 50
    for module in asked:
        for name in found[module]:
            assert versions([module])[normal(name)] == metadata.version(name)


def test_what_a_distribution_requires_counts_without_extras(site) -> None:
    place, _ = site
    install(
        place, "one_thing", "1.0", "thing/__init__.py", needs='Requires-Dist: other-thing>=2\nRequires-Dist: extra-thing; extra == "x"\n'
    )
    install(place, "other_thing", "2.0", "other_thing.py")
    install(place, "extra_thing", "3.0", "extra_thing.py")
    assert versions(["thing"]) == {"one-thing": "1.0", "other-thing": "2.0"}


def test_all_parts_of_a_namespace_count(site) -> None:
    place, _ = site
    install(place, "a_part", "1.0", "shared_space/a.py")
    install(place, "b_part", "2.0", "shared_space/b.py")
    assert versions(["shared_space"]) == {"a-part": "1.0", "b-part": "2.0"}


def test_a_module_without_a_distribution_counts_by_its_files(site) -> None:
    place, forget = site
    (place / "loose").mkdir()
    (place / "loose/__init__.py").write_text("A = 1\n")
    before = versions(["loose"])
    assert list(before) == ["files of loose"]
    (place / "loose/more.py").write_text("B = 1\n")
    forget()
    assert versions(["loose"]) != before


def test_one_that_may_be_edited_counts_by_its_files_too(site) -> None:
    place, forget = site
    install(place, "mine", "1.0", "mine.py", editable=True)
    before = versions(["mine"])
    assert set(before) == {"mine", "files of mine"}
    (place / "mine.py").write_text("A = 2\n")
    forget()
    assert versions(["mine"]) != before


def test_a_name_like_a_distribution_s_is_not_taken_for_it(site) -> None:
    place, _ = site
    install(place, "thing", "1.0", "else_where.py")
    install(place, "other", "2.0", "thing.py")
    assert versions(["thing"]) == {"other": "2.0"}


def test_what_is_not_there_or_comes_with_python_is_left_out() -> None:
    assert versions(["json", "nowhere_to_be_found"]) == {}
