"""What every command shares: the home, `--json`, tables, progress, and how an error is told.

With `--json` a command prints one JSON document on standard output and nothing else there; people's words and
progress go to standard error.
"""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Home, Settings
from hdh_assets.governance.dossier_texts import is_unseen

SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Same seed, same bytes.")]
MOST_PERSONS = 100_000_000
"""The largest synthetic population: more than the country has."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

SHORT = 16
"""Texts up to this long are not broken over lines."""
_WORD = 24
"""Words up to this long are not broken in a text that is."""
_UNBROKEN = (int, float, Decimal, date, Path, type(None))
"""Counts, dates and paths are never broken: half of one reads like another."""
_BETWEEN = 2
"""Blanks between two columns."""

out = Console(width=None if sys.stdout and sys.stdout.isatty() else 160)
err = Console(stderr=True, soft_wrap=True)


@dataclass
class Context:
    """The installation a command works on."""

    home: Home
    is_named: bool = False
    """Whether the command line named the home, so that the next command must, too."""
    _settings: Settings | None = field(default=None, repr=False)
    _datasets: dict[str, Dataset] | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """Settings of the home, read once."""
        if self._settings is None:
            self._settings = Settings.load(self.home)
        return self._settings

    def datasets(self) -> dict[str, Dataset]:
        """Every described dataset, the installation's own included, read once."""
        if self._datasets is None:
            from hdh_assets.core.descriptor_files import load_datasets  # noqa: PLC0415

            self._datasets = load_datasets(self.home)
        return self._datasets

    @property
    def hdh(self) -> str:
        """How to call `hdh` on this home as a person would type it. Plain text, not markup."""
        name = "hdh" if Path(sys.argv[0]).is_absolute() else shlex.quote(sys.argv[0])  # on the PATH, or as it was typed
        return f"{name} --home {shlex.quote(str(self.home.root))}" if self.is_named else name

    def require_home(self) -> Context:
        """Itself. Raises `ConfigurationError` when nobody ran `hdh init` here, or the settings file is gone since."""
        if not self.home.settings_file.exists():
            if self.home.keys.is_dir():
                raise ConfigurationError(
                    f"{self.home.settings_file} is gone from a hub",
                    remedy="restore it from a backup; if it changed no setting, `hdh init` writes it anew",
                )
            raise ConfigurationError(
                f"there is no hub in {self.home.root}",
                remedy="run `hdh init` (or `hdh demo`), or name another folder with --home or HDH_HOME",
            )
        return self


def cli_context(ctx: typer.Context) -> Context:
    """The context the root command made from `--home`."""
    found = ctx.find_object(Context)
    return found or Context(Home.resolve())


def print_json(document: Any) -> None:
    """One JSON document on standard output; dates ISO, decimals as numbers, what JSON has no number for as text."""
    typer.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False))


def print_json_rows(rows: Iterable[Mapping[str, Any]]) -> None:
    """An array of objects, as `print_json` writes it, each written as it comes: there may be more than memory holds."""
    is_begun = False
    for row in rows:
        # by hand: a text may hold what Python takes for the end of a line
        text = json.dumps(_plain(row), ensure_ascii=False, indent=2, allow_nan=False).replace("\n", "\n  ")
        typer.echo(f"{',' if is_begun else '['}\n  {text}", nl=False)
        is_begun = True
    typer.echo("\n]" if is_begun else "[]")


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {str(_plain(name)): _plain(part) for name, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case bytes():
            return value.hex()
        case _ if hasattr(value, "model_dump"):
            return value.model_dump(mode="json")
        case _:
            return str(value)


def print_rows(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "", empty: str = "nothing", verbatim: bool = False
) -> None:
    """Rows as a table for people, or as an array of objects. `verbatim` keeps names and whole numbers as they are."""
    if as_json:
        print_json([dict(row) for row in rows])
    elif not rows:
        out.print(f"[dim]{empty}[/]")
    elif (table := _table(rows, title, verbatim=verbatim)) is None:
        _print_one_by_one(rows, title, verbatim=verbatim)
    else:
        out.print(table)


def _table(rows: Sequence[Mapping[str, Any]], title: str, *, verbatim: bool) -> Table | None:
    """The rows as a table; None where the terminal is too narrow for what must not be broken over lines."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    taken = 0
    for position, name in enumerate(rows[0]):
        words = name.replace("_", " ").split()
        is_number = all(isinstance(row[name], (int, float, Decimal)) or row[name] is None for row in rows)
        texts = [_plain_cell(row[name], verbatim=verbatim) for row in rows]
        longest, word = max(map(len, texts)), max((len(word) for text in texts for word in text.split()), default=0)
        is_whole = position == 0 or longest <= SHORT or all(isinstance(row[name], _UNBROKEN) for row in rows)
        least = max([*map(len, words), longest if is_whole else min(word, _WORD)], default=0)
        taken += least + _BETWEEN
        table.add_column(
            as_text(name if verbatim else name.replace("_", " ")),
            justify="right" if is_number else "left",
            overflow="fold",
            min_width=least or None,
            no_wrap=is_whole,
        )
    for row in rows:
        table.add_row(*(_written(value, verbatim=verbatim) for value in row.values()))
    return table if taken - _BETWEEN <= out.width else None


def _print_one_by_one(rows: Sequence[Mapping[str, Any]], title: str, *, verbatim: bool) -> None:
    """Each row by itself, one value a line, whole: the terminal breaks what is too long, and it is copied whole."""
    if title:
        out.print(f"[italic]{as_text(title)}[/]")
    width = max(map(len, rows[0]))
    for position, row in enumerate(rows):
        if position:
            out.print()
        for name, value in row.items():
            label = f"{name if verbatim else name.replace('_', ' '):<{width}}"
            out.print(f"[bold]{as_text(label)}[/]  {_written(value, verbatim=verbatim)}", soft_wrap=True)


def _written(value: Any, *, verbatim: bool) -> str:
    return str(value) if verbatim and type(value) is int else _cell(value)


def _plain_cell(value: Any, *, verbatim: bool) -> str:
    return Text.from_markup(_written(value, verbatim=verbatim)).plain


def _cell(value: Any) -> str:
    match value:
        case None:
            return "[dim]–[/]"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}".replace(",", " ")
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case Mapping():
            return "; ".join(f"{as_text(str(name)).replace('_', ' ')} {_within(part)}" for name, part in value.items())
        case list() | tuple():
            return ", ".join(map(_within, value)) or "[dim]–[/]"
        case _:
            return as_text(str(value))


def as_text(text: str) -> str:
    """A text as markup that prints it letter by letter, without what would steer the terminal: others wrote it."""
    return escape("".join(sign for sign in text if sign in "\n\t" or not is_unseen(sign)))


def _within(value: Any) -> str:
    return f"({_cell(value)})" if isinstance(value, Mapping) else _cell(value)


def print_facts(facts: Mapping[str, Any], *, title: str = "") -> None:
    """A short record, one fact a line."""
    table = Table(box=None, show_header=False, title=title or None, title_justify="left", pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _cell(value))
    out.print(table)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[tuple[Progress, Any]]:
    """A progress bar on standard error, silent when nobody watches; yields it with its task."""
    with Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        yield bar, bar.add_task(description, total=total)


def say(message: str) -> None:
    """A word to the person, on standard error."""
    err.print(message)


def shown(path: Path) -> str:
    """A path for people, whatever characters it holds."""
    return as_text(str(path))


def typed(path: Path) -> str:
    """A path as a shell takes it, within a command that people are told to type."""
    return as_text(shlex.quote(str(path)))


def joined(values: Iterable[Any]) -> str:
    """Values as one readable list."""
    return ", ".join(str(value) for value in values) or "none"
