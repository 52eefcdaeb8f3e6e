"""Tools that look at data and predict."""

from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, Field

from nasturtium.errors import UserError
from nasturtium.serving import arguments as a
from nasturtium.serving.desk import Desk
from nasturtium.serving.tools import tool
from nasturtium.workflows.options import SearchOptions
from nasturtium.workflows.profiling import DataProfile

SHOWN = 200


class PredictionTable(BaseModel):
    """Predictions, a row each."""

    columns: list[str] = Field(description="Names: row, prediction, and the probability of each class.")
    rows: list[list[Any]] = Field(description="The first 200 rows.")
    total: int = Field(description="How many rows there are.")
    file: str | None = Field(None, description="The CSV file with all of them, where one was asked for.")


@dataclass(frozen=True)
class DataTools:
    """Profiles and predictions."""

    desk: Desk

    def tools(self) -> list[Tool]:
        return [
            tool(self.profile_data, "Profile a data set"),
            tool(self.predict, "Predict with a run's model", writes=True),
        ]

    def profile_data(
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
    ) -> DataProfile:
        """What there is to know of a data set before a search: task, balance, missing values, duplicates, leaks.

        Trains nothing and writes nothing. Begin here.
        """
        from nasturtium.workflows.profiling import profile_source

        return profile_source(
            SearchOptions(
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
            )
        )

    def predict(
        self,
        run: a.Run,
        inputs: Annotated[str | None, Field(description="A table, an image, a folder of images or an .npz.")] = None,
        records: Annotated[
            list[dict[str, Any]] | None, Field(description="Or rows of a table, each by column name.", max_length=1000)
        ] = None,
        output: Annotated[str | None, Field(description="A new CSV file for all predictions.")] = None,
    ) -> PredictionTable:
        """Predictions of the network that a run found, for new rows. Probabilities are not calibrated."""
        from nasturtium.workflows.predicting import predict_file, predict_records

        if (inputs is None) == (records is None):
            raise UserError("Give either `inputs`, a path, or `records`, rows of a table.")
        folder = self.desk.run(run)
        if inputs is not None:
            found = predict_file(folder, str(self.desk.roots.tree(inputs, "The input")))
        else:
            found = predict_records(folder, records or [])
        if output is not None:
            found.write(str(self.desk.new_file(output)))
        return PredictionTable(columns=list(found.columns), rows=found.rows[:SHOWN], total=len(found.rows), file=output)
