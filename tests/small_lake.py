"""A lake with one table, for tests of the lake itself and of what reads it."""

from __future__ import annotations

from resources.lake import Lake


def fill(lake: Lake, rows: int) -> None:
    """Add so many rows to `omop.person`, numbered from 0."""
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS lake.omop")
        engine.execute("CREATE TABLE IF NOT EXISTS lake.omop.person (person_id BIGINT NOT NULL)")
        engine.execute(f"INSERT INTO lake.omop.person SELECT * FROM range({rows})")
