"""The release and the catalogue entries as assets.

Wrappers: measuring is `measure.py`, what people read `page.py`, releasing `resources/releases.py`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from hdh_assets.catalog import page
from hdh_assets.catalog.chart import at_a_glance, rows_per_period
from hdh_assets.catalog.due import is_behind
from hdh_assets.catalog.entry import Entry, write_entry
from hdh_assets.catalog.measure import measure
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.keys import Key, catalog_key, source_key
from hdh_assets.core.small_counts import is_small, told
from hdh_assets.core.tags import LAKE_POOL, dataset_tags, layer_tags
from hdh_assets.standard.state import rules_fingerprint
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.oppositions import recorded_revision
from resources.releases import NotReadyError, Release, greatest_delivered, make_release

RELEASE = Key("catalog", "releases", "release")
_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


def release_asset(omop: Iterable[dg.AssetKey], checks: Iterable[dg.AssetCheckKey]) -> dg.AssetsDefinition:
    """The release: made once every blocking check of the tables it depends on has passed."""
    blocking = list(checks)

    @dg.asset(
        key=list(RELEASE.parts),
        deps=list(omop),
        description=(
            "The newest release: a snapshot of the lake on which every blocking check passed. "
            "Extracts are made from it, never from the moving head; their lineage shows the tables their permits name."
        ),
        group_name="catalog/releases",
        owners=["team:standardisation"],
        tags=layer_tags("catalog"),
        kinds={"ducklake", "python"},
        pool=LAKE_POOL,
        output_required=False,
    )
    def release(context: dg.AssetExecutionContext, hub: Hub) -> Iterator[dg.MaterializeResult[Any]]:
        """Count the checks as they were last evaluated, then release, unless a delivery came in since."""
        with told_to_dagster():
            with hub.registry() as registry:
                revision = recorded_revision(registry)
                above = greatest_delivered(registry)
            rules = rules_fingerprint(hub.settings.vocab_dir)
            try:
                made = make_release(
                    hub.lake,
                    checks=count_checks(context.instance, blocking),
                    oppositions=revision,
                    rules=rules,
                    above=above,
                    is_ready=lambda engine: not is_behind(engine, rules),
                )
            except NotReadyError as error:
                context.log.warning(error.message)
                return
        context.log.info(f"release {made.number}: snapshot {made.snapshot_id}")
        yield dg.MaterializeResult(metadata=_facts(made))

    return release


def entry_assets(dataset: Dataset) -> dg.AssetsDefinition:
    """The catalogue entry of one dataset."""

    @dg.asset(
        key=list(catalog_key(dataset.id).parts),
        deps=[list(source_key(dataset.id, table.name).parts) for table in dataset.tables] + [list(RELEASE.parts)],
        description=(
            f"Catalogue entry: {dataset.title.en} · {dataset.title.fr}\n\n"
            f"{dataset.description.en}\n\n*{dataset.description.fr}*"
        ),
        group_name="catalog/datasets",
        owners=[dataset.owner],
        tags=dataset_tags(dataset, "catalog"),
        kinds={"ducklake", "python"},
        pool=LAKE_POOL,
    )
    def entry(hub: Hub) -> dg.MaterializeResult[Any]:
        """Measure the dataset on the lake and write its entry."""
        with told_to_dagster():
            with hub.lake.writer() as engine:
                found = measure(engine, dataset)
                write_entry(engine, found)
            return dg.MaterializeResult(metadata=entry_metadata(dataset, found))

    return entry


def entry_metadata(dataset: Dataset, entry: Entry) -> dict[str, Any]:
    """The entry as the UI shows it."""
    glance, chart = at_a_glance(entry), rows_per_period(entry)
    facts: dict[str, Any] = {
        "rows by period": dg.MetadataValue.md(glance or "*Nothing delivered yet.*"),
        "summary": dg.MetadataValue.md(page.summary(dataset, entry)),
        "rows by period and table": dg.MetadataValue.md(chart or "*Nothing delivered yet.*"),
        "tables": dg.MetadataValue.md(page.tables(dataset, entry)),
        "last deliveries": dg.MetadataValue.md(page.last_deliveries(entry)),
        "checks": dg.MetadataValue.md(page.checks(entry)),
        "periods": len(entry.periods),
    }
    if entry.persons is not None:
        facts["persons"] = told(entry.persons)
    if entry.persons is None or not is_small(entry.rows):
        facts["dagster/row_count"] = entry.rows
    for table in dataset.tables:
        facts[f"completeness of {table.lake_name}"] = dg.MetadataValue.md(page.completeness(table, entry))
    return facts


def count_checks(instance: dg.DagsterInstance, keys: list[dg.AssetCheckKey]) -> dict[str, Any]:
    """How many of these checks passed, failed or warned when last evaluated; `failures` names those that block.

    A run that found nothing to compute, or was stopped, planned them and evaluated none: the one before it counts.
    """
    passed, warned, failures = 0, 0, []
    for key in keys:
        history = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=_EVALUATED)
        event = history[0].event.dagster_event if history and history[0].event else None
        if event is None:
            continue
        evaluation = event.asset_check_evaluation_data
        if evaluation.passed:
            passed += 1
        elif evaluation.severity is dg.AssetCheckSeverity.WARN:
            warned += 1
        else:
            failures.append(f"{key.asset_key.path[-1]}: {key.name}")
    return {"passed": passed, "warned": warned, "failed": len(failures), "failures": sorted(failures)}


def _facts(release: Release) -> dict[str, Any]:
    rows = {name: count for name, count in release.contents["rows"].items() if count}
    return {
        "number": release.number,
        "snapshot": release.snapshot_id,
        "code": release.code_commit,
        "deliveries": sum(len(found) for found in release.contents["deliveries"].values()),
        "persons": rows.get("omop.person", 0),
        "checks passed": release.checks.get("passed", 0),
        "checks warned": release.checks.get("warned", 0),
        "tables": dg.MetadataValue.md(page.rows_of_tables(rows)),
        "what it holds": dg.MetadataValue.md(page.deliveries_of_release(release.contents["deliveries"])),
    }
