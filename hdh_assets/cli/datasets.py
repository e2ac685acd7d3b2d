"""`hdh dataset`: the catalogue, from descriptors and, where a hub exists, from what the lake holds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hdh_assets.catalog.settled import Settled, in_words, settled
from hdh_assets.cli.charter import format_words, show_table
from hdh_assets.cli.console import (
    Context,
    JsonOption,
    cli_context,
    out,
    print_facts,
    print_json,
    print_rows,
    say,
    shown,
)
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import find_dataset
from hdh_assets.core.families import FAMILIES
from hdh_assets.core.small_counts import told

SHOWN = ("id", "producer", "cadence", "periods", "last_period", "rows", "title")

dataset_app = typer.Typer(no_args_is_help=True, help="Datasets of the catalogue.")


@dataset_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the datasets, with what has been delivered of each."""
    context = cli_context(ctx)
    if not context.home.settings_file.exists():
        say(f"[yellow]·[/] there is no hub in {shown(context.home.root)} yet: these datasets are described, no more")
    delivered = _delivered(context)
    rows = [_row(dataset, delivered.get(dataset.id, [])) for dataset in context.datasets().values()]
    told_rows = rows if as_json else [{name: row[name] for name in SHOWN} for row in rows]
    print_rows(told_rows, as_json=as_json, empty="no dataset is described")


@dataset_app.command("show")
def show_command(
    ctx: typer.Context,
    dataset_id: Annotated[str, typer.Argument(metavar="ID", help="The dataset, as `hdh dataset list` names it.")],
    table: Annotated[str | None, typer.Argument(metavar="TABLE", help="One of its tables: every column of it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one dataset: what it is, its tables, its deliveries and its catalogue entry; or the columns of a table."""
    context = cli_context(ctx)
    dataset = find_dataset(context.datasets(), dataset_id)
    if table is not None:
        show_table(dataset, table, as_json=as_json)
        return
    deliveries = _delivered(context).get(dataset.id, [])
    entry = _entry(context, dataset)
    refused = _refused(context, dataset)
    told_deliveries = [each | {"rows": _told(dataset, each["rows"])} for each in deliveries]
    months = settled(dataset, [delivery["period"] for delivery in deliveries])
    if as_json:
        found = {"deliveries": told_deliveries, "entry": entry, "settled": asdict(months) if months else None}
        print_json(dataset.model_dump(mode="json") | found | {"refused": refused})
        return
    facts = _facts(dataset) | _settled_facts(months) | _outdated_facts(dataset, deliveries, context.hdh)
    facts["columns of a table"] = f"{context.hdh} dataset show {dataset.id} {dataset.tables[0].name}"
    print_facts(facts | ({"refused, not corrected yet": refused} if refused else {}))
    out.print()
    print_rows([_table_row(table, entry) for table in dataset.tables], as_json=False, title="tables")
    out.print()
    print_rows(told_deliveries[-12:], as_json=False, title="last deliveries", empty="nothing delivered yet")


def _row(dataset: Dataset, deliveries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "title": dataset.title.en,
        "producer": dataset.producer.id,
        "family": dataset.family,
        "cadence": dataset.cadence,
        "mode": str(dataset.mode),
        "tables": len(dataset.tables),
        "periods": len(deliveries),
        "last_period": deliveries[-1]["period"] if deliveries else None,
        "rows": _told(dataset, sum(delivery["rows"] for delivery in deliveries)),
    }


def _told(dataset: Dataset, rows: int) -> int | str | None:
    """A count of rows, which are about persons where the dataset is."""
    return rows if dataset.is_open else told(rows)


def _facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset.id,
        "title": f"{dataset.title.en} / {dataset.title.fr}",
        "description": dataset.description.en,
        "producer": f"{dataset.producer.name} ({dataset.producer.contact})",
        "owner": dataset.owner,
        "family": f"{FAMILIES[dataset.family].en} / {FAMILIES[dataset.family].fr}",
        "maturity": dataset.maturity,
        "legal basis": dataset.legal_basis.en,
        "sensitivity": dataset.sensitivity,
        "cadence": f"{dataset.cadence}, since {dataset.first_period}",
        "mode": str(dataset.mode),
        "history": dataset.history.en,
        "format": format_words(dataset),
        "version": dataset.version,
        "charter": dataset.charter_version,
        "economic terms": dataset.economic_terms.en,
    }


def _settled_facts(months: Settled | None) -> dict[str, Any]:
    if months is None:
        return {}
    each = f"each with {months.later} later deliveries loaded"
    return {
        "complete periods of care": f"{in_words(months.complete)} ({each})"
        if months.complete
        else f"none yet (one needs {months.later} later deliveries)",
        "provisional ones": in_words(months.provisional),
    }


def _outdated_facts(dataset: Dataset, deliveries: list[dict[str, Any]], hdh: str) -> dict[str, Any]:
    """Periods whose rows were judged by a former version of the descriptor, and how to load them again."""
    periods = [each["period"] for each in deliveries if each["descriptor_version"] < dataset.version]
    if not periods:
        return {}
    command = f"{hdh} backfill {dataset.id} --from {periods[0]} --to {periods[-1]}"
    return {f"loaded under a version before {dataset.version}": f"{len(periods)} period(s); again by `{command}`"}


def _table_row(table: Any, entry: dict[str, Any] | None) -> dict[str, Any]:
    found = (entry or {}).get("tables", {}).get(table.lake_name, {})
    return {
        "table": table.name,
        "title": table.title.en,
        "columns": len(table.columns),
        "key": ", ".join(table.primary_key) if len(table.primary_key) <= 3 else f"{len(table.primary_key)} columns",
        "rows": found.get("rows"),
        "persons": found.get("persons"),
        "first_event": found.get("first_event"),
        "last_event": found.get("last_event"),
    }


def _delivered(context: Context) -> dict[str, list[dict[str, Any]]]:
    """Current deliveries by dataset, in period order; none where there is no hub."""
    if not context.home.settings_file.exists():
        return {}
    from resources.lake import open_lake  # noqa: PLC0415

    with open_lake(context.home, context.settings).reader() as engine:
        answer = engine.execute(
            "SELECT dataset, period, row_count AS rows, rejected_count AS rejected, "
            "coalesce((receipt ->> '$.finished_at')::TIMESTAMPTZ, loaded_at) AS loaded_at, "
            "left(digest, 12) AS digest, descriptor_version FROM lake.meta.delivery "
            "WHERE status = 'current' ORDER BY dataset, period"
        )
        names = [column[0] for column in answer.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("dataset"), []).append(row)
    return found


def _refused(context: Context, dataset: Dataset) -> list[str]:
    """Periods that are refused and not corrected yet; none where there is no hub."""
    if not context.home.settings_file.exists():
        return []
    from hdh_assets.sources.checks import uncorrected  # noqa: PLC0415
    from resources.ledger import Ledger  # noqa: PLC0415

    answers = Ledger(context.home, context.settings).answers(dataset.id)
    return [answer.period for answer in uncorrected(answers, dataset, datetime.now(UTC))]


def _entry(context: Context, dataset: Dataset) -> dict[str, Any] | None:
    """The catalogue entry, as the catalogue asset wrote it and as it may be told."""
    if not context.home.settings_file.exists():
        return None
    from hdh_assets.catalog.entry import as_published, read_entries  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415

    with open_lake(context.home, context.settings).reader() as engine:
        found = read_entries(engine).get(dataset.id)
    return as_published(found) if found else None
