{{ config(scope='all') }}
{%- set used %}
    select distinct domain_id, domain_id as domain_name, 0 as domain_concept_id
    from (
        select domain_id from {{ ref('concept') }}
        union all
        select unnest(['{{ domains_of_events() | join("', '") }}'])
    ) as named
{%- endset %}
{{ vocabulary_with(used, 'domain_id') }}
