"""Fit one simple model for one job."""

import time

import torch

from nasturtium.classical import Classical, fit
from nasturtium.evaluators.network import Rows, score
from nasturtium.evaluators.watched import peak_memory
from nasturtium.roles import Job, Outcome
from nasturtium.task import Task
from nasturtium.training import save_checkpoint


def fit_classical(job: Job, task: Task, rows: Rows) -> Outcome:
    """Fit on raw rows, score the torch module that would ship, and save it with its constructor's arguments.

    Its size is that of its numbers alone, the least that a file can have; the file itself has the last word.
    """
    assert isinstance(job.subject, Classical)
    started = time.perf_counter()
    fitted = fit(job.subject, rows.inputs, rows.targets, task, job.seed)
    module = fitted.module()
    measures = {
        "params": float(fitted.params),
        "macs": float(fitted.macs),
        "memory": float(peak_memory(module, torch.zeros(1, *task.input.tensor_shape))),
        "size": float(sum(tensor.nbytes for tensor in module.state_dict().values())),
    }
    if len(rows.score_inputs):
        with torch.inference_mode():
            measures |= score(module, rows, task)
    if job.checkpoint is not None:
        metadata = {"class_name": fitted.class_name, "kwargs": dict(fitted.kwargs), "note": fitted.note}
        save_checkpoint(module, job.checkpoint, metadata)
    return Outcome(measures, seconds=time.perf_counter() - started, checkpoint=job.checkpoint)
