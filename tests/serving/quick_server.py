"""`nasturtium mcp` as it is, but its searches train for three epochs."""

from pathlib import Path

from nasturtium.cli import main
from nasturtium.workflows import jobs

if __name__ == "__main__":
    jobs.PROGRAM = (str(Path(__file__).with_name("quick_job.py")),)
    main()
