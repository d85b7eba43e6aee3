"""The Launch page: which trainings, what exists of them, and how long they take."""
