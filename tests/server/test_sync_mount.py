"""How the app mounts CouchDB's face: the settings' limits hold there too."""

from __future__ import annotations

from pathlib import Path

from server.app import create_app
from server.settings import Settings


def test_a_body_above_the_setting_is_refused_in_couchdbs_shape(tmp_path: Path) -> None:
    settings = Settings.from_environ(
        {
            "GRIDBOOK_DATA": str(tmp_path / "var"),
            "GRIDBOOK_BODY_MAX_BYTES": "2000000",
            "GRIDBOOK_SYNC_ADMIN": "root:a-long-password",
        }
    )
    client = create_app(settings).test_client()
    answer = client.post(
        "/sync/anything/_bulk_docs",
        data=b" " * 2_000_001,
        auth=("root", "a-long-password"),
        content_type="application/json",
    )
    assert answer.status_code == 413
    assert set(answer.get_json()) == {"error", "reason"}
