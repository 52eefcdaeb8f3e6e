"""What tools take, each with the words that a model reads."""

from typing import Annotated, Literal

from pydantic import Field

Source = Annotated[
    str,
    Field(
        description="A bundled data set (digits, breast_cancer, diabetes, iris, wine), or a path inside the allowed "
        "folders: a folder with a sub-folder of images per class, a .csv, .tsv or .parquet table (give `target`), or "
        "an .npz with X and y."
    ),
]
Target = Annotated[str | None, Field(description="Target column of a table, or key of an .npz.")]
TaskName = Annotated[
    Literal["classification", "multi-label", "regression"] | None, Field(description="Inferred by default.")
]
Modality = Annotated[Literal["image", "sequence", "table"] | None, Field(description="Inferred by default.")]
Group = Annotated[str | None, Field(description="Column whose rows stay in one part of the split (patients, users).")]
Time = Annotated[str | None, Field(description="Column that orders the rows: train on the past, test on the future.")]
Split = Annotated[str | None, Field(description="Column that says train, validation or test.")]
Drop = Annotated[list[str] | None, Field(description="Columns of a table to leave out.")]
Metric = Annotated[str | None, Field(description="accuracy, macro-f1, rmse, mae …; chosen by the task.")]
ImageSize = Annotated[
    int | None, Field(description="Side in pixels that a folder's images are brought to.", ge=4, le=512)
]
MaxParams = Annotated[str | None, Field(description='Most trainable numbers: "20k", "1.5M".')]
MaxMacs = Annotated[str | None, Field(description='Most multiply-accumulates of one row: "5M".')]
MaxLatency = Annotated[str | None, Field(description='Longest median time of one row on this machine: "2ms", "500us".')]
Device = Annotated[
    str,
    Field(
        description="Where the network will run: this-machine, a class (microcontroller, phone …), a device by name "
        "(stm32f746, raspberry-pi-5 …), or microcontroller:memory=256KB,flash=1MB. What it holds becomes a limit."
    ),
]
MaxMemory = Annotated[str | None, Field(description='Most memory of live tensors: "256KB", "64KiB".')]
MaxSize = Annotated[str | None, Field(description='Largest ONNX file: "1MB".')]
Budget = Annotated[str | None, Field(description='Time for everything: "90s", "3m", "1h". Ten minutes by default.')]
Trials = Annotated[int | None, Field(description="Trials of the search; makes the run replay exactly.", ge=1)]
Objectives = Annotated[
    list[Literal["params", "macs", "memory", "latency"]] | None,
    Field(description="What is optimised besides the metric; gives a Pareto front."),
]
SpaceName = Annotated[str | None, Field(description="A ready space by name; chosen by the task by default.")]
StrategyName = Annotated[str, Field(description="auto, random, tpe, regularized-evolution, nsga2 …")]
SchedulerName = Annotated[str, Field(description="auto, full, asha, hyperband …")]
Proxies = Annotated[
    list[str] | None,
    Field(
        description="Zero-cost scores of untrained networks that the strategy auto may look at: nwot, synflow, jacov "
        "…; none by default. They pay where a training takes minutes."
    ),
]
Seed = Annotated[int, Field(description="Of everything random.", ge=0)]
Workers = Annotated[int | None, Field(description="Processes that train; default: cores.", ge=1, le=256)]
OnDisconnect = Annotated[
    Literal["continue", "stop"],
    Field(description="What the search does when this server ends: go on (default), or stop; it can be resumed."),
]
Output = Annotated[str | None, Field(description="Run directory, which must be new; default runs/NAME.")]
Job = Annotated[str, Field(description="Name of the job, as start_search gave it.")]
Run = Annotated[str, Field(description="A run directory, or the name of a job.")]
