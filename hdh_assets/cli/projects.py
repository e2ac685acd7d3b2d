"""`hdh project`, `hdh committee`, `hdh permit`: from a dossier to a permit."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
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
    say,
    shown,
    typed,
)
from hdh_assets.cli.project_tables import tables_command
from hdh_assets.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hdh_assets.governance.decisions import Decision
    from hdh_assets.governance.states import Project
    from resources.registry import Event, Registry

project_app = typer.Typer(no_args_is_help=True, help="A project's dossier: write, check, file, follow, withdraw.")
project_app.command("tables")(tables_command)
committee_app = typer.Typer(no_args_is_help=True, help="The committee's opinions.")
permit_app = typer.Typer(no_args_is_help=True, help="Permits: grant or refuse, show, revoke.")

ProjectArgument = Annotated[str, typer.Argument(help="The project's identifier, as in its dossier.")]
DossierArgument = Annotated[Path, typer.Argument(help="The dossier file (YAML).")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the registry and shown to the project.")]


@project_app.command("new")
def new_command(
    path: Annotated[Path, typer.Argument(help="Where to write the dossier.")] = Path("dossier.yaml"),
) -> None:
    """Write a dossier to fill in, with a word on every field."""
    from hdh_assets.governance.dossier import TEMPLATE  # noqa: PLC0415

    if path.exists():
        raise RefusedError(f"{path} exists already", remedy="give another name")
    shutil.copyfile(TEMPLATE, path)
    say(f"wrote {shown(path)}; fill it in, then `hdh project check {typed(path)}`")


@project_app.command("check")
def check_command(ctx: typer.Context, dossier: DossierArgument, as_json: JsonOption = False) -> None:
    """Check a dossier: every error, with its line. Nothing is filed."""
    context = cli_context(ctx)
    found, warnings = _checked(context, dossier)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True) | {"warnings": warnings})
        return
    _warn(warnings)
    step = "amend" if _is_open(context, found.project) else "submit"
    say(f"[green]✓[/] the dossier of {found.project} can be filed: `hdh project {step} {typed(dossier)}`")


@project_app.command("submit")
def submit_command(ctx: typer.Context, dossier: DossierArgument, as_json: JsonOption = False) -> None:
    """File a dossier; the committee then gives its opinion."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    found, warnings = _checked(context, dossier)
    _warn(warnings)
    _act(context, decisions.submit(found, register.today()), "filed", as_json=as_json)


@project_app.command("amend")
def amend_command(ctx: typer.Context, dossier: DossierArgument, as_json: JsonOption = False) -> None:
    """File a new version of a dossier; a permit in force stays until the new version is granted."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    found, warnings = _checked(context, dossier)
    _warn(warnings)
    _act(context, decisions.amend(found, register.today()), "filed, amended", as_json=as_json)


@project_app.command("withdraw")
def withdraw_command(
    ctx: typer.Context, project: ProjectArgument, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Give up a project: its permit ends, and the next tick or the running hub takes its extracts back."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    decision = decisions.withdraw(project, reason=reason, today=register.today())
    _act(cli_context(ctx).require_home(), decision, "withdrawn", as_json=as_json)


@project_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the projects and where each stands."""
    from hdh_assets.governance import register  # noqa: PLC0415

    with _registry(cli_context(ctx).require_home()) as registry:
        projects = register.projects(registry).values()
    print_rows([_summary(project) for project in projects], as_json=as_json, empty="no dossier was filed yet")


@project_app.command("show")
def show_command(ctx: typer.Context, project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Show a project: its dossier, what happened to it and why."""
    from hdh_assets.governance import register  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with _registry(context) as registry:
        found = register.find_project(registry, project)
    history = [_told(event) for event in found.history]
    summary = _summary(found) | {"waits_for": _waits_for(context, found)}
    if as_json:
        print_json(summary | {"dossier": found.dossier.said("dossier", dict), "history": history})
        return
    print_facts(summary | {"waits_for": ", ".join(summary["waits_for"]) or None})
    out.print()
    told = {"project", "title", "tables"}
    asked = found.dossier.said("dossier", dict)
    print_facts({name: value for name, value in asked.items() if name not in told})
    out.print()
    _print_tables(found.dossier.said("dossier.tables", dict))
    out.print()
    print_rows(history, as_json=False, title="History")


@committee_app.command("opinion")
def opinion_command(
    ctx: typer.Context,
    project: ProjectArgument,
    favourable: Annotated[bool, typer.Option("--favourable/--unfavourable", help="The committee's opinion.")],
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Record the committee's opinion on the latest version of a dossier; an unfavourable one needs --reason."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    decision = decisions.give_opinion(project, favourable=favourable, reason=reason, today=register.today())
    words = "given a favourable opinion" if favourable else "given an unfavourable opinion"
    _act(cli_context(ctx).require_home(), decision, words, as_json=as_json)


@committee_app.command("list")
def pending_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the dossiers that await an opinion."""
    from hdh_assets.governance import register  # noqa: PLC0415
    from hdh_assets.governance.states import Status  # noqa: PLC0415

    with _registry(cli_context(ctx).require_home()) as registry:
        projects = register.projects(registry).values()
    rows = [_summary(project) for project in projects if project.status is Status.submitted]
    print_rows(rows, as_json=as_json, empty="no dossier awaits an opinion")


@permit_app.command("grant")
def grant_command(
    ctx: typer.Context,
    project: ProjectArgument,
    expires: Annotated[
        datetime | None,
        typer.Option("--expires", formats=["%Y-%m-%d"], help="Last day. Default: the dossier's retention_until."),
    ] = None,
    conditions: Annotated[str, typer.Option("--conditions", help="What binds the project besides the rules.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Grant what the latest version of the dossier asks for; the next tick or the running hub delivers it."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    last = expires.date() if expires else None
    decision = decisions.grant(project, expires=last, conditions=conditions, today=register.today())
    said = "granted a permit; `hdh tick` (or the running hub) delivers"
    _act(cli_context(ctx).require_home(), decision, said, as_json=as_json)


@permit_app.command("refuse")
def refuse_command(
    ctx: typer.Context, project: ProjectArgument, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Refuse the latest version of a dossier, and say why."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    decision = decisions.refuse(project, reason=reason, today=register.today())
    _act(cli_context(ctx).require_home(), decision, "refused", as_json=as_json)


@permit_app.command("revoke")
def revoke_command(
    ctx: typer.Context, project: ProjectArgument, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """End the permit in force, and say why: the next tick or the running hub takes the extracts back."""
    from hdh_assets.governance import decisions, register  # noqa: PLC0415

    decision = decisions.revoke(project, reason=reason, today=register.today())
    said = "permit revoked; `hdh tick` (or the running hub) takes its extracts back"
    _act(cli_context(ctx).require_home(), decision, said, as_json=as_json)


@permit_app.command("list")
def permits_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the permits in force; a broken one is shown with what is wrong."""
    from hdh_assets.extracts.deliverable import deliverable, undeliverable  # noqa: PLC0415
    from hdh_assets.governance import register  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    datasets = context.datasets()
    with _registry(context) as registry:
        usable, broken = register.read_permits(registry, known=deliverable(datasets), withheld=undeliverable(datasets))
    rows: list[dict[str, Any]] = [
        {"project": p.project, "permit": p.number, "expires": p.expires, "tables": len(p.tables), "problem": None}
        for p in usable
    ]
    rows += [
        {"project": b.project, "permit": b.number, "expires": None, "tables": None, "problem": b.problem}
        for b in broken
    ]
    print_rows(rows, as_json=as_json, empty="no permit is in force")


@permit_app.command("show")
def permit_command(ctx: typer.Context, project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Show what a project's permit allows."""
    from hdh_assets.governance import register  # noqa: PLC0415

    with _registry(cli_context(ctx).require_home()) as registry:
        permit = register.find_permit(registry, project)
    content = permit.model_dump(mode="json", by_alias=True)
    if as_json:
        print_json(content)
        return
    tables = content.pop("tables")
    print_facts(content)
    out.print()
    _print_tables(tables)


def _print_tables(tables: Mapping[str, Any]) -> None:
    rows = [{"table": t, "columns": c if c == "all" else ", ".join(c)} for t, c in sorted(tables.items())]
    print_rows(rows, as_json=False, title="Tables")


def _registry(context: Context) -> Registry:
    from resources.registry import Registry  # noqa: PLC0415

    return Registry(context.home, context.settings)


def _checked(context: Context, path: Path) -> tuple[Any, list[str]]:
    """The dossier, found answerable, and what nobody wrote or would come empty: that may be meant, in a trial."""
    from hdh_assets.extracts.askable import emptied, nothing_of_all  # noqa: PLC0415
    from hdh_assets.extracts.deliverable import deliverable, needed, undeliverable  # noqa: PLC0415
    from hdh_assets.governance.dossier import check_dossier, not_filled_in  # noqa: PLC0415
    from hdh_assets.governance.register import today  # noqa: PLC0415

    datasets = context.datasets()
    known = deliverable(datasets)
    dossier = check_dossier(path, known, today(), needed(known), undeliverable(datasets), nothing_of_all(datasets))
    warnings = []
    if left := not_filled_in(dossier):
        warnings.append(f"as the template has it: {', '.join(left)}; a committee expects your own words there")
    for table, columns in emptied(datasets, dossier).items():
        what = f"of {table} would be empty: {', '.join(columns)}; this `precision` gives nothing of them"
        warnings.append(f"{what}, see `hdh project tables {table}`")
    if context.home.settings_file.exists() and (waiting := _undelivered(context, dossier.tables)):
        warnings.append(f"nothing was delivered yet of {', '.join(waiting)}; an extract waits until it is")
    return dossier, warnings


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        say(f"[yellow]·[/] {warning}")


def _is_open(context: Context, project: str) -> bool:
    """Whether the project has a dossier that is examined or was granted, so that the next is an amendment."""
    from hdh_assets.governance.register import projects, today  # noqa: PLC0415
    from hdh_assets.governance.states import ALLOWED, Step  # noqa: PLC0415

    if not context.home.settings_file.exists():
        return False
    with _registry(context) as registry:
        found = projects(registry).get(project)
    return found is not None and found.status_on(today()) in ALLOWED[Step.amend]


def _waits_for(context: Context, project: Project) -> list[str]:
    """Tables of the permit in force without which its extract waits."""
    from hdh_assets.governance.permit import read_permit  # noqa: PLC0415
    from hdh_assets.governance.register import today  # noqa: PLC0415
    from resources.registry import DamagedLogError  # noqa: PLC0415

    if project.permit is None or not project.has_permit_on(today()):
        return []
    try:
        return _undelivered(context, read_permit(project.permit).table_names)
    except DamagedLogError as error:
        say(f"[yellow]![/] no extract is made: {error.message}")
        return []


def _undelivered(context: Context, tables: Iterable[str]) -> list[str]:
    """Those of the tables that the newest release lacks; none where there is no release."""
    from hdh_assets.extracts.due import lacking  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.releases import latest  # noqa: PLC0415

    release = latest(open_lake(context.home, context.settings))
    return lacking(tables, release) if release else []


def _act(context: Context, decision: Decision, words: str, *, as_json: bool = False) -> None:
    from resources.registry import current_actor  # noqa: PLC0415

    with _registry(context) as registry:
        event = registry.act(current_actor(), decision)
    if as_json:
        print_json(_told(event) | {"project": event.subject})
    else:
        say(f"[green]✓[/] {event.subject}: {words} (event {event.seq})")


def _summary(project: Project) -> dict[str, Any]:
    from hdh_assets.governance.register import today  # noqa: PLC0415

    return {
        "project": project.id,
        "status": project.status_on(today()),
        "title": project.dossier.said("dossier.title", str),
        "version": project.dossier_version,
        "filed": project.dossier.at,
        "permit": project.permits if project.permit else None,
        "expires": project.expires,
    }


def _told(event: Event) -> dict[str, Any]:
    what = event.kind
    if "favourable" in event.data:
        what += " (favourable)" if event.data["favourable"] else " (unfavourable)"
    return {"event": event.seq, "at": event.at, "what": what, "by": event.actor, "reason": event.data.get("reason", "")}
