"""`hdh synth`, `hdh deliver`, `hdh receipts`: making test deliveries, dropping files, reading the hub's answers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hdh_assets.cli.console import (
    MOST_PERSONS,
    Context,
    JsonOption,
    SeedOption,
    cli_context,
    out,
    print_json,
    print_rows,
    progress,
    say,
    shown,
    typed,
)
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import find_dataset
from hdh_assets.core.errors import HubError, MisuseError


def synth_command(
    ctx: typer.Context,
    dataset_ids: Annotated[list[str] | None, typer.Argument(metavar="DATASET…", help="Datasets to make.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every described dataset.")] = False,
    persons: Annotated[int, typer.Option("--persons", min=1, max=MOST_PERSONS, help="Size of the population.")] = 1000,
    first: Annotated[str, typer.Option("--from", help="First period, 2024-01 or 2024.")] = "2024-01",
    last: Annotated[str | None, typer.Option("--to", help="Last period; the first when left out.")] = None,
    seed: SeedOption = 1,
    folder: Annotated[Path, typer.Option("--out", help="Where the deliveries go.")] = Path("deliveries"),
    as_json: JsonOption = False,
) -> None:
    """Make synthetic, sealed deliveries in the producer's true format. No real person is in them."""
    context = cli_context(ctx)
    datasets = context.datasets()
    ids = list(datasets if every else dict.fromkeys(dataset_ids or []))
    if not ids:
        raise MisuseError("no dataset was named", remedy=f"name some of {', '.join(datasets)}, or use --all")
    for dataset_id in ids:
        find_dataset(datasets, dataset_id)
    from hdh_assets.sources.synth.generate import generate  # noqa: PLC0415

    with progress("making deliveries") as (bar, task):
        made = generate(
            datasets,
            ids,
            persons=persons,
            first=first,
            last=last or first,
            seed=seed,
            out=folder,
            on_progress=lambda name, period: bar.update(task, description=f"making {name} {period}"),
        )
    if as_json:
        print_json([str(path) for path in made])
        return
    out.print(f"[green]✓[/] {len(made)} {'delivery' if len(made) == 1 else 'deliveries'} in [bold]{shown(folder)}[/]")
    out.print(f"  next: `hdh deliver --all {typed(folder)}` drops them")


def deliver_command(
    ctx: typer.Context,
    dataset_id: Annotated[str | None, typer.Argument(metavar="DATASET", help="The dataset delivered.")] = None,
    period: Annotated[str | None, typer.Argument(metavar="PERIOD", help="Its period, such as 2024-01 or 2024.")] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="Files named after their tables, or a folder of them."),
    ] = None,
    every: Annotated[
        Path | None,
        typer.Option(
            "--all",
            metavar="FOLDER",
            help="Every delivery of a folder laid out as DATASET/PERIOD, as `hdh synth` does.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Seal files with a manifest and drop them in the inbox. The next `hdh tick` (or a running hub) takes them in.

    With --all, what still waits in the inbox is left as it is.
    """
    context = cli_context(ctx).require_home()
    datasets = context.datasets()
    from hdh_assets.sources.intake.deliver import deliver, foreseen, is_waiting  # noqa: PLC0415

    if every is not None and dataset_id is None:
        asked = _laid_out(every, datasets)
    elif every is None and dataset_id and period and files:
        asked = [(find_dataset(datasets, dataset_id), period, files)]
    else:
        raise MisuseError("nothing to deliver", remedy="name a dataset, its period and its files, or use --all FOLDER")
    made = []
    for dataset, its_period, its_files in asked:
        if every is not None and is_waiting(context.home, dataset, its_period):
            say(f"[yellow]·[/] {dataset.id} {its_period} is in the inbox already")
            continue
        paths = _expanded(its_files)
        folder = deliver(context.home, dataset, its_period, paths)
        for problem in foreseen(dataset, its_period, paths):
            say(f"[yellow]! {dataset.id} {its_period} will be refused[/]: {problem}")
        made.append({"dataset": dataset.id, "period": its_period, "folder": folder})
        if not as_json:
            out.print(f"[green]✓[/] {dataset.id} {its_period} is in the inbox")
    if as_json:
        print_json(made[0] if every is None else made)
        return
    what = "it" if len(asked) == 1 else "them"
    out.print(f"  next: `hdh tick` (or the running hub) takes {what} in, `hdh receipts` shows the answer")


def _laid_out(folder: Path, datasets: dict[str, Dataset]) -> list[tuple[Dataset, str, list[Path]]]:
    """Dataset, period and files of each delivery in `folder`. Raises `HubError` when it holds none, or a stranger's."""
    found = [
        (find_dataset(datasets, place.parent.name), place.name, [place])
        for place in sorted(folder.glob("*/*"))
        if place.is_dir()
    ]
    if not found:
        raise HubError(
            f"no delivery in {folder}", remedy=f"lay them out as {folder}/DATASET/PERIOD, as `hdh synth` does"
        )
    return found


def _expanded(files: list[Path]) -> list[Path]:
    """The files, folders replaced by what they hold. Raises `HubError` for a name that does not exist."""
    if missing := [str(path) for path in files if not path.exists()]:
        raise HubError(f"no such file: {', '.join(missing)}", remedy="check the path")
    found: list[Path] = []
    for path in files:
        found += sorted(path.iterdir()) if path.is_dir() else [path]
    return found


def receipts_command(
    ctx: typer.Context,
    dataset_id: Annotated[str | None, typer.Argument(metavar="DATASET", help="Only this dataset.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the receipts, newest last: what came in, what was refused, and where to read why."""
    context = cli_context(ctx).require_home()
    if dataset_id:
        find_dataset(context.datasets(), dataset_id)
    receipts = list(_receipts(context, dataset_id))
    if as_json:
        print_json(receipts)
        return
    rows = [
        {
            "dataset": receipt.get("dataset"),
            "period": receipt.get("period"),
            "status": receipt.get("status"),
            "rows": receipt.get("row_count"),
            "rejected": receipt.get("rejected_count"),
            "answered": datetime.fromisoformat(receipt["finished_at"]),
        }
        for receipt in receipts
    ]
    print_rows(rows, as_json=False, empty="no receipt yet: `hdh deliver` drops a delivery, `hdh tick` takes it in")
    if receipts:
        out.print(f"[dim]the last one in full: {shown(context.home.root / receipts[-1]['path'])}[/]", soft_wrap=True)


def _receipts(context: Context, dataset_id: str | None) -> list[dict[str, Any]]:
    from hdh_assets.sources.intake.receipt import read_receipt  # noqa: PLC0415

    pattern = f"*/{dataset_id or '*'}/*/*/receipt.json"
    found = []
    for path in context.home.outbox.glob(pattern):
        if receipt := read_receipt(path):
            said = {"path": str(path.with_suffix(".md").relative_to(context.home.root))}
            found.append(receipt.model_dump(mode="json") | said)
    return sorted(found, key=lambda receipt: str(receipt.get("finished_at") or ""))
