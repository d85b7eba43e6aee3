"""The parts of the leaderboard page."""
