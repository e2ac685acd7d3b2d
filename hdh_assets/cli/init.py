"""`hdh init`: make an empty hub. Running it again adds what is missing and changes nothing else."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hdh_assets.cli.console import Context, JsonOption, cli_context, joined, out, print_json, shown
from hdh_assets.core.home import Home, Settings

if TYPE_CHECKING:
    from resources.keys import Purpose

_PRIVATE = ("quarantine", "vault", "keys", "registry", "tmp", "projects", "dagster", "lake")
_LET_IN = ("inbox", "outbox")
"""Private when made; an operator may then let producers of other accounts through to their own folders."""


def init_command(
    ctx: typer.Context,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="This home came here from elsewhere and works there no more: it takes over."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the hub's home: folders, settings file, keys, Dagster's configuration and an empty lake.

    Databases and folders outside the home are one hub's. With `--moved` they become those of this home, and a home
    they were of is refused from then on.
    """
    context = cli_context(ctx)
    was_there = context.home.settings_file.exists() and context.home.keys.exists()
    created = initialise(context, moved=moved)
    if as_json:
        print_json({"home": context.home.root, "existed": was_there, "keys_created": created})
        return
    out.print(f"[green]✓[/] {'already a hub' if was_there else 'a new hub'} in [bold]{shown(context.home.root)}[/]")
    if created:
        out.print(f"  keys created: {joined(created)}")
        out.print(f"  [bold]back up {shown(context.home.keys)}[/]: without these keys nothing can be linked again")
    out.print(
        "  next: `hdh synth --all` makes test data, `hdh deliver --all deliveries` drops it, `hdh tick` runs the hub"
    )


def initialise(context: Context, *, moved: bool = False) -> list[str]:
    """Make the home whole; the names of the keys created.

    With `moved` what it keeps outside becomes this home's. Raises `ConfigurationError` where that is another's.
    """
    from hdh_assets.definitions.instance import prepare_instance  # noqa: PLC0415
    from resources.databases import claim_storage  # noqa: PLC0415
    from resources.inbox import make_place  # noqa: PLC0415
    from resources.keys import Purpose, open_keys  # noqa: PLC0415
    from resources.lake import open_lake  # noqa: PLC0415
    from resources.lake_tables import ensure_tables  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    datasets = context.datasets()
    _make_folders(context.home)
    if not context.home.settings_file.exists():
        context.home.settings_file.touch(0o600)  # addresses of databases hold passwords
        context.home.settings_file.write_text(settings_template(), "utf-8")
    created = open_keys(context.home).create_missing(tuple(Purpose), in_use=_purposes_in_use(context.home))
    prepare_instance(context.home, context.settings)
    with open_lake(context.home, context.settings, moved=moved).writer() as engine:
        ensure_tables(engine, datasets)
    Registry(context.home, context.settings, moved=moved).close()
    claim_storage(context.home, context.settings, moved=moved)
    for dataset in datasets.values():
        make_place(context.home.inbox, dataset.producer.id, dataset.id)
    return [str(purpose) for purpose in created]


def _purposes_in_use(home: Home) -> tuple[Purpose, ...]:
    """Keys with which something of this home was made: a new one would not be the same."""
    from resources.keys import TRUSTED_THIRD_PARTY, Purpose  # noqa: PLC0415

    identities = TRUSTED_THIRD_PARTY if any((home.vault / "originals").glob("*")) else ()
    return (*identities, *((Purpose.project,) if any(home.projects.glob("*/v*")) else ()))


def _make_folders(home: Home) -> None:
    _make(home.root)
    for folder in home.folders:
        is_new = _make(folder)
        if folder.name in _PRIVATE or (is_new and folder.name in _LET_IN):
            folder.chmod(0o700)


def _make(folder: Path) -> bool:
    """Make the folder, which others may read as the umask says, and never write; whether it was missing."""
    if folder.exists():
        return False
    folder.mkdir(parents=True)
    folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~0o022)
    return True


def settings_template() -> str:
    """The settings file `hdh init` writes: every setting, its meaning and its default, commented out."""
    lines = ["# Settings of this hub. An environment variable HDH_<NAME> wins over the line here.", ""]
    for name, field in Settings.model_fields.items():
        default = (
            str(field.default).lower() if isinstance(field.default, bool) else repr(field.default).replace("'", '"')
        )
        lines += [f"# {field.description}", f"# {name} = {default}", ""]
    return "\n".join(lines)
