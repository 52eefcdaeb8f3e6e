"""Report: the page, the terminal summary, and the layout of `result.json`."""

from nasturtium.report.content import ReportContent as ReportContent
from nasturtium.report.page import write_report as write_report
from nasturtium.report.result_schema import SCHEMA as SCHEMA
from nasturtium.report.result_schema import RunResult as RunResult
from nasturtium.report.result_schema import check_result as check_result
from nasturtium.report.result_schema import read_result as read_result
from nasturtium.report.result_schema import schema_docs as schema_docs
from nasturtium.report.summary import summary_lines as summary_lines

__all__ = [
    "SCHEMA",
    "ReportContent",
    "RunResult",
    "check_result",
    "read_result",
    "schema_docs",
    "summary_lines",
    "write_report",
]
