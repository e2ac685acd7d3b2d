{{ config(materialized='ephemeral') }}
{#
    A stay that goes on ends with the last thing the export tells of anybody. Where rows of persons who objected left the
    snapshot, that may have been theirs, and the stays of others end earlier.
#}
{%- set pending = pending_deliveries('hospital_ehr', apart=true) %}
select patient.person_id, cast(null as date) as care_date
from {{ ref('stg_hospital_ehr__encounters') }} as encounter
inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
inner join {{ ref('hospital_ehr_encounter_class') }} as meaning
    on meaning.encounter_class = lower(trim(encounter.encounter_class))
where encounter.stop_at is null and meaning.kind = 'stay' and {{ 'true' if pending.thinned else 'false' }}
