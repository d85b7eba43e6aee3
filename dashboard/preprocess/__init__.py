"""The Preprocessing page: what each step does to a face, and to what a network reads in it."""
