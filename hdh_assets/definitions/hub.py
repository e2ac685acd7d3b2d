"""Code location `hub`: standardisation, releases, catalogue, extracts. It never sees an identity key or the vault."""

import gc
import logging
from collections.abc import Mapping, Sequence

import dagster as dg

from hdh_assets.catalog.assets import entry_assets, release_asset
from hdh_assets.core.collector import collector_paused
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import added_fingerprint, load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import source_key
from hdh_assets.core.tags import layer_tags
from hdh_assets.definitions.locations import HUB
from hdh_assets.extracts.assets import ended_specs, extract_assets
from hdh_assets.extracts.deliverable import deliverable, undeliverable
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import read_permits, today
from hdh_assets.standard.assets import standard_assets
from resources.hub import Hub
from resources.registry import Registry
from sensors.decisions import decisions_sensor
from sensors.expiries import expiries_sensor
from sensors.maintenance import maintenance_job, maintenance_schedule
from sensors.reload import descriptors_sensor
from sensors.standardisation import JOB, standardisation_sensor
from sensors.withdrawals import withdrawal_job, withdrawals_sensor

_log = logging.getLogger(__name__)


def build_defs(
    *,
    home: Home | None = None,
    datasets: Mapping[str, Dataset] | None = None,
    permits: Sequence[Permit] | None = None,
) -> dg.Definitions:
    """The definitions for this home, these datasets and permits; by default `HDH_HOME` and all it knows."""
    home = home or Home.resolve()
    fingerprint = added_fingerprint(home)  # first: what changes meanwhile is then seen
    described = load_datasets(home) if datasets is None else datasets
    granted = granted_permits(home, described) if permits is None else permits
    ended = ended_extracts(home) if permits is None else []
    standard = standard_assets(described)
    omop = [key for key in standard.keys if key.path[0] == "omop"]
    release = release_asset(omop, standard.check_keys)
    extracts, disabled = _extracts(granted, described)
    loaded = {permit.project: permit.number for permit in granted}
    maintenance, withdrawal = maintenance_job(), withdrawal_job()
    return dg.Definitions(
        assets=[
            _register(),
            standard,
            release,
            *(entry_assets(dataset) for dataset in described.values()),
            *extracts,
            *ended,
        ],
        jobs=[
            dg.define_asset_job(
                JOB,
                selection=dg.AssetSelection.key_prefixes(["staging"], ["omop"], ["catalog"]),
                description="Standardise what came in, release it when every blocking check passes, describe it.",
                executor_def=dg.in_process_executor,
            ),
            maintenance,
            withdrawal,
        ],
        schedules=[maintenance_schedule(maintenance)],
        sensors=[
            withdrawals_sensor(withdrawal),
            expiries_sensor(withdrawal),
            standardisation_sensor(standard.keys, release.key, list(described)),
            decisions_sensor(HUB, described, loaded, disabled),
            descriptors_sensor(HUB, fingerprint),
        ],
        resources={"hub": Hub(folder=str(home.root))},
        executor=dg.in_process_executor,
    )


def _register() -> dg.AssetSpec:
    """What dbt reads of the deliveries beside their rows; intake writes it, in the other location."""
    return dg.AssetSpec(
        key=list(source_key("hub", "delivery").parts),
        group_name="sources/hub",
        description="The register of deliveries: what was accepted, when, and which of them count. Intake writes it.",
        owners=["team:standardisation"],
        tags=layer_tags("sources"),
        kinds={"ducklake"},
    )


def granted_permits(home: Home, datasets: Mapping[str, Dataset]) -> list[Permit]:
    """Permits in force that can be used; a broken one disables itself and the reason is logged."""
    if not home.settings_file.exists():
        return []
    try:
        with Registry(home, Settings.load(home)) as registry:
            usable, broken = read_permits(registry, known=deliverable(datasets), withheld=undeliverable(datasets))
    except HubError as error:
        _log.error("no extract is shown: %s", error.message)
        return []
    for permit in broken:
        _log.error("permit %s of %s is disabled: %s", permit.number, permit.project, permit.problem)
    return usable


def ended_extracts(home: Home) -> list[dg.AssetSpec]:
    """Pages of the extracts whose permit ended; none where the registry cannot be read, which is logged elsewhere."""
    if not home.settings_file.exists():
        return []
    try:
        with Registry(home, Settings.load(home)) as registry:
            return list(ended_specs(registry, today()))
    except HubError:
        return []


def _extracts(permits: Sequence[Permit], datasets: Mapping[str, Dataset]) -> tuple[list[dg.AssetsDefinition], set[str]]:
    """The extract of each permit, and the permits that become none."""
    assets, disabled = [], set()
    for permit in permits:
        try:
            assets.append(extract_assets(permit, datasets))
        except (HubError, LookupError, dg.DagsterError) as error:
            disabled.add(permit.id)
            _log.error("permit %s is disabled: %s", permit.id, type(error).__name__)
    return assets, disabled


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    with collector_paused():
        made = build_defs()
    gc.freeze()  # it stays as long as the process
    return made
