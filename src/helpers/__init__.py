"""Helpers of the Declined Detainers study: its evidence, estimators, figures and runner."""
