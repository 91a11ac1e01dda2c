"""`python -m tripost.cli`, where the `tripost` script is not installed."""

import sys

from tripost.cli import main

sys.exit(main())
