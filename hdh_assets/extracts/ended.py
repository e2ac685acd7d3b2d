"""Withdrawing what projects keep beyond their permit: it expired, was revoked, or the project gave up.

A version made under an earlier permit stays while an amendment of it is in force, and goes when the permit had ended
before another was granted.
"""

from __future__ import annotations

from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.space import project_lock, unfinished
from hdh_assets.extracts.versions import Version, list_versions
from hdh_assets.extracts.withdrawal import Cause, Withdrawal, is_left, of_each, withdraw, withdrawals
from hdh_assets.governance.register import projects, today
from resources.registry import Registry


def spaces_to_clear(home: Home, settings: Settings) -> list[str]:
    """Projects that keep something without a permit, in order.

    A version, one whose withdrawal stopped midway, or what a killed build left. A folder of a project that the event
    log does not know is nobody's to clear.
    """
    with Registry(home, settings) as registry:
        found = {version.project for version, _ in _kept(home, registry)}
        over = [name for name, project in projects(registry).items() if project.permit_end(today())]
    return sorted(found.union(name for name in over if unfinished(home, name)))


def withdraw_ended(home: Home, settings: Settings) -> list[str]:
    """Clear these spaces; the names of the versions withdrawn. Can be done again."""

    def withdraw_of(project: str) -> list[str]:
        with Registry(home, settings) as registry, project_lock(home, registry, project):
            # looked at again: a permit may have been granted since
            kept = _kept(home, registry, project)
            for version, why in kept:
                withdraw(registry, version, why)
            return [version.name for version, _ in kept]

    return of_each(spaces_to_clear(home, settings), withdraw_of)


def _kept(home: Home, registry: Registry, project: str | None = None) -> list[tuple[Version, Withdrawal]]:
    """Versions of that project, or of all, to be withdrawn, each with why."""
    known, begun = projects(registry), withdrawals(registry)
    found = []
    for version in filter(is_left, list_versions(home, project)):
        project_of = known.get(version.project)
        end = project_of.end_of(version.basis.permit, today()) if project_of else None
        if why := begun.get((version.project, version.number)) or (end and Withdrawal(Cause.permit_ended, end)):
            found.append((version, why))
    return found
