"""The plan as text for a terminal of 80 columns, and as Markdown."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from nasturtium.advisor.fields import BY_NAME, fact_shown
from nasturtium.advisor.plan import Estimate, Plan, Proposal, Start
from nasturtium.hardware.limits import shown

WIDTH = 78
Section = tuple[str, list[str]]
"""A heading and its paragraphs; a paragraph that begins with two spaces belongs to the one before it."""


def sections(plan: Plan) -> list[Section]:
    """What the plan says, in the order in which it is read; empty sections are left out."""
    found: list[Section] = [
        ("Cannot all be met", [f"{one.statement} {one.nearest}" for one in plan.conflicts]),
        ("What is known", [fact_shown(name, fact) for name, fact in plan.need.items() if fact.known]),
        ("Assumed", [_assumed(plan)] if plan.assumptions else []),
        ("Limits that follow", [one.partition(": ")[2] + "." for one in plan.bounds.reasons]),
        ("Questions that would change this plan", list(_questions(plan))),
        ("Baselines first", [_baseline(one, plan.metric) for one in plan.baselines]),
        (
            "Then try" if plan.trains else "Known architectures",
            [line for one in plan.proposals for line in _proposal(one)],
        ),
        ("Search", list(_search(plan))),
        ("Training recipe", [_recipe(plan)] if plan.recipe else []),
        ("Advice", [f"{one.statement} {one.reason} [{one.source}]" for one in plan.advice]),
        ("Weighed against one another", [one.sentence for one in plan.resolved]),
        ("Succeeded elsewhere", list(plan.examples)),
        ("Remarks", list(plan.remarks)),
    ]
    return [(heading, paragraphs) for heading, paragraphs in found if paragraphs]


def text(plan: Plan) -> list[str]:
    """Lines of at most 80 characters."""
    lines: list[str] = []
    for heading, paragraphs in sections(plan):
        lines += ["", heading]
        for paragraph in paragraphs:
            inner = paragraph.startswith("  ")
            first, then = ("      ", "      ") if inner else ("  - ", "    ")
            lines += wrap(
                paragraph.strip(), WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False
            )
    return lines[1:]


def markdown(plan: Plan) -> str:
    """The same as a document."""
    title = f"# Plan for {plan.source}" if plan.source else "# Plan"
    parts = [title]
    for heading, paragraphs in sections(plan):
        items = [f"{'  ' if one.startswith('  ') else ''}- {one.strip()}" for one in paragraphs]
        parts.append("\n".join([f"## {heading}", "", *items]))
    return "\n\n".join(parts) + "\n"


def _baseline(one: Start, metric: str) -> str:
    scored = "" if one.score is None else f" ({metric} {one.score:.4g} in the pilot)"
    return f"{one.name}{scored}: {one.why} [{one.source}]"


def _assumed(plan: Plan) -> str:
    told = (f"{one['text'].partition(' (')[0]}" for one in plan.assumptions)
    return "; ".join(told) + "."


def _questions(plan: Plan) -> Iterator[str]:
    for one in plan.questions:
        yield f"{one.question} {one.reason} (field {one.field}; assumed: {BY_NAME[one.field].show(one.default)})"


def _proposal(one: Proposal) -> Iterator[str]:
    costs = [
        f"{shown(name, value)} {name}"
        for name, value in (("params", one.params), ("macs", one.macs), ("memory", one.memory))
        if value is not None
    ]
    fits = {True: "fits", False: "does not fit: " + "; ".join(one.over), None: "cannot be checked"}[one.fits]
    where = "" if one.builds else " as published"
    yield f"{one.name}: {', '.join(costs) or 'costs depend on the data'}{where}; {fits}."
    yield f"  {one.reason} [{one.source}]"
    yield f"  {one.metric}: {estimate(one.expected)}"


def estimate(one: Estimate, unit: str = "") -> str:
    """`0.981 (0.97 to 0.99), measured: …`."""
    middle = "" if one.expected is None else f"{one.expected:.3g}{unit}"
    ends = "" if one.low is None or one.high is None else f"{one.low:.3g} to {one.high:.3g}{unit}"
    numbers = f"{middle} ({ends})" if middle and ends else middle or ends
    return f"{numbers}, {one.known}: {one.how}" if numbers else one.how


def _search(plan: Plan) -> Iterator[str]:
    search = plan.search
    yield f"{'Yes' if search.advised else 'No'}: {search.reason}"
    if not search.advised:
        return
    names = f"Space {search.space}, strategy {search.strategy}, scheduler {search.scheduler}, {search.trials} trials."
    yield names
    if search.seconds is not None:
        yield f"Time: {estimate(search.seconds, ' s')}"
    if search.gain is not None:
        yield f"Gain: {estimate(search.gain)}"
    if search.command is not None:
        yield f"Next: {search.command}"


def _recipe(plan: Plan) -> str:
    shown_fields: Iterable[str] = ("optimizer", "lr", "weight_decay", "schedule", "epochs", "batch_size",
                                   "label_smoothing", "ema", "patience")  # fmt: skip
    parts = [f"{name} {plan.recipe[name]}" for name in shown_fields if plan.recipe.get(name) not in (None, 0.0)]
    augment = [f"{name} {value}" for name, value in plan.recipe.get("augment", {}).items() if value]
    return ", ".join(parts) + (f"; augmentation: {', '.join(augment)}" if augment else "") + "."
