"""Server-sent events: one question a second however many listen."""

from server.event_streams import LIFE_S
from server.web.live import HEARTBEAT_S, Watch, announcements
from tests.server.api.world import World


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_hundred_pages_cost_one_question_a_second() -> None:
    clock, asked = Clock(), []
    watch = Watch(lambda: asked.append(1) or 7, clock)
    for _ in range(100):
        assert watch.version() == 7
    assert len(asked) == 1
    clock.sleep(1)
    watch.version()
    assert len(asked) == 2


def test_a_page_hears_the_version_at_once_and_then_each_move() -> None:
    clock, versions = Clock(), iter([3, 3, 4, 4, 6])
    stream = announcements(Watch(lambda: next(versions), clock), clock.sleep, clock)
    assert "data: 3\n" in next(stream)
    assert next(stream) == "event: version\ndata: 4\n\n"
    assert next(stream) == "event: version\ndata: 6\n\n"
    assert clock.now == 4.0


def test_a_quiet_stream_beats_and_ends_so_that_an_ended_session_is_noticed() -> None:
    clock = Clock()
    told = list(announcements(Watch(lambda: 3, clock), clock.sleep, clock))
    assert len(told) - 1 == LIFE_S // HEARTBEAT_S
    assert set(told[1:]) == {": still here\n\n"}


def test_a_stranger_hears_nothing(world: World) -> None:
    assert world.app.test_client().get("/events").status_code == 302


def test_the_stream_begins_with_the_read_models_version(world: World) -> None:
    answer = world.signed_in("bai").get("/events", buffered=False)
    assert answer.content_type.startswith("text/event-stream")
    assert f"data: {world.gridbook.readmodel.version()}\n" in next(answer.response).decode()
    answer.close()
