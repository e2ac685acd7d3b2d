"""What `hdh up` runs before anything else starts: `python -m hdh_assets.definitions.prepare`.

Prints what was put right, one line each.
"""

from __future__ import annotations

import logging
import sys

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions.storage import opened_instance
from sensors.reaper import clean_up


def main() -> int:
    """Reap and recover; 1 when the home cannot be used, the reason on standard error."""
    home = Home.resolve()
    logging.disable(logging.WARNING)  # a storage that does not answer is tried again, and told once
    try:
        with opened_instance(home) as instance:
            done = clean_up(home, Settings.load(home), load_datasets(home), instance, keep_queued=True)
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
