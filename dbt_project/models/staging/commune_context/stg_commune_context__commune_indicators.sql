select
    code_insee,
    cast(annee as integer) as annee,
    libelle,
    code_departement,
    date_geographie,
    population,
    densite_cat,
    fdep,
    quintile,
    revenu_median,
    pct_bacheliers,
    pct_ouvriers,
    taux_chomage,
    apl_mg,
    part_75_plus,
    pm25,
    _delivery
from {{ source('commune_context', 'commune_indicators') }}
