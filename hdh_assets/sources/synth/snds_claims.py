"""Claims and lines of one monthly flux, for a range of persons: tables `claim`, `test` and `line`.

A claim belongs to a person, a month of care and a delay: what a flux holds is computed from those alone, so that a
month is the same whichever months are asked for. A flux also holds the cancellations of claims of the three fluxes
before it, and sometimes their corrected form. The columns of the files are queries in `sql/er_*.sql`.
"""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.sources.synth.engine import BANDS, run, slots

LATEST_MONTHS = 27
"""Care reaches a flux up to this many months after the first flux that could hold it."""

CANCELLED_PERCENT = 1.5
REBILLED_PERCENT = 50
ORPHANS_PER_TEN_THOUSAND = 5
"""Claims that arrive as the cancellation of nothing."""

CLAIMS_PER_MONTH = (7.2, 3.9, 5.4, 7.8, 13.8)
"""Mean claims of a person in a month of care, by age band."""


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the draw tables `service`, `service_slot`, `item`, `item_slot` and `delay`, once for a connection."""
    run(con, "snds_delay", latest=LATEST_MONTHS)
    run(con, "snds_service")
    weights = " UNION ALL ".join(
        f"SELECT {number} AS band, service, {name}::INTEGER AS weight, position FROM code_services"
        for number, (name, _) in enumerate(BANDS)
    )
    slots(con, "service_slot", weights, "band", "service")
    run(con, "snds_item")
    eligible = f"""
        SELECT pool, band, s.range::INTEGER AS sex, item, weight, item AS position FROM item
        JOIN (VALUES {_band_ages()}) AS ages(band, lower_age, upper_age)
          ON min_age < upper_age AND max_age >= lower_age
        JOIN range(1, 3) s ON item.sex IS NULL OR item.sex = s.range
    """
    slots(con, "item_slot", eligible, "pool, band, sex", "item")


def make_lines(con: duckdb.DuckDBPyConnection, flux: date, first: int, last: int) -> None:
    """Fill `claim`, `test` and `line` for the persons from `first` to before `last`."""
    run(
        con,
        "snds_claim",
        flux=f"DATE '{flux}'",
        first=first,
        last=last,
        rates=list(CLAIMS_PER_MONTH),
        cancelled=CANCELLED_PERCENT,
        rebilled=REBILLED_PERCENT,
        orphans=ORPHANS_PER_TEN_THOUSAND,
    )
    run(con, "snds_test")
    run(con, "snds_line")


def _band_ages() -> str:
    lowers = [0, *(upper for _, upper in BANDS)]
    return ", ".join(f"({number}, {lowers[number]}, {upper})" for number, (_, upper) in enumerate(BANDS))
