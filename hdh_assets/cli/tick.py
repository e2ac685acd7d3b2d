"""`hdh tick`: evaluate every sensor once and run all that is due, here, until nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from hdh_assets.cli.console import Context, JsonOption, cli_context, err, out, print_json

if TYPE_CHECKING:
    from hdh_assets.definitions.tick import Tick

_MOST_REFUSALS = 10


def tick_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Take in deliveries, standardise, release, extract: all that is due, until nothing is. For cron, tests, a laptop.

    It does exactly what a running hub does, and refuses to start beside one.
    """
    context = cli_context(ctx).require_home()
    done = run_tick(context, quiet=as_json)
    if as_json:
        print_json(
            {"repaired": done.repaired, "runs": done.runs, "failed": len(done.failed), "postponed": done.postponed}
        )
    else:
        _tell(done)
    if done.failed:
        raise typer.Exit(1)


def run_tick(context: Context, *, quiet: bool = False) -> Tick:
    """One tick, alone on the home, with a line per run on standard error."""
    from hdh_assets.definitions.one_hub import the_only_hub  # noqa: PLC0415
    from hdh_assets.definitions.tick import tick  # noqa: PLC0415

    with the_only_hub(context.home, "hdh tick"):
        return tick(context.home, context.settings, None if quiet else _line)


def refusals_told(refused: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A line for each delivery a run refused, up to a few."""
    for each in refused[:_MOST_REFUSALS]:
        what = escape(f"{each['dataset']} {each['period']}")
        yield f"  [yellow]✗ {what} was refused[/]: {escape(each['receipt'])}"
    if len(refused) > _MOST_REFUSALS:
        yield f"  [yellow]✗ {len(refused) - _MOST_REFUSALS} more were refused[/]: see `hdh receipts`"


def _line(_: str, answer: dict[str, Any]) -> None:
    if answer["kind"] == "repaired":
        err.print(f"[yellow]↻[/] {escape(answer['what'])}", highlight=False)
    elif answer["success"]:
        err.print(f"[green]✓[/] {escape(answer['what'])}  [dim]{answer['seconds']:.1f} s[/]", highlight=False)
        for line in refusals_told(answer.get("refused", ())):
            err.print(line, highlight=False, soft_wrap=True)
    else:
        err.print(f"[bold red]✗[/] {escape(answer['what'])}: {escape(answer['problem'])}", highlight=False)


def _tell(done: Tick) -> None:
    runs = "1 run" if len(done.runs) == 1 else f"{len(done.runs)} runs"
    for line in done.postponed:
        out.print(f"[yellow]⏸[/] {escape(line)}", highlight=False)
    if not done.runs:
        out.print("nothing else was due" if done.postponed else "nothing was due")
    elif done.failed:
        out.print(f"{runs}, [bold red]{len(done.failed)} failed[/]: see them in `hdh up`")
    else:
        out.print(f"[green]✓[/] {runs}; nothing more is due")
    if done.refused:
        what = "1 delivery was" if len(done.refused) == 1 else f"{len(done.refused)} deliveries were"
        out.print(f"[yellow]{what} refused[/]: `hdh receipts` lists them, their receipts say why")
