"""The command line with trainings of three epochs, so that a test may run, kill and resume whole searches."""

from dataclasses import replace

from nasturtium.cli import main
from nasturtium.workflows import search

if __name__ == "__main__":
    usual = search.choose_recipe
    search.choose_recipe = lambda *given: replace(usual(*given), epochs=3, patience=None)
    main()
