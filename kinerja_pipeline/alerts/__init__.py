"""Telling people what stands in the way: faults as values, what stands now, messages in Indonesian and English, and the
two ways out (e-mail, webhook). Nothing of Dagster: what of a run is a fault is for orchestration to see."""
