{# DuckDB does not enforce the length of varchar(n): the contract's lengths are checked here. #}
{%- set by_scope = tables_by_scope() %}
{%- if execute %}
    {%- set checks = [] %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'omop' %}
        {%- for column in node.columns.values() if column.data_type.startswith('varchar(') %}
            {%- set length = column.data_type[8:-1] %}
            {%- do checks.append({'table': node.name, 'column': column.name, 'length': length}) %}
        {%- endfor %}
    {%- endfor %}
with too_long as (
    {%- for table in checks | map(attribute='table') | unique | sort %}
    select
        '{{ table }}' as cdm_table,
        count(*) filter (
            {%- for check in checks if check.table == table %}
            length("{{ check.column }}") > {{ check.length }} {{ "or" if not loop.last }}
            {%- endfor %}
        ) as broken
    from {{ recomputed(table) if table in by_scope else target.database ~ '.omop.' ~ table }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from too_long where broken > 0
{%- endif %}
{%- for table in by_scope %}
-- depends_on: {{ ref(table) }}
{%- endfor %}
