"""`nasturtium mcp` as it is, but its searches do nothing until they are stopped."""

from pathlib import Path

from nasturtium.cli import main
from nasturtium.workflows import jobs

if __name__ == "__main__":
    jobs.PROGRAM = (str(Path(__file__).with_name("idle_job.py")),)
    main()
