"""LLMs behind an OpenAI-compatible API: asked once, paced, logged; nothing here knows what is asked."""
