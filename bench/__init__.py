"""Benchmarks: each module's main() times our code and what people use today in the same run, as rows of one table."""
