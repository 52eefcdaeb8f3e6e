"""The command line that does what given options ask: what a manifest shows when another door was used."""

from dataclasses import fields
from typing import Any

from nasturtium.workflows.options import SearchOptions

SPELLED = {"budget_s": "budget", "objectives": "objective"}
"""Fields whose option is called otherwise."""
JOINED = ("proxies",)
"""Fields of several whose option is given once, with commas between."""
LEFT_OUT = ("source", "first")
"""Fields that no option sets by itself: `first` comes from a plan or from earlier runs."""


def search_command(options: SearchOptions) -> list[str]:
    """`nasturtium search …` as words, with every option that is not the default's.

    >>> search_command(SearchOptions("digits", trials=3, limits={"params": "20k"}))
    ['nasturtium', 'search', 'digits', '--max-params', '20k', '--trials', '3']
    """
    words = ["nasturtium", "search", str(options.source)]
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in LEFT_OUT or not value or value == field.default:
            continue
        if field.name == "limits":
            for name, amount in value.items():
                words += [f"--max-{name}", _shown(amount)]
        elif field.name in JOINED:
            words += [_option(field.name), ",".join(value)]
        elif isinstance(value, tuple | list):
            for part in value:
                words += [_option(field.name), str(part)]
        else:
            words += [_option(field.name)] if value is True else [_option(field.name), _shown(value)]
    return words


def _option(field: str) -> str:
    return "--" + SPELLED.get(field, field).replace("_", "-")


def _shown(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
