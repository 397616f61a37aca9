"""/csourceSubscriptions (GS CIM 009 V1.9.1, clauses 6.12 and 6.13)."""

from __future__ import annotations

from chengmai.web.api import subscriptions
from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine


async def create(machine: Machine, request: Request) -> Response:
    """POST /csourceSubscriptions"""
    return await subscriptions.create_in(
        machine.watching, "csourceSubscriptions", machine, request, shows_context=False
    )


async def query(machine: Machine, request: Request) -> Response:
    """GET /csourceSubscriptions"""
    return await subscriptions.query_in(machine.watching, machine, request)


async def retrieve(machine: Machine, request: Request, subscription_id: str) -> Response:
    """GET /csourceSubscriptions/{id}"""
    return await subscriptions.retrieve_in(machine.watching, machine, request, subscription_id)


async def change(machine: Machine, request: Request, subscription_id: str) -> Response:
    """PATCH /csourceSubscriptions/{id}"""
    return await subscriptions.change_in(machine.watching, machine, request, subscription_id)


async def delete(machine: Machine, request: Request, subscription_id: str) -> Response:
    """DELETE /csourceSubscriptions/{id}"""
    return await subscriptions.delete_in(machine.watching, request, subscription_id)
