"""`make bench`: speed beside what a user would pick instead; or another measurement: `make bench ARGS=fbk`."""

import runpy
import sys

MEASUREMENTS = {
    "speed": "rollout, train, data stages beside their peers, interleaved, as one table; names choose among them",
    "base": "what the base and the models made of it can do: skills, attempts by subtask, updates",
    "compare": "TriPosT against more rationales with the same trained tokens: one task, several seeds, new problems",
    "fbk": "recall, precision and step accuracy of the scripted FBK on planted errors and valid rewrites",
    "published": "what becomes of the published rows in problems and edit, by reason",
    "generated": "10,000 generated dates and deductions, read and solved a second time: answers, letters, wording",
    "determinism": "two runs, one thread against two, batch 8 against 64: what differs",
    "kills": "100 random kills of stages and of dvc: what is left, and whether the next run shows any of it",
    "llm": "asking LLMs in bulk: rate, limits, kills, peers, against a local server; names choose among them",
    "hostile": "time and memory from hostile text to refusal: every text x every entry point",
}


def main() -> None:
    """Run `python -m bench [NAME] [options]`; with a name that is none, say which there are."""
    name = sys.argv[1] if len(sys.argv) > 1 else "speed"
    if name not in MEASUREMENTS:
        lines = "".join(f"  {key:11} {what}\n" for key, what in MEASUREMENTS.items())
        sys.stdout.write(f"usage: python -m bench [NAME] [options]\n{lines}")
        sys.exit(0 if name in ("-h", "--help") else 2)
    sys.argv = [f"bench.{name}", *sys.argv[2:]]
    runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
