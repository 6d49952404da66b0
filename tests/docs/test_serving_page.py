"""docs/serving.md names the routes that there are, with method and scope."""

import re
from pathlib import Path

import pytest

from towpath.serving.app import App
from towpath.serving.settings import ServerSettings

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
ROUTES = re.findall(r"^\| `(GET|POST) (\S+)` \|.*\| (\S+) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def app(tmp_path):
    return App(ServerSettings(model="m", spool=tmp_path, cache=tmp_path), None, None, None)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_every_route_is_there(app, method, path, scope):
    route, _ = app._route(path.format(m="m", v="1"))
    assert (route.method, route.scope or "-") == (method, scope)


def test_no_fixed_route_is_left_out(app):
    assert {path.replace("/m/", "/{m}/") for path in app._fixed} <= {path for _, path, _ in ROUTES}
