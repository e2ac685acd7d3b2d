"""Who is who across datasets: person spine, linkages and their quality. Not pseudonyms, which intake makes.

Nothing is linked yet: each dataset's persons are its own (`dbt_project/models/intermediate/`).
"""
