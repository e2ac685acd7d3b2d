{# Whether a folder of Athena files is set (HDH_VOCAB_DIR). #}
{% macro has_athena() %}
    {{ return(env_var('HDH_VOCAB_DIR', '') != '') }}
{% endmacro %}


{# Rows of one Athena file (tab-separated, no quotes), every column as text. #}
{% macro athena_file(name) -%}
    {%- set folder = env_var('HDH_VOCAB_DIR') | replace("'", "''") -%}
    read_csv('{{ folder }}/{{ name | upper }}.csv', delim = '\t', quote = '', escape = '', header = true, all_varchar = true)
{%- endmacro %}


{# The rows of a vocabulary table as Athena gives them, in the contract's types; dates are written yyyymmdd. #}
{% macro athena_rows() -%}
    select
        {%- for column in model.columns.values() %}
        {% if column.data_type == 'date' -%}
        strptime({{ column.name }}, '%Y%m%d')::date
        {%- else -%}
        cast(nullif({{ column.name }}, '') as {{ column.data_type }})
        {%- endif %} as {{ column.name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ athena_file(model.name) }}
{%- endmacro %}


{# A vocabulary table that is empty without Athena. #}
{% macro vocabulary_table() -%}
    {%- if has_athena() -%}{{ athena_rows() }}{%- else -%}{{ no_rows() }}{%- endif -%}
{%- endmacro %}


{#
    A vocabulary table as Athena gives it, and of `used`, a query of what the hub itself names, the rows whose key is not
    among these, so that no row of OMOP leads nowhere. Without Athena, those alone.
#}
{% macro vocabulary_with(used, key) -%}
    {%- if has_athena() -%}
    with given as not materialized (
        {{ athena_rows() }}
    )

    select * from given
    union all by name
    select * from ({{ used }}) as used
    anti join given using ({{ key }})
    {%- else -%}
    {{ used }}
    {%- endif -%}
{%- endmacro %}


{# No row, with the contract's columns and those given beside. #}
{% macro no_rows(beside={}) -%}
    select
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }},
        {%- endfor %}
        {%- for name, type in beside.items() %}
        cast(null as {{ type }}) as {{ name }},
        {%- endfor %}
    where false
{%- endmacro %}


{#
    The hub's own map, in the layout of source_to_concept_map, with the domain of the target. With an Athena folder a target
    is what that has as standard: the concept named, or else what replaced it, or else 0; a source concept it lacks is 0.
#}
{% macro own_map() -%}
    with seeded as (
        {%- for seed in var('concept_maps') %}
        select * from {{ ref(seed) }}
        {{ "union all" if not loop.last }}
        {%- endfor %}
    )
    {% if has_athena() %}
    select
        seeded.* replace (
            coalesce(source.concept_id, 0) as source_concept_id,
            coalesce(standard.target_concept_id, 0) as target_concept_id,
            coalesce(standard.target_vocabulary_id, 'None') as target_vocabulary_id
        ),
        standard.target_domain_id
    from seeded
    left join {{ ref('concept') }} as source on source.concept_id = seeded.source_concept_id
    left join ({{ standard_targets() }}) as standard on standard.concept_id = seeded.target_concept_id
    {%- else %},

    known as (
        {%- for seed in var('concept_domains') %}
        select concept_id, domain_id from {{ ref(seed) }}
        {{ "union all" if not loop.last }}
        {%- endfor %}
    )

    select
        seeded.*,
        case when seeded.target_concept_id <> 0 then coalesce(known.domain_id, listed.domain_id) end as target_domain_id
    from seeded
    left join known on known.concept_id = seeded.target_concept_id
    left join {{ ref('code_list_domain') }} as listed on listed.source_vocabulary_id = seeded.source_vocabulary_id
    {%- endif %}
{%- endmacro %}


{# The standard concepts of each concept of the Athena folder: itself, or those it validly maps to. #}
{% macro standard_targets() -%}
    select
        concept_id,
        concept_id as target_concept_id,
        vocabulary_id as target_vocabulary_id,
        domain_id as target_domain_id
    from {{ ref('concept') }}
    where standard_concept = 'S'
    union all
    select link.concept_id_1, target.concept_id, target.vocabulary_id, target.domain_id
    from {{ ref('concept_relationship') }} as link
    inner join {{ ref('concept') }} as target on target.concept_id = link.concept_id_2
    where
        link.relationship_id = 'Maps to'
        and link.invalid_reason is null
        and link.concept_id_1 <> link.concept_id_2
        and target.standard_concept = 'S'
{%- endmacro %}


{#
    Ingredients of drug concepts, from Athena's ancestry, several for a drug made of several; no row without it, and a
    drug then stands for itself. French packs often are of RxNorm Extension, and so are ingredients that RxNorm lacks.
#}
{% macro ingredients() -%}
    select ancestor.descendant_concept_id as drug_concept_id, ancestor.ancestor_concept_id as ingredient_concept_id
    from {{ ref('concept_ancestor') }} as ancestor
    inner join {{ ref('concept') }} as concept on concept.concept_id = ancestor.ancestor_concept_id
    where
        concept.vocabulary_id in ('RxNorm', 'RxNorm Extension')
        and concept.concept_class_id = 'Ingredient'
        and concept.standard_concept = 'S'
{%- endmacro %}
