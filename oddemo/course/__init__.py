"""The exercises of the course: what each asks, and how an answer is judged."""

from oddemo.course.checking import check, outcomes, tally

__all__ = ["check", "outcomes", "tally"]
