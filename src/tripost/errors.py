"""Every error a user can meet. One line each: where (`file:line` or the params key), what is wrong, what to do.

TriPosTError
├── ParamsError          params.yaml: unknown, missing or mistyped keys (all of them at once)
├── DataError            a file from outside or from an earlier stage that cannot be used
├── GateError            the Great Expectations gate refused the data, or its report is missing or stale
├── UnknownNameError     a task, expert or source that nobody registered ("did you mean")
├── ModelError           a checkpoint or tokenizer that cannot be used
├── EndpointError        an LLM's endpoint that cannot be used: key, model, money, or too many calls without an answer
└── TrainingError        the loss became NaN or infinite

An error's arguments are its lines. What stands in a message may come from a file, so every line is made printable
and is cut in its middle where it is long: its ends say where, and what to do.
"""

LONGEST_LINE = 600


def one_line(text: str) -> str:
    r"""The text as one line of at most 600 characters; what cannot be printed as its escape (`\x1b`, `\n`)."""
    if len(text) > 2 * LONGEST_LINE:  # a field of megabytes is not escaped as a whole
        text = text[:LONGEST_LINE] + text[-LONGEST_LINE:]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(line) <= LONGEST_LINE:
        return line
    end = LONGEST_LINE // 3
    return f"{line[: LONGEST_LINE - end - 5]} ... {line[-end:]}"


class TriPosTError(Exception):
    """Base of all errors that are the user's to mend; the shell prints its lines and exits with 1."""

    def __str__(self) -> str:
        """One printable line for each argument."""
        return "\n".join(one_line(str(argument)) for argument in self.args)

    def report(self) -> str:
        """What the terminal gets: `error: ` before each line, but for indented ones, which explain the one above."""
        return "\n".join(line if line.startswith("  ") else f"error: {line}" for line in str(self).split("\n"))


class ParamsError(TriPosTError):
    """`params.yaml` does not say what the program needs; one line for every finding."""


class DataError(TriPosTError):
    """A data file cannot be used; the message starts with `file:line`."""


class GateError(TriPosTError):
    """Trajectories did not pass the gate, or nobody can show that they did."""


class UnknownNameError(TriPosTError):
    """A name that is in no registry and no entry point."""


class ModelError(TriPosTError):
    """A model folder or tokenizer cannot be used."""


class EndpointError(TriPosTError):
    """An LLM behind an API cannot be asked, or may not be asked any more."""


class TrainingError(TriPosTError):
    """Training cannot go on; the message names the step and the batch's example ids."""
