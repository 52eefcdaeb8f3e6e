"""The command line: a thin door on workflows. Heavy libraries are imported by the commands that need them."""

import gc
import json as json_module
import sys
import time as time_module
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nasturtium.errors import UserError

STARTED = time_module.monotonic()
"""The budget of time covers the imports too."""


class _Commands(TyperGroup):
    """Ctrl-C ends any command with exit code 130, whichever version of Typer is installed."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("nasturtium: stopped", file=sys.stderr)
            sys.exit(130)


app = typer.Typer(
    name="nasturtium",
    cls=_Commands,
    help="From a data set and the limits of a device to the best neural network that fits, with the evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
space_app = typer.Typer(help="Look at a space before searching it.", no_args_is_help=True)
app.add_typer(space_app, name="space")

Source = Annotated[
    str,
    typer.Argument(help="digits, breast_cancer, diabetes, wine, iris; a folder of class folders; .csv .parquet .npz"),
]
Run = Annotated[str, typer.Argument(help="A run directory.")]
Target = Annotated[str | None, typer.Option(help="Target column of a table, or key of an .npz.")]
TaskOption = Annotated[str | None, typer.Option("--task", help="classification, multi-label or regression.")]
Modality = Annotated[str | None, typer.Option(help="image, sequence or table; inferred by default.")]
Group = Annotated[str | None, typer.Option(help="Column whose rows stay in one part of the split.")]
Time = Annotated[str | None, typer.Option(help="Column that orders the rows: train on the past, test on the future.")]
Split = Annotated[str | None, typer.Option(help="Column that says train, validation or test.")]
Drop = Annotated[list[str] | None, typer.Option(help="Column of a table to leave out. Repeatable.")]
MetricOption = Annotated[str | None, typer.Option("--metric", help="accuracy, macro-f1, rmse …; chosen by the task.")]
ImageSize = Annotated[int | None, typer.Option(help="Side in pixels that a folder's images are brought to.")]
MaxParams = Annotated[str | None, typer.Option(help="Most trainable numbers: 20k, 1.5M.")]
MaxMacs = Annotated[str | None, typer.Option(help="Most multiply-accumulates of one row: 5M.")]
MaxLatency = Annotated[str | None, typer.Option(help="Longest median time of one row: 2ms, 500us.")]
MaxMemory = Annotated[str | None, typer.Option(help="Most memory of live tensors: 256KB, 64KiB.")]
MaxSize = Annotated[str | None, typer.Option(help="Largest ONNX file: 1MB.")]
SpaceOption = Annotated[str | None, typer.Option("--space", help="A ready space, file.py:NAME or file.json.")]
Device = Annotated[
    str, typer.Option(help="Where the network will run: a class, or a name such as stm32f746; it bounds size.")
]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@app.command()
def search(
    source: Source,
    target: Target = None,
    task: TaskOption = None,
    modality: Modality = None,
    group: Group = None,
    time: Time = None,
    split: Split = None,
    drop: Drop = None,
    metric: MetricOption = None,
    image_size: ImageSize = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_latency: MaxLatency = None,
    max_memory: MaxMemory = None,
    max_size: MaxSize = None,
    budget: Annotated[str | None, typer.Option(help="Time for everything: 90s, 3m, 1h. Default 10m.")] = None,
    trials: Annotated[int | None, typer.Option(help="Trials of the search; makes the run replay exactly.")] = None,
    objective: Annotated[
        list[str] | None, typer.Option(help="Besides the metric: params, macs, memory, latency. Repeatable.")
    ] = None,
    space: SpaceOption = None,
    strategy: Annotated[str, typer.Option(help="auto, random, tpe, nsga2 …: see docs/strategies.md.")] = "auto",
    scheduler: Annotated[str, typer.Option(help="full, asha, hyperband …: see docs/strategies.md.")] = "auto",
    proxies: Annotated[str | None, typer.Option(help="Zero-cost proxies that auto may use: nwot,synflow …")] = None,
    seed: Seed = 0,
    workers: Annotated[int | None, typer.Option(help="Processes that train, one thread each; default: cores.")] = None,
    device: Device = "this-machine",
    accelerator: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    control: Annotated[str, typer.Option(help="Random control: expected, or full (run for real).")] = "expected",
    stop_on_plateau: Annotated[bool, typer.Option(help="End early where more search would gain little.")] = False,
    plan: Annotated[str | None, typer.Option(help="Plan file of advise; other options go before it.")] = None,
    earlier: Annotated[
        list[str] | None,
        typer.Option("--from", help="Earlier run (or known-cells) whose best are tried first. Repeatable."),
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Run directory; default runs/NAME.")] = None,
    json: Json = False,
) -> None:
    """Find, train, verify and export the best network for a data set and limits."""
    from nasturtium.workflows.options import SearchOptions, given_limits, parse_duration

    options = SearchOptions(
        source=source,
        target=target,
        task=task,
        modality=modality,
        group=group,
        time=time,
        split=split,
        drop=drop,
        metric=metric,
        image_size=image_size,
        limits=given_limits(params=max_params, macs=max_macs, latency=max_latency, memory=max_memory, size=max_size),
        budget_s=None if budget is None else parse_duration(budget),
        trials=trials,
        objectives=tuple(objective or ()),
        space=space,
        strategy=strategy,
        scheduler=scheduler,
        proxies=_names(proxies),
        seed=seed,
        workers=workers,
        device=device,
        accelerator=accelerator,
        control=control,
        stop_on_plateau=stop_on_plateau,
        output=output,
    )
    from nasturtium.terminal import view

    with view(quiet=json) as progress:
        with _loading():
            from nasturtium.workflows.search import run_search_workflow

        options = _started(options, plan, earlier)

        result = run_search_workflow(options, progress, STARTED)
    _show(result, json)


@app.command()
def advise(
    source: Annotated[str | None, typer.Argument(help="As of search; may be left out with --requirements.")] = None,
    requirements: Annotated[str | None, typer.Option(help="The need: fields in a .toml, .yaml or .json file.")] = None,
    answers: Annotated[str | None, typer.Option(help="Answers to the questions, in such a file.")] = None,
    target: Target = None,
    task: Annotated[
        str | None, typer.Option(help="classification, regression, segmentation …: docs/advise.md.")
    ] = None,
    modality: Annotated[str | None, typer.Option(help="image, sequence, table, audio, text or graph.")] = None,
    group: Group = None,
    time: Time = None,
    split: Split = None,
    drop: Drop = None,
    metric: MetricOption = None,
    image_size: ImageSize = None,
    device: Annotated[str | None, typer.Option(help="Class or name of the device that the network is for.")] = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_latency: MaxLatency = None,
    max_memory: MaxMemory = None,
    max_size: MaxSize = None,
    min_params: Annotated[str | None, typer.Option(help="Fewest trainable numbers.")] = None,
    budget: Annotated[str | None, typer.Option(help="Time for training and searching: 90s, 3m, 1h.")] = None,
    pilot: Annotated[bool, typer.Option(help="Train a few networks for some seconds, to measure.")] = True,
    ask: Annotated[bool, typer.Option(help="Ask, where somebody is at the terminal.")] = True,
    seed: Seed = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown and nothing else.")] = False,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Plan file, for search --plan.")] = None,
    json: Json = False,
) -> None:
    """What to ask, what to try first, and what a search would cost and could gain."""
    from nasturtium.terminal import view

    asking = ask and not json and not markdown and sys.stdin.isatty() and sys.stderr.isatty()
    with view(quiet=json or markdown, live=not asking) as progress:
        with _loading():
            from nasturtium.workflows.advice_page import ask_on_terminal, show_plan
            from nasturtium.workflows.advising import AdviseOptions, advise
            from nasturtium.workflows.needs import NeedOptions

        flags = {
            "task": task,
            "modality": modality,
            "device": device,
            "max_params": max_params,
            "max_macs": max_macs,
            "max_latency": max_latency,
            "max_memory": max_memory,
            "max_size": max_size,
            "min_params": min_params,
            "budget": budget,
        }
        data = {"target": target, "group": group, "time": time, "split": split, "drop": drop, "metric": metric,
                "image_size": image_size, "seed": seed}  # fmt: skip
        options = AdviseOptions(source, data, NeedOptions(flags, requirements, answers), pilot, output)
        plan = advise(options, progress, ask_on_terminal if asking else None)
    if json:
        typer.echo(json_module.dumps(plan.to_json(), indent=1, ensure_ascii=False))
    elif markdown:
        from nasturtium.workflows.advice_page import as_markdown

        typer.echo(as_markdown(plan), nl=False)
    else:
        show_plan(plan)


@app.command()
def resume(run: Run, json: Json = False) -> None:
    """Continue a run that was interrupted or killed."""
    from nasturtium.terminal import view

    with view(quiet=json) as progress:
        from nasturtium.workflows.resume import resume_run

        result = resume_run(run, progress)
    _show(result, json)


@app.command()
def report(run: Run) -> None:
    """Write report.html of a run anew."""
    from nasturtium.workflows.reporting import rewrite_report

    typer.echo(rewrite_report(run))


@app.command()
def predict(
    run: Run,
    inputs: Annotated[str, typer.Argument(metavar="INPUT", help="A table, an image, a folder of images or an .npz.")],
    output: Annotated[str | None, typer.Option("--output", "-o", help="CSV file; default: the terminal.")] = None,
    json: Json = False,
) -> None:
    """Predictions of the network that a run found, for new rows."""
    from nasturtium.workflows.predicting import predict_file

    table = predict_file(run, inputs)
    if output is not None:
        table.write(output)
        typer.echo(f"{len(table.rows)} predictions in {output}", err=True)
    elif json:
        typer.echo(json_module.dumps(table.records(), ensure_ascii=False))
    else:
        typer.echo(table.csv(), nl=False)


@app.command()
def family(
    run: Annotated[str, typer.Argument(help="A finished run of --strategy spos, fairnas, ofa or bignas.")],
    max_params: Annotated[str | None, typer.Option(help="Most trainable numbers of each member: 5k,10k,20k.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Most multiply-accumulates of one row: 500k,2M.")] = None,
    max_latency: Annotated[str | None, typer.Option(help="Longest median time of one row: 200us,1ms.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="Most memory of live tensors: 32KB,64KB.")] = None,
    max_size: Annotated[str | None, typer.Option(help="Largest ONNX file: 64KB,256KB.")] = None,
    fine_tune: Annotated[int | None, typer.Option(help="Epochs that each member is trained on; default: none.")] = None,
    tune_rate: Annotated[float, typer.Option(help="Of the recipe's learning rate, for these epochs.")] = 0.3,
    budget: Annotated[str | None, typer.Option(help="Time for looking for all members: 90s, 3m.")] = None,
    seed: Seed = 0,
    output: Annotated[str | None, typer.Option("--output", "-o", help="New folder; default RUN/family.")] = None,
    json: Json = False,
) -> None:
    """The best network for each of several limits, from the shared weights of one run."""
    from nasturtium.terminal import show_result, view

    with view(quiet=json) as progress:
        from nasturtium.workflows.family import FamilyOptions, make_family
        from nasturtium.workflows.options import given_limits, parse_duration

        limits = given_limits(params=max_params, macs=max_macs, latency=max_latency, memory=max_memory, size=max_size)
        seconds = None if budget is None else parse_duration(budget)
        made = make_family(FamilyOptions(run, limits, fine_tune, tune_rate, seconds, seed, output), progress)
    if json:
        typer.echo(json_module.dumps(made.record, indent=1, ensure_ascii=False))
    else:
        show_result(made)


@app.command()
def dashboard(run: Run, port: Annotated[int, typer.Option(help="On this machine.")] = 8080) -> None:
    """Open Optuna's dashboard on a run's study."""
    from nasturtium.workflows.dashboard import serve_dashboard

    serve_dashboard(run, port)


@app.command()
def mcp(
    root: Annotated[
        list[str] | None, typer.Option(help="Folder that the assistant may reach. Repeatable; default: this one.")
    ] = None,
    http: Annotated[int | None, typer.Option(metavar="PORT", help="HTTP on 127.0.0.1 instead of stdio.")] = None,
    max_budget: Annotated[str, typer.Option(help="Longest search that it may start: 30m, 2h.")] = "2h",
    max_jobs: Annotated[int, typer.Option(help="Searches at once.")] = 2,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Let it name a space that is a file.")] = False,
) -> None:
    """Serve an assistant: the same workflows as MCP tools."""
    from nasturtium.mcp_server import serve

    serve(root or (), http=http, max_budget=max_budget, max_jobs=max_jobs, allow_code=allow_code)


@app.command()
def bench(
    benchmark: Annotated[str, typer.Argument(help="nb201, or a table: FILE.parquet, FILE.csv. Several: with commas.")],
    strategy: Annotated[
        str, typer.Option(help="Names with commas; settings in brackets: tpe[startup=5].")
    ] = "auto,regularized-evolution,local-search,random",
    protocol: Annotated[str | None, typer.Option(help="nb201: official, queries, noisy.")] = None,
    seeds: Annotated[int, typer.Option(help="Searches of each strategy.")] = 10,
    decisions: Annotated[str | None, typer.Option(help="Columns of a table that are decisions, with commas.")] = None,
    objective: Annotated[str | None, typer.Option(help="Column of a table that is optimised.")] = None,
    minimize: Annotated[bool, typer.Option("--minimize", help="Smaller is better; default: larger.")] = False,
    queries: Annotated[int | None, typer.Option(help="Most queries of a search; default: the benchmark's.")] = None,
    scheduler: Annotated[
        str, typer.Option(help="full, or one that ends trainings early, on tables with curves.")
    ] = "full",
    identity: Annotated[
        str | None, typer.Option(help="What is the same architecture on nb201: strings or networks.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The first of the seeds.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes, one thread each; default: cores.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Folder with the tables; default: NASTURTIUM_DATA or ./data.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Folder; default runs/bench-NAME, with --json none.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare strategies on tabular benchmarks, or on a table of your own."""
    from nasturtium.terminal import view

    with view(quiet=json and not sys.stderr.isatty()) as progress:
        progress.phase("Bench", f"{benchmark}; {seeds} seed{'s' * (seeds != 1)}")
        with _loading():
            from nasturtium.workflows.bench import BenchOptions, default_folder, run_bench

        options = BenchOptions(
            benchmark=benchmark,
            strategy=strategy,
            protocol=protocol,
            seeds=seeds,
            seed=seed,
            queries=queries,
            scheduler=scheduler,
            decisions=_names(decisions),
            objective=objective,
            direction="minimize" if minimize else "maximize",
            identity=identity,
            workers=workers,
            data=data,
            output=output or (None if json else default_folder(benchmark)),
        )
        summary = run_bench(options, progress)
    if json:
        typer.echo(json_module.dumps([row.to_json() for row in summary.rows], indent=1))
    else:
        from nasturtium.workflows.bench_table import show_bench

        show_bench(summary, options.output)


@space_app.command("show")
def space_show(
    space: Annotated[str, typer.Argument(help="A ready space, file.py:NAME or file.json.")],
    source: Annotated[str, typer.Option(help="Data that the space is made for.")] = "digits",
    target: Target = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
) -> None:
    """The decisions of a space, as a tree."""
    from nasturtium.workflows.inspecting import show_space
    from nasturtium.workflows.options import given_limits

    limits = given_limits(params=max_params, macs=max_macs)
    typer.echo("\n".join(show_space(space, source, target, limits)))


@space_app.command("check")
def space_check(
    space: Annotated[str, typer.Argument(help="A ready space, file.py:NAME or file.json.")],
    source: Annotated[str, typer.Option(help="Data that the space is made for.")] = "digits",
    target: Target = None,
    max_params: MaxParams = None,
    max_macs: MaxMacs = None,
    max_memory: MaxMemory = None,
    max_size: MaxSize = None,
    samples: Annotated[int, typer.Option(help="Architectures that are drawn.")] = 1000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Size, bounds and costs of a space; exit code 1 if its least costs are above a limit."""
    from nasturtium.workflows.inspecting import check_named_space
    from nasturtium.workflows.options import given_limits

    limits = given_limits(params=max_params, macs=max_macs, memory=max_memory, size=max_size)
    found = check_named_space(space, source, target, limits, samples, seed)
    typer.echo(found.to_json() if json else "\n".join(found.lines()))
    if not found.ok:
        raise typer.Exit(1)


@contextmanager
def _loading() -> Iterator[None]:
    """The garbage collector rests while large libraries are imported: of the objects that they make nearly all stay,
    and to look through them again and again takes longer than a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _started(options: Any, plan: str | None, earlier: list[str] | None) -> Any:
    """The options of a search with what a plan and earlier runs give it to begin with."""
    from nasturtium.workflows.planned import with_plan, with_runs

    options = options if plan is None else with_plan(options, plan)
    return options if not earlier else with_runs(options, earlier)


def _names(text: str | None) -> tuple[str, ...]:
    """What is given with commas between."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _show(result: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json_module.dumps(result.record, indent=1, ensure_ascii=False))
    else:
        from nasturtium.terminal import show_result

        show_result(result)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("nasturtium"))
        raise typer.Exit


def main() -> None:
    """Entry point. Users' mistakes end in one or two sentences on stderr and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"nasturtium: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
