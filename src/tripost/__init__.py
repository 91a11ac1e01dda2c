"""TriPosT: teach a small language model to correct itself, from its own mistakes.

Start reading at `tripost.algorithm`: the whole method on one page, in the paper's words.
"""

__version__ = "0.1.0"
