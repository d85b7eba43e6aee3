"""Datasets of faces: reading, caching, splitting and auditing them."""
