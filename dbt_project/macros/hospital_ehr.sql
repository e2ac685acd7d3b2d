{#
    The rows of a file of coded events, each with its stable id, its person, its visit and its standard concept.

    `vocabulary` is an SQL expression for the code list of `code`; `key` names the columns that, with the encounter (or
    the patient, outside one), say which event it is. `domain_id` is that of the standard concept when the file may feed
    it (`domains`), otherwise `default_domain`, an SQL expression.

    The same event delivered twice in a file keeps both rows: copies are numbered within equal keys by the other columns
    that reach OMOP (`rest`), so the ids depend on no order of rows. The domain depends on the key; it is in the
    partition so that a table reads only its own rows.
#}
{% macro coded_events(file, vocabulary, key, rest, domains, default_domain) -%}
with event as (
    select
        *,
        {{ hub_id([file ~ '|hospital_ehr', 'coalesce(encounter_id, cast(patient_id as varchar))'] + key) }} as event_key
    from {{ ref('stg_hospital_ehr__' ~ file) }}
),

coded as (
    select
        event.*,
        coalesce(standard.concept_id, 0) as concept_id,
        coalesce(standard.source_concept_id, 0) as source_concept_id,
        case
            when standard.domain_id in ('{{ domains | join("', '") }}') then standard.domain_id
            else {{ default_domain }}
        end as domain_id
    from event
    left join {{ ref('int_hospital_ehr__code') }} as standard
        on standard.source_vocabulary_id = {{ vocabulary }} and standard.source_code = event.code
),

told_apart as (
    select
        *,
        row_number() over (partition by event_key, domain_id order by {{ rest | join(', ') }}) as copy_number
    from coded
)

select
    told_apart.* exclude (event_key, copy_number),
    case
        when copy_number = 1 then event_key
        else {{ hub_id(['copy|hospital_ehr', 'event_key', 'copy_number']) }}
    end as event_id,
    patient.person_id,
    encounter.provider_id,
    encounter.visit_occurrence_id,
    encounter.visit_detail_id
from told_apart
inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
left join {{ ref('int_hospital_ehr__encounter') }} as encounter using (encounter_id, patient_id)
{%- endmacro %}


{# Amounts of one event, as the columns of COST: what was billed, the payer's part and the patient's. #}
{% macro billed(amount, covered) -%}
    32814 as cost_type_concept_id,
    44818668 as currency_concept_id,
    cast({{ amount }} as double) as total_charge,
    cast({{ amount }} as double) as total_cost,
    cast(null as double) as total_paid,
    cast({{ covered }} as double) as paid_by_payer,
    cast({{ amount }} - {{ covered }} as double) as paid_by_patient,
    cast(null as double) as paid_patient_copay,
    cast(null as double) as paid_patient_coinsurance,
    cast(null as double) as paid_patient_deductible,
    cast(null as double) as paid_by_primary,
    cast(null as double) as paid_ingredient_cost,
    cast(null as double) as paid_dispensing_fee,
    cast(null as bigint) as payer_plan_period_id,
    cast(null as double) as amount_allowed,
    0 as revenue_code_concept_id,
    cast(null as varchar) as revenue_code_source_value,
    0 as drg_concept_id,
    cast(null as varchar) as drg_source_value
{%- endmacro %}


{# The id of the place a patient lives in, as precise as the lake knows it; null when nothing is known of it. #}
{% macro home_id(city, county, state, postal_code) -%}
    case
        when coalesce({{ city }}, {{ county }}, {{ state }}, {{ postal_code }}) is not null
            then {{ hub_id(['location|hospital_ehr|home', city, county, state, postal_code]) }}
    end
{%- endmacro %}
