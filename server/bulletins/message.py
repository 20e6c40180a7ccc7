"""The bulletin as text for a message group: figures only, no name of a resident, no list of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.api.beijing import local
from server.bulletins import wording

DIGEST_SHOWN = 8


def message(content: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], digest: str = "") -> str:
    lines = [
        f"【{content['district']['name']}网格日报】{wording.number_text(content)}",
        f"{wording.day_text(content['day'])}，{wording.until_text(content)}",
        wording.replaces_line(content),
        *(_group(content, each) for each in groups),
        f"报送：已报{content['villages']['reported']}村，"
        f"零报告{content['villages']['nil']}村，未报{len(content['villages']['silent'])}村；"
        f"未同步手机{len(content['devices']['silent'])}台；待更正{content['waiting']['quarantined']}条",
        *(f"· {line}" for line in wording.late_lines(content)),
        _signed(content, digest),
    ]
    return "\n".join(line for line in lines if line)


def _group(content: Mapping[str, Any], group: Mapping[str, Any]) -> str:
    known, figures = wording.words_of(content), content["figures"][content["district"]["code"]]
    parts = [
        known[name]["name"]["zh"] + wording.figure_text(known[name], figures[name]) + _unit(known[name])
        for name in wording.declared(content, group["indicators"])
    ]
    return f"{group['title']['zh']}：{'，'.join(parts)}" if parts else ""


def _unit(words: Mapping[str, Any]) -> str:
    return "" if wording.is_percent(words) else str(words["unit"]["zh"])


def _signed(content: Mapping[str, Any], digest: str) -> str:
    if "number" not in content:
        return "※ 临时数据，未到截止或尚未发布，请勿转报"
    name, at = content["frozen_by"]["name"], local(content["frozen_at"])
    return f"{name} {at} 发布，校验码 {digest[:DIGEST_SHOWN]}"
