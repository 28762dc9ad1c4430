"""Policies: what a region has decided, as data: calendar, schedules, deductions, mappings, indicators, thresholds.

Here: the policy model, its loader, and the indicator compiler. Not here: any rule's computation (facts/, kpi/).
"""
