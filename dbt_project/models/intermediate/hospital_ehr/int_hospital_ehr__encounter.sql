{{ config(materialized='cdm_table', dataset='hospital_ehr', scope_person='person_id', contract={'enforced': true}) }}
-- depends_on: {{ ref('int_hub__scope') }}
{%- set detail = 'visit_detail|hospital_ehr' %}
with told as (
    -- When the records were exported, as far as they tell: the last thing they say, within the period they are of.
    select
        least(
            greatest(max(start_at), max(stop_at)),
            max(strptime(_period, '%Y-%m') + interval 1 month - interval 1 second)
        ) as exported_at
    from {{ ref('stg_hospital_ehr__encounters') }}
),

deceased as (
    select
        patient_id,
        cast(death_date as timestamp) + interval 1 day - interval 1 second as died_by
    from {{ ref('int_hospital_ehr__patient') }}
    where death_date is not null
),

classified as not materialized (
    select
        delivered.*,
        hash(delivered.patient_id, delivered.encounter_class, delivered.start_at) as likeness,
        coalesce(meaning.kind, 'other') as kind,
        coalesce(meaning.visit_concept_id, 0) as visit_concept_id
    from {{ ref('stg_hospital_ehr__encounters') }} as delivered
    left join {{ ref('hospital_ehr_encounter_class') }} as meaning
        on meaning.encounter_class = lower(trim(delivered.encounter_class))
),

encounter as not materialized (
    select
        *,
        coalesce(stop_at, start_at) as end_at
    from classified
    where stop_at is not null or kind <> 'stay'
    union all
    -- A stay that goes on lasts until then (CDM: the date of the data pull), or until the patient's death.
    select
        classified.*,
        greatest(classified.start_at, least(told.exported_at, deceased.died_by))
    from classified
    cross join told
    left join deceased using (patient_id)
    where classified.stop_at is null and classified.kind = 'stay'
),

-- Hospital stays of a patient that overlap, or follow within a day, are one visit.
stay_begin as (
    select
        patient_id,
        encounter_id,
        start_at,
        end_at,
        coalesce(
            start_at > max(end_at) over (
                partition by patient_id order by start_at, end_at, encounter_id
                rows between unbounded preceding and 1 preceding
            ) + interval 1 day,
            true
        ) as is_begin
    from encounter
    where kind = 'stay'
),

numbered as (
    select
        *,
        sum(cast(is_begin as integer)) over (
            partition by patient_id order by start_at, end_at, encounter_id rows unbounded preceding
        ) as stay_number
    from stay_begin
),

stay as (
    select
        patient_id,
        min_by(encounter_id, (start_at, end_at, encounter_id)) as first_encounter_id,
        min(start_at) as visit_start_at,
        max(end_at) as visit_end_at
    from numbered
    group by patient_id, stay_number
),

-- What happens during a stay belongs to it. The emergency room a stay starts from remains a visit of its own.
-- A patient's stays are apart: with the last one begun alone, many encounters do not cost their square.
in_stay as (
    select
        encounter.encounter_id,
        stay.first_encounter_id,
        stay.visit_start_at,
        stay.visit_end_at
    from encounter
    asof inner join stay
        on
            encounter.patient_id = stay.patient_id
            and encounter.start_at >= stay.visit_start_at
    where
        stay.visit_end_at >= encounter.start_at
        and (
            encounter.kind in ('stay', 'outpatient')
            or (encounter.kind = 'emergency' and encounter.start_at > stay.visit_start_at)
        )
),

-- Encounters of one class that start at the same instant are one visit. They are few, and found as copies are.
repeated as (
    select likeness from encounter where kind in ('emergency', 'outpatient') group by likeness having count(*) > 1
),

same_start as (
    select
        patient_id,
        encounter_class,
        start_at,
        min(encounter_id) as first_encounter_id,
        max(end_at) as visit_end_at
    from encounter
    semi join repeated using (likeness)
    where kind in ('emergency', 'outpatient')
    group by patient_id, encounter_class, start_at
),

placed as (
    select
        encounter.* exclude (likeness),
        {{ hub_id([detail, 'encounter.encounter_id']) }} as visit_detail_id,
        coalesce(in_stay.first_encounter_id, same_start.first_encounter_id, encounter.encounter_id)
            as first_encounter_id,
        coalesce(in_stay.visit_start_at, encounter.start_at) as visit_start_at,
        coalesce(in_stay.visit_end_at, same_start.visit_end_at, encounter.end_at) as visit_end_at
    from encounter
    left join in_stay using (encounter_id)
    left join same_start using (patient_id, encounter_class, start_at)
)

select
    placed.encounter_id,
    placed.patient_id,
    patient.person_id,
    placed.visit_detail_id,
    case
        when placed.first_encounter_id = placed.encounter_id then {{ joined_id('visit', ['placed.visit_detail_id']) }}
        else {{ joined_id('visit', [hub_id([detail, 'placed.first_encounter_id'])]) }}
    end as visit_occurrence_id,
    placed.first_encounter_id = placed.encounter_id as is_first_of_visit,
    placed.visit_start_at,
    placed.visit_end_at,
    placed.start_at,
    placed.end_at,
    placed.encounter_class,
    placed.visit_concept_id,
    placed.code,
    placed.reason_code,
    provider.provider_id,
    organization.care_site_id,
    placed.total_claim_cost,
    placed.payer_coverage
from placed
inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
left join {{ ref('int_hospital_ehr__practitioner') }} as provider
    on provider.practitioner_id = placed.provider_id
left join {{ ref('int_hospital_ehr__organization') }} as organization
    on organization.organization_id = placed.organization_id
