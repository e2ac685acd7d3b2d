"""Code location `trusted_third_party`: intake and oppositions. It alone has the identity keys and the vault."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any

import dagster as dg

from hdh_assets.core.collector import collector_paused
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import added_fingerprint, load_datasets
from hdh_assets.core.home import Home
from hdh_assets.definitions.locations import TRUSTED_THIRD_PARTY
from hdh_assets.sources.assets import answer_job, delivered_assets
from resources.hub import Hub
from sensors.deliveries import deliveries_sensor, misplaced_sensor
from sensors.oppositions import opposition_job, oppositions_sensor
from sensors.reaper import interrupted_runs_sensor
from sensors.reload import descriptors_sensor


def build_defs(*, home: Home | None = None, datasets: Mapping[str, Dataset] | None = None) -> dg.Definitions:
    """The definitions for this home and these datasets; by default `HDH_HOME` and every descriptor it knows."""
    home = home or Home.resolve()
    fingerprint = added_fingerprint(home)  # first: what changes meanwhile is then seen
    described = load_datasets(home) if datasets is None else datasets
    answer, opposition = answer_job(), opposition_job()
    return dg.Definitions(
        assets=[delivered_assets(dataset) for dataset in described.values()],
        jobs=[answer, opposition, *(_job(dataset) for dataset in described.values())],
        sensors=[
            oppositions_sensor(opposition),
            deliveries_sensor(described),
            misplaced_sensor(described, answer),
            interrupted_runs_sensor(described),
            descriptors_sensor(TRUSTED_THIRD_PARTY, fingerprint),
        ],
        resources={"hub": Hub(folder=str(home.root))},
        executor=dg.in_process_executor,
    )


def _job(dataset: Dataset) -> Any:
    """A partitioned job named after the dataset, for `dagster job backfill`."""
    return dg.define_asset_job(
        dataset.id,
        selection=dg.AssetSelection.key_prefixes(["sources", dataset.id]),
        description=(
            f"Take in periods of {dataset.title.en}, from the inbox or again from the vault: for people, and for "
            "`dagster job backfill`. What the hub takes in by itself is no run of this job but of the assets: their "
            f"pages show it, and so do the runs with the tag hdh/dataset: {dataset.id}."
        ),
        executor_def=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    with collector_paused():
        made = build_defs()
    gc.freeze()  # it stays as long as the process
    return made
