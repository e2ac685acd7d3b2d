"""The inbox: what is a delivery, what is not, and ten thousand of them."""

from __future__ import annotations

import json
import os
import resource
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hdh_assets.core.home import Home
from resources.inbox import make_place, move_folder, read_manifest, remove_folder, scan, still_arriving

DATASETS = {"care"}


def drop(home: Home, period: str, content: bytes | None = None, dataset: str = "care") -> Path:
    folder = home.inbox / "clinic" / dataset / period
    folder.mkdir(parents=True)
    sealed = {"sealed_at": f"{period}-01T00:00:00Z"}
    (folder / "manifest.json").write_bytes(json.dumps(sealed).encode() if content is None else content)
    return folder


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_only_sealed_folders_at_their_place_are_deliveries(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert scan(home, DATASETS) == []
    drop(home, "2024-02")
    drop(home, "2024-01")
    (home.inbox / "clinic" / "care" / "2024-03").mkdir()
    (home.inbox / "clinic" / "manifest.json").write_text("{}")
    (home.inbox / "clinic" / "care" / "link").symlink_to(home.inbox / "clinic" / "care" / "2024-01")
    assert [d.period for d in scan(home, DATASETS)] == ["2024-01", "2024-02", "link"]
    assert read_manifest(home.inbox / "clinic" / "care" / "link") is None


def test_hostile_manifests_are_found_and_not_followed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for number, content in enumerate(
        (b"", b"[" * 50_000, b'{"sealed_at": 7}', b'{"sealed_at": "2024-01-01"}', b"\xff")
    ):
        drop(home, f"bad{number}", content)
    pipe = home.inbox / "clinic" / "care" / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "manifest.json")
    link = home.inbox / "clinic" / "care" / "link"
    link.mkdir()
    (link / "manifest.json").symlink_to("/dev/zero")
    found = scan(home, DATASETS)
    assert len(found) == 7
    assert len({d.digest for d in found}) == 7
    assert all(d.is_known for d in found)
    drop(home, "x", dataset="other")
    assert [d.is_known for d in scan(home, DATASETS) if d.dataset == "other"] == [False]


def _folder(manifest: Path) -> None:
    manifest.mkdir()


def _loop(manifest: Path) -> None:
    manifest.symlink_to(manifest.name)


def _device(manifest: Path) -> None:
    manifest.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [_folder, os.mkfifo, _loop, _device])
def test_a_manifest_that_is_no_file_is_found_among_others_and_leaves_nothing_open(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    home = Home(tmp_path)
    drop(home, "2024-01")
    manifest = drop(home, "2024-02") / "manifest.json"
    manifest.unlink()
    make(manifest)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        assert sorted(d.period for d in scan(home, DATASETS)) == ["2024-01", "2024-02"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert read_manifest(manifest.parent) is None


@pytest.mark.parametrize("target", ["2024-02", "x" * 300, "/etc/passwd/x", "nowhere", "/"])
def test_a_link_in_place_of_a_folder_is_found_among_others_wherever_it_leads(tmp_path: Path, target: str) -> None:
    home = Home(tmp_path)
    link = drop(home, "2024-01").with_name("2024-02")
    link.symlink_to(target)
    assert sorted(d.period for d in scan(home, DATASETS)) == ["2024-01", "2024-02"]
    assert read_manifest(link) is None


def test_a_hub_at_its_limit_of_open_files_takes_no_folder_for_an_empty_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    drop(home, "2024-01")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(used + 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken), hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            scan(home, DATASETS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in taken:
            os.close(descriptor)


def test_ten_thousand_deliveries_are_seen_within_a_tick(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for number in range(10_000):
        drop(home, f"{number}", b'{"sealed_at": "2024-01-01T00:00:00Z"}')
    started = time.perf_counter()
    assert len(scan(home, DATASETS)) == 10_000
    assert time.perf_counter() - started < 20


def test_removal_leaves_the_inbox_and_other_deliveries(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first, second = drop(home, "2024-01"), drop(home, "2024-02")
    remove_folder(first, home.inbox)
    assert second.exists()
    remove_folder(second, home.inbox)
    assert list(home.inbox.iterdir()) == [home.inbox / "clinic"]
    assert list((home.inbox / "clinic").iterdir()) == []


def test_a_producers_folder_is_private_and_hands_on_the_mode_an_operator_gave_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    dataset = make_place(home.inbox, "clinic", "care")
    assert [mode(home.inbox), mode(dataset.parent), mode(dataset)] == [0o700] * 3
    dataset.parent.chmod(0o2770)
    assert mode(make_place(home.inbox, "clinic", "visits")) == 0o2770
    make_place(home.inbox, "clinic", "care")
    assert [mode(dataset.parent), mode(dataset)] == [0o2770, 0o700]
    remove_folder(drop(home, "2024-01"), home.inbox)
    assert mode(dataset.parent) == 0o2770


def test_a_move_replaces_what_was_there(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    move_folder(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["a"]


def test_names_that_are_no_text_and_seals_out_of_time_are_read_all_the_same(tmp_path: Path) -> None:
    home = Home(tmp_path)
    drop(home, "2024-01").rename(home.inbox / "clinic" / "care" / os.fsdecode(b"h\xf4pital\n"))
    drop(home, "2024-02", b'{"sealed_at": "9999-12-31T23:59:59-23:59"}')
    assert {d.period for d in scan(home, DATASETS)} == {"h\\udcf4pital\\n", "2024-02"}


def test_a_folder_that_cannot_be_read_hides_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    drop(home, "2024-01")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    (home.inbox / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    assert [d.period for d in scan(home, DATASETS)] == ["2024-01"]


def test_a_delivery_whose_copy_goes_on_is_waited_for_and_one_that_lacks_a_file_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files = json.dumps({"files": [{"name": "A.csv", "size": 100}]}).encode()
    growing, lacking, whole = (drop(home, f"2024-0{n}", files) for n in (1, 2, 3))
    (whole / "A.csv").write_bytes(b"x" * 100)
    (growing / "A.csv").write_bytes(b"x")
    writer = threading.Timer(0.1, (growing / "A.csv").write_bytes, [b"xx"])
    writer.start()
    assert still_arriving(scan(home, DATASETS), 0.5) == {growing}
    assert not (lacking / "A.csv").exists()
