"""Security headers of every answer. Pages bring no inline script or style, so the policy allows none."""

from __future__ import annotations

from flask import Flask, Response

from server.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Answers of the sync endpoint are data, never pages; a phone pays for each byte of them.
SYNC_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
A_YEAR_S = 365 * 24 * 3600


def register(app: Flask, settings: Settings) -> None:
    wanted = HEADERS | _transport(settings)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in wanted.items():
            response.headers.setdefault(name, value)
        return response


def of_sync(settings: Settings) -> dict[str, str]:
    return SYNC_HEADERS | _transport(settings)


def _transport(settings: Settings) -> dict[str, str]:
    return {"Strict-Transport-Security": f"max-age={A_YEAR_S}"} if settings.secure else {}
