"""`peakwatch grafana`."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schemas.errors import ConfigError

if TYPE_CHECKING:
    from grafana.api import Grafana

EXAMPLES: Final = """examples:
  export PEAKWATCH_GRAFANA_URL=https://grafana.internal PEAKWATCH_GRAFANA_TOKEN=glsa_…
  peakwatch grafana diff                  what is not there as it was built (status 1 if anything)
  peakwatch grafana push --language all   dashboards into the folder PeakWatch
  peakwatch grafana annotate              the promotion plan as marks on every dashboard

Where Grafana takes the dashboards from disk (grafana/provisioning) there is nothing to push: Grafana refuses it."""
FOLDER_UID: Final = "peakwatch"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes. The token is no argument, since those are for all to see."""
    parser.add_argument("action", choices=("push", "diff", "annotate"), help="what to do")
    parser.add_argument("--url", metavar="URL", help="Grafana's address (default: $PEAKWATCH_GRAFANA_URL)")
    parser.add_argument(
        "--language", choices=("zh", "en", "all"), default="zh", help="which dashboards (default: %(default)s)"
    )
    parser.add_argument("--folder", default="PeakWatch", metavar="TITLE", help="of a folder that is yet to be made")
    parser.add_argument("--overwrite", action="store_true", help="also what somebody changes at the same time")
    parser.add_argument("--peaks", type=Path, metavar="PEAKS.yaml", help="the promotion plan (default: what ships)")


def run(arguments: argparse.Namespace) -> int:
    """Do it; status 1 for a `diff` that found something."""
    server = _server(arguments.url)
    if arguments.action == "annotate":
        return _annotate(server, arguments.peaks)
    from grafana.built import load

    boards = load(arguments.language)
    if arguments.action == "diff":
        differences = server.differences(boards)
        for one in differences:
            print(f"{one.uid}: {'missing there' if one.missing else 'not as built'}")
            print("\n".join(one.lines))
        print(f"{len(boards) - len(differences)} of {len(boards)} dashboards are as built")
        return 1 if differences else 0
    server.ensure_folder(FOLDER_UID, arguments.folder)
    for board in boards:
        pushed = server.push(board, folder_uid=FOLDER_UID, overwrite=arguments.overwrite)
        print(f"{pushed.name}: {pushed.outcome}")
    return 0


def _server(url: str | None) -> "Grafana":
    from grafana.api import Grafana

    url = url or os.environ.get("PEAKWATCH_GRAFANA_URL", "")
    token = os.environ.get("PEAKWATCH_GRAFANA_TOKEN", "")
    mistakes = []
    if not url:
        mistakes.append("grafana: no address: give --url or set PEAKWATCH_GRAFANA_URL")
    if not token:
        mistakes.append("grafana: no token: set PEAKWATCH_GRAFANA_TOKEN to that of a service account")
    if mistakes:
        raise ConfigError(mistakes)
    return Grafana(url, token=token)


def _annotate(server: "Grafana", peaks: Path | None) -> int:
    from peakwatch.config import load_config
    from schemas.peak_rows import peak_rows

    for mark in server.annotate(peak_rows(load_config(peaks=peaks).peaks)):
        print(f"{mark.name}: {mark.outcome}")
    return 0
