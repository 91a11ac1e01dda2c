"""track: publish parameters, metrics, losses and data of all iterations to MLflow, and say which one is best."""

from pathlib import Path

from tripost.params import Params
from tripost.shell.asking import sampled_replies
from tripost.shell.io import write_json
from tripost.shell.snapshot import read_state
from tripost.shell.stage import run
from tripost.shell.tracking import publish


def main(params: Params, evaluations: Path, data: Path, models: Path, lock: Path, out: Path) -> None:
    """Publish once for each state of the pipeline; write which iteration is best by a paired test."""
    state = read_state(params, Path(), evaluations, data, models, lock)
    where = (params.track.tracking_uri, params.track.experiment)
    done = publish(state, uri=where[0], experiment=where[1], repo=Path(), calls=sampled_replies(params, data))
    found = {"state": state.key, "best": state.best, "reason": state.reason, "final": state.final}
    write_json(out, {**found, "published": done.published})


if __name__ == "__main__":
    run(main)
