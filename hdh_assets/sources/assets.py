"""Delivered tables as assets: one multi-asset per dataset, one asset per table, one partition per period.

Wrappers only: taking a delivery in is `intake/run.py`, which rules apply is `checks.py`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import dagster as dg

from hdh_assets.core.column import Column, Role
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.digests import short
from hdh_assets.core.errors import HubError
from hdh_assets.core.keys import source_key
from hdh_assets.core.tags import LAKE_POOL, dataset_tags
from hdh_assets.sources.checks import (
    columns_concerned,
    periods_concerned,
    rows_concerned,
    rules_named,
    rules_of,
    uncorrected,
)
from hdh_assets.sources.intake.receipt import Receipt, read_receipt, receipt_folder
from resources.failures import told_to_dagster
from resources.hub import Hub
from resources.inbox import Dropped, check_place, look
from resources.maintenance import merge_register

ACCEPTED = "delivery_accepted"
_CRON = {
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 1,4,7,10 *",
    "yearly": "0 0 1 1 *",
}


def periods_of(dataset: Dataset) -> dg.TimeWindowPartitionsDefinition:
    """The periods that may be delivered: from the first declared one to the one in progress."""
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule=_CRON[dataset.cadence], start=dataset.first_period, fmt=dataset.period_format, end_offset=1
    )


def delivered_assets(dataset: Dataset) -> dg.AssetsDefinition:
    """The delivered tables of one dataset; one materialisation takes in the delivery of one period."""
    partitions = periods_of(dataset)

    @dg.multi_asset(
        name=f"take_in_{dataset.id}",
        specs=[_spec(dataset, table, partitions) for table in dataset.tables],
        check_specs=list(_check_specs(dataset)),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=LAKE_POOL,
        op_tags={"hdh/dataset": dataset.id},
    )
    def take_in_dataset(context: dg.AssetExecutionContext, hub: Hub) -> Iterator[Any]:
        """Take in what lies in the inbox for each period, or take the period in again from the vault."""
        with told_to_dagster():
            receipts, refused = _take_all(context, hub, dataset)
            # of the inbox: a backfill, or a run that a person started, took in and shows what was there
            if not receipts and not refused and not _is_of_the_inbox(context.run):
                raise HubError(
                    f"there is nothing of {dataset.id} to take in for {_span(context)}",
                    remedy="see `hdh receipts` for what came in; what did not is to be delivered",
                )
        yield from _results(context, hub, dataset, receipts)
        with told_to_dagster():
            if any(receipt.status != "refused" for receipt in receipts) and merge_register(hub.lake):
                context.log.info("the register of deliveries was written as one file")
            if refused:
                raise HubError("; ".join(error.message for error in refused), remedy=refused[0].remedy)

    return take_in_dataset


def answer_job() -> dg.JobDefinition:
    """The job that answers deliveries no partition can hold: unknown dataset or period, wrong place."""

    @dg.op(
        name="answer_delivery",
        description="Answers one delivery that belongs nowhere with a receipt.",
        config_schema={"folder": dg.Field(str, description="Folder of the delivery, quoted as in a URL.")},
        pool=LAKE_POOL,
    )
    def answer_delivery(context: dg.OpExecutionContext, hub: Hub) -> None:
        with told_to_dagster():
            datasets = load_datasets(hub.home)
            folder = Path(os.fsdecode(unquote_to_bytes(context.op_config["folder"])))
            check_place(hub.home, folder)
            if dropped := look(folder, datasets):
                receipt = _take_in(hub, datasets, dropped, context.run_id)
                context.log.info(f"{dropped.dataset} {dropped.period}: {receipt.status}")
            else:
                context.log.info("there is no delivery any more: another run answered it, or its producer took it away")

    @dg.job(
        name="answer_delivery_without_a_place",
        description="Deliveries of an unknown dataset or period, or in another producer's folder, get their refusal.",
        executor_def=dg.in_process_executor,
        tags={"hdh/work": "intake"},
    )
    def answer() -> None:
        answer_delivery()

    return answer


def _spec(dataset: Dataset, table: Table, partitions: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    key = source_key(dataset.id, table.name)
    return dg.AssetSpec(
        key=list(key.parts),
        description=f"{table.title.en} · {table.title.fr}\n\n{table.description.en}\n\n*{table.description.fr}*",
        group_name=f"sources/{dataset.id}",
        owners=[dataset.owner],
        tags=dataset_tags(dataset, "sources"),
        kinds={dataset.format.kind, "duckdb"},
        metadata=_declared(dataset, table),
        partitions_def=partitions,
        skippable=True,
    )


def _declared(dataset: Dataset, table: Table) -> dict[str, Any]:
    key = [name.lower() for name in table.primary_key]
    facts: dict[str, Any] = {
        "dagster/column_schema": dg.TableSchema(columns=[_column(column, key) for column in table.lake_columns]),
        "dagster/table_name": str(source_key(dataset.id, table.name).lake_table),
        "producer": dataset.producer.name,
        "cadence": f"{dataset.cadence}, since {dataset.first_period}",
        "what a new period does": str(dataset.mode),
        "legal basis": dataset.legal_basis.en,
    }
    if table.primary_key:
        facts["primary key"] = ", ".join(table.primary_key)
    return facts


def _column(column: Column, key: list[str]) -> dg.TableColumn:
    return dg.TableColumn(
        name=column.lake_name,
        type=column.duckdb_type.lower(),
        description=column.description.en,
        constraints=_constraints(column.nullable, key == [column.lake_name]),
        tags={"role": (column.role or Role.payload).value},
    )


@cache
def _constraints(nullable: bool, unique: bool) -> dg.TableColumnConstraints:
    return dg.TableColumnConstraints(nullable=nullable, unique=unique)


def _check_specs(dataset: Dataset) -> Iterator[dg.AssetCheckSpec]:
    yield dg.AssetCheckSpec(
        name=ACCEPTED,
        asset=list(source_key(dataset.id, dataset.tables[0].name).parts),
        description=(
            "No period is left refused: of each, the newest delivery was accepted. Periods refused and not corrected "
            "yet are listed with the rules; their receipts say more, and the lake is as it was."
        ),
    )
    for table in dataset.tables:
        for rule, sentence in rules_of(table).items():
            yield dg.AssetCheckSpec(
                name=rule, asset=list(source_key(dataset.id, table.name).parts), description=sentence
            )


def _periods(context: dg.AssetExecutionContext) -> list[str]:
    if not (context.has_partition_key or context.has_partition_key_range):
        raise HubError("no period was chosen", remedy="choose one or more partitions: each is a period")
    if not context.partition_keys:
        raise HubError(
            "the range of periods is empty: it ends before it starts", remedy="choose it the other way round"
        )
    return list(context.partition_keys)


def _span(context: dg.AssetExecutionContext) -> str:
    first, last = context.partition_keys[0], context.partition_keys[-1]
    return first if first == last else f"{first} to {last}"


def _take_all(context: dg.AssetExecutionContext, hub: Hub, dataset: Dataset) -> tuple[list[Receipt], list[HubError]]:
    """The receipt of each period taken in, and why others could not be taken in again."""
    from hdh_assets.sources.intake.run import OriginalRefusedError  # noqa: PLC0415

    receipts: list[Receipt] = []
    refused: list[HubError] = []
    for period in _periods(context):
        try:
            if receipt := _take(context, hub, dataset, period):
                receipts.append(receipt)
        except OriginalRefusedError as error:
            context.log.warning(error.message)
            refused.append(error)
    return receipts, refused


def _take(context: dg.AssetExecutionContext, hub: Hub, dataset: Dataset, period: str) -> Receipt | None:
    """The receipt of this period; None when another run took in what was asked for, or nothing was ever accepted."""
    from hdh_assets.sources.intake.run import NeverDeliveredError, retake  # noqa: PLC0415

    datasets = {dataset.id: dataset}
    dropped = look(hub.home.inbox / dataset.producer.id / dataset.id / period, datasets)
    if dropped is not None:
        receipt = _take_in(hub, datasets, dropped, context.run_id)
    elif _is_of_the_inbox(context.run):
        context.log.info(f"{dataset.id} {period}: no longer in the inbox, another run took it in")
        return None
    else:
        try:
            receipt = retake(hub.home, hub.settings, datasets, dataset.id, period, run_id=context.run_id)
        except NeverDeliveredError as error:
            context.log.info(f"{error.message}: passed over")
            return None
    context.log.info(f"{dataset.id} {period}: {receipt.status}, {receipt.row_count} rows")
    return receipt


def _is_of_the_inbox(run: dg.DagsterRun) -> bool:
    """Whether a sensor asked for it. One that a person starts again is to load again what it loaded."""
    return run.tags.get("hdh/work") == "intake" and run.parent_run_id is None


def _take_in(hub: Hub, datasets: Mapping[str, Dataset], dropped: Dropped, run_id: str) -> Receipt:
    from hdh_assets.sources.intake.run import take_in  # noqa: PLC0415

    return take_in(hub.home, hub.settings, datasets, dropped, run_id=run_id)


def _results(
    context: dg.AssetExecutionContext, hub: Hub, dataset: Dataset, receipts: list[Receipt]
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """One materialisation per accepted table and period, an observation per refusal, counts by rule as checks."""
    loaded = [receipt for receipt in receipts if receipt.status != "refused"]
    is_whole = bool(loaded) and len(loaded) == len(receipts) == len(context.partition_keys)
    for receipt in receipts:
        if receipt.status == "refused":
            _observe(context, hub, dataset, receipt)
    for each in _materialisations(hub, dataset, loaded):
        if is_whole:
            context.add_asset_metadata(each.metadata, asset_key=each.asset_key, partition_key=each.partition)
        else:
            context.log_event(each)
    if is_whole:
        for table in dataset.tables:
            yield dg.MaterializeResult(asset_key=list(source_key(dataset.id, table.name).parts))
    yield from _checks(hub, dataset)


def show_loaded(instance: dg.DagsterInstance, hub: Hub, datasets: Mapping[str, Dataset], run: dg.DagsterRun) -> None:
    """Show what a run had loaded when it was killed, as it would have itself. Can be done again."""
    from resources.lake_tables import loaded_by  # noqa: PLC0415

    rows = loaded_by(hub.lake, run.run_id)
    touched = {row.dataset for row in rows} | {run.tags.get("hdh/dataset", "")}
    for dataset in (datasets[name] for name in sorted(touched & datasets.keys())):
        receipts = [Receipt.model_validate(row.receipt_data) for row in rows if row.dataset == dataset.id]
        for each in _materialisations(hub, dataset, receipts):
            instance.report_runless_asset_event(each)
        for check in _checks(hub, dataset):
            instance.report_runless_asset_event(_evaluation(check))


def _evaluation(check: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """The event that Dagster makes of a result."""
    if check.asset_key is None or check.check_name is None:
        raise ValueError("a result that names no check")
    return dg.AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.check_name,
        passed=check.passed,
        metadata=check.metadata,
        severity=check.severity,
        blocking=False,
    )


def _materialisations(hub: Hub, dataset: Dataset, loaded: Iterable[Receipt]) -> Iterator[dg.AssetMaterialization]:
    for receipt in loaded:
        for table in dataset.tables:
            yield dg.AssetMaterialization(
                asset_key=list(source_key(dataset.id, table.name).parts),
                partition=receipt.period,
                metadata=_told(hub, receipt, table),
            )


def _observe(context: dg.AssetExecutionContext, hub: Hub, dataset: Dataset, receipt: Receipt) -> None:
    context.log.warning(f"{dataset.id} {receipt.period} was refused; the receipt says why")
    key = source_key(dataset.id, dataset.tables[0].name).parts
    metadata = _read_receipt(hub, receipt) | {"status": receipt.status}
    context.log_event(dg.AssetObservation(asset_key=list(key), partition=receipt.period, metadata=metadata))


def _told(hub: Hub, receipt: Receipt, table: Table) -> dict[str, Any]:
    counts = receipt.tables.get(table.lake_name)
    return _read_receipt(hub, receipt) | {
        "dagster/partition_row_count": counts.rows if counts else 0,
        "rows rejected": counts.rejected if counts else 0,
        "status": receipt.status,
        "shown in the lake once loaded": receipt.is_current,
        "delivery": short(receipt.digest),
    }


def _read_receipt(hub: Hub, receipt: Receipt) -> dict[str, Any]:
    path = receipt_folder(hub.home, receipt.producer, receipt.dataset, receipt.period, receipt.digest) / "receipt.md"
    return {
        "receipt": dg.MetadataValue.md(path.read_text("utf-8") if path.exists() else "no receipt was written"),
        # from the home, so that it is found where the home was moved to
        "receipt file": dg.MetadataValue.path(str(path.relative_to(hub.home.root))),
    }


def _checks(hub: Hub, dataset: Dataset) -> Iterator[dg.AssetCheckResult]:
    """Results over every period, since the next run's take their place whichever period it is about."""
    refused, receipts = _uncorrected(hub, dataset), _in_force(hub, dataset)
    yield dg.AssetCheckResult(
        asset_key=list(source_key(dataset.id, dataset.tables[0].name).parts),
        check_name=ACCEPTED,
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=refused,
    )
    for table in dataset.tables:
        for rule in rules_of(table):
            count = rows_concerned(receipts, table, rule)
            found: dict[str, Any] = {
                "by period": periods_concerned(receipts, table, rule),
                "by column": columns_concerned(receipts, dataset, table, rule),
            }
            yield dg.AssetCheckResult(
                asset_key=list(source_key(dataset.id, table.name).parts),
                check_name=rule,
                passed=count == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"rows concerned": count} | {name: counts for name, counts in found.items() if counts},
            )


def _uncorrected(hub: Hub, dataset: Dataset) -> dict[str, str]:
    """Why each period that is refused and not corrected yet was, by period."""
    from resources.ledger import Ledger  # noqa: PLC0415

    answers = Ledger(hub.home, hub.settings).answers(dataset.id)
    return {
        answer.period: ", ".join(rules_named(read_receipt(hub.home.root / (answer.receipt_path or ""))))
        or "see `hdh receipts`"
        for answer in uncorrected(answers, dataset, datetime.now(UTC))
    }


def _in_force(hub: Hub, dataset: Dataset) -> list[Receipt]:
    """The receipts of the deliveries that the lake shows."""
    from resources.lake import has_table  # noqa: PLC0415
    from resources.lake_tables import deliveries  # noqa: PLC0415

    with hub.lake.reader() as engine:
        known = deliveries(engine, dataset.id) if has_table(engine, "meta", "delivery") else []
    return [Receipt.model_validate(row.receipt_data) for row in known if row.status == "current"]
