"""Answers that name an attachment, and whether it came along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FILES = ("image", "audio", "video", "file")
Question = tuple[str | None, str]  # repeat, name


def file_questions(compiled: Mapping[str, Any]) -> list[Question]:
    """The questions of a compiled form whose answer is an attachment's name."""
    return [*_files(compiled.get("survey"), None), *_files(compiled.get("envelope"), None)]


def _files(rows: Any, repeat: str | None) -> Iterator[Question]:
    for row in rows if isinstance(rows, list) else ():
        if row.get("type") in FILES:
            yield repeat, row["name"]
        yield from _files(row.get("children"), row["name"] if row.get("type") == "begin_repeat" else repeat)


def missing(questions: list[Question], doc: Mapping[str, Any]) -> Iterator[str]:
    """The paths of answers whose attachment is not there."""
    attachments = doc.get("_attachments")
    there = attachments if isinstance(attachments, dict) else {}
    for path, name in _named(questions, doc.get("answers", {})):
        if isinstance(name, str) and name not in there:
            yield path


def _named(questions: list[Question], answers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for repeat, name in questions:
        if repeat is None:
            yield name, answers.get(name)
            continue
        rows = answers.get(repeat)
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict):
                yield f"{repeat}[{index}].{name}", row.get(name)
