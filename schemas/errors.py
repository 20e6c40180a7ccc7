"""What is wrong with a form: all of it at once, each with its place, the complaint and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FormError:
    """`place` reads like “survey › g2 › next_visit_at › constraint NV1, line 1, column 5”."""

    place: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}. {self.remedy}"


class FormErrors(ValueError):
    def __init__(self, errors: list[FormError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors
