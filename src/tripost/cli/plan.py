"""`tripost plan`: what `dvc repro` is going to run and why, before anything runs.

Stages, minutes as they were measured here, calls of LLMs with tokens and money, disk for checkpoints. Exit code 1,
with one line, where money or disk is short.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from tripost.chat.library import api_key
from tripost.chat.reply_log import ReplyLog
from tripost.cli.plan_calls import forecasts
from tripost.cli.screen import clean, console
from tripost.errors import DataError, EndpointError
from tripost.estimates import Forecast
from tripost.params import Params
from tripost.params_file import load_params
from tripost.shell.home import replies_file
from tripost.shell.pipeline import Due, due, stages, status
from tripost.shell.runs import Run, runs
from tripost.shell.stage import PARAMS

GB = 1e9
COPIES = 2
"""Of a checkpoint: the workspace's and the cache's."""
STATE = 3
"""Times the weights that training keeps while it runs: the optimiser's state and the checkpoint it goes on from."""
SPARE = 0.5 * GB


def main(argv: Sequence[str]) -> int | None:
    """Print the plan; 1 where it cannot be carried out."""
    parser = argparse.ArgumentParser(prog="tripost plan", description=__doc__)
    parser.add_argument("--if-paid", action="store_true", help="say nothing where no LLM is asked")
    arguments = parser.parse_args(argv)
    params = load_params(PARAMS)
    if arguments.if_paid and not _names_llms(params):
        return None
    found = due(stages({t: it.prev for t, it in params.iterations.items()}), status())
    path = replies_file(Path())
    log = ReplyLog(path) if path.exists() else None
    calls = list(forecasts(params, [stage.name for stage in found], log))
    _show(found, calls, runs())
    short = [*_keys(params, calls), *_money(params, calls, log), *_disk(params, found)]
    for line in short:
        print(f"error: {line}", file=sys.stderr)
    return 1 if short else None


def _names_llms(params: Params) -> bool:
    named = {name for s in params.problems.values() for name in (*s.expert.feedback, *s.expert.improve)}
    return bool(named & params.llms.keys())


def _show(found: Sequence[Due], calls: Sequence[Forecast], measured: Sequence[Run]) -> None:
    out = console()
    if not found:
        print("nothing to run: everything is up to date")
        return
    table = Table(box=None, pad_edge=False)
    asking = ("calls", "in the log", "tokens", "cost") if calls else ()
    for heading in ("stage", "minutes", *asking, "why"):
        number = heading not in ("stage", "why")
        table.add_column(heading, justify="right" if number else "left", no_wrap=number)
    seconds: list[float | None] = []
    for stage in found:
        mine = [forecast for forecast in calls if forecast.stage == stage.name]
        took = _took(stage.name, measured)
        waiting = sum(forecast.seconds for forecast in mine)
        seconds.append(took if not mine else waiting + (took or 0.0))
        cells = _cells(mine) if calls else ()
        minutes = "?" if seconds[-1] is None else f"{seconds[-1] / 60:.1f}"
        table.add_row(clean(stage.name), minutes, *cells, clean(stage.why))
    out.print(table)
    surely, unknown = sum(stage.surely for stage in found), seconds.count(None)
    total = sum(item or 0.0 for item in seconds) / 60
    follow = f"{len(found) - surely} run where what they follow comes out otherwise"
    print(f"\n{len(found)} stages: {surely} have changed, {follow}")
    said = f"; {unknown} were never run here, their time is not in it" if unknown else ""
    print(f"some {total:.0f} minutes, as measured here{said}")
    for forecast in calls:
        if forecast.calls < 0.5:
            continue
        basis = "as measured" if forecast.measured else "assumed, nothing was measured yet"
        tokens = f"{forecast.prompt_tokens:,.0f} tokens in, {forecast.completion_tokens:,.0f} out"
        asked = f"{forecast.calls:,.0f} calls of {forecast.llm} ({forecast.purpose})"
        print(clean(f"  {forecast.stage} {forecast.task}: {asked}, {tokens}, cost {forecast.cost:.4f}; {basis}"))


def _cells(mine: Sequence[Forecast]) -> tuple[str, str, str, str]:
    if not mine:
        return "", "", "", ""
    tokens = sum(forecast.prompt_tokens + forecast.completion_tokens for forecast in mine)
    calls, known = sum(forecast.calls for forecast in mine), sum(forecast.known for forecast in mine)
    return f"{calls:,.0f}", f"{known:,.0f}", f"{tokens:,.0f}", f"{sum(forecast.cost for forecast in mine):,.4f}"


def _took(stage: str, measured: Sequence[Run]) -> float | None:
    """Seconds of the last run of the stage, without the time that it waited for answers; or of its kind."""
    kind = stage.partition("@")[0].removesuffix("_t0")

    def last(name: str) -> float | None:
        same = [run.seconds for run in measured if run.stage == name]
        waited = [run.seconds for run in measured if run.stage == f"{name} asking"]
        return max(0.0, same[-1] - (waited[-1] if waited else 0.0)) if same else None

    own = last(stage)
    if own is not None:
        return own
    others = [last(name) for name in dict.fromkeys(run.stage for run in measured) if name.partition("@")[0] == kind]
    return next((seconds for seconds in reversed(others) if seconds is not None), None)


def _keys(params: Params, calls: Sequence[Forecast]) -> Iterator[str]:
    """Keys that are asked for and not there."""
    for name in sorted({forecast.llm for forecast in calls if forecast.calls > forecast.known}):
        try:
            api_key(f"{PARAMS}: calls.endpoints.{name}.key", params.calls.endpoints[name].key)
        except EndpointError as error:
            yield str(error)


def _money(params: Params, calls: Sequence[Forecast], log: ReplyLog | None) -> Iterator[str]:
    """Where the budget does not reach."""
    most, cost = params.calls.max_cost, sum(forecast.cost for forecast in calls)
    if most is None or not calls:
        return
    spent = log.total_cost if log else 0.0
    if spent + cost > most:
        held = f"{spent:.4f} of {most} are spent and this takes some {cost:.4f}"
        yield f"{PARAMS}: calls.max_cost: {held}; raise it, or ask for less (rollout.window, problems.*.train)"


def _disk(params: Params, found: Sequence[Due]) -> Iterator[str]:
    """Where checkpoints do not fit."""
    trained = [stage.name for stage in found if stage.name.partition("@")[0] in ("warmup", "train")]
    size = _size(params)
    if not trained:
        return
    free = shutil.disk_usage(Path()).free
    if size is None:
        print(
            f"disk: {free / GB:.1f} GB free; what a checkpoint of {clean(params.model.base)} takes is not known yet"
        )
        return
    need = size * (COPIES * len(trained) + STATE)
    print(f"disk: some {need / GB:.2f} GB for {len(trained)} checkpoints, {free / GB:.1f} GB free")
    if need + SPARE > free:
        held = f"{free / GB:.1f} GB are free, {len(trained)} checkpoints need some {need / GB:.1f} GB"
        yield f"{Path().absolute().name}: the disk is too small: {held}; make room (dvc gc -w), or take lora"


def _size(params: Params) -> float | None:
    """Bytes of a checkpoint: as large as the base, or as the last one."""
    for folder in (Path("models") / params.final, Path("models/t1"), Path("models/base"), *_base(params)):
        try:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        except OSError as error:
            raise DataError(f"{folder}: {error.strerror}; mend that, then try again") from None
        if size:
            return float(size)
    return None


def _base(params: Params) -> list[Path]:
    base = params.model.base
    return [Path("models/embedded")] if base == "embedded" else [] if base == "scratch" else [Path(base)]
