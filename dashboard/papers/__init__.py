"""The Papers page: published figures beside ours, and what the papers draw."""
