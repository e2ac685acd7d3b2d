"""What a person reads who writes a command wrongly: what is wrong, where to look, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from hdh_assets.cli.main import app
from hdh_assets.core.home import Home
from tests.commands import hdh


def _run(home: Home, *arguments: str) -> tuple[int, list[str], list[str]]:
    code, printed, told = hdh("--home", str(home.root), *arguments)
    return code, printed.splitlines(), told.splitlines()


@pytest.mark.parametrize(
    ("arguments", "problem", "remedy"),
    [
        (("nonsense",), "No such command 'nonsense'", "hdh --help"),
        (("tick", "--nonsense"), "No such option: --nonsense", "tick --help"),
        (("synth", "snds_dcir", "--persons", "0"), "'--persons'", "synth --help"),
        (("synth", "snds_dcir", "--persons", "9" * 21), "'--persons'", "synth --help"),
        (("synth", "snds_dcir", "--seed", "9" * 21), "'--seed'", "synth --help"),
        (("backfill", "snds_dcir"), "Missing option '--from'", "backfill --help"),
        (("up", "--port", "99999"), "'--port'", "up --help"),
        (("trace", "x", "--row", "9" * 21), "'--row'", "trace --help"),
        (("quarantine", "empty", "--older-than", "9" * 21), "'--older-than'", "quarantine empty --help"),
        (("quarantine", "empty"), "nothing was removed", "--older-than DAYS"),
        (("synth",), "no dataset was named", "--all"),
        (("deliver", "snds_dcir"), "nothing to deliver", "its period and its files"),
    ],
)
def test_misuse_is_told_with_where_to_look(home: Home, arguments: tuple[str, ...], problem: str, remedy: str) -> None:
    code, shown, (said, hint) = _run(home, *arguments)
    assert (code, shown) == (2, [])
    assert problem in said
    assert remedy in hint


@pytest.mark.parametrize("arguments", [("dataset",), ("permit",)])
def test_a_group_without_a_command_shows_its_help(home: Home, arguments: tuple[str, ...]) -> None:
    code, shown, said = _run(home, *arguments)
    assert (code, said) == (2, [])
    assert any("Commands" in line for line in shown)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("synth", "snds_dcir", "--from", "9999-12"), "no delivery is of 9999-12"),
        (("synth", "snds_dcir", "--persons", "1", "--out", "{folder}/d\udcff"), "bytes that are no characters"),
        (("extract", "show", ""), "there is no extract"),
        (("oppose", "add", "snds_psa", "--file", "/dev/zero"), "larger than a list of persons can be"),
        (("audit", "log", "nobody"), "no event is about nobody"),
        (("quarantine", "empty", ""), "no deliveries in quarantine begin with ''"),
        (("--home", "", "receipts"), "--home names no folder"),
        (("backfill", "sources/snds_dcir/nope", "--from", "2024-01"), "names no delivered table"),
        (("backfill", "omop/clinical/person", "--from", "2024-01"), "names no delivered table"),
        (("backfill", "sources/snds_dcir/er_prs_f", "--from", "2024-01"), "nothing of snds_dcir was delivered"),
        (("audit", "accept", "--reason", "the disk died"), "nothing to accept"),
        (("audit", "accept", "--reason", " -"), "an acceptance carries its reason"),
        (("extract", "verify", "nobody"), "there is no extract"),
    ],
)
def test_what_makes_no_sense_is_told_in_words(home: Home, arguments: tuple[str, ...], problem: str) -> None:
    _, shown, said = _run(home, *(argument.format(folder=home.root) for argument in arguments))
    assert problem in " ".join([*shown, *said])
    assert "unexpected" not in " ".join(said)


def test_an_identifier_asked_for_where_nothing_can_be_typed(home: Home) -> None:
    command = [sys.executable, "-m", "hdh_assets.cli", "--home", str(home.root), "oppose", "add", "nir"]
    done = subprocess.run(
        ["bash", "-c", 'exec "$@" <&-', "bash", *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "standard input is closed" in done.stderr) == (2, True)


def test_the_version_is_told(home: Home) -> None:
    assert _run(home, "--version") == (0, [f"hdh {version('health-data-hub')}"], [])


def test_where_there_is_no_hub_the_list_of_datasets_says_so_beside_it(tmp_path: Path) -> None:
    code, shown, said = _run(Home(tmp_path / "none"), "dataset", "list")
    assert (code, any("snds_dcir" in line for line in shown)) == (0, True)
    assert "there is no hub in" in said[0]


def test_a_hint_names_the_dataset(home: Home) -> None:
    _, _, said = _run(home, "backfill", "snds_dcir", "--from", "2024-01")
    assert said[-1].endswith("see `hdh dataset show snds_dcir`")


def test_the_lines_of_a_paragraph_of_help_are_broken_by_the_terminal_alone() -> None:
    def commands(within: typer.Typer) -> Iterator[str]:
        for command in within.registered_commands:
            yield str(command.help)
        for group in within.registered_groups:
            if group.typer_instance:
                yield from commands(group.typer_instance)

    texts = list(commands(app))
    assert any("\n\n" in text for text in texts)
    assert [text for text in texts if not text or "\n" in text.replace("\n\n", "")] == []
