"""docs/project.md names every key of towpath.yaml with its default, and its examples are read as they stand."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from towpath.gates import parse
from towpath.project import Declared
from towpath.project_file import load
from towpath.project_reading import schema as schema_of

PAGE = (Path(__file__).parents[2] / "docs" / "project.md").read_text()
ROW = re.compile(r"^\| `([\w.|\\]+)` \| .* \| ([^|]*) ?\|$", re.MULTILINE)


def keys(schema, node=None, path=""):
    """(path, node) of every key of the schema; a name that the user chooses is NAME."""
    node = schema if node is None else node
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    for option in node.get("anyOf", []):
        yield from keys(schema, option, path)
    if "items" in node:
        yield from keys(schema, node["items"], path)
    if isinstance(node.get("additionalProperties"), dict):
        names = node.get("propertyNames", {}).get("enum")
        yield from keys(schema, node["additionalProperties"], f"{path}.{'|'.join(names) if names else 'NAME'}".lstrip("."))
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}".lstrip("."), child
        yield from keys(schema, child, f"{path}.{name}".lstrip("."))


SCHEMA = schema_of(Declared)
KEYS = dict(keys(SCHEMA))
WRITTEN = {key.replace("\\|", "|"): default.strip() for key, default in ROW.findall(PAGE) if key.split(".")[0] in SCHEMA["properties"]}


def test_the_schema_was_walked_to_its_leaves():
    assert {"data.NAME.checks.columns.NAME.nulls", "environments.staging|production.release.guards", "alerts.webhook"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented(key):
    assert key in WRITTEN


@pytest.mark.parametrize("key", WRITTEN)
def test_no_key_is_documented_that_is_not_there(key):
    assert key in KEYS


@pytest.mark.parametrize("key", [key for key, node in KEYS.items() if not isinstance(node.get("default"), dict | list)])
def test_plain_defaults_are_as_documented(key):
    assert WRITTEN[key] == as_written(KEYS[key])


def as_written(node):
    """A default as a person writes it."""
    value = node.get("default", "required")
    return "-" if value is None else json.dumps(value).strip('"').removesuffix(".0")


def examples():
    return re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", examples())
def test_every_example_is_read(tmp_path, text):
    (tmp_path / "pipeline.py").touch()
    rest = {"name": "a", "data": {"rows": "rows.csv"}, "model": {"task": "binary", "rows": "rows", "label": "late"}}
    given = YAML(typ="safe").load(text)
    missing = {key: value for key, value in rest.items() if key not in given}
    (tmp_path / "towpath.yaml").write_text("\n".join([f"{key}: {json.dumps(value)}" for key, value in missing.items()] + [text]))
    project = load(tmp_path, {"ALERT_URL": "https://example.org/hook", "LEDGER_PASSWORD": "secret", "DATABASE_PASSWORD": "secret"})
    for gate in project.gates:
        parse(gate)
