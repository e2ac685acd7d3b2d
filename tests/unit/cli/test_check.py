"""`hdh check`: what is sound, what is not and what to do; each thing told once, by the setting it depends on."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hdh_assets.cli.check import _home, _memory, _space, _tried, _vocabularies, look
from hdh_assets.cli.console import Context
from hdh_assets.cli.init import initialise
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from resources.lake import open_lake
from resources.registry import Registry
from tests.athena_folder import Vocabulary
from tests.commands import hdh
from tests.extract_hub import fill

SILENT = "postgresql://nobody@127.0.0.1:1/none"


def findings(home: Home, **settings: str) -> dict[str, dict[str, object]]:
    given = {f"HDH_{name.upper()}": value for name, value in settings.items()}
    code, printed, told = hdh("--home", str(home.root), "check", "--json", **given)
    found = {finding["check"]: finding for finding in json.loads(printed)}
    assert code == (0 if all(finding["passed"] for finding in found.values()) else 1), told
    return found


def wrong(found: dict[str, dict[str, object]]) -> list[str]:
    return [name for name, finding in found.items() if not finding["passed"]]


def test_a_new_hub_is_sound(home: Home) -> None:
    found = findings(home)
    assert wrong(found) == []
    assert {"settings", "home", "keys", "lake", "event log", "Dagster"} < found.keys()


def test_a_disk_that_is_nearly_full_is_told_with_what_is_free(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=48_200))
    with pytest.raises(HubError, match=f"48 kB in {home.root}; below 1 GB"):
        _space(Context(home))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=12_900_000_000))
    assert _space(Context(home)) == f"12 GB in {home.root} free"


def test_what_make_checks_is_the_code_whatever_the_state_of_a_hub(tmp_path: Path) -> None:
    """Or an upgrade would stop at the inbox that is open, or at PostgreSQL that is down."""
    makefile = Path(__file__).resolve().parents[3] / "Makefile"
    command = ["make", "--dry-run", "--always-make", "-C", str(makefile.parent), "check"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    checks = [line.split() for line in said.splitlines() if "/hdh" in line]
    assert len(checks) == 2
    for _, option, home, *rest in checks:
        assert (option, rest) == ("--home", ["check", "--deep"])
        assert not (makefile.parent / home).exists()
    told = list(look(Context(Home(tmp_path / "none"))))
    assert [finding.check for finding in told] == ["descriptors", "engine", "home"]


def test_an_inbox_that_other_accounts_can_read_is_told_with_what_to_type(home: Home) -> None:
    made = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in (home.inbox, home.outbox, home.inbox / "chu")}
    assert set(made.values()) == {0o700}
    home.inbox.chmod(0o755)
    home.outbox.chmod(0o750)
    found = findings(home)
    assert wrong(found) == ["home"]
    assert f"chmod go-rw {home.inbox}; chmod go-rw {home.outbox}" in str(found["home"]["detail"])


@pytest.mark.parametrize("name", [".", "datasets", "site"])
@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_folder_that_others_can_write_in_is_told_with_what_to_type(home: Home, name: str, mode: int) -> None:
    folder = home.root / name
    folder.chmod(mode)
    told = _tried("home", lambda: _home(Context(home)))
    assert not told.passed
    assert told.detail.endswith(f"chmod go-w {folder}")
    folder.chmod(mode & ~0o022)
    assert _tried("home", lambda: _home(Context(home))).passed


def test_what_init_makes_is_written_by_nobody_else_whatever_the_umask(tmp_path: Path) -> None:
    home = Home(tmp_path / "lake")
    before = os.umask(0)
    try:
        initialise(Context(home))
        with Registry(home, Settings()) as registry:
            registry.append("note", "p", "tester", {})
    finally:
        os.umask(before)
    paths = [home.root, *home.root.iterdir(), *home.inbox.iterdir()]
    assert not [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o022]
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o755


def test_producers_may_pass_through_the_inbox_to_folders_of_their_group(home: Home) -> None:
    home.inbox.chmod(0o711)
    (home.inbox / "chu").chmod(0o2770)
    assert wrong(findings(home)) == []
    (home.inbox / "chu").chmod(0o2775)
    found = findings(home)
    assert f"chmod o-rwx {home.inbox / 'chu'}" in str(found["home"]["detail"])
    done = [sys.executable, "-m", "hdh_assets.cli", "--home", str(home.root), "init"]
    subprocess.run(done, check=True, capture_output=True)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (home.inbox, home.inbox / "chu")] == [0o711, 0o2775]


@pytest.mark.parametrize(
    ("setting", "name"), [("lake_catalog", "lake"), ("registry_url", "event log"), ("dagster_postgres", "Dagster")]
)
def test_a_postgresql_that_does_not_answer_is_told_by_its_setting(home: Home, setting: str, name: str) -> None:
    found = findings(home, **{setting: SILENT})
    assert wrong(found) == [name]
    assert setting in str(found[name]["detail"])


def test_a_vocabulary_folder_or_a_file_of_it_that_is_missing_is_told(home: Home) -> None:
    settings = Settings(vocab_dir=str(home.root / "athena"))
    told = _tried("vocabularies", lambda: _vocabularies(Context(home, _settings=settings), deep=True))
    assert not told.passed
    assert "athena: there is no such folder" in told.detail
    Vocabulary().write(home.root / "athena")
    told = _tried("vocabularies", lambda: _vocabularies(Context(home, _settings=settings), deep=True))
    assert told.passed
    assert "concept(s) of the hub's own columns are not in it" in told.detail
    assert "target(s) of the hub's own map are not in it" in told.detail
    (home.root / "athena" / "CONCEPT.csv").unlink()
    assert "CONCEPT.csv: the file is missing" in str(findings(home, vocab_dir="athena")["vocabularies"]["detail"])


def test_less_memory_than_deliveries_need_is_told(home: Home) -> None:
    for limit, is_enough in (("500MB", False), ("953MiB", False), ("1GB", True), ("1GiB", True)):
        told = _tried("memory", lambda given=limit: _memory(Context(home, _settings=Settings(memory_limit=given))))
        assert told.passed is is_enough
        assert limit in told.detail


def test_a_limit_that_the_engine_cannot_work_with_is_a_finding_among_others(home: Home) -> None:
    found = findings(home, memory_limit="1KB")
    assert not found["lake"]["passed"]
    assert found["Dagster"]["passed"]


def test_a_wrong_setting_is_told_once(home: Home) -> None:
    found = findings(home, threads="-1")
    assert wrong(found) == ["settings"]
    assert "threads" in str(found["settings"]["detail"])


def test_delivered_rows_that_no_descriptor_describes_are_told(home: Home, settings: Settings) -> None:
    fill(home, settings, persons=5)
    assert wrong(findings(home)) == []
    with open_lake(home, settings).writer() as engine:
        engine.execute("CREATE TABLE lake.snds_dcir.er_old AS SELECT uuid() AS _delivery")
        engine.execute("ALTER TABLE lake.snds_dcir.er_prs_f ADD COLUMN former_key UUID")
        engine.execute("UPDATE lake.snds_dcir.er_prs_f SET former_key = uuid()")
    found = findings(home)
    assert wrong(found) == ["deliveries"]
    assert "snds_dcir.er_old, snds_dcir.er_prs_f.former_key" in str(found["deliveries"]["detail"])
    with open_lake(home, settings).writer() as engine:
        engine.execute("UPDATE lake.snds_dcir.er_prs_f SET former_key = NULL")
        engine.execute("DELETE FROM lake.snds_dcir.er_old")
    assert wrong(findings(home)) == []


def test_what_is_a_direct_identifier_by_now_and_in_the_lake_is_told(home: Home, settings: Settings) -> None:
    fill(home, settings, persons=5)
    with open_lake(home, settings).writer() as engine:
        patients = "lake.hospital_ehr.patients AS SELECT 'of before' AS ssn, NULL::VARCHAR AS passport"
        engine.execute(f"CREATE OR REPLACE TABLE {patients}")
    found = findings(home)
    assert wrong(found) == ["deliveries"]
    assert "a direct identifier now: hospital_ehr.patients.ssn\n" in str(found["deliveries"]["detail"])


@pytest.mark.parametrize("name", ["events", "intake", "opposed"])
def test_a_damaged_database_is_told_by_its_file(home: Home, name: str) -> None:
    path = home.registry / f"{name}.sqlite"
    path.write_bytes(b"no database" * 1000)
    found = findings(home)
    assert wrong(found) == ["event log"]
    assert f"restore {path} from a backup" in str(found["event log"]["detail"])


def test_extracts_whose_decisions_are_lost_are_told(home: Home) -> None:
    (home.projects / "asthma" / "v1").mkdir(parents=True)
    found = findings(home)
    assert wrong(found) == ["event log"]
    assert "knows nothing of asthma" in str(found["event log"]["detail"])


def test_a_lost_settings_file_is_told(home: Home) -> None:
    home.settings_file.unlink()
    found = findings(home)
    assert wrong(found) == ["home"]
    assert "hdh.toml is gone from a hub" in str(found["home"]["detail"])


def test_folders_that_others_can_read_are_told(home: Home) -> None:
    home.vault.chmod(0o755)
    found = findings(home)
    assert wrong(found) == ["home"]
    assert "vault" in str(found["home"]["detail"])
