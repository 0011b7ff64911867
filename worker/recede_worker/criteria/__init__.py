"""Criteria: what the neurons of a trained network can be ranked by, one file each."""
