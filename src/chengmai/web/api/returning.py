"""Where notifications of sources come back (clause 5.8.6): a secret in the path stands for credentials."""

from __future__ import annotations

from chengmai.broker.contexts import ContextShelf
from chengmai.broker.distribution.handing_on import HandingOn
from chengmai.broker.distribution.placing import RETURN_PATH
from chengmai.kernel.actors import system
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.ngsild.problems import ContextWanted
from chengmai.web.api.app import (
    MOST_CONTEXTS,
    Receive,
    Scope,
    Send,
    check_length,
    read_body,
    read_headers,
    send_response,
)
from chengmai.web.api.http import MethodNotAllowed, Request, Response
from chengmai.web.api.negotiation import body_with_context
from chengmai.web.api.problems import failure_response, problem_response


class Returning:
    """ASGI application for notifications of sources. Who does not know a secret is told 404 before all else."""

    def __init__(
        self, handing_on: HandingOn, contexts: ContextCompiler, shelf: ContextShelf
    ) -> None:
        self._handing_on = handing_on
        self._contexts = contexts
        self._shelf = shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except Problem as problem:
            response = problem_response(problem)
        except Exception as error:
            response = failure_response(error, "")
        await send_response(response, send, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        placed = self._handing_on.placed(scope["path"].removeprefix(RETURN_PATH))
        if scope["method"] != "POST":
            raise MethodNotAllowed(scope["method"], ["POST"])
        headers = read_headers(scope)
        check_length("POST", headers)
        request = Request(
            method="POST",
            path=RETURN_PATH,
            raw_query="",
            headers=headers,
            body=await read_body(headers, receive),
            actor=system("subscriptions", placed.tenant),
            request_id="",
        )
        for _ in range(MOST_CONTEXTS):
            try:
                document, context = body_with_context(request, self._contexts)
                break
            except ContextWanted as wanted:
                await self._shelf.fetch(wanted.url)
        else:
            document, context = body_with_context(request, self._contexts)
        await self._handing_on.receive(placed, document, context)
        return Response(204)
