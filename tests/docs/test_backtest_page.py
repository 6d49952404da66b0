"""docs/backtest.md names the options that there are; its drill is read as it stands."""

import re
from pathlib import Path

from typer.main import get_group

from towpath.backtest.drill import Plant, plants_of
from towpath.cli.backtest import app
from towpath.project_fields import keys

PAGE = (Path(__file__).parents[2] / "docs" / "backtest.md").read_text()


def test_every_option_is_documented():
    options = {name for option in get_group(app).commands["backtest"].params for name in option.opts if name != "--help"}
    documented = set(re.findall(r"^\| `(--[a-z]+)", PAGE, re.MULTILINE))
    assert documented == options


def test_the_drill_is_read(tmp_path):
    (tmp_path / "drill.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    assert [plant.month for plant in plants_of(tmp_path / "drill.yaml")] == ["2013-05", "2013-10", "2013-11"]


def test_every_key_of_a_drill_is_documented():
    drills = PAGE.split("## Drills")[1]
    assert all(f"`{key}`" in drills for key in keys(Plant))
