"""Deliveries in the inbox ask for intake runs. Trusted third party only.

The ledger and the inbox are the truth; there is no cursor. What is already queued or running is not asked for again.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import dagster as dg

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import short
from hdh_assets.core.keys import source_key
from hdh_assets.sources.assets import periods_of
from hdh_assets.sources.batches import MAX_IN_ONE_RUN, MAX_RUNS, Batch, batches, is_early, is_placeable
from hdh_assets.sources.intake.decide import decide
from resources.hub import Hub
from resources.inbox import Dropped, scan, still_arriving
from resources.ledger import Ledger
from resources.vault import is_run_alive
from sensors.reload import unless_descriptors_are_wrong
from sensors.runs import (
    EARLY,
    RANGE_END,
    RANGE_START,
    Tries,
    covers,
    may_try,
    periods_asked,
    postponed,
    tries,
    unfinished,
)

SECONDS = 10
MOST_LOOKED_AT = 10 * MAX_RUNS
"""Of how many a tick asks how they fared before: what failed too often too lately keeps nobody else waiting."""


def deliveries_sensor(datasets: Mapping[str, Dataset]) -> dg.SensorDefinition:
    """Asks for a run per delivery, oldest first, at most fifty a tick."""
    partitions = {name: periods_of(dataset) for name, dataset in datasets.items()}

    @dg.sensor(
        name="deliveries",
        description="Sealed deliveries in the inbox that nobody has taken in yet.",
        asset_selection=dg.AssetSelection.key_prefixes(["sources"]),
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    @unless_descriptors_are_wrong
    def deliveries(context: dg.SensorEvaluationContext, hub: Hub) -> Iterator[dg.RunRequest | dg.SkipReason]:
        asked = list(periods_asked(unfinished(context.instance, {"hdh/work": "intake"})))
        waiting = [
            dropped
            for dropped in _pending(hub, datasets)
            if is_placeable(dropped, datasets, lambda name, period: partitions[name].has_partition_key(period))
            and not covers(asked, dropped.dataset, dropped.period)
        ]
        if not waiting:
            yield dg.SkipReason(f"nothing new in the inbox; {len(asked)} intake run(s) under way")
        requests, waits = [], []
        for batch in _in_turn(waiting, datasets, MAX_RUNS - len(asked)):
            tags = {"hdh/work": "intake", "hdh/dataset": batch.dataset, "hdh/delivery": batch.token}
            past = tries(context.instance, tags)
            if may_try(past, datetime.now(UTC)):
                requests.append(_request(datasets[batch.dataset], batch, past, tags))
            else:
                waits.append(f"{batch.dataset} {batch.first}: {postponed(past)}")
            if len(requests) == MAX_RUNS - len(asked):
                break
        yield from requests
        if waits and not requests:
            yield dg.SkipReason("; ".join(waits[:MAX_RUNS]))

    return deliveries


def misplaced_sensor(datasets: Mapping[str, Dataset], job: dg.JobDefinition) -> dg.SensorDefinition:
    """Asks for an answer to deliveries that no partition can hold."""
    partitions = {name: periods_of(dataset) for name, dataset in datasets.items()}

    @dg.sensor(
        name="misplaced_deliveries",
        description="Deliveries of an unknown dataset or period, or in another producer's folder.",
        job=job,
        minimum_interval_seconds=3 * SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    @unless_descriptors_are_wrong
    def misplaced(context: dg.SensorEvaluationContext, hub: Hub) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = datetime.now(UTC)
        placeless = [
            dropped
            for dropped in _pending(hub, datasets)
            if not is_placeable(dropped, datasets, lambda name, period: partitions[name].has_partition_key(period))
        ]
        lost = [dropped for dropped in placeless if not is_early(dropped, datasets, now)]
        if not lost:
            early = [f"{dropped.dataset} {dropped.period} {EARLY}" for dropped in placeless]
            yield dg.SkipReason("; ".join(early[:MAX_RUNS]) or "every delivery in the inbox has its place")
        room = MAX_RUNS
        for dropped in lost[:MOST_LOOKED_AT]:
            tags = {"hdh/work": "intake", "hdh/delivery": short(dropped.digest)}
            past, is_under_way = tries(context.instance, tags), bool(unfinished(context.instance, tags))
            if room == 0 or not (is_under_way or may_try(past, now)):
                continue
            room -= 1
            if not is_under_way:
                yield dg.RunRequest(
                    run_key=f"{short(dropped.digest)}:{past.last}",
                    run_config={"ops": {"answer_delivery": {"config": {"folder": quote(os.fsencode(dropped.folder))}}}},
                    tags=tags,
                )

    return misplaced


def _in_turn(waiting: list[Dropped], datasets: Mapping[str, Dataset], max_runs: int) -> Iterator[Batch]:
    """Batches, those with the oldest delivery first; also those beyond `max_runs`, since the first may have to wait."""
    left, looked_at = waiting, 0
    while left and max_runs > 0 and looked_at < MOST_LOOKED_AT:
        found = batches(left, datasets, max_runs=max_runs)
        yield from found
        looked_at += len(found)
        taken = {dropped.folder for batch in found for dropped in batch.deliveries}
        left = [dropped for dropped in left if dropped.folder not in taken]


def _pending(hub: Hub, datasets: Mapping[str, Dataset]) -> list[Dropped]:
    """Deliveries due. An attempt whose process died keeps nobody waiting; `recover` closes it at the next start."""
    ledger = Ledger(hub.home, hub.settings)
    alive = {a.digest for a in ledger.under_way() if is_run_alive(hub.home, a.run_folder)}
    view = replace(ledger.view(), running=frozenset(alive))
    due = decide(view, scan(hub.home, datasets), limit=MAX_RUNS * MAX_IN_ONE_RUN)
    arriving = still_arriving(due)
    return [dropped for dropped in due if dropped.folder not in arriving]


def _request(dataset: Dataset, batch: Batch, past: Tries, tags: dict[str, str]) -> dg.RunRequest:
    """The run of this batch."""
    is_single = batch.first == batch.last
    span = {} if is_single else {RANGE_START: batch.first, RANGE_END: batch.last}
    return dg.RunRequest(
        run_key=f"{batch.token}:{past.last}",
        asset_selection=[dg.AssetKey(list(source_key(dataset.id, t.name).parts)) for t in dataset.tables],
        partition_key=batch.first if is_single else None,
        tags=tags | span,
    )
