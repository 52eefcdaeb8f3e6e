"""The tool that advises before anything is trained, and asks what would change its advice."""

from typing import Annotated, Any

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, ConfigDict, Field, create_model

from nasturtium.serving.desk import Desk
from nasturtium.serving.tools import told, tool

ASKS_BY_RESULT = "2026-07-28"
"""From this protocol on a question is part of an answer; before, the server sends it by itself, where it can."""

Need = Annotated[
    dict[str, Any] | None,
    Field(
        description='What is known of the need, by field: task, device ("phone", "microcontroller" …), max_params, '
        "max_latency, budget, interpretability … Answers to the questions of an earlier call go here too."
    ),
]


class FollowUp(BaseModel):
    """Answers to questions: a text for each field, empty where the default will do."""


class AskedQuestion(BaseModel):
    """A question whose answer would change the plan."""

    model_config = ConfigDict(extra="allow")

    field: str = Field(description="Field of the need.")
    question: str = Field(description="To put to the user.")
    reason: str = Field(description="Why it matters.")
    default: Any = Field(description="What is assumed unless it is answered.")


class Proposed(BaseModel):
    """An architecture to try."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="What people call it.")
    params: float | None = Field(description="Parameters.")
    macs: float | None = Field(description="Multiply-accumulates of one row.")
    fits: bool | None = Field(description="Is it within the limits? null where that cannot be said.")
    expected: dict[str, Any] = Field(description="Score to expect, with its range and what that rests on.")
    reason: str = Field(description="Why.")
    source: str = Field(description="Where the figures are from.")


class AdvicePlan(BaseModel):
    """What to try first and why, what a search would cost and could gain. Further keys: see docs/advise.md."""

    model_config = ConfigDict(extra="allow")

    assumptions: list[dict[str, Any]] = Field(description="What nobody said and was assumed.")
    questions: list[AskedQuestion] = Field(description="What is worth asking the user, most decisive first.")
    conflicts: list[dict[str, Any]] = Field(description="Requirements that cannot all be met, and what would mend it.")
    baselines: list[dict[str, Any]] = Field(description="What to run first.")
    proposals: list[Proposed] = Field(description="Up to five architectures.")
    search: dict[str, Any] = Field(description="Is a search advised, which, how long, for what gain.")
    remarks: list[str] = Field(description="On data, training, deployment and maintenance.")
    file: str | None = Field(None, description="The plan file, where one was asked for.")


def advice_tools(desk: Desk) -> list[Tool]:
    """The tool `advise`. A function, for its questions are asked by a resolver that needs the desk."""

    def follow_up(
        ctx: Context, ask: bool, source: str | None, data: dict[str, Any] | None, need: dict[str, Any] | None
    ) -> Elicit[FollowUp] | FollowUp:
        if not ask or not can_ask(ctx):
            return FollowUp()
        plan = planned(desk, source, data, need, {}, pilot=False, output=None)
        return form(plan.to_json()["questions"])

    def advise(
        answers: Annotated[ElicitationResult[FollowUp], Resolve(told(follow_up))],
        source: Annotated[
            str | None, Field(description="As of start_search; may be left out where `need` describes the data.")
        ] = None,
        data: Annotated[
            dict[str, Any] | None,
            Field(description="How the source is read: target, group, time, split, drop, metric, image_size, seed."),
        ] = None,
        need: Need = None,
        pilot: Annotated[
            bool, Field(description="Train a few networks for some seconds, to measure time and spread.")
        ] = False,
        ask: Annotated[bool, Field(description="Put the questions to the user, where the client can.")] = True,
        output: Annotated[str | None, Field(description="A new file for the plan.")] = None,
    ) -> AdvicePlan:
        """What to ask, what to try first and why, and what a search would cost and could gain. Trains nothing
        unless a pilot is asked for.

        Questions that the client cannot put to the user come back in `questions`: ask them yourself, and call again
        with the answers in `need`.
        """
        said = answers.data.model_dump() if isinstance(answers, AcceptedElicitation) else {}
        given = {name: text for name, text in said.items() if text}
        file = None if output is None else str(desk.new_file(output))
        plan = planned(desk, source, data, need, given, pilot=pilot, output=file)
        return AdvicePlan(**plan.to_json(), file=None if file is None else desk.shown(file))

    return [tool(advise, "Advise before a search", writes=True)]


def can_ask(ctx: Context[Any, Any]) -> bool:
    """Can this client show its user a form, and can the question reach it?"""
    capabilities = ctx.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return False
    return (ctx.protocol_version or "") >= ASKS_BY_RESULT or ctx.session.can_send_request


def form(questions: list[dict[str, Any]]) -> Elicit[FollowUp] | FollowUp:
    """The questions as one form of texts; nothing to ask where there are none."""
    if not questions:
        return FollowUp()
    fields: dict[str, Any] = {
        one["field"]: (
            str,
            Field("", title=one["question"], description=f"{one['reason']} Empty: {one.get('shown', one['default'])}."),
        )
        for one in questions
    }
    schema = create_model("Answers", __base__=FollowUp, **fields)
    return Elicit("These answers would change the plan. Leave empty what you do not know.", schema)


def planned(
    desk: Desk,
    source: str | None,
    data: dict[str, Any] | None,
    need: dict[str, Any] | None,
    answers: dict[str, str],
    *,
    pilot: bool,
    output: str | None,
) -> Any:
    """The plan of the workflow `advise`."""
    from nasturtium.errors import UserError, hint
    from nasturtium.workflows.advising import DATA_OPTIONS, AdviseOptions
    from nasturtium.workflows.advising import advise as advised
    from nasturtium.workflows.needs import NeedOptions

    for name in data or {}:
        if name not in DATA_OPTIONS:
            raise UserError(f"`data` has no {name!r}. {hint(name, DATA_OPTIONS)}")
    options = AdviseOptions(
        source=None if source is None else desk.source(source),
        data=data or {},
        need=NeedOptions(flags=need or {}),
        pilot=pilot,
        output=output,
    )
    return advised(options, None, (lambda question: answers.get(question.field)) if answers else None)
