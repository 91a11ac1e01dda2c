"""What the last digits of a computation depend on besides data, params and code."""


def device() -> str:
    """The devices that decode and train, by name."""
    import torch

    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return ", ".join(torch.cuda.get_device_name(k) for k in cuda) or "CPU"


def machine() -> str:
    """The device and the number of threads: training sums gradients in an order that depends on it."""
    import torch

    return f"{device()}, {torch.get_num_threads()} threads"
