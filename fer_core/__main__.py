"""`python -m fer_core`: the command line."""

from fer_core.cli.app import main

if __name__ == "__main__":
    main()
