"""The index of the service, and whether it lives and can answer."""

from __future__ import annotations

import marshmallow as ma

from api.errors import Problem
from api.inputs import ApiBlueprint
from api.service import current_service
from cdp.identity.models import UncompilableModelError, UnknownModelError, UnreadableModelError
from cdp.identity.resolution_runs import select_version_in_use
from cdp.realtime.online_models import StoreNotResolvedError, select_online_version
from cdp.store import StoreError, read

blueprint = ApiBlueprint("service", __name__, description="The service itself")


class IndexSchema(ma.Schema):
    name = ma.fields.String(required=True, metadata={"examples": ["cdp"]})
    documentation = ma.fields.String(required=True, metadata={"examples": ["/docs"]})
    openapi = ma.fields.String(required=True, metadata={"examples": ["/openapi.json"]})
    ready = ma.fields.String(required=True, metadata={"examples": ["/readyz"]})
    console = ma.fields.String(required=True, metadata={"examples": ["/console/"]})


class LifeSchema(ma.Schema):
    status = ma.fields.String(required=True, metadata={"examples": ["alive"]})


class ReadinessSchema(ma.Schema):
    status = ma.fields.String(required=True, metadata={"examples": ["ready"]})
    model_version = ma.fields.Integer(
        required=True,
        metadata={"description": "The model that records are resolved with now.", "examples": [0]},
    )


@blueprint.get("/")
@blueprint.doc(security=[], operationId="index")
@blueprint.response(200, IndexSchema)
def index() -> dict[str, str]:
    """Where to go from here"""
    return {
        "name": "cdp",
        "documentation": "/docs",
        "openapi": "/openapi.json",
        "ready": "/readyz",
        "console": "/console/",
    }


@blueprint.get("/livez")
@blueprint.doc(security=[], operationId="livez")
@blueprint.response(200, LifeSchema)
def livez() -> dict[str, str]:
    """Whether the process answers

    It looks at nothing else: restart it when this fails.
    """
    return {"status": "alive"}


@blueprint.get("/readyz")
@blueprint.doc(security=[], operationId="readyz")
@blueprint.response(200, ReadinessSchema)
@blueprint.refuses(503, "They cannot: `detail` says what is the matter")
def readyz() -> dict[str, object]:
    """Whether requests can be answered now

    The store is reached and has room to write, its schema is the one this version needs, a model is in force, and
    this release can use it. Otherwise 503 with the code `not_ready`, and what is the matter in `detail`.
    """
    service = current_service()
    try:
        service.store.check()
        with read(service.store.engine()) as connection:
            select_online_version(connection)
            model_version = select_version_in_use(connection)
            if model_version is None:
                raise Problem("not_ready", "No model is in force: run `cdp resolve`.")
            service.models.require(connection, model_version)
    except StoreError as error:
        raise Problem("not_ready", f"The store: {error.reason}.") from error
    except (StoreNotResolvedError, UncompilableModelError, UnreadableModelError, UnknownModelError) as error:
        raise Problem("not_ready", f"The model: {error.reason}.") from error
    return {"status": "ready", "model_version": model_version}
