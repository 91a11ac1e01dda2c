"""How the embedded base model came to be: its corpus, tokenizer, training and skills. Not part of the pipeline.

    pages/        one file a skill: what the corpus is made of
    corpus.py     the shares of the pages, and the stream of documents
    tokenizer.py  phrases and words as tokens, made-up words in letters, digits one by one
    packing.py    documents -> rows of tokens
    loop.py       training in legs, warm-up - stable - decay
    skills.py     what a base can do, measured

docs/embedded-model.md has the recipe, the curve, and what was tried and dropped.
"""
