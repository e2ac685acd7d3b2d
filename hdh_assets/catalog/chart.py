"""Small charts for people who would rather look than read: pictures inside Markdown, made without a browser.

The UI shows Markdown of under a thousand characters without a click: the picture for a glance is an SVG that fits.
"""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import quote

from hdh_assets.catalog.entry import Entry
from hdh_assets.catalog.page import number

_MOST_TABLES = 6
_MOST_BARS = 24
_SAFE = "=:/,'"
_WIDTH, _HEIGHT = 460, 150


def at_a_glance(entry: Entry) -> str | None:
    """Rows of the latest periods as bars, in a picture the UI shows at once; None when nothing was delivered."""
    latest = entry.deliveries[-_MOST_BARS:]
    if not latest:
        return None
    top = max(delivery.rows for delivery in latest) or 1
    step = 240 // max(len(latest), 6)
    bars = "".join(
        f"M{n * step},50v-{max(round(50 * delivery.rows / top), 1)}h{step - 2}V50z" for n, delivery in enumerate(latest)
    )
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 240 50' width='360'>"
        f"<path fill='#4f43dd' d='{bars}'/></svg>"
    )
    words = f"{latest[0].period} to {latest[-1].period}, at most {number(top)} rows a period"
    return f"![{words}](data:image/svg+xml,{quote(svg, safe=_SAFE)})\n\n{words}"


def rows_per_period(entry: Entry) -> str | None:
    """Rows by period, the largest tables apart, as a Markdown image; None when nothing was delivered."""
    if not entry.deliveries:
        return None
    totals = {name: table.rows for name, table in entry.tables.items()}
    largest = sorted(totals, key=lambda name: -totals[name])[:_MOST_TABLES]
    counts: dict[tuple[str, str], int] = {}
    for delivery in entry.deliveries:
        for table, rows in delivery.rows_by_table.items():
            key = (delivery.period, table if table in largest else "other tables")
            counts[key] = counts.get(key, 0) + rows
    values = [{"period": period, "table": table, "rows": rows} for (period, table), rows in counts.items()]
    return f"![Rows by period]({_picture(values)})"


def _picture(values: list[dict[str, Any]]) -> str:
    import altair as alt  # noqa: PLC0415 - a third of a second

    chart = (
        alt.Chart(alt.InlineData(values=values), width=_WIDTH, height=_HEIGHT)
        .mark_bar()
        .encode(
            x=alt.X("period:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("rows:Q", title="rows", axis=alt.Axis(format="~s", tickCount=4)),
            color=alt.Color("table:N", title=None),
        )
    )
    buffer = io.BytesIO()
    chart.save(buffer, format="png", scale_factor=1.25)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
