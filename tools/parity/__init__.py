"""Builds the same sources with the generators that could take MkDocs' place, and compares what a reader gets."""
