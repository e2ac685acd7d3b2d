"""`hdh trace` and `hdh audit`: from any file to where it comes from and where it went; proof that the log is whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hdh_assets.cli.console import JsonOption, cli_context, joined, out, print_facts, print_json, print_rows, say
from hdh_assets.core.digests import short

audit_app = typer.Typer(
    no_args_is_help=True, help="The event log: every decision, and every extract delivered or taken back."
)


def _numbers_a_row(row: int | None) -> int | None:
    """The number, of 64 bits; as a range of the option its bounds would fill the help."""
    if row is not None and not -(2**63) <= row < 2**63:
        raise typer.BadParameter("no row has such a number")
    return row


def trace_command(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="An extract (`project/v1`), a file of one, a file of the lake, or a producer's file (path or SHA-256)."
        ),
    ],
    row: Annotated[
        int | None,
        typer.Option(
            metavar="<N>",
            callback=_numbers_a_row,
            help="One row of a table of an extract. Of a CDM table, its number (`drug_exposure_id` of drug_exposure): "
            "the files that hold lines of its person's day, and how many. Of a delivered table, its position from 1: "
            "the file it came in.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which deliveries a file or an extract comes from, or in which releases and extracts a producer's file is."""
    from hdh_assets.extracts.trace import trace, trace_record  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    if row is None:
        found = trace(context.home, context.settings, what)
    else:
        found = trace_record(context.home, context.settings, context.datasets(), what, row)
    if as_json:
        print_json(found.document())
        return
    print_facts({"traced": found.subject, "is": found.kind})
    if found.uses:
        print_rows(found.uses, as_json=False, title="Where it went")
    has_many = len({each.get("table") for each in found.deliveries}) > 1
    shown = _by_delivery(found.deliveries) if has_many else found.deliveries
    print_rows(shown, as_json=False, title="Deliveries", empty="no delivery is known")
    if has_many:
        out.print("[dim]the files of a table and their SHA-256: trace its file, or use --json[/]")


def _by_delivery(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per delivery: how many of its files feed how many tables."""
    files: dict[tuple[str, str, str], set[str]] = {}
    tables: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        delivery = (row["dataset"], row["period"], row["delivery"])
        files.setdefault(delivery, set()).add(row["name"])
        tables.setdefault(delivery, set()).add(row["table"])
    return [
        {"dataset": key[0], "period": key[1], "delivery": key[2], "files": len(files[key]), "tables": len(tables[key])}
        for key in sorted(files)
    ]


@audit_app.command("verify")
def audit_verify_command(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--since", help="A hash this command printed before, kept outside the hub: the log must have it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that no event of the registry was altered, removed or inserted. Exits 1 otherwise.

    Who can write everywhere can make the whole log anew. That shows by --since alone.
    """
    from resources.registry import Registry  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with Registry(context.home, context.settings) as registry:
        audit = registry.verify(since)
    if as_json:
        print_json({"events": audit.events, "head": audit.head, "intact": audit.is_intact, "problems": audit.problems})
    elif audit.is_intact:
        say(f"[green]✓[/] {audit.events} events, none altered; keep the hash of the last outside the hub, for --since:")
        out.print(audit.head, highlight=False)
    else:
        print_rows([{"problem": problem} for problem in audit.problems], as_json=False)
    if not audit.is_intact:
        raise typer.Exit(1)


@audit_app.command("accept")
def audit_accept_command(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why there is no newer backup; kept in the log.")],
    as_json: JsonOption = False,
) -> None:
    """Go on after a restore with an event log, or a book of oppositions, older than this hub has seen.

    What was decided since its day is lost. Run it while the hub is stopped, then take these decisions again before it
    starts: permits revoked, above all. Lost oppositions keep nobody out: these persons must object again. Extracts of
    which nobody knows any more whether they hold such a person are withdrawn, and replaced.
    """
    from hdh_assets.extracts.opposed import withdraw_unproven  # noqa: PLC0415
    from hdh_assets.governance.decisions import require_reason  # noqa: PLC0415
    from hdh_assets.sources.opposed.record import accept_lost  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.registry import RESTORED, Registry, current_actor  # noqa: PLC0415
    from resources.removals import followed  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    home, settings = context.home, context.settings
    require_reason(reason, "an acceptance")
    with open_lake(home, settings).reader() as engine:
        known = followed(engine)
    with Registry(home, settings) as registry:
        event = registry.accept_older(current_actor(), reason)
        was_restored = bool(registry.events(RESTORED))
    lost = accept_lost(home, settings, max(known.applied, known.wanted))
    withdrawn = withdraw_unproven(home, settings) if was_restored or lost else []
    events = event.data["lost"] if event else None
    if as_json:
        print_json({"events": events, "oppositions": lost, "withdrawn": withdrawn})
        return
    if events:
        seen = f"are lost; this hub had seen {events['seen']}" if events["seen"] else "may be lost; nobody can tell"
        say(f"[yellow]![/] events after {events['after']} {seen}")
    if lost:
        say(f"[yellow]![/] oppositions {joined(lost)} are lost: these persons must object again")
    if withdrawn:
        say(f"[green]✓[/] withdrawn: {joined(withdrawn)}")
    say("[green]✓[/] accepted" if events or lost else "[green]✓[/] nothing to accept: nothing older was found")


@audit_app.command("log")
def audit_log_command(
    ctx: typer.Context,
    subject: Annotated[str | None, typer.Argument(help="One project, or a dataset; every event when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the events of the registry; `--json` with what each says."""
    from resources.registry import Registry  # noqa: PLC0415

    context = cli_context(ctx).require_home()
    with Registry(context.home, context.settings) as registry:
        events = [e for e in registry.events() if subject in {None, e.subject}]
    rows = [
        {"event": e.seq, "at": e.at, "kind": e.kind, "subject": e.subject, "by": e.actor, "hash": short(e.hash)}
        | ({"data": e.data} if as_json else {})
        for e in events
    ]
    print_rows(rows, as_json=as_json, empty=f"no event is about {subject}" if subject else "the registry is empty")
