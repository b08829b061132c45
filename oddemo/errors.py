"""The one exception a user of oddemo is meant to see."""


class OddemoError(ValueError):
    """Bad input, with a message that says what was expected, what was found and what to do.

    Args:
        problem: What went wrong, in one sentence.
        expected: What would have been right.
        found: What was there instead.
        do: The next step for the user.
    """

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        do: str | None = None,
    ) -> None:
        self.problem = problem
        self.expected = expected
        self.found = found
        self.do = do
        lines = [problem]
        for label, text in (("expected", expected), ("found", found), ("do", do)):
            if text is not None:
                lines.append(f"  {label}: {text}")
        super().__init__("\n".join(lines))
