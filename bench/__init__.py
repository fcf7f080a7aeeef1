"""Benchmarks: each module's main() times our code and what people use today in the same run, as rows of one table.

With BENCH_SOURCE=FOLDER in the environment it is that checkout's code which is timed, by the benches of this one.
"""

import os
import sys

if source := os.environ.get("BENCH_SOURCE"):
    sys.path[:0] = [source, f"{source}/methods", f"{source}/datasets"]
