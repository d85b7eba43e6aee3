"""Train, evaluate and explain facial-expression models."""

__version__ = "0.1.0"
