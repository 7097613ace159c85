"""The addresses of the page: Gradio's, pictures of one's own session, styles that come along."""

import pathlib

import fastapi
import gradio as gr
from fastapi.responses import FileResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tfvis.experiments.studio import sessions

from . import page
from .tokens import COOKIE, token_of

# The browser itself keeps the page from asking anything of another place.
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Gradio's ways to files and to other servers: no part of this page goes there.
_CLOSED = ("/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/gradio_api/deep_link")
# Bytes of a picture that is brought.
_MOST = "100mb"


def application(studio) -> fastapi.FastAPI:
    """Returns the application: the page and its pictures."""
    app = fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # Names that other sites may have pointed at this machine are none of it.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.middleware("http")
    async def guarded(request: fastapi.Request, answer) -> Response:
        path = request.url.path
        if path.startswith(_CLOSED):
            return Response("There is nothing here.", 404, headers=_HEADERS)
        origin = request.headers.get("origin")
        if origin and origin.split("//")[-1] != request.headers.get("host"):
            return Response("Another site's page may not do this.", 403, headers=_HEADERS)
        response = await answer(request)
        response.headers.update(_HEADERS)
        if path == "/" and not token_of(request):
            response.set_cookie(
                COOKIE, sessions.token(), max_age=30 * 86400, httponly=True, samesite="strict"
            )
        return response

    @app.get("/studio/picture/{name}")
    def picture(name: str, request: fastapi.Request, download: str = "") -> Response:
        token = token_of(request)
        path = studio.sessions.of(token).file(name) if token else None
        return _sent(path, f"{path.stem}{path.suffix}" if path and download else None)

    @app.get("/studio/style/{number}")
    def style(number: int) -> Response:
        found = list(studio.styling.styles.values())
        return _sent(found[number].picture if 0 <= number < len(found) else None)

    @app.get("/studio/unit/{name}")
    def unit(name: str) -> Response:
        return _sent(studio.looking.unit_file(name))

    blocks = page.blocks(studio)
    return gr.mount_gradio_app(
        app, blocks, path="/", footer_links=[], run_history=False, max_file_size=_MOST,
        show_error=True, ssr_mode=False, enable_monitoring=False, pwa=False, mcp_server=False,
        theme=page.theme(), css=page.css(), head=page.HEAD,
    )  # fmt: skip


def _sent(path: pathlib.Path | None, name: str | None = None) -> Response:
    if path is None:
        return Response("There is nothing here.", 404)
    # A name holds other bytes never; another person's browser keeps nothing.
    return FileResponse(
        path, filename=name, headers={"Cache-Control": "private, max-age=86400, immutable"}
    )
