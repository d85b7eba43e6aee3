"""The Compare page: the same figures, images and settings of several runs, side by side."""
