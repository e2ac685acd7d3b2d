"""`hdh backfill`: take a range of periods in again, from the encrypted originals."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hdh_assets.cli.console import Context, JsonOption, cli_context, err, out, print_json, progress
from hdh_assets.cli.tick import refusals_told
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError

if TYPE_CHECKING:
    from hdh_assets.definitions.backfill import Plan


def backfill_command(
    ctx: typer.Context,
    selection: Annotated[
        str, typer.Argument(help="A dataset, or one of its assets: snds_dcir, sources/snds_dcir/er_prs_f.")
    ],
    first: Annotated[str, typer.Option("--from", help="First period, such as 2019-01.")],
    last: Annotated[
        str | None, typer.Option("--to", help="Last period; the first when left out.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Start anew, not where it was stopped.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take periods in again, one run each. When it is stopped, the same command goes on where it was, for a day.

    Of a period in the inbox it takes in what lies there. Periods nobody delivered are passed over. What they feed is
    standardised by the next tick.
    """
    context = cli_context(ctx).require_home()
    dataset = _dataset(context, selection)
    from hdh_assets.core.periods import periods_between  # noqa: PLC0415
    from hdh_assets.definitions.backfill import periods_known, plan_of, resume  # noqa: PLC0415

    last = last or first
    known = periods_known(context.home, dataset, _delivered(context, dataset))
    asked = periods_between(dataset.cadence, first, last)
    plan = resume(context.home, plan_of(dataset, tuple(p for p in asked if p in known)), force=force)
    if not plan.periods:
        raise HubError(
            f"nothing of {dataset.id} was delivered from {first} to {last}",
            remedy=f"see `hdh dataset show {dataset.id}`",
        )
    if plan.done:
        err.print(f"going on after {len(plan.done)} of {len(plan.periods)} periods")
    runs = _taken_in(context, dataset, plan, quiet=as_json)
    loaded = [done for done in runs if not done["refused"]]
    if as_json:
        skipped = [p for p in asked if p not in known]
        print_json({"dataset": dataset.id, "periods": plan.periods, "runs": runs, "not_delivered": skipped})
    elif loaded or not runs:
        whole, before = f" of {len(plan.periods)}", f", {len(plan.done)} done before"
        out.print(
            f"[green]✓[/] {len(loaded)}{whole * bool(plan.done)} period(s) of {dataset.id}{before * bool(plan.done)}"
        )
        out.print("  next: `hdh tick` (or the running hub) standardises what they feed")
    if len(loaded) < len(runs):
        raise HubError(
            f"{len(runs) - len(loaded)} period(s) of {dataset.id} lay in the inbox and were refused",
            remedy="their receipts say why: have them delivered again, corrected",
        )


def _taken_in(context: Context, dataset: Dataset, plan: Plan, *, quiet: bool) -> list[dict[str, Any]]:
    """What the run of each period left did; a line for each as it ends."""
    from hdh_assets.definitions.backfill import run_plan  # noqa: PLC0415

    runs = []
    with (
        progress(f"taking in {dataset.id}", len(plan.periods)) as (bar, task),
        closing(run_plan(context.home, context.settings, plan)) as running,
    ):
        bar.update(task, completed=len(plan.done))
        for done in running:
            runs.append(done)
            bar.advance(task)
            if quiet:
                continue
            sign = "[green]✓[/]" if not done["refused"] else "[bold red]✗[/]"
            bar.console.print(f"{sign} {done['what']}  [dim]{done['seconds']:.1f} s[/]", highlight=False)
            for line in refusals_told(done["refused"]):
                bar.console.print(line, highlight=False, soft_wrap=True)
    return runs


def _dataset(context: Context, selection: str) -> Dataset:
    """The dataset that is named, or that an asset key of the sources names."""
    datasets = context.datasets()
    layer, _, key = selection.removeprefix("key:").strip('"').rpartition("sources/")
    name, _, table = key.partition("/")
    found = None if layer else datasets.get(name)
    if found is None or (table and table not in {one.lake_name for one in found.tables}):
        raise HubError(
            f"{selection!r} names no delivered table",
            remedy=f"only deliveries have periods; choose one of {', '.join(datasets)}",
        )
    return found


def _delivered(context: Context, dataset: Dataset) -> set[str]:
    """Periods of which something was accepted, whether the lake knows it or forgot it."""
    from hdh_assets.sources.intake.lost import lost_deliveries  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.ledger import Ledger  # noqa: PLC0415

    ledger = Ledger(context.home, context.settings)
    with open_lake(context.home, context.settings).reader() as engine:
        query = "SELECT DISTINCT period FROM lake.meta.delivery WHERE dataset = ?"
        found = engine.execute(query, [dataset.id]).fetchall()
        lost = lost_deliveries(context.home, ledger, engine, {dataset.id: dataset})
        return {period for (period,) in found} | {each.period for each in lost}
