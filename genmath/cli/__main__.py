"""`python -m genmath.cli` is `genmath`."""

from genmath.cli.commands import main

if __name__ == "__main__":
    main()
