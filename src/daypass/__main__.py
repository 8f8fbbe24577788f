"""`python -m daypass` is the `daypass` command."""

from daypass.cli import main

main()
