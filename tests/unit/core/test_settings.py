"""Settings: where they come from, and that a value nothing can work with is refused before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.home import Home, Settings
from tests.settings import forget_settings


def written(tmp_path: Path, text: str) -> Settings:
    home = Home(tmp_path)
    home.settings_file.write_text(text, "utf-8")
    return Settings.load(home)


@pytest.fixture(autouse=True)
def only_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment."""
    forget_settings(monkeypatch, and_threads=True)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(tmp_path, "threads = 2\n").threads == 2
    monkeypatch.setenv("HDH_THREADS", "3")
    assert written(tmp_path, "threads = 2\n").threads == 3


@pytest.mark.parametrize(("said", "wanted"), [("", ""), ("athena", "{home}/athena"), ("/srv/athena", "/srv/athena")])
def test_the_vocabulary_folder_is_in_the_home_unless_it_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, wanted: str
) -> None:
    assert written(tmp_path, f'vocab_dir = "{said}"\n').vocab_dir == wanted.format(home=tmp_path)
    monkeypatch.setenv("HDH_VOCAB_DIR", said)
    assert written(tmp_path, "").vocab_dir == wanted.format(home=tmp_path)


@pytest.mark.parametrize("limit", ["4GB", "2.5GiB", "900 MB", "1gb"])
def test_memory_is_given_as_the_engine_takes_it(tmp_path: Path, limit: str) -> None:
    assert written(tmp_path, f'memory_limit = "{limit}"\n').memory_limit == limit


@pytest.mark.parametrize(("limit", "size"), [("1GB", 10**9), ("2.5GiB", 2.5 * 2**30), ("900 MB", 9e8), ("1kib", 1024)])
def test_memory_is_as_much_as_the_engine_makes_of_it(limit: str, size: float) -> None:
    assert Settings(memory_limit=limit).memory_bytes == size


@pytest.mark.parametrize(
    "line",
    [
        'memory_limit = "lots"',
        'memory_limit = "50%"',
        "threads = -1",
        "threads = 100000",
        "max_expansion = 0",
        'lake_catalog = "hub.sqlite"',
        'registry_url = "a database"',
        'dagster_postgres = "mysql://x/y"',
        'unknown = "x"',
    ],
)
def test_what_nothing_can_work_with_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigurationError, match=line.partition(" ")[0]):
        written(tmp_path, f"{line}\n")


def test_a_variable_that_nearly_has_the_name_of_a_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HDH_OF_SOMEBODY_ELSE", "1")
    assert not written(tmp_path, "").lake_encrypted
    monkeypatch.setenv("HDH_LAKE_ENCRYPED", "true")
    with pytest.raises(ConfigurationError, match=r"(?s)HDH_LAKE_ENCRYPED is no setting.*HDH_LAKE_ENCRYPTED"):
        written(tmp_path, "")


def test_a_variable_wins_over_the_file_in_whatever_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("hdh_threads", "3")
    assert written(tmp_path, "threads = 2\n").threads == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [("vocab_dir = '/données'\n".encode("cp1252"), "not in UTF-8"), (b"threads = \n", "not valid TOML")],
)
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    Home(tmp_path).settings_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"hdh\.toml: {said}"):
        Settings.load(Home(tmp_path))


def test_the_mark_some_editors_put_first_is_not_in_the_way(tmp_path: Path) -> None:
    assert written(tmp_path, "\ufeffthreads = 2\n").threads == 2


@pytest.mark.parametrize("name", ["100%", "why?", "back\\slash"])
def test_a_home_that_databases_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="choose another folder"):
        Home.resolve(tmp_path / name / "hub")
