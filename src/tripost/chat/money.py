"""What calls cost, and the end of the money: reserved before a call, set right after it."""

from tripost.params_llm import PriceParams

MILLION = 1_000_000


def cost(price: PriceParams, prompt_tokens: float, completion_tokens: float, share: float = 1.0) -> float:
    """Money for so many tokens; `share` of the price (the Batch API takes half)."""
    return share * (price.input * prompt_tokens + price.output * completion_tokens) / MILLION


class Purse:
    """`most` in all, of which `spent()` is gone; what is under way is reserved. Not passed, at no moment."""

    def __init__(self, most: float | None, spent: float) -> None:
        self.most, self.spent, self.reserved = most, spent, 0.0
        self.paid = 0.0

    def reserve(self, amount: float) -> bool:
        """Whether there is money for this call at its dearest; it is reserved then."""
        if self.most is not None and self.spent + self.reserved + amount > self.most:
            return False
        self.reserved += amount
        return True

    def settle(self, reserved: float, amount: float) -> None:
        """The call has cost this much."""
        self.reserved -= reserved
        self.spent += amount
        self.paid += amount
