{{ config(scope='all') }}
{# Without Athena: the ids in use, in the hub's own words or under their number where the name is not ours to give. #}
{%- if has_athena() %}
{{ athena_rows() }}
{%- else %}
with named as (
    select * from {{ ref('concept_stub') }}
),

mapped as (
    select
        target_concept_id as concept_id,
        target_vocabulary_id as vocabulary_id,
        target_domain_id as domain_id,
        'S' as standard_concept
    from {{ ref('int_hub__concept_map') }}
    where target_concept_id <> 0
    union all
    -- What a source code is itself: standard where it is its own target.
    select source_concept_id, source_vocabulary_id, null, null
    from {{ ref('int_hub__concept_map') }}
    where source_concept_id <> 0
),

unnamed as (
    select
        concept_id,
        min(vocabulary_id) as vocabulary_id,
        min(domain_id) as domain_id,
        min(standard_concept) as standard_concept
    from mapped
    anti join named using (concept_id)
    group by concept_id
)

select
    concept_id,
    concept_name,
    domain_id,
    vocabulary_id,
    concept_class_id,
    standard_concept,
    concept_code,
    date '1970-01-01' as valid_start_date,
    date '2099-12-31' as valid_end_date,
    cast(null as varchar) as invalid_reason
from named
union all
select
    concept_id,
    'Concept ' || concept_id,
    coalesce(domain_id, 'Undefined'),
    coalesce(vocabulary_id, 'None'),
    'Undefined',
    standard_concept,
    cast(concept_id as varchar),
    date '1970-01-01',
    date '2099-12-31',
    cast(null as varchar)
from unnamed
{%- endif %}
