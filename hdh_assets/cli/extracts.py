"""`hdh extract`: what was delivered to projects, and the proof of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hdh_assets.cli.console import (
    Context,
    JsonOption,
    cli_context,
    out,
    print_facts,
    print_json,
    print_rows,
    progress,
    say,
)

if TYPE_CHECKING:
    from hdh_assets.extracts.versions import Version
    from hdh_assets.extracts.withdrawal import Withdrawal

extract_app = typer.Typer(no_args_is_help=True, help="Extracts: list, show, renew, withdraw, verify, rebuild.")

NameArgument = Annotated[str, typer.Argument(help="`project/v1`, or `project` for its latest version.")]


@extract_app.command("list")
def list_command(
    ctx: typer.Context,
    project: Annotated[str | None, typer.Argument(help="One project; all of them when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the delivered versions."""
    from hdh_assets.extracts.versions import list_versions  # noqa: PLC0415
    from hdh_assets.governance.register import find_project  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    if project is not None:
        with Registry(context.home, context.settings) as registry:
            find_project(registry, project)
    versions, why = list_versions(context.home, project), _withdrawals(context)
    whose = f" to {project}" if project else ""
    empty = f"no extract was delivered{whose} yet"
    print_rows([_summary(version, why) for version in versions], as_json=as_json, empty=empty)


@extract_app.command("show")
def show_command(ctx: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a version: what it was made from, its tables and where they come from."""
    from hdh_assets.extracts.versions import check_readable, find_version  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    version = find_version(context.home, name)
    check_readable(version)
    if as_json:
        print_json(version.manifest)
        return
    print_facts(_summary(version, _withdrawals(context)))
    out.print()
    rows = [{"table": t, "rows": n, "deliveries": len(version.provenance[t])} for t, n in version.rows.items()]
    print_rows(rows, as_json=False, title="Tables")


@extract_app.command("renew")
def renew_command(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(help="A project whose permit is in force.")],
    as_json: JsonOption = False,
) -> None:
    """Ask for the next version under the same permit, with what producers delivered since the last one."""
    from hdh_assets.extracts.due import ask  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    event = ask(context.home, context.settings, context.datasets(), project)
    if as_json:
        print_json({"project": project, "event": event.seq, **event.data})
    else:
        words = f"asked for what release {event.data['release']} holds; `hdh tick` (or the running hub) delivers"
        say(f"[green]✓[/] {project}: {words} (event {event.seq})")


@extract_app.command("withdraw")
def withdraw_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="`project/v1`: a version of an earlier permit, or followed by another.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the event log and shown to the project.")],
    as_json: JsonOption = False,
) -> None:
    """Take a version back that a project no longer needs: its data are erased, a notice says why.

    An amended permit leaves the earlier versions, even wider ones, to the project until the permit ends; this takes
    them back before.
    """
    from hdh_assets.extracts.taken_back import take_back  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    version = take_back(context.home, context.settings, name, reason)
    row = _summary(version, _withdrawals(context))
    if as_json:
        print_json(row)
    else:
        say(f"[green]✓[/] {version.name}: {row['state']}; its files are erased, the manifest and a notice stay")


@extract_app.command("verify")
def verify_command(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A version or a project; everything when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare each version with its manifest, and both with the event log. Exits 1 when one was altered or is gone."""
    from hdh_assets.extracts.verify import verify_delivered  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    found = verify_delivered(context.home, context.settings, name)
    rows: list[dict[str, Any]] = [
        {"extract": version, "problem": problem}
        for version, problems in found.items()
        for problem in problems or (None,)
    ]
    is_sound = not any(found.values())
    if rows and is_sound and not as_json:
        withdrawn = {f"{project}/v{number}" for project, number in _withdrawals(context)}
        for version in found:
            state = "withdrawn, nothing is left" if version in withdrawn else "every file is as it was delivered"
            out.print(f"[green]✓[/] {version}  {state}", highlight=False)
        return
    print_rows(rows, as_json=as_json, empty="no extract was delivered yet")
    if not is_sound:
        raise typer.Exit(1)


@extract_app.command("rebuild")
def rebuild_command(ctx: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Build a version again from its release and compare it byte for byte; put it back if it was damaged or lost."""
    from hdh_assets.extracts.rebuild import rebuild_extract  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with progress(f"rebuilding {name}") as (bar, task):
        problems = rebuild_extract(
            context.home,
            context.settings,
            context.datasets(),
            name,
            on_progress=lambda _, done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print_json({"extract": name, "identical": not problems, "differences": problems})
    elif problems:
        print_rows([{"difference": problem} for problem in problems], as_json=False)
    else:
        say(f"[green]✓[/] {name}: the same bytes as delivered")
    if problems:
        raise typer.Exit(1)


def _withdrawals(context: Context) -> dict[tuple[str, int], Withdrawal]:
    from hdh_assets.extracts.withdrawal import withdrawals  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    with Registry(context.home, context.settings) as registry:
        return withdrawals(registry)


def _summary(version: Version, withdrawn: dict[tuple[str, int], Withdrawal]) -> dict[str, Any]:
    why = withdrawn.get((version.project, version.number))
    return {
        "extract": version.name,
        "permit": version.basis.permit or None,
        "release": version.basis.release or None,
        "tables": len(version.rows),
        "rows": sum(version.rows.values()),
        "state": f"withdrawn: {why.words}" if why else _state(version),
        "folder": version.folder,
    }


def _state(version: Version) -> str:
    if not version.is_readable:
        return "damaged"
    return "delivered; nobody meets its permit" if version.has_nobody else "delivered"
