"""Taking back one version by decision: one of an earlier permit, or that another one followed."""

from __future__ import annotations

from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.space import project_lock
from hdh_assets.extracts.versions import Version, find_version, list_versions
from hdh_assets.extracts.withdrawal import Cause, Withdrawal, withdraw
from hdh_assets.governance.decisions import require_reason
from hdh_assets.governance.register import find_project, today
from resources.registry import Registry


def take_back(home: Home, settings: Settings, name: str, reason: str) -> Version:
    """Withdraw the version `project/v<n>`; what is withdrawn already stays as it is.

    Raises `RefusedError` without a reason, and for the last version under the permit in force, which would be made
    again.
    """
    require_reason(reason, "taking back an extract")
    project = find_version(home, name).project
    with Registry(home, settings) as registry, project_lock(home, registry, project):
        version = find_version(home, name)
        permit = _in_force(registry, project)
        under_it = [v.number for v in list_versions(home, project) if v.basis.permit == permit]
        if under_it and version.number == under_it[-1] and not version.is_withdrawn:
            raise RefusedError(
                f"{version.name} is the last version under the permit in force, and would be made again",
                remedy=f"revoke the permit (`hdh permit revoke {project}`), or amend it first",
            )
        withdraw(registry, version, Withdrawal(Cause.decision, reason=reason.strip()))
        return find_version(home, version.name)


def _in_force(registry: Registry, project: str) -> int | None:
    found = find_project(registry, project)
    return found.permits if found.has_permit_on(today()) else None
