"""`python -m zaffre.cli`, for interpreters whose `zaffre` is not on PATH."""

from zaffre.cli.main import main

main()
