"""What all pictures share: their forms, colours and dress. A picture is a Vega-Lite value until it is written."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

Form = Literal["png", "svg", "html"]
FORMS: tuple[Form, ...] = ("png", "svg", "html")

GREY, BLUE, RED, GREEN, PALE, INK, SOFT = "#b8c0c8", "#2f6db3", "#c94f4f", "#2e9e6b", "#d7e3f1", "#1f2933", "#66727f"


def dressed(chart: Any, *, offset: int = 8) -> Any:
    """An Altair chart in the look of the house; ``offset``: pixels between a title and its chart."""
    return (
        chart.configure(background="white", padding=24, font="Helvetica, Arial, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(labelColor=SOFT, titleColor=SOFT, titleFontWeight="normal", domain=False, ticks=False, gridColor="#edf0f2")
        .configure_title(anchor="start", color=INK, subtitleColor=SOFT, fontSize=13, subtitleFontSize=11, offset=offset)
        .configure_legend(labelColor=SOFT, titleColor=SOFT)
    )


def written(chart: Any, form: Form) -> bytes:
    """The bytes of a file with the chart."""
    if form == "html":
        page: str = chart.to_html(inline=True)
        return page.encode()
    convert, spec = import_module("vl_convert"), chart.to_json()
    if form == "svg":
        text: str = convert.vegalite_to_svg(spec)
        return text.encode()
    image: bytes = convert.vegalite_to_png(spec, scale=2)
    return image
