"""How good FBK was on the probes of an iteration: its recall and its false alarms, for each task."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from tripost.rates import Rate, exact, rate
from tripost.records import Probe


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How good FBK was. What it cannot judge of `planted` is not found, and of `clean` no false alarm: counted apart.

    `located`: of those found, those whose first wrong step it named. `missed`: kinds of errors that were not found.
    """

    planted: int
    clean: int
    found: Rate
    located: Rate
    false_alarms: Rate
    cannot_judge: Rate
    missed: dict[str, int]

    def bounds(self) -> dict[str, float]:
        """The best that can be said of the expert, the ends of exact 95 % intervals; unasked, anything can.

        Exact ones, not Wilson's: of the experts that just meet a bound at most one in 40 falls short of it by chance.
        """
        return {
            "recall_at_most": round(exact(self.found)[1], 4),
            "false_alarms_at_least": round(exact(self.false_alarms)[0], 4),
            "planted": self.planted,
            "clean": self.clean,
        }

    @property
    def shown(self) -> str:
        """The figures in a few words."""
        errors, alarms = self.found, self.false_alarms
        return f"found {errors.k} of {errors.n} errors, {alarms.k} false alarms in {alarms.n} right attempts"


def figures(probes: Iterable[Probe], tasks: Iterable[str]) -> dict[str, Figures]:
    """The figures for each of `tasks`, also where it has no probes."""
    everything = list(probes)
    return {name: _of([probe for probe in everything if probe.task == name]) for name in sorted(tasks)}


def _of(probes: Sequence[Probe]) -> Figures:
    planted = [probe for probe in probes if probe.planted_step is not None]
    clean = [probe for probe in probes if probe.planted_step is None]
    return Figures(
        planted=len(planted),
        clean=len(clean),
        found=rate(probe.called_wrong for probe in planted),
        located=rate(probe.located for probe in planted if probe.called_wrong),
        false_alarms=rate(probe.called_wrong for probe in clean),
        cannot_judge=rate(probe.feedback is None for probe in probes),
        missed=dict(Counter(probe.kind for probe in planted if not probe.called_wrong)),
    )
