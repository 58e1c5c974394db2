"""Charts drawn on the server: Altair says what, vl-convert draws it as SVG, the page's own style gives the colors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import altair
import vl_convert
from markupsafe import Markup

_SVG = "http://www.w3.org/2000/svg"
# Colors that stand for a class of the style sheet, so that a chart is light or dark with its page.
FOR, AGAINST, INK, QUIET, LINE, ACCENT, GROUND = (
    "#010101",
    "#020202",
    "#030303",
    "#040404",
    "#050505",
    "#060606",
    "#070707",
)
_CLASSES = {
    FOR: "for",
    AGAINST: "against",
    INK: "ink",
    QUIET: "quiet",
    LINE: "line",
    ACCENT: "accent",
    GROUND: "ground",
}
_FONT = "system-ui, DejaVu Sans, sans-serif"
# Some levels are there to forbid, and weigh hundreds of bits: what is beyond ends at the edge, the table tells it.
_BITS = (-25, 25)
_RAREST = 1e-8

Rows = Sequence[Mapping[str, Any]]


def draw_weights(rows: Rows, *, title: str) -> Markup:
    """Rows: level (text, in order) and weight in bits."""
    chart = (
        altair.Chart(_data(rows))
        .mark_bar(height=9)
        .encode(
            x=altair.X("weight:Q", title=title, scale=altair.Scale(domain=_BITS, clamp=True)),
            y=altair.Y("level:N", sort=None, title=None),
            color=altair.condition("datum.weight > 0", altair.value(FOR), altair.value(AGAINST)),
        )
        .properties(width=420, height=altair.Step(16))
    )
    return _draw(chart)


def draw_probabilities(rows: Rows, *, title: str) -> Markup:
    """Rows: level, kind (m or u) and probability; m is a full mark, u an empty one."""
    base = altair.Chart(_data(rows)).encode(
        x=altair.X(
            "probability:Q",
            title=title,
            scale=altair.Scale(type="log", domain=(_RAREST, 1), clamp=True),
            axis=altair.Axis(values=[10.0**each for each in range(-8, 1, 2)], format="~e"),
        ),
        y=altair.Y("level:N", sort=None, title=None),
    )
    full = base.transform_filter("datum.kind == 'm'").mark_point(filled=True, size=55, color=ACCENT)
    empty = base.transform_filter("datum.kind == 'u'").mark_point(
        filled=False, size=50, color=INK, shape="square"
    )
    return _draw((full + empty).properties(width=420, height=altair.Step(16)))


def draw_thresholds(rows: Rows, *, marks: Rows, title: str) -> Markup:
    """Rows: threshold in bits, kind (precision or recall), value, low, high; precision is a full line, recall a dashed
    one, each in the band of its interval. Marks: threshold of the model, name, and height to write it at."""
    base = altair.Chart(_data(rows)).encode(
        x=altair.X("threshold:Q", title=title, scale=altair.Scale(nice=False, zero=False))
    )
    share = altair.Y("value:Q", title=None, scale=altair.Scale(domain=(0, 1)), axis=altair.Axis(format=".0%"))
    layers = []
    for kind, color, opacity, dash in (("recall", INK, 0.1, (5, 4)), ("precision", ACCENT, 0.2, (1, 0))):
        of_kind = base.transform_filter(f"datum.kind == '{kind}'")
        layers.append(of_kind.mark_area(color=color, opacity=opacity).encode(y="low:Q", y2="high:Q"))
        layers.append(of_kind.mark_line(color=color, strokeDash=list(dash), strokeWidth=2).encode(y=share))
    marked = altair.Chart(_data(marks)).encode(x="threshold:Q")
    layers.append(marked.mark_rule(color=QUIET, strokeDash=[2, 3]))
    names = marked.mark_text(color=INK, font=_FONT, align="left", dx=4, dy=-4)
    layers.append(names.encode(text="name:N", y=altair.Y("height:Q")))
    return _draw(altair.layer(*layers).properties(width=420, height=150))


def _data(rows: Rows) -> Any:
    return altair.Data(values=list(rows))  # type: ignore[no-untyped-call]


def _draw(chart: Any) -> Markup:
    axis = {
        "labelColor": INK,
        "titleColor": QUIET,
        "domainColor": LINE,
        "tickColor": LINE,
        "gridColor": LINE,
        "labelFont": _FONT,
        "titleFont": _FONT,
        "labelLimit": 420,
    }
    # Room on the left: a browser's letters may be wider than those that the place was measured with.
    padding = {"left": 60, "right": 10, "top": 5, "bottom": 5}
    configured = (
        chart.configure(background=GROUND, padding=padding).configure_axis(**axis).configure_view(stroke=None)
    )
    return Markup(_drawn(configured.to_json(indent=None)))


@lru_cache(maxsize=16)
def _drawn(specification: str) -> str:
    """The first one of a process takes a second, others a twentieth."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(specification))
    for node in root.iter():
        _style(node)
    for name in ("width", "height", "class"):
        root.attrib.pop(name, None)
    root.set("role", "presentation")
    return ElementTree.tostring(root, encoding="unicode")


def _style(node: ElementTree.Element) -> None:
    """Classes in the place of colors, and nothing that a strict policy refuses."""
    node.attrib.pop("style", None)
    for name in ("role", "aria-roledescription", "aria-label"):
        node.attrib.pop(name, None)
    classes = []
    for name in ("fill", "stroke"):
        if node.get(name) in _CLASSES:
            classes.append(f"{name}-{_CLASSES[node.attrib.pop(name)]}")
    if classes:
        node.set("class", " ".join(classes))
