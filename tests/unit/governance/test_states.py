"""Which step may follow which: the whole truth table, and the reasons of what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.errors import RefusedError
from hdh_assets.governance import decisions
from hdh_assets.governance.dossier import Dossier
from hdh_assets.governance.permit import permits_in_force
from hdh_assets.governance.states import End, Project, Status, Step, check_step, fold
from resources.registry import Draft, Event
from tests.extract_hub import dossier


def can_step(project: Project | None, name: str, step: Step, today: date) -> bool:
    """Whether `check_step` lets it through."""
    try:
        check_step(project, name, step, today)
    except RefusedError:
        return False
    return True


TODAY = date(2024, 5, 1)
LATER = date(2025, 5, 1)
ASKED = dossier("pilot", retention_until="2024-12-31")


def amend(events: list[Event]) -> Draft:
    """Another purpose each time: a version that says the same as the latest is none."""
    changed = dossier("pilot", retention_until="2024-12-31", purpose=f"What was learnt after {len(events)} events")
    return decisions.amend(changed, TODAY)(events)


MAKE: dict[Step, Any] = {
    Step.submit: decisions.submit(ASKED, TODAY),
    Step.amend: amend,
    Step.give_opinion: decisions.give_opinion("pilot", favourable=True, reason="", today=TODAY),
    Step.grant: decisions.grant("pilot", expires=None, conditions="", today=TODAY),
    Step.refuse: decisions.refuse("pilot", reason="no", today=TODAY),
    Step.revoke: decisions.revoke("pilot", reason="no", today=TODAY),
    Step.withdraw: decisions.withdraw("pilot", reason="no", today=TODAY),
}
AGAINST = decisions.give_opinion("pilot", favourable=False, reason="unclear", today=TODAY)

GRANTED = (Step.submit, Step.give_opinion, Step.grant)
PATHS: dict[Status | None, tuple[Any, ...]] = {
    None: (),
    Status.submitted: (Step.submit,),
    Status.favourable: (Step.submit, Step.give_opinion),
    Status.unfavourable: (Step.submit, AGAINST),
    Status.granted: GRANTED,
    Status.refused: (Step.submit, Step.refuse),
    Status.revoked: (*GRANTED, Step.revoke),
    Status.withdrawn: (Step.submit, Step.withdraw),
    Status.expired: GRANTED,
}
"""How each status is reached; `expired` is `granted` looked at later."""

TABLE = """
                submit amend give_opinion grant refuse revoke withdraw
none            yes    no    no           no    no     no     no
submitted       no     yes   yes          no    yes    no     yes
favourable      no     yes   yes          yes   yes    no     yes
unfavourable    no     yes   yes          no    yes    no     yes
granted         no     yes   no           no    no     yes    yes
refused         yes    no    no           no    no     no     no
revoked         yes    no    no           no    no     no     no
withdrawn       yes    no    no           no    no     no     no
expired         yes    no    no           no    no     no     no
"""


def event(draft: Draft, seq: int) -> Event:
    return Event(seq, datetime(2024, 5, 1, tzinfo=UTC), draft.kind, draft.subject, "tester", draft.data, "", "")


def after(*steps: Any) -> list[Event]:
    events: list[Event] = []
    for step in steps:
        decision = MAKE[step] if isinstance(step, Step) else step
        events.append(event(decision(events), len(events) + 1))
    return events


def cells() -> list[tuple[Status | None, Step, bool]]:
    header, *lines = TABLE.strip().splitlines()
    steps = [Step[name] for name in header.split()]
    rows = [line.split() for line in lines]
    return [
        (None if row[0] == "none" else Status(row[0]), step, cell == "yes")
        for row in rows
        for step, cell in zip(steps, row[1:], strict=True)
    ]


def test_the_table_has_every_status_and_every_step() -> None:
    assert {status for status, _, _ in cells()} == {None, *Status}
    assert len(cells()) == (len(Status) + 1) * len(Step)


@pytest.mark.parametrize(("status", "step", "is_allowed"), cells())
def test_a_step_is_allowed_or_refused_as_the_table_says(status: Status | None, step: Step, is_allowed: bool) -> None:
    day = LATER if status is Status.expired else TODAY
    project = fold(after(*PATHS[status])).get("pilot")
    assert (project.status_on(day) if project else None) == status
    assert can_step(project, "pilot", step, day) is is_allowed


@pytest.mark.parametrize(("status", "step"), [(s, t) for s, t, ok in cells() if not ok and s is not Status.expired])
def test_a_refused_step_says_why_and_what_to_do(status: Status | None, step: Step) -> None:
    events = after(*PATHS[status])
    with pytest.raises(RefusedError) as refusal:
        MAKE[step](events)
    assert refusal.value.remedy
    assert "pilot" in refusal.value.message


@pytest.mark.parametrize(
    ("status", "step", "command"),
    [
        (Status.submitted, Step.grant, "hdh committee opinion pilot"),
        (Status.granted, Step.grant, "hdh project amend"),
        (Status.granted, Step.give_opinion, "hdh project amend"),
        (Status.revoked, Step.grant, "hdh project submit"),
        (Status.revoked, Step.give_opinion, "hdh project submit"),
        (Status.refused, Step.amend, "hdh project submit"),
        (Status.refused, Step.revoke, "hdh project show pilot"),
    ],
)
def test_a_refused_step_leads_to_one_that_is_allowed(status: Status, step: Step, command: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        MAKE[step](after(*PATHS[status]))
    assert command in refusal.value.remedy


def test_a_version_that_says_the_same_is_not_filed() -> None:
    with pytest.raises(RefusedError, match="nothing changed: version 1 of pilot"):
        decisions.amend(ASKED, TODAY)(after(*GRANTED))
    assert decisions.amend(ASKED, TODAY)(after(*GRANTED, Step.amend)).data["dossier"]["project"] == "pilot"


@pytest.mark.parametrize(
    "make",
    [
        lambda: decisions.give_opinion("pilot", favourable=False, reason=" \u200b", today=TODAY),
        lambda: decisions.refuse("pilot", reason="", today=TODAY),
        lambda: decisions.revoke("pilot", reason="", today=TODAY),
        lambda: decisions.withdraw("pilot", reason="", today=TODAY),
    ],
)
def test_a_refusal_without_a_reason_is_itself_refused(make: Any) -> None:
    with pytest.raises(RefusedError, match="carries its reason"):
        make()


def test_a_permit_stays_in_force_while_its_amendment_is_examined_and_is_then_replaced() -> None:
    events = after(*GRANTED, Step.amend)
    project = fold(events)["pilot"]
    assert project.status is Status.submitted
    assert [permit.number for permit in permits_in_force([project], TODAY)[0]] == [1]
    events = after(*GRANTED, Step.amend, Step.give_opinion, Step.grant)
    assert [permit.number for permit in permits_in_force(fold(events).values(), TODAY)[0]] == [2]


def test_a_permit_in_force_can_be_revoked_while_an_amendment_is_examined() -> None:
    project = fold(after(*GRANTED, Step.amend, Step.revoke))["pilot"]
    assert (project.status, project.permit) == (Status.submitted, None)


def test_a_refused_amendment_leaves_the_permit_as_it_was() -> None:
    project = fold(after(*GRANTED, Step.amend, Step.refuse))["pilot"]
    assert project.status is Status.granted
    assert project.status_on(LATER) is Status.expired
    assert [permit.number for permit in permits_in_force([project], TODAY)[0]] == [1]
    assert fold(after(*GRANTED, Step.amend, Step.revoke, Step.refuse))["pilot"].status is Status.refused


def test_after_a_refused_amendment_the_granted_version_stands() -> None:
    """Title, version and dossier were those of what was refused, which could not be filed again."""
    events = after(*GRANTED, Step.amend, Step.refuse)
    project = fold(events)["pilot"]
    assert (project.dossier, project.dossier_version) == (events[0], 1)
    refused = decisions.amend(Dossier.model_validate(events[3].data["dossier"]), TODAY)
    again = fold([*events, event(refused(events), 6)])["pilot"]
    assert (again.dossier.seq, again.dossier_version) == (6, 3)
    with pytest.raises(RefusedError, match="nothing changed: version 1 of pilot"):
        decisions.amend(ASKED, TODAY)(events)


@pytest.mark.parametrize(("ending", "end"), [(Step.revoke, End(TODAY, "no")), (None, End(date(2024, 12, 31)))])
def test_an_ended_permit_keeps_its_end_when_a_later_dossier_is_given_up(ending: Step | None, end: End) -> None:
    """Notices and pages told that the permit ended when the dossier that followed it was withdrawn, and why."""
    events = after(*GRANTED, *([ending] if ending else []))
    for step in (decisions.submit(dossier("pilot", retention_until="2026-12-31"), LATER),
                 decisions.withdraw("pilot", reason="later", today=LATER)):  # fmt: skip
        events.append(replace(event(step(events), len(events) + 1), at=datetime(2025, 5, 1, tzinfo=UTC)))
    project = fold(events)["pilot"]
    assert (project.status, project.permit_end(LATER), project.end_of(1, LATER)) == (Status.withdrawn, end, end)


def test_a_dossier_of_a_form_that_is_none_any_more_is_not_granted_but_amended() -> None:
    events = after(Step.submit, Step.give_opinion)
    events[0].data["dossier"] |= {"colour": "blue"}
    with pytest.raises(RefusedError, match=r"version 1 of pilot was filed in a form .*: colour") as refused:
        MAKE[Step.grant](events)
    assert "hdh project amend" in (refused.value.remedy or "")


@pytest.mark.parametrize("altered", [{}, {"permit": "none"}, {"permit": {"expires": 7}}, {"permit": {"expires": "x"}}])
def test_whatever_a_grant_was_altered_to_its_project_can_be_told(altered: dict[str, Any]) -> None:
    events = after(*GRANTED)
    events[-1].data.clear()
    events[-1].data.update(altered)
    project = fold(events)["pilot"]
    assert (project.status_on(LATER), project.expires, project.permit_end(LATER)) == (Status.granted, None, None)
    ((found,),) = permits_in_force([project], LATER)[1:]
    assert (found.project, found.number) == ("pilot", 1)
    assert "event 3" in found.problem


def test_an_expired_permit_cannot_be_revoked_while_a_new_dossier_is_examined() -> None:
    filed = decisions.submit(dossier("pilot", retention_until="2026-12-31"), LATER)
    project = fold(after(*GRANTED, filed))["pilot"]
    assert not can_step(project, "pilot", Step.revoke, LATER)


def test_an_expired_permit_is_not_in_force() -> None:
    projects = fold(after(*GRANTED)).values()
    assert permits_in_force(projects, date(2024, 12, 31))[0]
    assert permits_in_force(projects, date(2025, 1, 1)) == ([], [])


def test_a_broken_permit_disables_itself_and_no_other() -> None:
    good = after(*GRANTED)
    bad = [event(Draft(e.kind, "other", e.data), e.seq) for e in good]
    bad[-1].data.update({"permit": {"project": "other"}})
    usable, broken = permits_in_force(fold([*after(*GRANTED), *bad]).values(), TODAY)
    assert [permit.project for permit in usable] == ["pilot"]
    assert [permit.project for permit in broken] == ["other"]


def test_a_permit_that_names_what_the_hub_lost_is_broken() -> None:
    usable, broken = permits_in_force(fold(after(*GRANTED)).values(), TODAY, {"omop.person": frozenset()})
    assert usable == []
    assert "omop.condition_occurrence" in broken[0].problem


def test_one_that_names_what_the_hub_no_longer_delivers_says_why() -> None:
    known = {"omop.person": frozenset[str]()}
    withheld = {"omop.condition_occurrence": "names people", "omop.person_names": "is not asked for"}
    _, broken = permits_in_force(fold(after(*GRANTED)).values(), TODAY, known, withheld)
    assert [each.problem for each in broken] == ["omop.condition_occurrence names people"]


def test_a_permit_cannot_outlive_what_the_dossier_asked() -> None:
    events = after(Step.submit, Step.give_opinion)
    with pytest.raises(RefusedError, match="cannot expire"):
        decisions.grant("pilot", expires=date(2025, 1, 1), conditions="", today=TODAY)(events)


@given(st.lists(st.sampled_from([*Step, "against"]), max_size=12))
def test_whatever_is_tried_a_permit_follows_a_favourable_opinion_and_can_be_revoked(tried: list[Any]) -> None:
    events: list[Event] = []
    for step in tried:
        decision = AGAINST if step == "against" else MAKE[step]
        try:
            events.append(event(decision(events), len(events) + 1))
        except RefusedError:
            continue
    project = fold(events).get("pilot")
    in_force = permits_in_force([project], TODAY)[0] if project else []
    assert can_step(project, "pilot", Step.revoke, TODAY) is bool(in_force)
    opinions = [e for e in events if e.kind in {Step.give_opinion, Step.grant}]
    for before, grant in zip([None, *opinions], opinions, strict=False):
        if grant.kind == Step.grant:
            assert before is not None
            assert before.data["favourable"]


def test_the_last_day_of_a_permit_is_in_force_and_the_next_is_not() -> None:
    project = fold(after(*GRANTED))["pilot"]
    last, next_day = date(2024, 12, 31), date(2025, 1, 1)
    for day, in_force in ((last, True), (next_day, False)):
        assert project.has_permit_on(day) is in_force
        assert bool(permits_in_force([project], day)[0]) is in_force
    assert project.status_on(last) is Status.granted
    assert project.permit_end(next_day) == End(last)


def test_a_permit_that_had_ended_stays_so_when_another_is_granted() -> None:
    """An amendment goes on with what there is; a permit after an end does not."""
    again = (Step.withdraw, *GRANTED)
    amended = (Step.amend, Step.give_opinion, Step.grant)
    project = fold(after(*GRANTED, *amended, *again, *amended))["pilot"]
    assert [project.end_of(number, TODAY) is not None for number in (1, 2, 3, 4)] == [True, True, False, False]
    assert all(project.end_of(number, LATER) for number in (1, 2, 3, 4))


ELSEWHERE = dossier("pilot", retention_until="2024-12-31", controller={"name": "Elsewhere", "contact": "a@example.org"})


@pytest.mark.parametrize(("file", "ended"), [(decisions.submit, (Step.withdraw,)), (decisions.amend, ())])
def test_a_name_stays_its_controller_s_once_a_permit_was_granted(file: Any, ended: tuple[Step, ...]) -> None:
    """By an amendment too, the standing versions and the pseudonyms would go to somebody else."""
    with pytest.raises(RefusedError, match="is of University"):
        file(ELSEWHERE, TODAY)(after(*GRANTED, *ended))
    changed = dossier("pilot", retention_until="2024-12-31", purpose="To learn what is left to learn")
    assert file(changed, TODAY)(after(*GRANTED, *ended)).subject == "pilot"


def test_a_name_is_nobody_s_as_long_as_nothing_was_granted() -> None:
    assert decisions.submit(ELSEWHERE, TODAY)([]).subject == "pilot"
    assert decisions.submit(ELSEWHERE, TODAY)(after(Step.submit, Step.refuse)).subject == "pilot"
    assert decisions.amend(ELSEWHERE, TODAY)(after(Step.submit)).subject == "pilot"


def test_what_somebody_else_merely_filed_takes_no_name_away_and_is_not_granted() -> None:
    """Logs hold such amendments, from before they were refused."""
    content = {"dossier": ELSEWHERE.model_dump(mode="json", by_alias=True)}
    filed = after(*GRANTED, lambda _: Draft(Step.amend, "pilot", content), Step.give_opinion)
    with pytest.raises(RefusedError, match="is of University"):
        MAKE[Step.grant](filed)
    refused = [*filed, event(MAKE[Step.withdraw](filed), len(filed) + 1)]
    assert MAKE[Step.submit](refused).subject == "pilot"
    with pytest.raises(RefusedError, match="is of University"):
        decisions.submit(ELSEWHERE, TODAY)(refused)
