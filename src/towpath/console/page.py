"""From the view to HTML: a whole page, or the part of it that changes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import jinja2

from towpath.console.view import View, ago, span

_HERE = Path(__file__).parent
_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


_templates.filters |= {"span": span, "stamp": _stamp, "figure": _figure}
_templates.globals |= {"ago": ago}


def page(view: View) -> str:
    """The whole page. It needs nothing from elsewhere, and shows everything without scripts."""
    return _templates.get_template("page.html").render(
        view=view, css=(_HERE / "page.css").read_text(), script=(_HERE / "page.js").read_text()
    )


def fragment(view: View) -> str:
    """What is inside the page's ``main``: the script fetches it again and again."""
    return _templates.get_template("fragment.html").render(view=view)
