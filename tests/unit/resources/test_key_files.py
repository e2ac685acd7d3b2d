"""Keys as files: created once, whole or to be completed, and none in place of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdh_assets.core.errors import KeyMaterialError
from resources import keys
from resources.keys import FileKeys, Purpose


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("writes", range(1, 8))
def test_a_stop_at_any_write_is_made_good_by_the_next_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    provider, left = FileKeys(tmp_path / "keys"), [writes]
    write = keys.write_atomically

    def stop(path: Path, content: bytes, mode: int) -> Path:
        left[0] -= 1
        if not left[0]:
            raise InterruptedError
        return write(path, content, mode)

    with monkeypatch.context() as patched, pytest.raises(InterruptedError):
        patched.setattr(keys, "write_atomically", stop)
        provider.create_missing(tuple(Purpose))
    before = contents(provider.folder)
    provider.create_missing(tuple(Purpose))
    made = {purpose: provider.get(purpose) for purpose in Purpose}
    assert len(set(made.values())) == len(Purpose)
    assert before.items() <= contents(provider.folder).items()
    assert provider.create_missing(tuple(Purpose), in_use=tuple(Purpose)) == []


@pytest.mark.parametrize("mode", [0o640, 0o610, 0o604])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    provider = FileKeys(tmp_path)
    provider.create_missing((Purpose.vault,))
    provider.path(Purpose.vault).chmod(mode)
    with pytest.raises(KeyMaterialError, match="read by other users"):
        provider.get(Purpose.vault)


@pytest.mark.parametrize("key", [b"", bytes(range(31)), b"a" * 32, b"abcdefg" * 5])
def test_a_key_that_is_short_or_not_random_is_refused_even_with_its_check(tmp_path: Path, key: bytes) -> None:
    provider = FileKeys(tmp_path)
    provider.create_missing((Purpose.vault,))
    provider.path(Purpose.vault).write_bytes(key)
    (tmp_path / "vault.v1.check").write_text(keys.key_check_value(key, Purpose.vault), "ascii")
    with pytest.raises(KeyMaterialError, match="too short or not random"):
        provider.get(Purpose.vault)


def test_a_key_in_use_is_never_made_anew_nor_vouched_for(tmp_path: Path) -> None:
    provider = FileKeys(tmp_path)
    provider.create_missing(tuple(Purpose))
    (tmp_path / "vault.v1.check").unlink()
    assert provider.create_missing(tuple(Purpose), in_use=(Purpose.vault,)) == []
    with pytest.raises(KeyMaterialError, match="not the one"):
        provider.get(Purpose.vault)
    (tmp_path / "vault.v1.key").unlink()
    with pytest.raises(KeyMaterialError, match="is gone"):
        provider.create_missing(tuple(Purpose), in_use=(Purpose.vault,))
