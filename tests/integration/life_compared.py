"""Whether two hubs hold the same, and whether one at rest is sound.

Compared whole: the OMOP tables, what standardisation keeps beside them, the delivered tables with the delivery, period
and file of each row, the register's current deliveries, and, byte for byte, the data files of the extract that each
permit in force last had. The keys of both hubs are the same, so that pseudonyms and project keys are.

Not compared, for two hubs may differ in it: instants of loading and of release, and the code that ran (`cdm_source`,
the state of standardisation); runs; numbers of releases, snapshots, versions, permits and oppositions, and what names
them (README and manifest of an extract); receipts and their counts, which say what was so when they were given;
superseded deliveries; catalogue entries, measured when they were; what the book learnt of who objected, of which the
hub that lived may know more.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
from life_hub import Hub

from hdh_assets.extracts.due import read_delivered
from hdh_assets.extracts.verify import verify_delivered
from hdh_assets.extracts.versions import list_versions
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import latest


def differences(one: Hub, other: Hub) -> list[str]:
    """What the two hubs do not have in common, in words and counts."""
    found = []
    if (left := one.accepted()) != (right := other.accepted()):
        found.append(f"current deliveries: {sorted(left.items() ^ right.items())}")
    with (
        open_lake(one.home, one.settings).reader() as lived,
        open_lake(other.home, other.settings).reader() as fresh,
    ):
        for name in sorted(_tables(lived) | _tables(fresh)):
            found += _difference(name, _rows(lived, name), _rows(fresh, name))
    for project in sorted(one.permits().keys() | other.permits().keys()):
        found += _extract_difference(project, one, other)
    return found


def _tables(engine: duckdb.DuckDBPyConnection) -> set[str]:
    """Tables to compare: not the registers, nor what tells instants of loading and the code that ran."""
    rows = engine.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'lake' "
        "AND schema_name NOT IN ('meta', 'catalog')"
    ).fetchall()
    return {name for (name,) in rows} - {"staging.int_hub__standardised", "omop.cdm_source"}


def _rows(engine: duckdb.DuckDBPyConnection, name: str) -> pa.Table | None:
    try:
        return engine.execute(f"FROM lake.{name}").to_arrow_table()
    except duckdb.CatalogException:
        return None


def _difference(name: str, left: pa.Table | None, right: pa.Table | None) -> list[str]:
    if left is None or right is None:
        return [f"{name}: not in both"] if left or right else []
    engine = duckdb.connect()
    engine.register("l", left.select(sorted(left.column_names)))
    engine.register("r", right.select(sorted(right.column_names)))
    counts = [
        engine.execute(f"SELECT count(*) FROM (FROM {a} EXCEPT ALL FROM {b})").fetchall()[0][0]
        for a, b in (("l", "r"), ("r", "l"))
    ]
    if not any(counts):
        return []
    sides = zip(("lived", "fresh"), counts, (left.num_rows, right.num_rows), strict=True)
    return [f"{name}: " + ", ".join(f"{count} of {rows} rows only {side}" for side, count, rows in sides)]


def _extract_difference(project: str, one: Hub, other: Hub) -> list[str]:
    held = []
    for hub in (one, other):
        numbers = hub.permits()
        standing = [
            version
            for version in list_versions(hub.home, project)
            if not version.is_withdrawn and version.basis.permit == numbers.get(project)
        ]
        held.append({f["name"]: f["sha256"] for f in standing[-1].files if "table" in f} if standing else None)
    if held[0] == held[1]:
        return []
    if None in held:
        return [f"extract of {project}: {[each is not None for each in held]}"]
    return [f"extract of {project}: {sorted(name for name in held[0] if held[0][name] != held[1].get(name))}"]


def unsound(hub: Hub) -> list[str]:
    """What a hub at rest must not show."""
    found = [f"{name}: {problems}" for name, problems in verify_delivered(hub.home, hub.settings).items() if problems]
    with Registry(hub.home, hub.settings) as registry:
        found += [] if registry.verify().is_intact else ["the event log is broken"]
        delivered = read_delivered(hub.home, registry)
    release = latest(open_lake(hub.home, hub.settings))
    for grant in hub.permits().items():
        if release and delivered.get(grant, 0) != release.number:
            found.append(f"{grant[0]} has not the newest release")
    found += [f"left in {path.parent}" for path in (hub.home.vault / "tmp").glob("*")]
    return found
