import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.register.search import person_key, place_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("张三", "zhangsan zs"),
        ("单晓明", "shanxiaoming sxm"),
        ("解海", "xiehai xh"),
        ("尉迟恭", "yuchigong ycg"),
        ("阿卜杜·热西提", "abodurexiti abdrxt"),
        ("徐㛃䶮", "xujieyan xjy"),
        ("𠮷野", "𠮷ye 𠮷y"),
        ("Anna Smith", "annasmith annasmith"),
    ],
)
def test_a_name_is_found_by_its_pinyin_and_its_initials(name, key) -> None:
    assert person_key(name) == key


def test_a_place_is_read_by_its_words() -> None:
    assert place_key("重庆路3号") == "chongqinglu3hao cql3h"


@given(st.text(max_size=30))
def test_any_name_has_a_key(name) -> None:
    assert person_key(name).count(" ") >= 1
    assert place_key(name).count(" ") >= 1
