"""What has been standardised, kept in the lake itself so that it moves in step with the tables.

`staging.int_hub__standardised` has one row per delivery whose rows are in OMOP, with the instant it was loaded at (a
delivery may be loaded again, with other rows), and one (dataset `*`) for the version of the rules. Comparing it with
`meta.delivery` tells what is left to do; there is no cursor.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.standard.sources_yml import PROJECT, SOURCES_FILE
from resources.lake import transaction
from resources.removals import Step, followed, note, touched_since

_STATE = "lake.staging.int_hub__standardised"
_SCOPE = "lake.staging.int_hub__scope"
_RULES = "*"
_LOADED = "epoch_us(loaded_at)::VARCHAR"
"""What tells one loading of a delivery from the next, as the state keeps it (`fingerprint`)."""
_WORDS = re.compile(rb'^ *(?:- )?description: .*$|\bfr: "(?:[^"\\\n]|\\.)*"', re.MULTILINE)
"""Descriptions in English and in French. To parse the files instead would take every command half a second."""
EVERYONE = 0
"""The person of the scope that stands for all."""


@dataclass(frozen=True)
class Pending:
    """What is left to standardise. `rules` is true when the rules changed, `datasets` those whose deliveries did."""

    rules: bool
    datasets: tuple[str, ...]
    resumed: bool
    """A former run was stopped before its end."""
    oppositions: int = 0
    """Revision of the oppositions that the delivered tables follow."""
    is_behind_oppositions: bool = False
    """OMOP follows an earlier one."""
    current: tuple[tuple[str, str, str], ...] = ()
    """Dataset, id and instant of loading of every delivery that feeds OMOP, when this was found out."""

    @property
    def concerns_tables(self) -> bool:
        """Whether tables must be computed."""
        return bool(self.rules or self.datasets or self.resumed)

    @property
    def nothing(self) -> bool:
        """Whether the tables are up to date, and known to be."""
        return not (self.concerns_tables or self.is_behind_oppositions)


def ensure_state(engine: duckdb.DuckDBPyConnection) -> None:
    """Create the state and the scope when missing."""
    engine.execute("CREATE SCHEMA IF NOT EXISTS lake.staging")
    engine.execute(f"CREATE TABLE IF NOT EXISTS {_STATE} (dataset VARCHAR, delivery_id UUID, fingerprint VARCHAR)")
    engine.execute(f"CREATE TABLE IF NOT EXISTS {_SCOPE} (person_id BIGINT NOT NULL, care_date DATE)")


def pending(engine: duckdb.DuckDBPyConnection, fed: set[str], fingerprint: str) -> Pending:
    """What is left to do for the datasets that feed OMOP (`fed`) under the rules of this `fingerprint`."""
    rules = engine.execute(f"SELECT fingerprint FROM {_STATE} WHERE dataset = '{_RULES}'").fetchall()
    current = f"SELECT dataset, delivery_id, {_LOADED} FROM lake.meta.delivery WHERE status = 'current'"
    done = f"SELECT dataset, delivery_id, fingerprint FROM {_STATE} WHERE dataset <> '{_RULES}'"
    changed = engine.execute(
        f"SELECT DISTINCT dataset FROM (({current} EXCEPT {done}) UNION ALL ({done} EXCEPT {current})) ORDER BY dataset"
    ).fetchall()
    scope = engine.execute(f"SELECT count(*) FROM {_SCOPE}").fetchall()[0][0]
    opposed = followed(engine)
    touched = {dataset for dataset, _ in touched_since(engine, opposed.standardised)}
    names = sorted(({name for (name,) in changed} | touched) & fed)
    is_behind = opposed.standardised < opposed.applied
    feeding = tuple(
        (dataset, str(delivery), loaded)
        for dataset, delivery, loaded in engine.execute(current).fetchall()
        if dataset in fed
    )
    return Pending(rules != [(fingerprint,)], tuple(names), scope > 0, opposed.applied, is_behind, feeding)


def put_everyone_in_scope(engine: duckdb.DuckDBPyConnection) -> None:
    """Ask for every row of every table to be recomputed."""
    engine.execute(f"INSERT INTO {_SCOPE} VALUES ({EVERYONE}, NULL)")


def record_done(engine: duckdb.DuckDBPyConnection, fingerprint: str, done: Pending) -> None:
    """Empty the scope and note that what was left to do when the run began is done, in one transaction.

    A delivery that came in meanwhile, as a catalogue in PostgreSQL allows, stays to be done.
    """
    with transaction(engine):
        engine.execute(f"DELETE FROM {_SCOPE}")
        engine.execute(f"DELETE FROM {_STATE}")
        engine.execute(
            f"INSERT INTO {_STATE} SELECT unnest(?::VARCHAR[]), unnest(?::UUID[]), unnest(?::VARCHAR[])",
            [[found[position] for found in done.current] for position in range(3)],
        )
        engine.execute(f"INSERT INTO {_STATE} VALUES ('{_RULES}', NULL, ?)", [fingerprint])
        if done.oppositions > followed(engine).standardised:
            note(engine, done.oppositions, Step.standardised)
        crash_point("standardise.before_done")
    crash_point("standardise.after_done")


def rules_fingerprint(vocab_dir: str) -> str:
    """Digest of all that decides the result beside the deliveries: dbt project, vocabularies, engine."""
    digest = hashlib.sha256(f"duckdb {duckdb.__version__}\n{_project_digest()}\n".encode())
    if not vocab_dir:
        return digest.hexdigest()
    digest.update(b"athena\n")  # an empty folder is not the absence of one: it is looked at, and refused
    for path in sorted(Path(vocab_dir).glob("*.csv")):
        stat = path.stat()
        digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def _project_digest() -> str:
    digest = hashlib.sha256()
    for folder in ("models", "macros", "seeds"):
        for path in sorted((PROJECT / folder).rglob("*")):
            if path.is_file() and not path.name.startswith((".", f"{SOURCES_FILE.stem}.")):
                digest.update(f"{path.relative_to(PROJECT)}\n".encode() + _without_words(path))
    digest.update((PROJECT / "dbt_project.yml").read_bytes())
    return digest.hexdigest()


def _without_words(path: Path) -> bytes:
    """What a file of the project says, but for descriptions of one line: a better word is no other rule."""
    content = path.read_bytes()
    return _WORDS.sub(b"", content) if path.suffix == ".yml" else content
