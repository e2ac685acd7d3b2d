"""`python -m hdh_assets.cli` is `hdh`."""

from hdh_assets.cli.main import main

main()
