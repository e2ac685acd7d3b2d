"""`hdh quarantine`: what was refused or rejected, the rejected rows for their producer, and emptying it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hdh_assets.cli.console import JsonOption, cli_context, out, print_json, print_rows, say, shown
from hdh_assets.core.errors import MisuseError

quarantine_app = typer.Typer(
    no_args_is_help=True, help="Refused deliveries and rejected rows: the trusted third party's alone."
)
_KINDS = {(True, False): "a refused delivery", (False, True): "rejected rows", (True, True): "both"}

DeliveryArgument = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="First digits of its digest, as `hdh quarantine list` shows them.")
]


@quarantine_app.command("list")
def list_command(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List what quarantine holds, oldest first: sizes and places, never a value."""
    context = cli_context(ctx).require_home()
    from hdh_assets.sources.intake.quarantine import held  # noqa: PLC0415

    rows = [
        {
            "delivery": one.delivery,
            "dataset": one.place.dataset,
            "period": one.place.period,
            "holds": _KINDS.get((bool(one.refused), bool(one.rejected)), "a receipt alone"),
            "files": len(one.refused) + len(one.rejected),
            "bytes": one.size,
            "since": one.since,
        }
        | ({"folder": str(one.folder)} if as_json else {})
        for one in held(context.home)
    ]
    print_rows(rows, as_json=as_json, empty="nothing: no delivery was refused, and no row rejected")


@quarantine_app.command("export")
def export_command(
    ctx: typer.Context,
    delivery: DeliveryArgument,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, outside the hub.")],
    as_json: JsonOption = False,
) -> None:
    """Write the rejected rows of a delivery as CSV, with their line and the rules they broke, for its producer.

    Texts and names of columns are the producer's, delimiter and quote those of the dataset, the encoding UTF-8.

    They are in clear, identities included, in a folder that this account alone reads. Hand them to nobody but the
    producer, by a way as safe as theirs, and remove them afterwards. Needs the trusted third party's keys, and is
    written down in the log of events.
    """
    context = cli_context(ctx).require_home()
    from hdh_assets.sources.intake.quarantine import export, find_held  # noqa: PLC0415
    from resources.keys import open_keys  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415
    from resources.vault import open_vault  # noqa: PLC0415

    one, vault = find_held(context.home, delivery), open_vault(context.home, open_keys(context.home))
    with Registry(context.home, context.settings) as registry:
        described = context.datasets().get(one.place.dataset)
        written = export(registry, vault, context.settings, one, folder, described.format if described else None)
    if as_json:
        print_json([str(path) for path in written])
        return
    for path in written:
        out.print(f"[green]✓[/] {shown(path)}", soft_wrap=True)
    say(f"[yellow]![/] in clear: for the producer of {one.place.dataset} alone; remove the folder afterwards")


@quarantine_app.command("empty")
def empty_command(
    ctx: typer.Context,
    delivery: Annotated[
        str | None, typer.Argument(metavar="DELIVERY", help="Only this one: first digits of its digest.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--older-than", metavar="DAYS", min=0, max=36_500, help="Only what has been there for longer."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what quarantine holds, for good. Receipts in the outbox, the lake and the vault stay as they are."""
    context = cli_context(ctx).require_home()
    if sum((delivery is not None, days is not None, every)) != 1:
        raise MisuseError("nothing was removed", remedy="say what: a DELIVERY, --older-than DAYS, or --all")
    from hdh_assets.sources.intake.quarantine import empty, find_held, held  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    before = datetime.now(UTC) - timedelta(days=days or 0)
    these = (
        [find_held(context.home, delivery)]
        if delivery is not None
        else [one for one in held(context.home) if one.since <= before]
    )
    with Registry(context.home, context.settings) as registry:
        empty(registry, context.home, these)
    if as_json:
        print_json([str(one.folder) for one in these])
        return
    out.print(f"[green]✓[/] {len(these)} {'delivery' if len(these) == 1 else 'deliveries'} removed from quarantine")
