{{ config(materialized='cdm_table', scope='all', contract={'enforced': true}) }}
{#
    One standard concept per source code, so that the rows of a table never depend on the vocabularies loaded. Athena
    wins for the code lists that it holds under the same name, since the hub's own map of them ages; for the others, whose
    codes the hub had to rename, the hub's own map wins where it maps (ADR 0006). Of several vocabularies of one list the
    first wins, and among several targets the smallest. A code that Athena holds and links with nothing keeps its source concept.
#}
with own as (
    select
        source_vocabulary_id,
        source_code,
        source_concept_id,
        target_concept_id,
        target_vocabulary_id,
        target_domain_id,
        case when target_concept_id <> 0 then 1 else 4 end as preference,
        0 as precedence
    from ({{ own_map() }}) as own
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
        coalesce(standard.target_concept_id, 0) as target_concept_id,
        coalesce(standard.target_vocabulary_id, 'None') as target_vocabulary_id,
        standard.target_domain_id,
        case
            when standard.target_concept_id is null then 3
            when renamed.source_vocabulary_id = renamed.vocabulary_id then 0
            else 2
        end as preference,
        renamed.precedence
    from {{ ref('concept') }} as source
    inner join {{ ref('athena_vocabulary') }} as renamed on renamed.vocabulary_id = source.vocabulary_id
    left join ({{ standard_targets() }}) as standard on standard.concept_id = source.concept_id
    {%- else %}
    select * from own where false
    {%- endif %}
),

candidate as (
    select * from own
    union all
    select * from athena
)

select * exclude (preference, precedence)
from candidate
qualify row_number() over (
    partition by source_vocabulary_id, source_code
    order by preference, precedence, target_concept_id, source_concept_id
) = 1
