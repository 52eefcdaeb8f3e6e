"""Optuna's dashboard on the study of a run."""

from nasturtium.errors import MissingExtra, RunError
from nasturtium.workflows.folder import open_folder


def serve_dashboard(run: str, port: int) -> None:
    """Serve until interrupted, on this machine only."""
    folder, _ = open_folder(run)
    if not folder.journal.is_file():
        raise RunError(f"{run!r} has no study yet.")
    try:
        from optuna_dashboard import run_server
    except ImportError:
        raise MissingExtra("optuna-dashboard", "dashboard", "The dashboard") from None
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    print(f"The dashboard of {run} is at http://127.0.0.1:{port}; end it with Ctrl-C.")
    run_server(JournalStorage(JournalFileBackend(str(folder.journal))), host="127.0.0.1", port=port)
