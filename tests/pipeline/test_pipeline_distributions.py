"""The versions of what steps import: exact, from the distributions' own records; by the files where no version says what is in them."""

from __future__ import annotations

import importlib.metadata as metadata
import json
import sys
from pathlib import Path

import pytest

from towpath.pipeline import distributions, loose
from towpath.pipeline.distributions import normal, versions

CACHES = ("_providers", "_listed", "_folders", "_distribution")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder on the path in which distributions can be installed."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def forget() -> None:
        for name in CACHES:
            getattr(distributions, name).cache_clear()
        for remembered in (loose.at, loose.in_root):
            remembered.cache_clear()

    forget()
    yield tmp_path, forget
    forget()


def install(site: Path, name: str, version: str, *files: str, needs: str = "", editable: str = "") -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nVersion: 9, says the text\n")
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if editable:
        (folder / "direct_url.json").write_text(json.dumps({"dir_info": {"editable": True}, "url": editable}))
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
    install(place, "mine", "1.0", "mine.py", editable="file:///x")
    before = versions(["mine"])
    assert set(before) == {"mine", "files of mine"}
    (place / "mine.py").write_text("A = 2\n")
    forget()
    assert versions(["mine"]) != before


@pytest.fixture
def edited(site, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source root of `wide`, which has two packages; `thing`, a release, requires it."""
    place, _ = site
    root = tmp_path_factory.mktemp("wide root")
    for name in ("src/wide/__init__.py", "src/beside/__init__.py", "src/wide/data/rates.csv", "docs/notes.txt", ".git/index"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1\n")
    for name in ("build/lib/wide.py", "env/pyvenv.cfg", "env/lib/other.py", "node_modules/a.py", "src/wide.egg-info/a.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1\n")
    install(place, "wide", "1.0", editable=root.as_uri())
    install(place, "thing", "1.0", "thing.py", needs="Requires-Dist: wide")
    monkeypatch.syspath_prepend(str(root / "src"))
    return root


@pytest.mark.parametrize("module", ["wide", "thing"])
@pytest.mark.parametrize("file", ["src/wide/__init__.py", "src/beside/__init__.py", "src/wide/data/rates.csv", "new.py"])
def test_whatever_is_edited_in_a_source_root_counts(site, edited: Path, module: str, file: str) -> None:
    before = versions([module])
    assert before["wide"] == "1.0"
    (edited / file).write_text("2\n")
    site[1]()
    assert versions([module]) != before


@pytest.mark.parametrize(
    "file", ["docs/notes.txt", ".git/index", "build/lib/wide.py", "env/lib/other.py", "node_modules/a.py", "src/wide.egg-info/a.py"]
)
def test_what_is_not_imported_from_a_source_root_does_not_count(site, edited: Path, file: str) -> None:
    before = versions(["thing"])
    (edited / file).write_text("2\n")
    site[1]()
    assert versions(["thing"]) == before


def test_a_source_root_may_lead_to_itself(edited: Path) -> None:
    (edited / "src/wide/again").symlink_to(edited / "src")
    assert "sources of wide" in versions(["wide"])


def test_what_a_module_without_a_distribution_imports_counts(site) -> None:
    place, forget = site
    install(place, "one_thing", "1.0", "thing.py")
    (place / "loose.py").write_text("def f():\n    import json, thing.part as p, further\n")
    (place / "further.py").write_text("from . import x\nfrom loose import f\n")
    before = versions(["loose"])
    assert before.keys() == {"files of loose", "files of further", "one-thing"}
    (place / "further.py").write_text("A = 2\n")
    forget()
    assert versions(["loose"]) != before


def test_a_part_of_a_namespace_that_no_distribution_has_counts_by_its_files(site, tmp_path_factory, monkeypatch) -> None:
    place, forget = site
    install(place, "a_part", "1.0", "shared_space/a.py")
    other = tmp_path_factory.mktemp("other")
    monkeypatch.syspath_prepend(str(other))
    (other / "shared_space").mkdir()
    (other / "shared_space/b.py").write_text("A = 1\n")
    before = versions(["shared_space"])
    assert before.keys() == {"a-part", "files of shared_space"}
    (other / "shared_space/b.py").write_text("A = 2\n")
    forget()
    assert versions(["shared_space"]) != before


def test_a_name_like_a_distribution_s_is_not_taken_for_it(site) -> None:
    place, _ = site
    install(place, "thing", "1.0", "else_where.py")
    install(place, "other", "2.0", "thing.py")
    assert versions(["thing"]) == {"other": "2.0"}


def test_what_is_not_there_or_comes_with_python_is_left_out() -> None:
    assert versions(["json", "nowhere_to_be_found"]) == {}
