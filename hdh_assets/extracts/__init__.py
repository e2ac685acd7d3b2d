"""Extracts: what a permit allows, of a release, under the project's own pseudonyms. One folder per version."""
