{{ config(scope='all') }}
{#
    What the hub's own code names, in its own words, whatever a folder holds. Without Athena the ids in use beside, under
    their number, since the name is not ours to give.
#}
{%- set named %}
    select
        *,
        date '1970-01-01' as valid_start_date,
        date '2099-12-31' as valid_end_date,
        cast(null as varchar) as invalid_reason
    from {{ ref('concept_stub') }}
{%- endset %}
{%- if has_athena() %}
{{ vocabulary_with(named, 'concept_id') }}
{%- else %}
with named as (
    {{ named }}
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
    -- What a source code is itself, in the domain of what it maps to: standard where it is its own target.
    select source_concept_id, source_vocabulary_id, target_domain_id, null
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

select * from named
union all by name
select
    concept_id,
    'Concept ' || concept_id as concept_name,
    coalesce(domain_id, 'Undefined') as domain_id,
    coalesce(vocabulary_id, 'None') as vocabulary_id,
    'Undefined' as concept_class_id,
    standard_concept,
    cast(concept_id as varchar) as concept_code,
    date '1970-01-01' as valid_start_date,
    date '2099-12-31' as valid_end_date,
    cast(null as varchar) as invalid_reason
from unnamed
{%- endif %}
