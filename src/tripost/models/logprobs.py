"""How likely a checkpoint holds a text to be, token by token."""

from collections.abc import Sequence

from tripost.models.load import load_model


def logprobs_of(source: str, precision: str, texts: Sequence[tuple[list[int], list[int]]]) -> list[list[float]]:
    """For each (prompt, continuation) in tokens: the log probability of each token of the continuation.

    On the CPU, one forward pass a text; the memory is that of the weights in `precision`.
    """
    import torch

    model = load_model(source, precision).eval()
    found: list[list[float]] = []
    with torch.inference_mode():
        for prompt, continuation in texts:
            inputs = torch.tensor([prompt + continuation])
            logits = model(input_ids=inputs, use_cache=False).logits[0, len(prompt) - 1 : -1].float()
            chosen = torch.log_softmax(logits, -1).gather(1, inputs[0, len(prompt) :, None])
            found.append([float(number) for number in chosen[:, 0].tolist()])
    return found
