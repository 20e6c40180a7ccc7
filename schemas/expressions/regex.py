"""Regular expressions that cannot run away: a subset of the common syntax, parsed here into a program for a
machine that follows all alternatives at once (`matcher.py`, and its twin on the phone). Time is bounded by
text × program.

Allowed: literals, `.`, [classes] and [^classes], \\d \\w \\s and their opposites (ASCII), \\p{Han},
\\uXXXX, ( ), (?: ), |, * + ? {n} {n,} {n,m}, ^ $. Refused with a remedy: look-around, back-references,
other \\p, named groups.

A program is a list of instructions; a thread starts at 0:
    [lo, hi, lo, hi, …]        one character within (code points), then the next instruction
    ["!", lo, hi, …]           one character outside
    ["|", a, b]                go on at a and at b
    [">", a]                   go on at a
    ["^"] / ["$"]              only at the beginning / end
    ["."]                      accepted, when the text is at its end
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Instruction: TypeAlias = list[Any]
Program: TypeAlias = list[Instruction]

PROGRAM_MAX = 1_500
REPEAT_MAX = 500
PATTERN_MAX = 500
NESTING_MAX = 20

DIGIT = [48, 57]
WORD = [48, 57, 65, 90, 95, 95, 97, 122]
SPACE = [9, 13, 32, 32]
HAN = [
    0x2E80,
    0x2E99,
    0x2E9B,
    0x2EF3,
    0x2F00,
    0x2FD5,
    0x3005,
    0x3005,
    0x3007,
    0x3007,
    0x3021,
    0x3029,
    0x3038,
    0x303B,
    0x3400,
    0x4DBF,
    0x4E00,
    0x9FFF,
    0xF900,
    0xFA6D,
    0xFA70,
    0xFAD9,
    0x20000,
    0x2FA1F,
    0x30000,
    0x323AF,
]
LINE_ENDS = ["!", 10, 10, 13, 13]
LAST = 0x10FFFF
CONTROLS = {"n": 10, "r": 13, "t": 9}


class RegexError(ValueError):
    """`position` counts characters of the pattern from 0."""

    def __init__(self, message: str, remedy: str, position: int) -> None:
        super().__init__(message)
        self.message, self.remedy, self.position = message, remedy, position


@dataclass
class _Part:
    """A piece of a program whose jumps are relative to their own place."""

    code: list[Instruction] = field(default_factory=list)


def compile_regex(pattern: str) -> Program:
    """The program that accepts exactly the texts that `pattern` matches as a whole; raises RegexError."""
    if len(pattern) > PATTERN_MAX:
        raise RegexError(f"the pattern is longer than {PATTERN_MAX} characters", "Shorten it.", PATTERN_MAX)
    parser = _Parser(pattern)
    code = parser.alternatives(0)
    if parser.at < len(pattern):
        raise RegexError("there is no bracket to close", r"Write \) for a bracket in the text.", parser.at)
    return _absolute([*code, ["."]])


def _absolute(code: Program) -> Program:
    return [
        [op[0], *(at + jump for jump in op[1:])] if op[0] in ("|", ">") else op for at, op in enumerate(code)
    ]


def inverted(ranges: list[int]) -> list[int]:
    """The ranges of the characters that are not in `ranges`, which need not be sorted."""
    result, start = [], 0
    for low, high in sorted(zip(ranges[::2], ranges[1::2], strict=True)):
        if low > start:
            result += [start, low - 1]
        start = max(start, high + 1)
    return [*result, start, LAST] if start <= LAST else result


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def error(self, message: str, remedy: str) -> RegexError:
        return RegexError(message, remedy, self.at)

    def bounded(self, code: Program) -> Program:
        if len(code) > PROGRAM_MAX:
            raise self.error("the pattern is too large", "Use smaller numbers of repetition.")
        return code

    def alternatives(self, depth: int) -> Program:
        if depth > NESTING_MAX:
            raise self.error(f"brackets are nested deeper than {NESTING_MAX}", "Simplify the pattern.")
        code = self.sequence(depth)
        while self.peek() == "|":
            self.take()
            other = self.sequence(depth)
            code = self.bounded([["|", 1, len(code) + 2], *code, [">", len(other) + 1], *other])
        return code

    def sequence(self, depth: int) -> Program:
        code: Program = []
        while self.peek() not in ("", "|", ")"):
            code = self.bounded(code + self.quantified(self.atom(depth)))
        return code

    def quantified(self, code: Program) -> Program:
        while self.peek() and self.peek() in "*+?{":
            low, high = self.counts()
            code = self.repeated(code, low, high)
            if self.peek() == "?":
                self.take()  # lazy: a whole match is the same
            elif self.peek() == "+":
                raise self.error("possessive repetition is not supported", "Leave the second + out.")
        return code

    def counts(self) -> tuple[int, int | None]:
        sign = self.take()
        if sign != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : max(end, self.at)].partition(",")
        if end < 0 or not _is_count(low) or (high and not _is_count(high)):
            raise self.error(
                "this { does not begin a repetition", r"Write {2}, {2,} or {2,4}; \{ for the character."
            )
        self.at = end + 1
        return int(low), (int(high) if high else None if comma else int(low))

    def repeated(self, code: Program, low: int, high: int | None) -> Program:
        if max(low, high or 0) > REPEAT_MAX or (high is not None and high < low):
            raise self.error(
                f"repetition runs from small to large, up to {REPEAT_MAX}", "Correct the numbers."
            )
        if len(code) * max(low, high or 0) > PROGRAM_MAX:
            raise self.error("the pattern is too large", "Use smaller numbers of repetition.")
        result = code * low
        if high is None:
            return self.bounded([*result, ["|", 1, len(code) + 2], *code, [">", -len(code) - 1]])
        tail: Program = []
        for _ in range(high - low):
            tail = [["|", 1, len(code) + len(tail) + 1], *code, *tail]
        return self.bounded(result + tail)

    def atom(self, depth: int) -> Program:
        if self.peek() in "*+?{":
            raise self.error(
                "there is nothing to repeat here", rf"Write \{self.peek()} for the character itself."
            )
        character = self.take()
        if character == "(":
            return self.group(depth)
        if character == "[":
            return [self.character_class()]
        if character in "^$":
            return [[character]]
        if character == ".":
            return [LINE_ENDS]
        if character == "\\":
            return [self.escape()]
        return [[ord(character)] * 2]

    def group(self, depth: int) -> Program:
        if self.peek() == "?":
            if self.pattern[self.at : self.at + 2] != "?:":
                raise self.error(
                    "look-around and named groups are not supported", "Write two constraints instead of one."
                )
            self.at += 2
        code = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise self.error("a bracket is not closed", r"Close it, or write \( for the character.")
        self.take()
        return code

    def escape(self) -> list[Any]:
        if not self.peek():
            raise self.error("the pattern ends with a single backslash", r"Write \\ for a backslash.")
        character = self.take()
        sets = {"d": DIGIT, "w": WORD, "s": SPACE}
        if character in sets:
            return sets[character]
        if character.lower() in sets:
            return ["!", *sets[character.lower()]]
        if character in CONTROLS:
            return [CONTROLS[character]] * 2
        if character == "u":
            return [self.hexadecimal()] * 2
        if character in "pP":
            return self.property(character)
        if character.isalnum():
            raise self.error(
                rf"\{character} is not supported", r"Supported: \d \w \s \D \W \S \n \t \uXXXX \p{Han}."
            )
        return [ord(character)] * 2

    def hexadecimal(self) -> int:
        digits = self.pattern[self.at : self.at + 4]
        if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise self.error(r"\u needs four hexadecimal digits", r"Write for example \u4e00.")
        self.at += 4
        return int(digits, 16)

    def property(self, letter: str) -> list[Any]:
        end = self.pattern.find("}", self.at)
        name = self.pattern[self.at : end + 1]
        if name not in ("{Han}", "{IsHan}", "{Script=Han}"):
            raise self.error(
                rf"\{letter}{name[:20]} is not supported", r"Only \p{Han} is; list other characters in [ ]."
            )
        self.at = end + 1
        return list(HAN) if letter == "p" else ["!", *HAN]

    def character_class(self) -> list[Any]:
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[int] = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise self.error("a [ is not closed", r"Close it with ], or write \[ for the character.")
            ranges += self.class_item()
            first = False
        self.take()
        return ["!", *ranges] if negated else ranges

    def class_item(self) -> list[int]:
        low = self.class_atom()
        if self.peek() != "-" or self.pattern[self.at + 1 : self.at + 2] in ("]", ""):
            return inverted(low[1:]) if low[0] == "!" else low
        self.take()
        high = self.class_atom()
        if len(low) != 2 or len(high) != 2 or low[0] != low[1] or high[0] != high[1] or high[0] < low[0]:
            raise self.error(
                "a range runs from a smaller character to a larger one", r"Write \- for a hyphen."
            )
        return [low[0], high[0]]

    def class_atom(self) -> list[Any]:
        character = self.take()
        if character == "[":
            raise self.error("a class stands inside a class", r"Write \[ for the character.")
        return self.escape() if character == "\\" else [ord(character)] * 2


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
