{#
    The files of events: the code list of their codes, as an SQL expression over their rows, the columns that say when an
    event begins and ends, the domains whose tables read the file themselves (`own`), and where else its rows may go.
    What somebody is allergic to is a substance in a part of the rows, which is no drug taken nor device used.
#}
{% macro files_of_events() -%}
{%- set any = domains_of_events() -%}
{{ return({
    'allergies': {
        'codes': "case when code_system = 'RxNorm' then 'RxNorm' else 'SNOMED' end",
        'start': 'start_date', 'stop': 'null', 'own': ['Observation'], 'domains': ['Observation', 'Condition'],
    },
    'conditions': {
        'codes': "'SNOMED'", 'start': 'start_date', 'stop': 'stop_date', 'own': ['Condition', 'Observation'],
        'domains': any,
    },
    'devices': {'codes': "'SNOMED'", 'start': 'start_at', 'stop': 'stop_at', 'own': ['Device'], 'domains': any},
    'immunizations': {'codes': "'CVX'", 'start': 'event_at', 'stop': 'null', 'own': ['Drug'], 'domains': any},
    'medications': {'codes': "'RxNorm'", 'start': 'start_at', 'stop': 'stop_at', 'own': ['Drug'], 'domains': any},
    'observations': {
        'codes': "'LOINC'", 'start': 'event_at', 'stop': 'null', 'own': ['Measurement', 'Observation'], 'domains': any,
    },
    'procedures': {
        'codes': "'SNOMED'", 'start': 'start_at', 'stop': 'stop_at', 'own': ['Procedure', 'Measurement', 'Observation'],
        'domains': any,
    },
    'supplies': {'codes': "'SNOMED'", 'start': 'event_date', 'stop': 'null', 'own': ['Device'], 'domains': any},
}) }}
{%- endmacro %}


{#
    Files that hold events of a domain whose table does not read them, with these domains. Asked of their codes when the
    table of such events is made: reading a file of events for the few that there may be would cost as much as all others.
#}
{% macro files_with_strays() %}
    {%- set found = {} -%}
    {% for file, columns in files_of_events().items() %}
        {% set elsewhere = columns.domains | reject('in', columns.own) | list %}
        {% set rows = run_query(domains_of_file(file, elsewhere)).rows if execute and not is_unit_test() else [] %}
        {% if rows or not execute or is_unit_test() %}{% do found.update({file: elsewhere}) %}{% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}


{% macro domains_of_file(file, domains) -%}
    select distinct standard.domain_id
    from (
        select distinct {{ files_of_events()[file].codes }} as vocabulary_id, code
        from {{ ref('stg_hospital_ehr__' ~ file) }}
    ) as listed
    inner join {{ ref('int_hospital_ehr__code') }} as standard
        on standard.source_vocabulary_id = listed.vocabulary_id and standard.source_code = listed.code
    where standard.domain_id in ('{{ domains | join("', '") }}')
{%- endmacro %}


{#
    The events of a domain: of each of its own `files` the columns that all events have and those that its entry names, as
    SQL over the file's rows (one of the first takes the place of what all have), then events of other files. What a file
    does not say is null.
#}
{% macro events_of(domain, files) -%}
{%- for file, said in files.items() %}
{%- set columns = {
    'event_id': 'event_id',
    'person_id': 'person_id',
    'concept_id': 'concept_id',
    'source_concept_id': 'source_concept_id',
    'code': 'code',
    'start_at': 'cast(' ~ files_of_events()[file].start ~ ' as timestamp)',
    'stop_at': 'cast(' ~ files_of_events()[file].stop ~ ' as timestamp)',
    'provider_id': 'provider_id',
    'visit_occurrence_id': 'visit_occurrence_id',
    'visit_detail_id': 'visit_detail_id',
} %}
{%- do columns.update(said) %}
select
    {%- for name, sql in columns.items() %}
    {{ sql }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('int_hospital_ehr__coded_' ~ file) }}
where domain_id = '{{ domain }}'
union all by name
{%- endfor %}
select * exclude (domain_id)
from {{ ref('int_hospital_ehr__stray') }}
where domain_id = '{{ domain }}'
{%- endmacro %}


{#
    The rows of a file of coded events, each with its stable id, its person, its visit and its standard concept.

    `moment` is the column that, with the encounter (or the patient, outside one) and the code, says which event it is;
    `rest` names the other columns that reach OMOP, or decide which of its tables or concepts a row has. `domain_id` is that of the standard concept when rows of the file may
    go there, otherwise `default_domain`, an SQL expression; `concept_domain_id` is that of the concept, whatever it is.

    Each view is read by several tables, so what is done per row counts: an md5 costs more than all the rest together.
#}
{% macro coded_events(file, moment, rest, default_domain) -%}
{%- set delivered = ref('stg_hospital_ehr__' ~ file) -%}
{%- set vocabulary = files_of_events()[file].codes %}
{%- set domains = files_of_events()[file].domains %}
{%- set coded_by = ['code'] if vocabulary.startswith("'") else ['code', 'vocabulary_id'] -%}
{%- set outside = hub_id(['outside|hospital_ehr', 'event.encounter_id', 'event.patient_id']) -%}
with told_apart as (
    {{ told_apart(delivered, ['encounter_id', 'patient_id', 'code', moment], rest) }}
),

event as (
    select *, {{ vocabulary }} as vocabulary_id from told_apart
),

meaning as (
    select
        listed.vocabulary_id,
        listed.code,
        {{ hub_id(['code|hospital_ehr', 'listed.vocabulary_id', 'listed.code']) }} as code_id,
        coalesce(standard.concept_id, 0) as concept_id,
        coalesce(standard.source_concept_id, 0) as source_concept_id,
        standard.domain_id as concept_domain_id,
        case when standard.domain_id in ('{{ domains | join("', '") }}') then standard.domain_id end as own_domain_id
    from (select distinct {{ vocabulary }} as vocabulary_id, code from {{ delivered }}) as listed
    left join {{ ref('int_hospital_ehr__code') }} as standard
        on standard.source_vocabulary_id = listed.vocabulary_id and standard.source_code = listed.code
),

placed as (
    select
        event.* exclude (vocabulary_id),
        meaning.concept_id,
        meaning.source_concept_id,
        meaning.concept_domain_id,
        coalesce(meaning.own_domain_id, {{ default_domain }}) as domain_id,
        patient.person_id,
        encounter.provider_id,
        encounter.visit_occurrence_id,
        encounter.visit_detail_id,
        {{ joined_id(file, [
            'meaning.code_id', 'coalesce(encounter.visit_detail_id, ' ~ outside ~ ')', moment_id('event.' ~ moment)
        ]) }} as event_key
    from event
    inner join meaning using ({{ coded_by | join(', ') }})
    inner join {{ ref('int_hospital_ehr__patient') }} as patient using (patient_id)
    left join {{ ref('int_hospital_ehr__encounter') }} as encounter using (encounter_id, patient_id)
)

select
    * exclude (event_key, copy_number),
    {{ copy_id('event_key') }} as event_id
from placed
{%- endmacro %}


{#
    The rows of a relation with `copy_number`: 1, or 2 and more for those that say again what another row says, which is
    told by the columns of `key`. Copies are numbered by the columns of `rest`, so the numbers depend on no order of rows.

    Copies are rare: the keys that have some are found by a hash that serves nothing else, and only their rows are sorted.
#}
{% macro told_apart(relation, key, rest) -%}
    with delivered as not materialized (
        select *, hash({{ key | join(', ') }}) as likeness from {{ relation }}
    ),

    repeated as (
        select likeness from delivered group by likeness having count(*) > 1
    )

    select * exclude (likeness), cast(1 as bigint) as copy_number from delivered anti join repeated using (likeness)
    union all
    select
        * exclude (likeness),
        row_number() over (partition by {{ key | join(', ') }} order by {{ rest | join(', ') }}) as copy_number
    from delivered
    semi join repeated using (likeness)
{%- endmacro %}


{# The id of a row numbered by `told_apart`: that of its key, for all but the copies. #}
{% macro copy_id(key) -%}
    case when copy_number = 1 then {{ key }} else {{ hub_id(['copy|hospital_ehr', key, 'copy_number']) }} end
{%- endmacro %}


{#
    A positive 63-bit identifier of what several identifiers of this kind name together: as `hub_id`, without an md5 per
    row. All but one of them may be any number, provided that one alone never tells two rows of the same others apart.
#}
{% macro joined_id(kind, ids) -%}
    {%- set parts = [hub_id([kind ~ '|hospital_ehr'])] + ids -%}
    {{ 'xor(' * (parts | length - 1) }}{{ parts[0] }}{% for part in parts[1:] %}, {{ part }}){% endfor %}
{%- endmacro %}


{# A date or a moment as a positive number, for `joined_id`. #}
{% macro moment_id(moment) -%}
    epoch_us(cast({{ moment }} as timestamp)) & 9223372036854775807
{%- endmacro %}


{#
    The number a text is, null when it is none; what a double calls infinite or not a number is none, and so are digits
    grouped by underscores, which the engine reads.
#}
{% macro number_in(text) -%}
    case
        when isfinite(try_cast({{ text }} as double)) and not contains({{ text }}, '_') then try_cast({{ text }} as double)
    end
{%- endmacro %}


{# The unit of a result: the export writes the absence of one as the word. #}
{% macro unit_told() -%}
    case when unit <> 'null' then unit end
{%- endmacro %}


{# Amounts of one event, as the columns of COST: what was billed, the payer's part and the patient's. #}
{% macro billed(amount, covered) -%}
    32814 as cost_type_concept_id,
    44818668 as currency_concept_id,
    cast({{ amount }} as double) as total_charge,
    cast({{ amount }} as double) as total_cost,
    cast(null as double) as total_paid,
    cast({{ covered }} as double) as paid_by_payer,
    cast(cast({{ amount }} as decimal(19, 2)) - {{ covered }} as double) as paid_by_patient,
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
