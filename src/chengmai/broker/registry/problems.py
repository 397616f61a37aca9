"""What can be wrong with a registration.

NotFound
└── RegistrationNotFound
Conflict
├── RegistrationConflict   it claims what another one, or an entity here, holds already
└── RegistrationExists
Invalid
└── RegistrationInvalid
"""

from chengmai.kernel.problems import Conflict, Invalid, NotFound


class RegistrationNotFound(NotFound):
    code = "registration.not_found"

    def __init__(self, registration_id: str) -> None:
        super().__init__(f"there is no registration {registration_id}", param="id")


class RegistrationExists(Conflict):
    code = "registration.exists"

    def __init__(self, registration_id: str) -> None:
        super().__init__(f"{registration_id} exists already", param="id")


class RegistrationConflict(Conflict):
    code = "registration.conflict"
    title = "Conflict with what is held already"


class RegistrationInvalid(Invalid):
    code = "registration.invalid"
    title = "The registration is not valid"
