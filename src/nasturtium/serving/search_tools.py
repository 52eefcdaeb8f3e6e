"""Tools that start, watch, stop and resume searches."""

import time
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, Field

from nasturtium.serving import arguments as a
from nasturtium.serving.desk import Desk
from nasturtium.serving.tools import tool
from nasturtium.workflows.command import search_command
from nasturtium.workflows.job_status import ALIVE, JobStatus
from nasturtium.workflows.options import SearchOptions, given_limits, parse_duration

POLL_S = 0.25
LONGEST_WAIT_S = 600.0

Wait = Annotated[
    float,
    Field(description="Wait so many seconds for the end, telling the progress meanwhile.", ge=0, le=LONGEST_WAIT_S),
]


class JobList(BaseModel):
    """Searches in the background."""

    jobs: list[JobStatus] = Field(description="The newest first.")


@dataclass(frozen=True)
class SearchTools:
    """The desk's searches."""

    desk: Desk

    def tools(self) -> list[Tool]:
        return [
            tool(self.start_search, "Start a search", writes=True),
            tool(self.search_status, "How far a search is"),
            tool(self.list_jobs, "Searches in the background"),
            tool(self.stop_search, "Stop a search", writes=True),
            tool(self.resume_search, "Resume a search", writes=True),
        ]

    def start_search(
        self,
        source: a.Source,
        target: a.Target = None,
        task: a.TaskName = None,
        modality: a.Modality = None,
        group: a.Group = None,
        time: a.Time = None,
        split: a.Split = None,
        drop: a.Drop = None,
        metric: a.Metric = None,
        image_size: a.ImageSize = None,
        max_params: a.MaxParams = None,
        max_macs: a.MaxMacs = None,
        max_latency: a.MaxLatency = None,
        max_memory: a.MaxMemory = None,
        max_size: a.MaxSize = None,
        budget: a.Budget = None,
        trials: a.Trials = None,
        objectives: a.Objectives = None,
        space: a.SpaceName = None,
        strategy: a.StrategyName = "auto",
        scheduler: a.SchedulerName = "auto",
        proxies: a.Proxies = None,
        seed: a.Seed = 0,
        workers: a.Workers = None,
        device: a.Device = "this-machine",
        plan: Annotated[str | None, Field(description="Plan file of advise; other arguments go before it.")] = None,
        earlier: Annotated[
            list[a.Run] | None, Field(description="Earlier runs whose best architectures are tried first.")
        ] = None,
        stop_on_plateau: Annotated[bool, Field(description="End early where more search would gain little.")] = False,
        output: a.Output = None,
        on_disconnect: a.OnDisconnect = "continue",
    ) -> JobStatus:
        """Start a search in the background and return its job at once.

        It runs simple baselines first, searches, retrains finalists on fresh splits, opens the test set once, exports
        the winner and measures every limit again on the file. Watch it with search_status; read the verdict with
        show_result.
        """
        options = SearchOptions(
            source=self.desk.source(source),
            target=target,
            task=task,
            modality=modality,
            group=group,
            time=time,
            split=split,
            drop=drop,
            metric=metric,
            image_size=image_size,
            limits=given_limits(
                params=max_params, macs=max_macs, latency=max_latency, memory=max_memory, size=max_size
            ),
            budget_s=None if budget is None else parse_duration(budget),
            trials=trials,
            objectives=tuple(objectives or ()),
            space=self.desk.space(space),
            strategy=strategy,
            scheduler=scheduler,
            proxies=tuple(proxies or ()),
            seed=seed,
            workers=workers,
            device=device,
            stop_on_plateau=stop_on_plateau,
            output=self.desk.output(output),
        )
        options, words = self._begun(options, plan, earlier or [])
        return self._shown(self.desk.jobs.start(self.desk.checked(options), on_disconnect, words))

    async def search_status(self, job: a.Job, ctx: Context, wait_s: Wait = 0.0) -> JobStatus:
        """How far a search is: phase, trials, the best so far, notes; or how it ended.

        With wait_s the call returns when the search ends, at the latest after so many seconds.
        """
        until = time.monotonic() + wait_s
        status, last = self.desk.jobs.status(job), ""
        while status.state in ALIVE and time.monotonic() < until:
            if (said := in_words(status)) != last:
                await ctx.report_progress(status.seconds, status.budget_s, said)
                last = said
            await anyio.sleep(min(POLL_S, max(0.0, until - time.monotonic())))
            status = self.desk.jobs.status(job)
        return self._shown(status)

    def list_jobs(self) -> JobList:
        """Every search that was started in the background here, running or ended."""
        return JobList(jobs=[self._shown(one) for one in self.desk.jobs.listed()])

    def stop_search(
        self,
        job: a.Job,
        how: Annotated[
            Literal["finish", "now"],
            Field(
                description="finish: end the search and validate what it has found, which takes some minutes. now: "
                "end it at once; it can be resumed."
            ),
        ] = "finish",
    ) -> JobStatus:
        """Stop a search. `finish` during the final trainings ends the run before its result; it can be resumed."""
        return self._shown(self.desk.jobs.stop(job, how))

    def resume_search(self, run: a.Run, on_disconnect: a.OnDisconnect = "continue") -> JobStatus:
        """Go on with a run that was stopped or killed; finished trials are kept."""
        path = self.desk.run(run)
        self.desk.may_resume(path)
        return self._shown(self.desk.jobs.resume(path, on_disconnect))

    def _begun(self, asked: SearchOptions, plan: str | None, earlier: list[str]) -> tuple[SearchOptions, list[str]]:
        """The options with what a plan and earlier runs give, within the ceilings; and the command that does it."""
        from nasturtium.workflows.planned import with_plan, with_runs

        options, words = asked, []
        if plan is not None:
            file = str(self.desk.roots.path(plan, "The plan"))
            options, words = with_plan(options, file), ["--plan", file]
            options = replace(options, space=self.desk.space(options.space))
        if earlier:
            runs = [self.desk.run(one) for one in earlier]
            options = with_runs(options, runs)
            words += [word for run in runs for word in ("--from", run)]
        options = self.desk.bounded(options)
        # The clock that a search gets by default is not the command line's where the server allows less.
        timed = asked if plan is not None else replace(asked, budget_s=options.budget_s)
        return options, [*search_command(timed), *words]

    def _shown(self, status: JobStatus) -> JobStatus:
        return status.model_copy(update={"run": self.desk.shown(status.run), "log": self.desk.shown(status.log)})


def in_words(status: JobStatus) -> str:
    """One line for a person who waits."""
    parts = [status.phase or status.state]
    if status.total:
        parts.append(f"{status.done} of {status.total} trainings")
    if status.trials:
        parts.append(f"{status.trials} trials" + (f" of {status.trials_asked}" if status.trials_asked else ""))
    if status.best is not None:
        parts.append(f"best {status.best.metric} {status.best.score:.4g} (validation)")
    return ", ".join(parts)
