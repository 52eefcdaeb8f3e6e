"""What a server allows, in one place: every tool asks here before it hands anything to a workflow."""

from dataclasses import dataclass, replace
from pathlib import Path

from nasturtium.errors import UserError
from nasturtium.serving.roots import Roots
from nasturtium.workflows.jobs import Jobs, run_options
from nasturtium.workflows.options import DEFAULT_BUDGET_S, SearchOptions
from nasturtium.workflows.profiling import is_bundled

MOST_TRIALS = 10_000


@dataclass(frozen=True)
class Desk:
    """roots: folders that a client may reach. max_budget_s: of one search. jobs: searches in the background.
    allow_code: may a space be the client's own file? Reading one runs it."""

    roots: Roots
    jobs: Jobs
    max_budget_s: float
    allow_code: bool = False

    def source(self, given: str) -> str:
        """A bundled data set, or a file or folder that may be read."""
        if is_bundled(given):
            return given
        path = self.roots.tree(given, "The source")
        # What is not there keeps its name, so that the message that says so can name the nearest.
        return str(path) if path.exists() else given

    def run(self, given: str) -> str:
        """A run directory, none of whose files leads out. A job's name is taken for its run."""
        known = {one.job: one.run for one in self.jobs.listed()}
        if given in known and not (self.roots.first / given).exists():
            given = known[given]
        return str(self.roots.tree(given, "The run"))

    def output(self, given: str | None) -> str | None:
        """A place for something new."""
        return None if given is None else str(self.roots.path(given, "The output"))

    def new_file(self, given: str) -> Path:
        """A file that is not there yet: nothing is overwritten."""
        file = self.roots.path(given, "The output")
        if file.exists():
            raise UserError(f"The output {given!r} is there already, and is never overwritten. Name another.")
        return file

    def space(self, given: str | None) -> str | None:
        """A ready space by name; a file only where code may run."""
        if given is None or not (".py" in given or given.endswith(".json")):
            return given
        if not self.allow_code:
            raise UserError(
                f"The space {given!r} is a file, and reading one can run code, which this server does not allow. Name "
                "a ready space, or ask the user to start the server with --allow-code."
            )
        file, separator, name = given.rpartition(":") if ".py:" in given else (given, "", "")
        return str(self.roots.path(file, "The space")) + separator + name

    def bounded(self, options: SearchOptions) -> SearchOptions:
        """Within the ceilings. Where trials alone bound a search, its job's own ceiling does besides."""
        if options.trials is not None and options.trials > MOST_TRIALS:
            raise UserError(f"{options.trials:,} trials are asked for; this server allows {MOST_TRIALS:,}.")
        if options.budget_s is None:
            usual = min(DEFAULT_BUDGET_S, self.max_budget_s)
            return options if options.trials is not None else replace(options, budget_s=usual)
        self._check_budget(options.budget_s)
        return options

    def _check_budget(self, seconds: float) -> None:
        if seconds > self.max_budget_s:
            raise UserError(
                f"The budget is {seconds:g} s, and this server allows {self.max_budget_s:g} s. Ask for less, or ask "
                "the user to start the server with a larger --max-budget."
            )

    def may_resume(self, run: str) -> None:
        """What a run's manifest asks for is held to the same rules as a new search."""
        options = run_options(run)
        self.source(str(options.get("source", "")))
        self.space(options.get("space"))
        self._check_budget(options.get("budget_s") or 0.0)

    def checked(self, options: SearchOptions) -> SearchOptions:
        """Refuses at once what a job would refuse later: names, limits, a directory that is taken."""
        from nasturtium.workflows.checking import check_options

        check_options(options)
        return options

    def shown(self, path: str | Path) -> str:
        return self.roots.shown(path)
