"""The built-in complaints about an answer, shipped with each compiled form so that phone and server speak
alike.

{label} is the question's label; the other placeholders are named where they are used.
"""

MESSAGES: dict[str, dict[str, str]] = {
    "TYPE": {
        "zh": "「{label}」的内容格式不对，请重新填写。",
        "en": "“{label}” has the wrong form. Enter it again.",
    },
    "CHOICE": {
        "zh": "「{label}」选了不存在的选项，请重新选择。",
        "en": "“{label}” holds an unknown choice. Choose again.",
    },
    "UNKNOWN_FIELD": {
        "zh": "表单没有「{label}」这一项，请更新表单后重传。",
        "en": "The form has no question “{label}”. Update the form and send again.",
    },
    "IRRELEVANT": {
        "zh": "按前面的回答不应填写「{label}」，请清空或更正前面的回答。",
        "en": "“{label}” does not apply after the earlier answers. Clear it or correct them.",
    },
    "REQUIRED": {"zh": "请填写「{label}」。", "en": "Fill in “{label}”."},
    "NOT_IN_LIST": {
        "zh": "名册里没有「{label}」所填的编号，请从名单中选择。",
        "en": "“{label}” is not in the register. Choose it from the list.",
    },
    "DECIMALS": {
        "zh": "「{label}」最多保留{decimals}位小数。",
        "en": "“{label}” takes at most {decimals} decimals.",
    },
    "TOO_MANY": {
        "zh": "「{label}」的条数过多，请分成几份记录。",
        "en": "“{label}” has too many rows. Split it into several records.",
    },
    "LIMIT": {
        "zh": "「{label}」无法核对，内容过多，请分成几份记录。",
        "en": "“{label}” cannot be checked: too much content. Split it into several records.",
    },
    "ENVELOPE": {"zh": "记录信息", "en": "About this record"},
    "SHAPE": {
        "zh": "记录的结构不对，请更新应用后重传。",
        "en": "The record is malformed. Update the app and send again.",
    },
}
