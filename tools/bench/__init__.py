"""Measures the build, the preview and the memory beside bare Material and Zensical: python -m tools.bench."""
