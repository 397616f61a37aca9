"""What can be wrong with who somebody is and what they may do.

Invalid
├── PasswordRefused    too short, too long, or the name itself
├── NameInvalid        a sign-in name of the wrong form
├── RolesInvalid       no role, an unknown one, or two that exclude each other
├── ExpiryInvalid      a token that would have expired already
└── TenantInvalid      a name that no tenant can have
NotFound
├── AccountNotFound
├── TokenNotFound
└── TenantNotFound
Conflict
├── NameTaken
└── LastAdministrator  nobody would be left to manage accounts
Forbidden
├── ActionNotAllowed   the actor's roles do not include it
├── ActionUnknown      no role has it, since nobody declared it
└── CsrfRefused        the form did not come from a page of this session
Unauthenticated
├── SignInNeeded
├── SignInFailed       deliberately one answer for a wrong name, a wrong password, disabled and locked
├── SessionEnded
└── TokenRefused
Unavailable
└── TooManyAttempts
"""

from __future__ import annotations

from collections.abc import Iterable

from chengmai.kernel.problems import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)


class PasswordRefused(Invalid):
    code = "trust.password.refused"
    title = "Choose another password"


class NameInvalid(Invalid):
    code = "trust.name.invalid"


class RolesInvalid(Invalid):
    code = "trust.roles.invalid"


class ExpiryInvalid(Invalid):
    code = "trust.expiry.invalid"


class TenantInvalid(Invalid):
    code = "trust.tenant.invalid"

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"{tenant!r:.80} cannot be the name of a tenant",
            param="NGSILD-Tenant",
            fix="begin with a letter or digit; then letters, digits and . _ : ~ @ / -, 255 at most",
        )


class TenantNotFound(NotFound):
    code = "trust.tenant.not_found"
    title = "There is no such tenant"

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"nothing was ever made in the tenant {tenant!r:.80}",
            param="NGSILD-Tenant",
            fix="check its name; the first entity, subscription or registration makes a tenant",
        )


class AccountNotFound(NotFound):
    code = "trust.account.not_found"

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"there is no account {account_id!r}",
            param="account_id",
            fix="look it up in the list of accounts",
            account=account_id,
        )


class TokenNotFound(NotFound):
    code = "trust.token.not_found"

    def __init__(self, token_id: str) -> None:
        super().__init__(
            f"there is no token {token_id!r}",
            param="token_id",
            fix="look it up in the list of tokens",
            token=token_id,
        )


class NameTaken(Conflict):
    code = "trust.name.taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the name {name!r} is taken", param="name", fix="choose another name", name=name
        )


class LastAdministrator(Conflict):
    code = "trust.last_administrator"

    def __init__(self) -> None:
        super().__init__(
            "this is the last administrator who can sign in",
            param="account_id",
            fix="make another account administrator first",
        )


class ActionNotAllowed(Forbidden):
    code = "trust.action.not_allowed"

    def __init__(self, action: str, needs: Iterable[str]) -> None:
        roles = sorted(needs)
        super().__init__(
            f"{action} is for: {', '.join(roles)}",
            fix="ask an administrator for one of these roles",
            action=action,
            needs=roles,
        )


class ActionUnknown(Forbidden):
    code = "trust.action.unknown"

    def __init__(self, action: str) -> None:
        super().__init__(
            f"nobody may do {action!r}: it is not in the table of permissions",
            fix="declare the action in trust/policy.py",
            action=action,
        )


class CsrfRefused(Forbidden):
    code = "trust.csrf.refused"
    title = "The form is out of date"

    def __init__(self) -> None:
        super().__init__(
            "the form does not carry the token of this session",
            param="csrf",
            fix="reload the page and send the form again",
        )


class SignInNeeded(Unauthenticated):
    code = "trust.sign_in.needed"

    def __init__(self) -> None:
        super().__init__("nobody is signed in", fix="sign in, or send a token")


class SignInFailed(Unauthenticated):
    code = "trust.sign_in.failed"
    title = "Signing in failed"

    def __init__(self, attempts: int, minutes: int) -> None:
        super().__init__(
            "name and password do not match, or the account is disabled or locked",
            fix=f"try again; {attempts} failures lock an account for {minutes} minutes",
            attempts=attempts,
            minutes=minutes,
        )


class SessionEnded(Unauthenticated):
    code = "trust.session.ended"
    title = "Your session has ended"

    def __init__(self) -> None:
        super().__init__("the session is unknown or has ended", fix="sign in again")


class TokenRefused(Unauthenticated):
    code = "trust.token.refused"

    def __init__(self) -> None:
        super().__init__(
            "the token is malformed, unknown, expired or revoked",
            param="Authorization",
            fix="send 'Authorization: Bearer cm_…' with a valid token",
        )


class TooManyAttempts(Unavailable):
    code = "trust.sign_in.too_many"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "too many failed attempts from this address",
            retry_after_s=retry_after_s,
            fix=f"wait {retry_after_s} seconds",
        )
