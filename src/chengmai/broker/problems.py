"""What can be wrong with a request to the broker.

NotFound
├── EntityNotFound
├── EntityMapNotFound
├── InstanceNotFound
└── SubscriptionNotFound
Conflict
├── EntityExists
└── SubscriptionExists
Invalid
├── EntityMapInvalid
└── SubscriptionInvalid
Forbidden
└── EntityPublished      the platform publishes it; clients read it
Unavailable
└── OutboxFull     too many notifications wait for their receivers; changes of entities are refused meanwhile
"""

from chengmai.kernel.problems import Conflict, Forbidden, Invalid, NotFound, Unavailable


class EntityNotFound(NotFound):
    code = "entity.not_found"

    def __init__(self, entity_id: str) -> None:
        super().__init__(f"there is no entity {entity_id}", param="id", entity=entity_id)


class InstanceNotFound(NotFound):
    code = "instance.not_found"

    def __init__(self, instance_id: str) -> None:
        super().__init__(f"there is no instance {instance_id}", param="instanceId")


class SubscriptionNotFound(NotFound):
    code = "subscription.not_found"

    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no subscription {subscription_id}", param="id")


class EntityMapNotFound(NotFound):
    code = "entity_map.not_found"

    def __init__(self, map_id: str) -> None:
        super().__init__(
            f"there is no entity map {map_id}, or it has expired",
            param="id",
            fix="make a new one with entityMap=true",
        )


class EntityMapInvalid(Invalid):
    code = "entity_map.invalid"


class EntityExists(Conflict):
    code = "entity.exists"

    def __init__(self, entity_id: str) -> None:
        super().__init__(
            f"{entity_id} exists already",
            param="id",
            fix="update it, or choose another id",
            entity=entity_id,
        )


class EntityPublished(Forbidden):
    code = "entity.published"

    def __init__(self, entity_id: str, type_iri: str) -> None:
        super().__init__(
            f"{entity_id} is a {type_iri.rpartition('/')[2]}, which only the platform writes",
            param="type",
            fix="read it: what people decide about it goes through its page; for what you measure use"
            " a type of your own",
            entity=entity_id,
        )


class SubscriptionExists(Conflict):
    code = "subscription.exists"

    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"{subscription_id} exists already", param="id")


class SubscriptionInvalid(Invalid):
    code = "subscription.invalid"


class OutboxFull(Unavailable):
    code = "outbox.full"

    def __init__(self, due: int) -> None:
        super().__init__(
            f"{due} notifications wait for their receivers, and no more can be promised",
            retry_after_s=5,
            fix="try again later; a subscription whose receiver is dead can be deleted meanwhile",
        )
