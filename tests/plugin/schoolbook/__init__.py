"""A task, an expert and prompts that TriPosT finds by their entry points."""
