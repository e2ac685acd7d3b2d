"""Withdrawing what projects keep beyond their permit: it expired, was revoked, or the project gave up.

A version made under an earlier permit stays while a later one, an amendment, is in force.
"""

from __future__ import annotations

from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.versions import Version, list_versions, project_lock
from hdh_assets.extracts.withdrawal import Cause, Withdrawal, is_left, withdraw, withdrawals
from hdh_assets.governance.register import projects, today
from resources.registry import Registry


def kept_without_permit(home: Home, settings: Settings, project: str | None = None) -> list[tuple[Version, Withdrawal]]:
    """Versions of that project, or of all, whose permit ended or whose withdrawal stopped midway, each with why.

    A folder of a project that the event log does not know is nobody's to take back.
    """
    with Registry(home, settings) as registry:
        known, begun = projects(registry), withdrawals(registry)
    found = []
    for version in filter(is_left, list_versions(home, project)):
        end = known[version.project].permit_end(today()) if version.project in known else None
        if why := begun.get((version.project, version.number)) or (end and Withdrawal(Cause.permit_ended, end)):
            found.append((version, why))
    return found


def withdraw_ended(home: Home, settings: Settings) -> list[str]:
    """Withdraw them; their names. Can be done again."""
    done = []
    for project in sorted({version.project for version, _ in kept_without_permit(home, settings)}):
        with project_lock(home, project), Registry(home, settings) as registry:
            # looked at again: a permit may have been granted since
            for version, why in kept_without_permit(home, settings, project):
                withdraw(registry, version, why)
                done.append(version.name)
    return done
