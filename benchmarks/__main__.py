"""Every benchmark, one after another: `python -m benchmarks`, or `make bench`.

Each is a process of its own, so that one's memory and caches do not weigh on the next. The comparison with a
community project needs its checkout and an export: see `benchmarks/synthea.py`.
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("intake", "flux", "extract")


def main() -> int:
    """Run them all; the greatest exit code."""
    codes = []
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
