"""The Network page: what a network is made of, and what every layer of it sees."""
