"""Prompts for the usual jobs: how a model should go about them."""

from typing import Any

from mcp.server import MCPServer

INSTRUCTIONS = """\
Nasturtium finds the best neural network for a data set within the limits of a device, with the evidence.
Usual order: profile_data, advise (put its questions to the user), start_search with what it recommends, search_status
with wait_s, show_result, explain, export_model, predict.
Rules: report the verdict as it is, also when a simple baseline ships; quote test scores with their intervals; never
choose between runs by test scores; limits count only as measured on the exported file; say what was assumed."""


def find_network(source: str, limits: str = "none", budget: str = "10m") -> str:
    """From a data set to a network that fits."""
    return (
        f"Find the best network for {source!r}. Limits: {limits}. Budget: {budget}.\n"
        "1. Profile the data with profile_data and tell me what matters: task, balance, leaks, duplicates.\n"
        "2. Call advise; put its questions to me, each with the reason and the default that is assumed, and call it "
        "again with my answers. If it advises against a search, tell me why and stop.\n"
        "3. Start the search that it recommends with these limits, and follow it with search_status.\n"
        "4. Tell me the verdict, the test score with its interval, the strongest baseline, what the search cost and "
        "gained, and whether each limit is met on the exported file. If a baseline ships, say so."
    )


def explain_run(run: str) -> str:
    """What a run found, for someone who was not there."""
    return (
        f"Explain the run {run!r} with show_result and explain. Say what ships and why, on what the choice rests, how "
        "sure it is, what random search alone would have found, which limits were measured, and what was assumed. "
        "Use no figure that the tools did not give."
    )


def compare_runs(runs: str) -> str:
    """Which of several runs to use."""
    return (
        f"Compare the runs {runs} with compare. If they are not comparable, say why and what run would make them so. "
        "Recommend one by validation scores, costs and limits; mention test scores only as reports."
    )


def deploy_model(run: str, target: str) -> str:
    """Hand a model over to a device or program."""
    return (
        f"Prepare the model of the run {run!r} for {target}. Check with show_result that every limit is met, export it "
        "with export_model, show how to run the file there, and try predict on a few rows. Name what must still be "
        f"measured on {target} itself."
    )


def add_prompts(server: MCPServer[Any]) -> None:
    """The usual jobs."""
    for job in (find_network, explain_run, compare_runs, deploy_model):
        server.prompt(name=job.__name__, description=job.__doc__)(job)
