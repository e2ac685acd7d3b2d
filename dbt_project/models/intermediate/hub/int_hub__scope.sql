{{ config(materialized='scope') }}
{#
    Appended to before any contribution changes and emptied by the runner when the whole run has succeeded, so that a
    killed run is simply repeated.
#}
{{- check_scopes(var('fragments'), var('scopes'), var('snapshots')) }}
{%- for model_name in var('scopes') %}
select person_id, care_date from {{ ref(model_name) }}
{{ "union" if not loop.last }}
{%- endfor %}
{%- if not var('scopes') %}
select cast(null as bigint) as person_id, cast(null as date) as care_date where false
{%- endif %}
