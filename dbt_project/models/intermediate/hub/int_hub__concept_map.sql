{{ config(materialized='cdm_table', scope='all', contract={'enforced': true}) }}
{#
    One standard concept per source code, so that the rows of a table never depend on the vocabularies loaded. Athena
    wins for the code lists that it holds under the same name, since the hub's own map of them ages; for the others, whose
    codes the hub had to rename, the hub's own map wins where it maps. Among several targets the smallest is taken. A code
    that Athena holds and links with nothing keeps its source concept.
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
        case
            when renamed.source_vocabulary_id = renamed.vocabulary_id then source.concept_code
            else replace(source.concept_code, '.', '')
        end as source_code,
        source.concept_id as source_concept_id,
        coalesce(target.concept_id, 0) as target_concept_id,
        coalesce(target.vocabulary_id, 'None') as target_vocabulary_id,
        case
            when target.concept_id is null then 3
            when renamed.source_vocabulary_id = renamed.vocabulary_id then 0
            else 2
        end as preference
    from {{ ref('concept') }} as source
    inner join {{ ref('athena_vocabulary') }} as renamed on renamed.vocabulary_id = source.vocabulary_id
    left join {{ ref('concept_relationship') }} as link
        on link.concept_id_1 = source.concept_id and link.relationship_id = 'Maps to' and link.invalid_reason is null
    left join {{ ref('concept') }} as target on target.concept_id = link.concept_id_2 and target.standard_concept = 'S'
    {%- else %}
    select *, 0 as preference from own where false
    {%- endif %}
),

candidate as (
    select *, case when target_concept_id <> 0 then 1 else 4 end as preference from own
    union all
    select * from athena
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
