"""What errors of others say."""

from __future__ import annotations

import errno

from hdh_assets.core.errors import disk_error


def test_a_full_disk_is_told_by_where_a_copy_goes_to() -> None:
    told = disk_error(OSError(errno.ENOSPC, "No space left on device", "/from/there", None, "/to/here"))
    assert told.message == "the disk refused (No space left on device): /to/here"
    assert "/from/there" in disk_error(OSError(errno.EACCES, "Permission denied", "/from/there")).message
