"""Measures + reviews + policy -> kept and dropped, a reason each. Pure: no input, no output, no clock.

A score is a measurement; here, and only here, it meets a threshold.
"""

from graftset.selection.choosing import select
from graftset.selection.gates import GATES
from graftset.selection.policy import Floors, Policy, policy_from_settings
from graftset.selection.standing import outdated

__all__ = ["GATES", "Floors", "Policy", "outdated", "policy_from_settings", "select"]
