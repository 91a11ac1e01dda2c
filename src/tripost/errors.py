"""Every error a user can meet. One line each: where (`file:line` or the params key), what is wrong, what to do.

TriPosTError
├── ParamsError          params.yaml: unknown, missing or mistyped keys (all of them at once)
├── DataError            a file from outside or from an earlier stage that cannot be used
├── GateError            the Great Expectations gate refused the data, or its report is missing or stale
├── UnknownNameError     a task, expert or source that nobody registered ("did you mean")
├── ModelError           a checkpoint or tokenizer that cannot be used
└── TrainingError        the loss became NaN or infinite
"""


class TriPosTError(Exception):
    """Base of all errors that are the user's to mend; the shell prints it as one line and exits with 1."""


class ParamsError(TriPosTError):
    """`params.yaml` does not say what the program needs; the message lists every finding."""


class DataError(TriPosTError):
    """A data file cannot be used; the message starts with `file:line`."""


class GateError(TriPosTError):
    """Trajectories did not pass the gate, or nobody can show that they did."""


class UnknownNameError(TriPosTError):
    """A name that is in no registry and no entry point."""


class ModelError(TriPosTError):
    """A model folder or tokenizer cannot be used."""


class TrainingError(TriPosTError):
    """Training cannot go on; the message names the step and the batch's example ids."""
