{{ config(materialized='cdm_table', scope='all', contract={'enforced': true}) }}
{#
    One standard concept per source code, so that the rows of a table never depend on the vocabularies loaded. The hub's
    own map wins where it maps; otherwise the smallest concept that Athena links with `Maps to`.
#}
with own as (
    {%- for seed in var('concept_maps') %}
    select source_vocabulary_id, source_code, source_concept_id, target_concept_id, target_vocabulary_id
    from {{ ref(seed) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

athena as (
    {%- if has_athena() %}
    select
        renamed.source_vocabulary_id,
        replace(source.concept_code, '.', '') as source_code,
        source.concept_id as source_concept_id,
        target.concept_id as target_concept_id,
        target.vocabulary_id as target_vocabulary_id
    from {{ ref('concept') }} as source
    inner join {{ ref('athena_vocabulary') }} as renamed on renamed.vocabulary_id = source.vocabulary_id
    inner join {{ ref('concept_relationship') }} as link
        on link.concept_id_1 = source.concept_id and link.relationship_id = 'Maps to' and link.invalid_reason is null
    inner join {{ ref('concept') }} as target on target.concept_id = link.concept_id_2 and target.standard_concept = 'S'
    {%- else %}
    select * from own where false
    {%- endif %}
),

candidate as (
    select *, case when target_concept_id <> 0 then 0 else 2 end as preference from own
    union all
    select *, 1 as preference from athena
),

chosen as (
    select *
    from candidate
    qualify row_number() over (
        partition by source_vocabulary_id, source_code order by preference, target_concept_id, source_concept_id
    ) = 1
)

select
    source_vocabulary_id,
    source_code,
    source_concept_id,
    target_concept_id,
    target_vocabulary_id,
    {% if has_athena() -%}
    (select domain_id from {{ ref('concept') }} as concept where concept.concept_id = chosen.target_concept_id)
    {%- else -%}
    cast(null as varchar)
    {%- endif %} as target_domain_id
from chosen
