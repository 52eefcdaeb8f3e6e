"""Tools that read what runs found, and hand their models over."""

from dataclasses import dataclass
from typing import Annotated

from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, Field

from nasturtium.serving import arguments as a
from nasturtium.serving.desk import Desk
from nasturtium.serving.tools import tool
from nasturtium.workflows.comparing import RunComparison, compare_runs
from nasturtium.workflows.copying import Form, Handed, copy_model
from nasturtium.workflows.explaining import Explanation, explain_run
from nasturtium.workflows.runs import RunBrief, RunSummary, find_runs, summary


class RunList(BaseModel):
    """Run directories."""

    runs: list[RunBrief] = Field(description="The newest first.")


@dataclass(frozen=True)
class RunTools:
    """Results, comparisons, explanations, exports."""

    desk: Desk

    def tools(self) -> list[Tool]:
        return [
            tool(self.list_runs, "Runs on disk"),
            tool(self.show_result, "What a run found"),
            tool(self.explain, "Why a run ended as it did"),
            tool(self.compare, "Runs side by side"),
            tool(self.export_model, "Hand the model over", writes=True),
        ]

    def list_runs(self) -> RunList:
        """Run directories in the allowed folders, at most three folders deep."""
        found = find_runs(self.desk.roots.folders)
        return RunList(runs=[one.model_copy(update={"run": self.desk.shown(one.run)}) for one in found])

    def show_result(self, run: a.Run) -> RunSummary:
        """What a finished run found: verdict, what ships with its test score and interval, baselines, limits, files."""
        found = summary(self.desk.run(run))
        files = {kind: self.desk.shown(path) for kind, path in found.files.items()}
        return found.model_copy(update={"run": self.desk.shown(found.run), "files": files})

    def explain(self, run: a.Run) -> Explanation:
        """Why a finished run ended as it did: what the choice rests on, why this strategy, what was assumed."""
        found = explain_run(self.desk.run(run))
        return found.model_copy(update={"run": self.desk.shown(found.run)})

    def compare(
        self, runs: Annotated[list[a.Run], Field(description="Two to ten finished runs.", min_length=2, max_length=10)]
    ) -> RunComparison:
        """Finished runs side by side; says where their scores may not be compared, and why."""
        return compare_runs([self.desk.run(one) for one in runs], self.desk.shown)

    def export_model(
        self,
        run: a.Run,
        output: Annotated[str, Field(description="A new or empty folder.")],
        form: Annotated[Form, Field(description="onnx, pytorch (source and weights), or all of it.")] = "all",
    ) -> Handed:
        """Copy the model that a finished run ships to a folder, checked, with its card and the limits it meets; with
        form `all` also the report and the result, the evidence for it."""
        folder = self.desk.roots.path(output, "The output")
        found = copy_model(self.desk.run(run), str(folder), form)
        return found.model_copy(update={"folder": self.desk.shown(found.folder)})
