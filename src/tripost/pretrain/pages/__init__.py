"""One file a skill; each has functions that make one page from a random generator."""
