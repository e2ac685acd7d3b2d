"""`hdh check`: is everything as it should be? Fast; imports neither Dagster nor dbt unless `--deep` asks."""

from __future__ import annotations

import shlex
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from hdh_assets.cli.console import Context, JsonOption, cli_context, out, print_json
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import LEAST_MEMORY, Home

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_LEAST_FREE = 10**9
"""Bytes below which `hdh check` says that space is short."""
_UNITS = (("GB", 10**9), ("MB", 10**6))


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, whether it is right, and the detail (with the remedy when it is not)."""

    check: str
    passed: bool
    detail: str


def check_command(
    ctx: typer.Context,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also rebuild the dbt manifest, read the vocabularies and every extension (takes seconds)."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check descriptors, engine, home, keys, lake and what the hub writes down; say what to do about each problem."""
    findings = list(look(cli_context(ctx), deep=deep))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "[green]✓[/]" if finding.passed else "[bold red]✗[/]"
            out.print(f"{mark} [bold]{finding.check}[/]  {escape(finding.detail)}", highlight=False)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(1)


def look(context: Context, *, deep: bool = False) -> Iterator[Finding]:
    """Every finding, in the order in which a newcomer would repair."""
    descriptors = _tried("descriptors", lambda: _descriptors(context))
    yield descriptors
    yield _tried("engine", lambda: _engine(deep=deep))
    if not context.home.settings_file.exists() and not context.home.keys.is_dir():
        yield Finding("home", True, f"none yet in {context.home.root}; `hdh init` makes one")
    else:
        settings = _tried("settings", lambda: f"{len(context.settings.model_fields_set)} set in this home")
        yield settings
        yield _tried("home", lambda: _home(context))
        yield _tried("keys", lambda: _keys(context))
        if settings.passed:
            yield _tried("memory", lambda: _memory(context))
            yield _tried("space", lambda: _space(context))
            yield _tried("vocabularies", lambda: _vocabularies(context, deep=deep))
            with ExitStack() as opened:
                reader = cache(lambda: _reader(context, opened))
                lake = _tried("lake", lambda: _lake(context, reader()))
                yield lake
                if lake.passed and descriptors.passed:
                    yield _tried("deliveries", lambda: _deliveries(context, reader()))
                log = _tried("event log", lambda: _event_log(context))
                yield log
                if lake.passed and descriptors.passed and log.passed:
                    yield _tried("originals", lambda: _originals(context, reader()))
                    yield _tried("vault", lambda: _vault(context, reader()))
            yield _tried("Dagster", lambda: _dagster(context))
    if deep:
        yield _tried("dbt manifest", lambda: _manifest(context))


def _tried(name: str, action: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, action())
    except HubError as error:
        return Finding(name, False, str(error))
    except Exception as error:
        import duckdb  # noqa: PLC0415

        from resources.engine_errors import engine_failure, outside_failure  # noqa: PLC0415 - it imports the engine

        if met := engine_failure(error) if isinstance(error, duckdb.Error) else outside_failure(error):
            return Finding(name, False, str(met))
        raise


def _descriptors(context: Context) -> str:
    datasets = context.datasets()
    tables = [table for dataset in datasets.values() for table in dataset.tables]
    return f"{len(datasets)} datasets, {len(tables)} tables, {sum(len(t.columns) for t in tables)} columns"


def _engine(*, deep: bool) -> str:
    import duckdb  # noqa: PLC0415

    from resources.extensions import check_signatures, extension_paths  # noqa: PLC0415

    paths = extension_paths()
    check_signatures(paths.values(), anew=deep)
    return f"DuckDB {duckdb.__version__} with {', '.join(paths)}, signed"


def _home(context: Context) -> str:
    context.require_home()
    exposed = [
        folder.name
        for folder in (context.home.vault, context.home.keys, context.home.quarantine)
        if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077
    ]
    missing = [folder.name for folder in context.home.folders if not folder.is_dir()]
    if exposed:
        raise HubError(f"other users can read {', '.join(exposed)}", remedy=f"chmod 700 them in {context.home.root}")
    if written := [shlex.quote(str(folder)) for folder in _written_by_others(context.home)]:
        raise HubError(
            f"other users can write in {', '.join(written)}: change descriptors or pages, or put other keys in place",
            remedy=f"chmod go-w {' '.join(written)}",
        )
    if remedies := [remedy for space in (context.home.inbox, context.home.outbox) for remedy in _closing(space)]:
        raise HubError("other users can read what producers deliver, or receipts", remedy="; ".join(remedies))
    settings = context.home.settings_file
    if stat.S_IMODE(settings.stat().st_mode) & 0o077 and any("@" in url for url in context.settings.databases):
        raise HubError(f"other users can read {settings}, which holds passwords", remedy=f"chmod 600 {settings}")
    if missing:
        raise HubError(
            f"folders are missing: {', '.join(missing)}", remedy="run `hdh init` again: it adds what is missing"
        )
    return str(context.home.root)


def _memory(context: Context) -> str:
    """Whether the engine has what a delivery of some size needs."""
    limit = context.settings.memory_limit
    if context.settings.memory_bytes < LEAST_MEMORY:
        raise HubError(
            f"memory_limit is {limit}, too little for a delivery of some million lines",
            remedy="set it to 1GB or more",
        )
    return f"{limit} for the engine in one process"


def _written_by_others(home: Home) -> list[Path]:
    """Of what others may read or pass through, the folders in which they can write, too."""
    folders = (home.root, home.datasets, home.site)
    return [f for f in folders if f.is_dir() and stat.S_IMODE(f.stat().st_mode) & 0o022]


def _closing(space: Path) -> list[str]:
    """The commands that close the inbox or the outbox, and producers' folders in it, to accounts nobody let in.

    Others may pass through it (x) where an operator let producers in, each to a folder of their own group.
    """
    if not space.is_dir():
        return []
    mode = stat.S_IMODE(space.stat().st_mode)
    open_folders = [f for f in sorted(space.iterdir()) if f.is_dir() and stat.S_IMODE(f.stat().st_mode) & 0o007]
    commands = [f"chmod go-rw {shlex.quote(str(space))}"] if mode & 0o066 else []
    return commands + ([f"chmod o-rwx {shlex.quote(str(f))}" for f in open_folders] if mode & 0o011 else [])


def _keys(context: Context) -> str:
    from resources.keys import TRUSTED_THIRD_PARTY, Purpose, open_keys  # noqa: PLC0415

    keys = open_keys(context.home)
    present = [purpose for purpose in Purpose if keys.path(purpose).exists()]
    required = list(Purpose) if any(p in present for p in TRUSTED_THIRD_PARTY) else [Purpose.project]
    for purpose in required:
        keys.get(purpose)
    return f"{', '.join(required)}: present, private and the right ones"


def _space(context: Context) -> str:
    """Free space where the hub writes, each disk once; a home may have folders on several."""
    home, lake = context.home, context.settings.lake_data
    folders = [home.root, *home.folders, *([home.root / lake] if lake and not context.settings.is_lake_far else [])]
    disks = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.is_dir()}
    free = {str(folder): shutil.disk_usage(folder).free for folder in reversed(disks.values())}
    if short := [f"{_size(size)} in {folder}" for folder, size in free.items() if size < _LEAST_FREE]:
        raise HubError(
            f"little is free: {', '.join(short)}; below {_size(_LEAST_FREE)}, a delivery or a release may not fit",
            remedy="free space there, or move the hub to a larger disk",
        )
    return f"{', '.join(f'{_size(size)} in {folder}' for folder, size in free.items())} free"


def _size(count: int) -> str:
    """Bytes for people, rounded down."""
    unit, factor = next(((unit, factor) for unit, factor in _UNITS if count >= factor), ("kB", 1000))
    return f"{count // factor} {unit}"


def _vocabularies(context: Context, *, deep: bool) -> str:
    """Whether what the next standardisation reads is there, and if `deep` what the hub itself names."""
    if not (folder := context.settings.vocab_dir):
        return "the built-in seed alone"
    from hdh_assets.standard.vocabulary import check_presence, lacking  # noqa: PLC0415

    check_presence(Path(folder))
    if not deep:
        return folder
    named, targets = lacking(Path(folder))
    told = [
        f"{named} concept(s) of the hub's own columns are not in it and keep the hub's words" if named else "",
        f"{targets} target(s) of the hub's own map are not in it: their codes have no other" if targets else "",
    ]
    return "; ".join([folder, *filter(None, told)])


def _reader(context: Context, opened: ExitStack) -> DuckDBPyConnection:
    from resources.lake import open_lake  # noqa: PLC0415

    return opened.enter_context(open_lake(context.home, context.settings).reader())


def _lake(context: Context, engine: DuckDBPyConnection) -> str:
    from resources.engine_errors import LAKE_FILE_REMEDY  # noqa: PLC0415
    from resources.lake import METADATA, open_lake  # noqa: PLC0415
    from resources.lake_files import damaged_files  # noqa: PLC0415
    from resources.releases import releases_in  # noqa: PLC0415

    if damaged := damaged_files(open_lake(context.home, context.settings), engine):
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise HubError(f"a file of the lake is gone or damaged: {damaged[0]}{more}", remedy=LAKE_FILE_REMEDY)
    query = f"SELECT value FROM {METADATA}.ducklake_metadata WHERE key = 'encrypted'"
    encryption = "encrypted" if engine.execute(query).fetchall() == [("true",)] else "not encrypted"
    catalogue = _kept_in(context.settings.lake_catalog)
    return f"{catalogue} catalogue, {encryption}, {len(releases_in(engine))} release(s)"


def _deliveries(context: Context, engine: DuckDBPyConnection) -> str:
    from resources.lake import has_table  # noqa: PLC0415
    from resources.lake_tables import CONFLICT_REMEDY, exposed, type_conflicts, undescribed  # noqa: PLC0415

    query = "SELECT dataset, count(*) FROM lake.meta.delivery WHERE status = 'current' GROUP BY dataset"
    current = dict(engine.execute(query).fetchall()) if has_table(engine, "meta", "delivery") else {}
    if conflicts := type_conflicts(engine, context.datasets()):
        raise HubError("; ".join(conflicts), remedy=CONFLICT_REMEDY)
    if clear := exposed(engine, context.datasets()):
        raise HubError(
            f"the lake holds in clear what is a direct identifier now: {', '.join(clear)}",
            remedy="`hdh backfill` the periods loaded before; no extract has it, but releases made before do",
        )
    if nameless := undescribed(engine, context.datasets()):
        raise HubError(
            f"no descriptor describes {', '.join(nameless)}, where delivered rows are that no opposition finds",
            remedy="put a table back in its descriptor, as optional; for a column, `hdh backfill` its periods",
        )
    return f"{sum(current.values())} in force, of {len(current)} datasets"


def _originals(context: Context, engine: DuckDBPyConnection) -> str:
    """Whether the lake knows what the vault has: its catalogue may be of an older backup."""
    from hdh_assets.sources.intake.lost import lost_deliveries  # noqa: PLC0415
    from resources.ledger import Ledger  # noqa: PLC0415

    periods: dict[str, list[str]] = {}
    for lost in lost_deliveries(context.home, Ledger(context.home, context.settings), engine, context.datasets()):
        periods.setdefault(lost.dataset, []).append(lost.period)
    if periods:
        named = [f"{dataset} {period}" for dataset, found in periods.items() for period in found]
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        commands = [f"`hdh backfill {name} --from {each[0]} --to {each[-1]}`" for name, each in periods.items()]
        raise HubError(
            f"the lake does not know {', '.join(named[:5])}{more}, accepted and in the vault: it is of an older backup",
            remedy=f"restore the newer one, or load them from the vault: {', '.join(commands)}, then `hdh tick`",
        )
    return "the lake knows every accepted one"


def _vault(context: Context, engine: DuckDBPyConnection) -> str:
    """Where the trusted third party keeps its keys: whether the book and the identities are those of this lake."""
    from hdh_assets.core.opposition import check_age  # noqa: PLC0415
    from resources.keys import TRUSTED_THIRD_PARTY, open_keys  # noqa: PLC0415
    from resources.oppositions import read_book, recorded_revision  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415
    from resources.removals import followed  # noqa: PLC0415
    from resources.vault import open_vault  # noqa: PLC0415

    keys = open_keys(context.home)
    if not all(keys.path(purpose).exists() for purpose in TRUSTED_THIRD_PARTY):
        return "not of this account"
    from hdh_assets.sources.opposed.missing import missing_identities  # noqa: PLC0415

    book, known = read_book(context.home), followed(engine)
    with Registry(context.home, context.settings) as registry:
        check_age(book, max(known.applied, known.wanted, recorded_revision(registry)))
    if missing := missing_identities(engine, open_vault(context.home, keys), context.datasets()):
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise HubError(
            f"it has no identities of {', '.join(missing[:5])}{more}: nobody who objects is found there by a number"
            " that the lake does not have",
            remedy="restore vault/identities from a backup, or `hdh backfill` these periods",
        )
    return f"{len(book.standing)} opposition(s) in force; the identities of every delivery in force"


def _event_log(context: Context) -> str:
    from resources.ledger import Ledger  # noqa: PLC0415
    from resources.opposed_numbers import OpposedNumbers  # noqa: PLC0415
    from resources.registry import Registry  # noqa: PLC0415

    with Registry(context.home, context.settings) as registry:
        events = registry.events()
    Ledger(context.home, context.settings).under_way()
    with OpposedNumbers(context.home, context.settings) as numbers:
        numbers.waiting()
    projects = {version.parent.name for version in context.home.projects.glob("*/v[0-9]*")}
    if unknown := sorted(projects - {event.subject for event in events}):
        raise HubError(
            f"it knows nothing of {', '.join(unknown)}, whose extracts are in the project space",
            remedy="restore the event log from a backup: decisions are nowhere else",
        )
    return f"{_kept_in(context.settings.registry_url)}, {len(events)} event(s); `hdh audit verify` proves them"


def _dagster(context: Context) -> str:
    from resources.databases import claim_storage  # noqa: PLC0415

    claim_storage(context.home, context.settings)
    return f"{_kept_in(context.settings.dagster_postgres)}; runs and their events"


def _kept_in(url: str) -> str:
    return "PostgreSQL" if url else "SQLite"


def _manifest(context: Context) -> str:
    from hdh_assets.standard.manifest import build_manifest  # noqa: PLC0415

    build_manifest(context.datasets())
    return "rebuilt"
