"""`hdh up`: the hub, running, until Ctrl-C."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hdh_assets.cli.console import cli_context, err, out

if TYPE_CHECKING:
    from hdh_assets.definitions.stack import Stack


def up_command(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the UI on 127.0.0.1; 0 takes a free one.")
    ] = 3000,
    readers_port: Annotated[
        int | None,
        typer.Option(
            "--readers-port",
            min=0,
            max=65535,
            help="Port of a second UI for people who only look: nothing can be started or changed in it.",
            show_default="none",
        ),
    ] = None,
) -> None:
    """Run the hub, until Ctrl-C: Dagster UI, code servers, daemon. Deliveries and permits are dealt with as they come.

    Refuses to start beside another hub on the same home. The UI has no passwords: it answers this machine alone.
    """
    from hdh_assets.definitions.one_hub import the_only_hub  # noqa: PLC0415
    from hdh_assets.definitions.stack import repair, running  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with the_only_hub(context.home, "hdh up"):
        for line in repair(context.home, context.settings):
            err.print(f"[yellow]↻[/] {escape(line)}", highlight=False)
        err.print("[dim]starting the code servers, the UI and the daemon …[/]")
        with running(context.home, context.settings, port, readers_port) as stack:
            _say(out, f"[green]✓[/] the hub runs: [bold]{stack.url}[/]   (Ctrl-C stops it)")
            if stack.readers_url:
                _say(out, f"  to look only: [bold]{stack.readers_url}[/]")
            if names := stack.turned_off():
                _say(err, f"[yellow]⏸[/] turned off in the UI, so what they do is not done: {escape(', '.join(names))}")
            _wait(stack)
        _say(out, "stopped")


def _wait(stack: Stack) -> None:
    try:
        stack.wait(lambda line: _say(err, f"[yellow]↻[/] {escape(line)}"))
    except KeyboardInterrupt:
        _say(err, "stopping …")


def _say(console: Console, line: str) -> None:
    """A line for whoever still watches: the hub outlives its terminal, and a pipe that nobody reads any more."""
    with suppress(OSError, SystemExit):  # rich exits where a pipe is closed
        console.print(line, highlight=False)
