"""The root of `hdh`: mounts the commands, and turns errors into a message and an exit code.

Exit codes: 0 done, 1 refused or failed, 2 misuse, 130 interrupted.
"""

from __future__ import annotations

import inspect
import io
import os
import signal
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from hdh_assets.cli import (
    backfill,
    check,
    datasets,
    deliveries,
    demo,
    extracts,
    init,
    oppositions,
    projects,
    quarantine,
    releases,
    sql,
    tick,
    trace,
    up,
)
from hdh_assets.cli.console import Context, as_text, err
from hdh_assets.core.errors import HubError, MisuseError, disk_error, stop_behind
from hdh_assets.core.home import Home

STOPPED = 130
"""Exit code of a command that was interrupted."""

app = typer.Typer(
    name="hdh",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="The Health Data Hub: deliveries in, OMOP CDM 5.4 and approved extracts out.",
    epilog="Start with [bold]hdh demo[/], or [bold]hdh init[/] for an empty hub. Guides are in docs/.",
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"hdh {version('health-data-hub')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option("--home", help="Folder of the hub. Default: $HDH_HOME, else ./hub.", show_default=False),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Tell the version of the hub.")
    ] = False,
) -> None:
    """Choose the hub's home for every command."""
    resolved = Home.resolve(home)
    os.environ["HDH_HOME"] = str(resolved.root)
    ctx.obj = Context(resolved, is_named=home is not None)


RUN = "Run the hub"
DATA = "Data"
PROJECTS = "Projects and permits"

app.command("init", rich_help_panel=RUN)(init.init_command)
app.command("check", rich_help_panel=RUN)(check.check_command)
app.command("demo", rich_help_panel=RUN)(demo.demo_command)
app.command("up", rich_help_panel=RUN)(up.up_command)
app.command("tick", rich_help_panel=RUN)(tick.tick_command)
app.command("backfill", rich_help_panel=RUN)(backfill.backfill_command)
app.add_typer(datasets.dataset_app, name="dataset", rich_help_panel=DATA)
app.command("synth", rich_help_panel=DATA)(deliveries.synth_command)
app.command("deliver", rich_help_panel=DATA)(deliveries.deliver_command)
app.command("receipts", rich_help_panel=DATA)(deliveries.receipts_command)
app.add_typer(quarantine.quarantine_app, name="quarantine", rich_help_panel=DATA)
app.add_typer(releases.release_app, name="release", rich_help_panel=DATA)
app.command("sql", rich_help_panel=DATA)(sql.sql_command)
app.command("trace", rich_help_panel=DATA)(trace.trace_command)
app.add_typer(projects.project_app, name="project", rich_help_panel=PROJECTS)
app.add_typer(projects.committee_app, name="committee", rich_help_panel=PROJECTS)
app.add_typer(projects.permit_app, name="permit", rich_help_panel=PROJECTS)
app.add_typer(extracts.extract_app, name="extract", rich_help_panel=PROJECTS)
app.add_typer(oppositions.oppose_app, name="oppose", rich_help_panel=PROJECTS)
app.add_typer(trace.audit_app, name="audit", rich_help_panel=PROJECTS)


def _join_lines(within: typer.Typer) -> None:
    """Join the lines of each paragraph of every command's help: the terminal breaks them where it ends itself."""
    for command in within.registered_commands:
        paragraphs = (inspect.getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    for group in within.registered_groups:
        if group.typer_instance:
            _join_lines(group.typer_instance)


_join_lines(app)


def _stop(*_: Any) -> None:
    """What Ctrl-C does, whatever asks."""
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the `hdh` script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # none when it was closed
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    for sent in (signal.SIGINT, signal.SIGTERM):
        # SIGINT as well: a shell that starts a command in the background has it ignored
        signal.signal(sent, _stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _stop)
    try:
        code = app(standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        code = _answer(error)
    if code == STOPPED:
        err.print("stopped")
    sys.exit(code if isinstance(code, int) else 0)


def _answer(error: BaseException) -> int:
    """Tell an error; the exit code. A stop stays a stop, whatever it became on its way."""
    if isinstance(error, typer.Abort) or stop_behind(error):
        return STOPPED
    if isinstance(error, typer.TyperException):
        if error.format_message():  # empty when help was asked for, and shown
            _tell(_misuse(error))
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return 0
    if isinstance(error, HubError | OSError):
        _tell(error if isinstance(error, HubError) else disk_error(error))
        return 2 if isinstance(error, MisuseError) else 1
    if isinstance(error, UnicodeEncodeError):
        _tell(HubError("a name or a text holds bytes that are no characters", remedy="write it in UTF-8"))
        return 1
    if os.environ.get("HDH_DEBUG"):
        raise error
    if met := _met_outside(error):
        _tell(met)
        return 1
    err.print(f"[bold red]✗[/] unexpected {type(error).__name__}; nothing more is shown, as it could hold data")
    err.print("  [bold]→[/] run again with HDH_DEBUG=1 on synthetic data and report what you see")
    return 1


def _met_outside(error: BaseException) -> HubError | None:
    from resources.engine_errors import outside_failure  # noqa: PLC0415 - it imports the engine

    return outside_failure(error)


def _misuse(error: typer.TyperException) -> HubError:
    """What is wrong with the words of a command."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "hdh"
    return HubError(error.format_message(), remedy=f"see `{command} --help`")


def _tell(error: HubError) -> None:
    err.print(f"[bold red]✗[/] {as_text(error.message)}", highlight=False)
    if error.remedy:
        err.print(f"  [bold]→[/] {as_text(error.remedy)}", highlight=False)
