"""`python -m wsss_cli` is `wsss`: how the launcher starts its ranks."""

from wsss_cli.app import main

if __name__ == "__main__":
    main()
