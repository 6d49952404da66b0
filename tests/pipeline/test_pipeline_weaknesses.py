"""What cannot be followed is named, with its line and the way to declare it; what can be followed, or is declared, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from towpath.pipeline.code import listed as kinds
from towpath.pipeline.code.reach import Project

HEAD = """import configparser, importlib, inspect, os, random, secrets, subprocess, sys, time, uuid; import xml.etree.ElementTree as ET
import lightgbm as lgb, numpy as np, pandas as pd, torch; from deltalake import DeltaTable; from dotenv import load_dotenv
import polars as pl
import requests; from sklearn import datasets; from transformers import Auto; from openpyxl import load_workbook
from datetime import datetime; from omegaconf import OmegaConf; from pydantic_settings import BaseSettings
from pathlib import Path
from helper import load, table
NAME = "x"
"""


def told(root: Path, text: str) -> tuple[str, ...]:
    (root / "helper.py").write_text("def load(path):\n    return open(path).read()\n\n\ntable = {}\n")
    (root / "pipeline.py").write_text(HEAD + text)
    return Project(root, "pipeline.py").weaknesses("rows")


def of_body(root: Path, body: str) -> tuple[str, ...]:
    return told(root, f"def rows(rides, photos: Path):\n    {body}\n")


@pytest.mark.parametrize(
    ("body", "shown", "kind"),
    [
        ("return eval('a')", "eval", kinds.LOOKS_UP),
        ("return getattr(rides, NAME)", "getattr", kinds.LOOKS_UP),
        ("setattr(table, NAME, 1)", "setattr", kinds.LOOKS_UP),
        ("return importlib.import_module(NAME)", "importlib.import_module", kinds.LOOKS_UP),
        ("return globals()[NAME]", "globals", kinds.LOOKS_UP),
        ("return sys.modules[NAME]", "sys.modules", kinds.LOOKS_UP),
        ("return Exception.__subclasses__()", "__subclasses__", kinds.LOOKS_UP),
        ("return open('x').read()", "open", kinds.READS),
        ("return Path('x').read_text()", "read_text", kinds.READS),
        ("return pl.read_csv('x')", "read_csv", kinds.READS),
        ("return pl.scan_parquet('x')", "scan_parquet", kinds.READS),
        ("return np.load('x')", "np.load", kinds.READS),
        ("return os.listdir()", "os.listdir", kinds.READS),
        ("return os.environ['X']", "os.environ", kinds.MACHINE),
        ("return os.getenv('X')", "os.getenv", kinds.MACHINE),
        ("return Path.home()", "Path.home", kinds.MACHINE),
        ("return sys.argv", "sys.argv", kinds.MACHINE),
        ("return time.time()", "time.time", kinds.CLOCK),
        ("return datetime.now()", "datetime.now", kinds.CLOCK),
        ("return requests.get('x')", "requests.get", kinds.OUTSIDE),
        ("return subprocess.run(['ls'])", "subprocess.run", kinds.OUTSIDE),
        ("return np.random.default_rng()", "default_rng", kinds.RANDOM),
        ("return random.Random()", "Random", kinds.RANDOM),
        ("return secrets.token_hex()", "secrets.token_hex", kinds.RANDOM),
        ("return uuid.uuid4()", "uuid.uuid4", kinds.RANDOM),
        ("return rides.sample(5)", "sample", kinds.RANDOM),
        ("return hash('a')", "hash", kinds.RANDOM),
        ("return __file__", "__file__", kinds.OWN_TEXT),
        ("return datasets.fetch_openml('x')", "datasets.fetch_openml", kinds.OUTSIDE),
        ("return datasets.load_files('x')", "datasets.load_files", kinds.READS),
        ("return configparser.ConfigParser().read('x')", "configparser.ConfigParser", kinds.READS),
        ("load_dotenv()", "load_dotenv", kinds.MACHINE),
        ("return BaseSettings()", "BaseSettings", kinds.MACHINE),
        ("return OmegaConf.load('x')", "OmegaConf.load", kinds.READS),
        ("return Auto.from_pretrained('x')", "from_pretrained", kinds.OUTSIDE),
        ("return ET.parse('x')", "ET.parse", kinds.READS),
        ("return load_workbook('x')", "load_workbook", kinds.READS),
        ("return lgb.Booster(model_file='x')", "Booster", kinds.READS),
        ("return DeltaTable('x')", "DeltaTable", kinds.READS),
        ("return Path('x').exists()", "exists", kinds.READS),
        ("return Path('x').stat()", "stat", kinds.READS),
        ("return Path('x').resolve()", "resolve", kinds.MACHINE),
        ("return os.path.isfile('x')", "os.path.isfile", kinds.READS),
        ("return pd.Timestamp('now')", "Timestamp", kinds.CLOCK),
        ("return np.random.default_rng(None)", "default_rng", kinds.RANDOM),
        ("return np.random.default_rng(seed=None)", "default_rng", kinds.RANDOM),
        ("np.random.seed()", "seed", kinds.RANDOM),
        ("return rides.sample(5, seed=None)", "sample", kinds.RANDOM),
        ("f = open; return f('x')", "open", kinds.READS),
        ("return [*map(open, ['x'])]", "open", kinds.READS),
        ("return sorted(rides, key=hash)", "hash", kinds.RANDOM),
        ("os.chdir('/')", "chdir", kinds.STATE),
        ("pd.set_option('a', 1)", "set_option", kinds.STATE),
        ("return rows.__doc__", "rows.__doc__", kinds.OWN_TEXT),
        ("return inspect.getsource(load)", "inspect.getsource", kinds.OWN_TEXT),
    ],
)
def test_it_is_named_with_its_line_and_the_way_to_declare_it(tmp_path: Path, body: str, shown: str, kind: kinds.Weakness) -> None:
    assert f"pipeline.py:10: `{shown}` {kind.what}: {kind.mend}" in of_body(tmp_path, body)


@pytest.mark.parametrize(
    "body",
    [
        "return getattr(rides, 'x', None)",
        "return rides.filter(pl.col('a') > 1)",
        "return np.random.default_rng(3).random()",
        "return np.random.random()",  # seeded before each step
        "return random.random()",
        "return torch.randn(3), torch.randint(5, (2,)), torch.nn.Linear(2, 1)",
        "return random.Random(3).random()",
        "return datasets.load_iris()",
        "return lgb.Booster(model_str=rides)",
        "return pd.Timestamp('2024-01-01')",
        "return [photo.exists() for photo in photos.iterdir()]",
        "id = 3; return id",
        "np.random.seed(3)",
        "return rides.sample(5, seed=1)",
        "return [open(file).read() for file in photos.iterdir()]",
        "one = photos / 'a.txt'\n    with one.open() as file:\n        return file.read()",
        "time.sleep(0)",
        "return datetime(2024, 1, 1)",
        "return table",
    ],
)
def test_what_is_known_is_no_weakness(tmp_path: Path, body: str) -> None:
    assert of_body(tmp_path, body) == ()


def test_a_file_that_a_helper_reads_is_named_where_it_is_read(tmp_path: Path) -> None:
    assert of_body(tmp_path, "return load('x')") == (f"helper.py:2: `open` {kinds.READS.what}: {kinds.READS.mend}",)


def test_a_constant_that_depends_on_the_machine_is_named(tmp_path: Path) -> None:
    found = told(tmp_path, "HOME = os.environ['HOME']\ndef rows(rides):\n    return HOME\n")
    assert found == (f"pipeline.py:9: `os.environ` {kinds.MACHINE.what}: {kinds.MACHINE.mend}",)


def test_what_is_not_reached_is_not_named(tmp_path: Path) -> None:
    assert told(tmp_path, "HOME = os.environ['HOME']\ndef rows(rides):\n    return rides\n") == ()


def test_draws_on_import_are_named(tmp_path: Path) -> None:
    found = told(tmp_path, "NOISE = np.random.random()\ndef rows(rides):\n    return NOISE\n")
    assert found == (f"pipeline.py:9: `random` {kinds.EARLY.what}: {kinds.EARLY.mend}",)


def test_a_global_is_named(tmp_path: Path) -> None:
    found = told(tmp_path, "COUNT = 0\ndef rows(rides):\n    global COUNT\n    COUNT += 1\n    return COUNT\n")
    assert found == (f"pipeline.py:10: `COUNT` {kinds.STATE.what}: {kinds.STATE.mend}",)


def test_a_function_of_ones_own_hides_the_builtin(tmp_path: Path) -> None:
    assert told(tmp_path, "def open(x):\n    return x\ndef rows(rides):\n    return open('x')\n") == ()
