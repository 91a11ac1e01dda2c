"""track: publish parameters, metrics, losses and data of all iterations to MLflow, and say which one is best."""

from tripost.params import Params
from tripost.shell.stage import run


def main(params: Params) -> None:
    """x"""


if __name__ == "__main__":
    run(main)
