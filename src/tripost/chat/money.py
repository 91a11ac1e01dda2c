"""What calls cost, and the end of the money: reserved before a call, set right after it."""

from collections.abc import Callable

from tripost.params_llm import PriceParams

MILLION = 1_000_000
CRUMBS = 1e-9
"""What sums of floats leave where nothing is."""


def cost(price: PriceParams, prompt_tokens: float, completion_tokens: float, share: float = 1.0) -> float:
    """Money for so many tokens; `share` of the price (the Batch API takes half)."""
    return share * (price.input * prompt_tokens + price.output * completion_tokens) / MILLION


class Purse:
    """`most` in all, of which `logged()` is gone, by whichever process; what this one has under way is reserved.

    One process does not pass `most`; several at once may, by what the others have under way.
    """

    def __init__(self, most: float | None, logged: Callable[[], float]) -> None:
        self.most, self.logged = most, logged
        self.reserved = self.paid = self.presumed = 0.0

    @property
    def spent(self) -> float:
        """What is gone; calls that may have been charged, though nothing came back, count for this run."""
        return self.logged() + self.presumed

    def reserve(self, amount: float) -> bool:
        """Whether there is money for this call at its dearest; it is reserved then."""
        if self.most is not None and self.spent + self.reserved + amount > self.most:
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: float, amount: float) -> None:
        """The call has cost this much, and the log has it."""
        self.reserved -= reserved
        if self.reserved < CRUMBS:
            self.reserved = 0.0
        self.paid += amount

    def presume(self, amount: float) -> None:
        """A call that was given up may have been charged."""
        self.presumed += amount
