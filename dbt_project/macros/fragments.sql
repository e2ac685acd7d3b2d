{#
    The union of the fragments that feed this CDM table (`vars: fragments` in dbt_project.yml), or no row with the
    contract's columns when nothing feeds it. `beside` gives the type, by name, of columns the fragments give beside
    those of the table.
#}
{% macro fragments(beside={}) %}
    {%- set names = fragments_in_scope() -%}
    {%- for name in names %}
    select {{ fragment_columns(beside) }} from {{ ref(name) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {%- if not names %}
    {{ no_rows(beside) }}
    {%- endif %}
{% endmacro %}


{#
    The union of the fragments of a table that has one row per person: a person whom several datasets describe has the
    row of the dataset named first.
#}
{% macro one_per_person() %}
    {%- set names = fragments_in_scope() -%}
    {%- for name in names %}
    select {{ fragment_columns() }} from {{ ref(name) }}
        {%- for earlier in names[:loop.index0] %}
    anti join {{ ref(earlier) }} as earlier_{{ loop.index }} using (person_id)
        {%- endfor %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {%- if not names %}
    {{ no_rows() }}
    {%- endif %}
{% endmacro %}


{#
    Fragments of this table that the run must read: not those of a dataset that was never delivered, or none of whose
    persons is in scope.
#}
{% macro fragments_in_scope() %}
    {% set names = var('fragments').get(model_name(), []) %}
    {% if names and not is_unit_test() %}{% do ref('int_hub__scope') %}{% endif %}
    {% set wanted = [] %}
    {% for name in names %}
        {% do ref(name) %}
        {% set dataset = name.split('__')[0] | replace('int_', '', 1) %}
        {% if is_delivered(dataset) and (config.get('scope') == 'all' or is_dataset_in_scope(dataset)) %}
            {% do wanted.append(name) %}
        {% endif %}
    {% endfor %}
    {{ return(wanted) }}
{% endmacro %}


{#
    Whether the scope holds anyone of the dataset. Asked of snapshots alone: their fragments read the whole snapshot, and
    a flux of another dataset must not pay for that.
#}
{% macro is_dataset_in_scope(dataset) %}
    {% set kept = kept_relations(['int_hub__membership']) if execute and dataset in var('snapshots') %}
    {% if not kept or scope_facts().everyone or pending_deliveries(dataset).any %}{{ return(true) }}{% endif %}
    {% set found = run_query("select count(*) from " ~ datasets_in_scope() ~ " where dataset = '" ~ dataset ~ "'") %}
    {{ return(found.rows[0][0] > 0) }}
{% endmacro %}


{% macro fragment_columns(beside={}) %}
    {%- set own = model.columns.values() | map(attribute='name') | map('tojson') | list -%}
    {{ return((own + (beside | list)) | join(', ') if own else '*') }}
{% endmacro %}


{# Name of the model, also when a unit test of it is compiled. #}
{% macro model_name() %}
    {{ return(model.tested_node_unique_id.split('.')[-1] if is_unit_test() else model.name) }}
{% endmacro %}


{# The domains that have a CDM table of events. #}
{% macro event_domains() -%}
    ('{{ domains_of_events() | join("', '") }}')
{%- endmacro %}


{% macro domains_of_events() %}
    {{ return(['Condition', 'Drug', 'Procedure', 'Measurement', 'Observation', 'Device']) }}
{% endmacro %}


{# The domain whose table an event goes to: that of its standard concept, or else that of its source (SNDS.md C.3). #}
{% macro event_domain(of_concept, of_source) -%}
    case when {{ of_concept }} in {{ event_domains() }} then {{ of_concept }} else {{ of_source }} end
{%- endmacro %}
