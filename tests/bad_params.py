"""Bad params: what stands in `params.yaml`, and the stage that is run with it."""

from pathlib import Path

from tests.bad_world import Case, Spoil, both, fields, params, swap, text

YAML_BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 10)
)
FORGET = params(**{"iterations.t2.prev": "t7", "final": "t9"})


def _huge(root: Path) -> None:
    with (root / "params.yaml").open("ab") as file:
        file.truncate(100_000_000)


def _bad(what: str, spoil: Spoil, stage: str = "problems") -> Case:
    return Case(what, stage, spoil)


TASK = """
class Task:
    name = "word_sorting"
    def problems(self, difficulties, seed): return iter(())
    def is_correct(self, problem, attempt): return False
    def seen(self, difficulty): return difficulty != "8 words"
"""
OWN = text("task.py", TASK)
NO_SCRIPT = {"problems.word_sorting.module": "task.py:Task"}
CASES = [
    _bad("no params.yaml", lambda root: (root / "params.yaml").unlink()),
    _bad("params.yaml is empty", text("params.yaml", "\n")),
    _bad("params.yaml is no YAML", text("params.yaml", "seed: 1\nfinal: [t1\n")),
    _bad("params.yaml is a list", text("params.yaml", "- 1\n")),
    _bad("params.yaml is not UTF-8", text("params.yaml", b"seed: \xff\n")),
    _bad("params.yaml of 100 MB", _huge),
    _bad("a tab", text("params.yaml", "train:\n\tepochs: 1\n")),
    _bad("a key twice", text("params.yaml", "seed: 1\nfinal: t1\nseed: 2\n")),
    _bad("a Python object", text("params.yaml", "seed: !!python/object/apply:os.system [touch PLANTED]\n")),
    _bad("an escape sequence", text("params.yaml", "seed: '\x1b[31m'\n")),
    _bad("an escape sequence, written out", params(**{"\x1b[31mred\nerror: all is well": 1})),
    _bad("aliases of aliases, a billion values", text("params.yaml", YAML_BOMB)),
    _bad("an alias within itself", text("params.yaml", "seed: &a [*a]\n")),
    _bad("nested 3,000 deep", text("params.yaml", "seed: " + "[" * 3000 + "\n")),
    _bad("a number of 5,000 digits", text("params.yaml", f"seed: {'9' * 5000}\n")),
    _bad("%YAML 1.1, where on is true", text("params.yaml", "%YAML 1.1\n---\nseed: 1\n")),
    _bad(
        "many at once: keys and types, NaN and inf, p outside 0..1, an empty window, `on`, text for a number",
        both(
            params(
                **{
                    "sede": 1,
                    "rebalance.shortge": "keep",
                    "rebalance.p": 1.5,
                    "rollout.window": 0,
                    "eval.batch_size": ...,
                    "problems.word_sorting.seeen": [],
                    "problems.multistep_arithmetic.source": "web",
                    "history": "all",
                    "train.learning_rate": "1e-5",
                    "validate.min_rows": True,
                    "edit.max_updates": 2.0,
                    "seed": -1,
                    "problems.word_sorting.train": -5,
                    "model.scratch.width": None,
                    "rollout.samples": [1],
                }
            ),
            swap("params.yaml", '"check_reason": true', '"check_reason": on'),
            swap("params.yaml", '"temperature": 1.0', '"temperature": .nan'),
            swap("params.yaml", '"clip_norm": 1.0', '"clip_norm": .inf'),
        ),
    ),
    _bad("both epochs and tokens", params(**{"train.tokens": 5, "warmup.epochs": None})),
    _bad(
        "probes: false, and bounds that are no shares",
        params(
            **{
                "edit.probes": False,
                "validate.min_recall": 90,
                "validate.max_false_alarms": None,
            }
        ),
    ),
    _bad(
        "probes: a share above 1, none at least, a key too many",
        params(
            **{
                "edit.probes.share": 5,
                "edit.probes.minimum": 0,
                "edit.probes.min_recall": 0.9,
            }
        ),
    ),
    _bad("an unknown task", swap("params.yaml", '"word_sorting"', '"word_sortin"'), stage="rollout"),
    _bad("a source without a path", params(**{"problems.word_sorting.source": "bbh"})),
    _bad(
        "experts that nobody registered, one of no text, none at all",
        params(
            **{
                "problems.word_sorting.expert": {"feedback": ["script", "gradr"], "improve": 5},
                "problems.multistep_arithmetic.expert": {"feedback": [], "improve": "scripts"},
            }
        ),
    ),
    _bad("a module that names no class", params(**{"problems.word_sorting.module": "own/task.py"})),
    _bad("a module outside the repository", params(**{"problems.word_sorting.module": "../task.py:Task"})),
    _bad(
        "a module that is not there", params(**{"problems.word_sorting.module": "own/task.py:Task"}), stage="plugins"
    ),
    _bad("script, of a task that brings none", both(OWN, params(**NO_SCRIPT)), stage="edit"),
    _bad(
        "a module that cannot be loaded",
        both(OWN, params(**{**NO_SCRIPT, "problems.word_sorting.module": "task.py:Tsak"})),
        stage="check",
    ),
    _bad(
        "warmup, writes_feedback and salvage that are neither",
        params(**{"warmup": "null", "model.writes_feedback": "no", "edit.salvage": None}),
    ),
    _bad(
        "a chat template that the embedded model has not, and a wrong adapter",
        params(
            **{
                "model.format": "chat_template",
                "model.base": "embedded",
                "train.lora": {"rank": 0, "alpha": 1, "dropout": 0.0, "targets": []},
                "warmup.lora": "yes",
            }
        ),
    ),
    _bad(
        "an adapter that is trained on with another size",
        params(
            **{
                "warmup.lora": {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"},
                "train.lora": {"rank": 8, "alpha": 8, "dropout": 0.0, "targets": "all-linear"},
            }
        ),
    ),
    _bad("a password in tracking_uri", params(**{"track.tracking_uri": "https://me:hunter2@host"}), stage="track"),
    _bad("a token elsewhere", params(**{"track.experiment": "hf_abcdefghijklmnop", "seed": "x"})),
    _bad("a difficulty on the wrong side", params(**{"problems.word_sorting.seen": ["8 words"]})),
    _bad(
        "a difficulty on both sides",
        params(**{"problems.word_sorting.seen": ["3 words"], "problems.word_sorting.unseen": ["3 words"]}),
    ),
    _bad("a difficulty that does not exist", params(**{"problems.word_sorting.unseen": ["many"]})),
    _bad("prev and final that are no iterations", FORGET, stage="check"),
    _bad("iterations in a circle", params(**{"iterations.t1.prev": "t2"}), stage="check"),
    _bad(
        "an iteration before its prev", params(iterations={"t2": {"prev": "t1"}, "t1": {"prev": "t0"}}), stage="check"
    ),
    _bad(
        "an iteration t0, and one that is no iteration's name",
        params(iterations={"t0": {"prev": "t0"}, "x": {"prev": "t0"}}),
    ),
    _bad(
        "check: all of what params name and what is not there",
        params(
            **{
                "problems.word_sorting.source": "jsonl",
                "problems.word_sorting.path": "imported/owm.jsonl",
                "problems.multistep_arithmetic.unseen": ["2 words"],
                "model.base": "imported/modle",
            }
        ),
        stage="check",
    ),
    _bad(
        "check: a base without EOS",
        both(
            params(**{"model.base": "models/base"}),
            fields("models/base/tokenizer_config.json", eos_token=None),
        ),
        stage="check",
    ),
]
