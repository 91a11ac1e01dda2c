"""The chain of iterations: t0 is the warmed-up model, every other one starts from one that stands before it."""

from collections.abc import Mapping


def chain_flaws(prev: Mapping[str, str], final: str) -> list[str]:
    """Every finding about `iterations` (`prev` of each) and `final`, by its key."""
    flaws: list[str] = []
    names = ", ".join({"t0": 0, **prev})
    if "t0" in prev:
        flaws.append("iterations.t0: t0 is the warmed-up model; let the iterations start at t1")
    known = {"t0"}
    for t, before in prev.items():
        circle = _circle(t, prev)
        if before != "t0" and before not in prev:
            flaws.append(f"iterations.{t}.prev: {before} is no iteration; known: {names}")
        elif circle:
            flaws.append(f"iterations.{t}.prev: runs in a circle: {' -> '.join(circle)}; let one of them start at t0")
        elif before not in known:
            flaws.append(f"iterations.{t}.prev: {before} must stand before {t}; move {t} below it")
        known.add(t)
    if final not in {"t0", *prev}:
        flaws.append(f"final: {final} is no iteration; known: {names}")
    return flaws


def _circle(t: str, prev: Mapping[str, str]) -> list[str]:
    """The way back from t to t, where there is one."""
    path = [t]
    while (before := prev.get(path[-1], "t0")) != "t0" and path[-1] != "t0":
        path.append(before)
        if before == t:
            return path
        if before in path[:-1]:  # a circle that t only leads into
            return []
    return []
