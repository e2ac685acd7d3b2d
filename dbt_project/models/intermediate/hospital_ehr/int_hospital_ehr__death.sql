with certificate as (
    -- The certification of death is an encounter of its own (SNOMED CT 308646001), whose reason is the cause.
    select
        patient_id,
        min(start_at) as certified_at,
        arg_min(reason_code, (start_at, encounter_id)) as cause
    from {{ ref('int_hospital_ehr__encounter') }}
    where code = '308646001'
    group by patient_id
)

select
    patient.person_id,
    coalesce(patient.death_date, cast(certificate.certified_at as date)) as death_date,
    cast(coalesce(patient.death_date, cast(certificate.certified_at as date)) as timestamp) as death_datetime,
    32817 as death_type_concept_id,
    case
        when cause.domain_id in ('Condition', 'Observation') then cause.concept_id
        when certificate.cause is not null then 0
    end as cause_concept_id,
    left(certificate.cause, 50) as cause_source_value,
    case when certificate.cause is not null then coalesce(cause.source_concept_id, 0) end as cause_source_concept_id
from {{ ref('int_hospital_ehr__patient') }} as patient
left join certificate using (patient_id)
left join {{ ref('int_hospital_ehr__code') }} as cause
    on cause.source_vocabulary_id = 'SNOMED' and cause.source_code = certificate.cause
where coalesce(patient.death_date, cast(certificate.certified_at as date)) is not null
