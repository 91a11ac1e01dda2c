"""Speed beside what a user would pick instead: every comparison interleaved A B A B, as ratios."""
