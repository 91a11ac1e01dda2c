"""Asking LLMs in bulk, beside the bare client and beside what others would use, against tests/llm_server."""
