"""From a need to a plan with reasons: requirements, the questions that matter, rules, proposals."""

from nasturtium.advisor.deciding import check_possible, decide
from nasturtium.advisor.facts import Fact
from nasturtium.advisor.fields import BY_NAME, completed, given
from nasturtium.advisor.plan import Conflict, Estimate, Plan, Proposal, Question, SearchAdvice, Start
from nasturtium.advisor.questions import answered, essence, questions
from nasturtium.advisor.requirements import Requirements

__all__ = [
    "BY_NAME",
    "Conflict",
    "Estimate",
    "Fact",
    "Plan",
    "Proposal",
    "Question",
    "Requirements",
    "SearchAdvice",
    "Start",
    "answered",
    "check_possible",
    "completed",
    "decide",
    "essence",
    "given",
    "questions",
]
