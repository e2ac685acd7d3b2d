"""Dossiers, opinions, permits: pure Python over an append-only event log. Nothing here reads the lake."""
