"""A plan in the terminal, and the questions of `advise`."""

import sys

from rich.console import Console
from rich.text import Text

from nasturtium.advisor import BY_NAME, Plan, Question
from nasturtium.advisor.rendering import markdown, text
from nasturtium.errors import UserError


def show_plan(plan: Plan) -> None:
    """On stdout; headings in bold."""
    console = Console(highlight=False, soft_wrap=True)
    for line in text(plan):
        console.print(Text(line, style="" if line.startswith(" ") else "bold"))


def as_markdown(plan: Plan) -> str:
    """The plan as a Markdown document."""
    return markdown(plan)


def ask_on_terminal(question: Question) -> str | None:
    """Puts a question on stderr and reads one line; Enter, or the end of the input, takes the default.

    What cannot be understood is said, and asked again.
    """
    console = Console(stderr=True, highlight=False)
    spec = BY_NAME[question.field]
    console.print(Text.assemble("\n", (question.question, "bold"), f"\n  {question.reason}"))
    while True:
        try:
            console.print(f"  [{spec.show(question.default)}] ", end="", markup=False)
            answer = sys.stdin.readline().strip()
        except EOFError:
            return None
        if not answer:
            return None
        try:
            spec.parse(answer)
        except UserError as error:
            console.print(f"  {error}", markup=False, style="yellow")
            continue
        return answer
