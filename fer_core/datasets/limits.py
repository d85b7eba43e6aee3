"""Bounds on what is read: a hostile or mistaken source ends in a sentence, not in a full memory or disk."""

MAX_IMAGE_PIXELS = 30_000_000  # declared in the image's own header; checked before anything is decoded
MAX_IMAGE_BYTES = 64 * 2**20
MAX_TABLE_BYTES = 4 * 2**30
MAX_ROW_BYTES = 2**20
MAX_SOURCE_BYTES = 64 * 2**30
MAX_HEADER_BYTES = 2**20  # of a tar member's long name or attributes
MAX_MEMBERS = 2_000_000
MAX_SIDE = 1024  # larger images are reduced: no model here looks at more, and the cache stays small
