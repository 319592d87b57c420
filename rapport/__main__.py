"""`python -m rapport`: the command line."""

from rapport.interfaces.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
