"""Splits, baselines, control, finalists, statistics and the last word."""
