"""What oppositions did to the lake, as the lake tells it; no row says who.

Revisions of the book followed, deliveries that lost rows, releases that hold somebody who objected since.

Two tables: `meta.opposition`, only ever appended to, and `meta.retired_release`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

import duckdb

from hdh_assets.core.errors import RefusedError
from resources.lake import ALIAS, has_table

SHAPES: dict[str, dict[str, str]] = {
    "opposition": {
        "revision": "BIGINT NOT NULL",
        "step": "VARCHAR NOT NULL",
        "dataset": "VARCHAR",
        "delivery_id": "UUID",
    },
    "retired_release": {"number": "INTEGER NOT NULL", "revision": "BIGINT NOT NULL"},
}
"""Columns of the tables of `meta`, by table."""


class Step(StrEnum):
    """What happened under a revision of the book."""

    wanted = "wanted"
    """Intake learnt that more rows of the lake must go; the trusted third party has not removed them yet."""
    kept_out = "kept_out"
    """The lake's head holds nobody whom this revision keeps out. With a delivery: that delivery lost rows."""
    standardised = "standardised"
    """Staging and OMOP follow."""
    erased = "erased"
    """No file of the head holds a byte of the rows removed."""


@dataclass(frozen=True)
class Followed:
    """How far the lake follows the book: the greatest revision of each step, 0 when none."""

    wanted: int = 0
    applied: int = 0
    standardised: int = 0
    erased: int = 0

    def is_waiting(self, recorded: int) -> bool:
        """Whether something recorded (revision of the registry's events) is not applied to the lake's head yet."""
        return max(self.wanted, recorded) > self.applied


def followed(engine: duckdb.DuckDBPyConnection) -> Followed:
    """What `meta.opposition` says."""
    if not has_table(engine, "meta", "opposition"):
        return Followed()
    found = engine.execute(f"SELECT step, max(revision) FROM {ALIAS}.meta.opposition GROUP BY step").fetchall()
    steps = {step: int(revision) for step, revision in found}
    return Followed(
        wanted=steps.get(Step.wanted, 0),
        applied=steps.get(Step.kept_out, 0),
        standardised=steps.get(Step.standardised, 0),
        erased=steps.get(Step.erased, 0),
    )


def note(
    engine: duckdb.DuckDBPyConnection, revision: int, step: Step, deliveries: Iterable[tuple[str, str]] = ()
) -> None:
    """Append a row for the revision, or one for each (dataset, delivery)."""
    found: list[tuple[str | None, str | None]] = [*deliveries] or [(None, None)]
    # one statement: each would be a file of the lake
    engine.execute(
        f"INSERT INTO {ALIAS}.meta.opposition SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::UUID[])",
        [revision, step.value, [dataset for dataset, _ in found], [delivery for _, delivery in found]],
    )


def touched_since(engine: duckdb.DuckDBPyConnection, revision: int) -> set[tuple[str, str]]:
    """Current deliveries that lost rows after that revision, as (dataset, delivery)."""
    found = engine.execute(
        f"SELECT DISTINCT dataset, delivery_id::VARCHAR FROM {ALIAS}.meta.opposition SEMI JOIN "
        f"(SELECT delivery_id FROM {ALIAS}.meta.delivery WHERE status = 'current') USING (delivery_id) "
        "WHERE revision > ?",
        [revision],
    ).fetchall()
    return {(dataset, delivery) for dataset, delivery in found}


def retire(engine: duckdb.DuckDBPyConnection, numbers: Collection[int], revision: int) -> None:
    """Mark releases that hold somebody whom this revision keeps out."""
    if new := sorted(set(numbers) - retired(engine)):
        engine.execute(
            f"INSERT INTO {ALIAS}.meta.retired_release SELECT unnest(?::INTEGER[]), ?::BIGINT", [new, revision]
        )


def retired(engine: duckdb.DuckDBPyConnection) -> set[int]:
    """Numbers of the retired releases."""
    if not has_table(engine, "meta", "retired_release"):
        return set()
    return {number for (number,) in engine.execute(f"SELECT number FROM {ALIAS}.meta.retired_release").fetchall()}


def check_followed(engine: duckdb.DuckDBPyConnection, recorded: int, *, is_standardised: bool) -> None:
    """Raise `RefusedError` while the lake does not follow every opposition recorded so far.

    With `is_standardised`, OMOP must follow too.
    """
    found = followed(engine)
    if found.is_waiting(recorded):
        raise RefusedError(
            "an opposition was recorded that the lake does not follow yet",
            remedy="nothing to do: it goes on by itself once the trusted third party has removed the rows",
        )
    if is_standardised and found.standardised < found.applied:
        raise RefusedError(
            "rows were removed for an opposition and the OMOP tables do not follow yet",
            remedy="nothing to do: it goes on by itself after the next standardisation",
        )
