"""Extracts as assets: one multi-asset per permit in force, one asset per permitted table. A wrapper: see `build.py`."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.keys import Key, extract_key, omop_key, source_key
from hdh_assets.core.small_counts import is_small, published
from hdh_assets.core.tags import layer_tags
from hdh_assets.extracts.deliverable import table_words
from hdh_assets.extracts.documents import DICTIONARY
from hdh_assets.extracts.treatments import Treatment
from hdh_assets.extracts.versions import Version
from hdh_assets.extracts.withdrawal import withdrawals
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import permit_of, projects
from hdh_assets.governance.states import End
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.registry import DELIVERED, Registry
from resources.releases import find

OWNER = "team:projects"
_NOBODY = "nobody meets the population of the permit within its period; the project may file an amendment"


def asset_table(lake_table: str) -> str:
    """Name of the asset of a permitted table: `person` for `omop.person`, `snds_dcir__er_prs_f` for a delivered one."""
    schema, _, table = lake_table.partition(".")
    return table if schema == "omop" else f"{schema}__{table}"


def extract_keys(permit: Permit) -> dict[str, Key]:
    """Asset key of each table of the permit, by lake table."""
    return {table: extract_key(permit.project, asset_table(table)) for table in permit.table_names}


def extract_assets(permit: Permit, datasets: Mapping[str, Dataset]) -> dg.AssetsDefinition:
    """The extract of one permit; its dependencies are exactly the permitted tables."""

    @dg.multi_asset(
        name=f"extract_{permit.project}",
        specs=[_spec(permit, table, key, datasets) for table, key in extract_keys(permit).items()],
        op_tags={"hdh/project": permit.project},
    )
    def extract(context: dg.AssetExecutionContext, hub: Hub) -> Iterator[dg.MaterializeResult[Any]]:
        """Deliver the next version from the newest release."""
        from hdh_assets.extracts.build import build_extract  # noqa: PLC0415 - slow to import

        with told_to_dagster():
            release = find(hub.lake)
            result = build_extract(hub.home, hub.settings, datasets, permit, release)
        context.log.info(f"{result.version.name} from release {release.number}")
        if result.version.has_nobody:
            context.log.warning(f"{result.version.name}: {_NOBODY}")
        for table, key in extract_keys(permit).items():
            metadata = _facts(hub, result.version, table, permit)
            yield dg.MaterializeResult(asset_key=list(key.parts), metadata=metadata)

    return extract


def withdrawn_assets(registry: Registry, name: str) -> Iterator[dg.AssetObservation]:
    """What to say on the page of each asset of the version `project/v<n>`: that it was withdrawn, and why.

    From the event log alone, since a project can write into its space; nothing for a version the log does not know.
    """
    project, _, number = name.partition("/v")
    for event in registry.events(DELIVERED):
        if (event.subject, event.said("version", int)) == (project, int(number)):
            notice = withdrawals(registry)[project, int(number)].notice
            for key in extract_keys(permit_of(registry, project, event.said("basis.permit", int))).values():
                yield dg.AssetObservation(
                    asset_key=list(key.parts),
                    description=f"{name} was withdrawn: its data are erased",
                    metadata={"version": name, "withdrawn": dg.MetadataValue.md(notice)},
                )


def ended_specs(registry: Registry, on: date) -> Iterator[dg.AssetSpec]:
    """Tables delivered to projects that have no permit any more: nothing makes them, and their pages say why.

    Without them Dagster shows what was delivered last as it was, up to date and of unknown origin.
    """
    delivered: dict[str, set[int]] = {}
    for event in registry.events(DELIVERED):
        delivered.setdefault(event.subject, set()).add(event.said("basis.permit", int))
    for project in projects(registry).values():
        if end := project.permit_end(on):
            keys = {key for number in delivered.get(project.id, ()) for key in _keys_of(registry, project.id, number)}
            yield from (_ended_spec(key, project.id, end) for key in sorted(keys, key=str))


def _keys_of(registry: Registry, project: str, permit: int) -> list[Key]:
    """Keys of the assets of a permit; none where its event cannot be read: the other pages do without."""
    try:
        return list(extract_keys(permit_of(registry, project, permit)).values())
    except (LookupError, ValueError, StopIteration):
        return []


def _ended_spec(key: Key, project: str, end: End) -> dg.AssetSpec:
    how = f"ended on {end.day}: {end.reason}" if end.reason else f"expired; its last day was {end.day}"
    return dg.AssetSpec(
        key=list(key.parts),
        description=(
            f"**Withdrawn.** The permit of {project} {how}\n\nWhat was delivered under it is taken back, and its data "
            "are erased. What this page shows as materialised is no longer there."
        ),
        group_name=f"extracts/{key.domain}",
        owners=[OWNER],
        tags=layer_tags("extracts"),
        kinds={"withdrawn"},
    )


def source_of(lake_table: str) -> Key:
    """Key of the asset a permitted table comes from."""
    schema, _, table = lake_table.partition(".")
    return omop_key(table) if schema == "omop" else source_key(schema, table)


def _spec(permit: Permit, table: str, key: Key, datasets: Mapping[str, Dataset]) -> dg.AssetSpec:
    words = table_words(datasets, table).description
    return dg.AssetSpec(
        key=list(key.parts),
        deps=[list(source_of(table).parts)],
        description=f"{permit.title}: {table} under permit {permit.number}.\n\n{words}",
        group_name=f"extracts/{key.domain}",
        owners=[OWNER],
        tags=layer_tags("extracts"),
        kinds={"parquet"},
        metadata={
            "permit": permit.id,
            "expires": permit.expires.isoformat(),
            "period": f"{permit.period.first} to {permit.period.last}",
        },
    )


def _facts(hub: Hub, version: Version, table: str, permit: Permit) -> dict[str, Any]:
    return {
        "dagster/column_schema": _schema(version, table),
        **_rows(version.rows.get(table, 0)),
        **({"warning": _NOBODY} if version.has_nobody else {}),
        "version": version.name,
        "release": version.basis.release,
        "permit": permit.id,
        # from the home, so that it is found where the home was moved to
        "folder": dg.MetadataValue.path(str(version.folder.relative_to(hub.home.root))),
        "read me": dg.MetadataValue.md((version.folder / "README.md").read_text("utf-8")),
    }


def _rows(count: int) -> dict[str, Any]:
    """The number of rows, where it tells of no small number of persons."""
    return {"rows": published(count)} if is_small(count) else {"dagster/row_count": count}


def _schema(version: Version, table: str) -> dg.TableSchema:
    """Columns as the extract's dictionary has them: their words, and what was done to them."""
    with (version.folder / DICTIONARY).open(encoding="utf-8", newline="") as file:
        columns = [row for row in csv.DictReader(file) if row["table"] == table]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=row["column"], type=row["type"].lower(), description=_words(row)) for row in columns
        ]
    )


def _words(row: Mapping[str, str]) -> str:
    if row["treatment"] == Treatment.kept:
        return row["description"]
    end = "" if row["description"].endswith((".", "?", "!")) else "."
    return f"{row['description']}{end} In this extract: {row['treatment']}."
