"""The tree of problems, and how each names itself.

Problem
├── Invalid        the request or record is wrong; sending it again does not help
├── NotFound       the thing named does not exist (or may not be seen)
├── Conflict       the thing exists already, or its state does not allow this
├── Forbidden      the actor is known and may not do this
├── Unauthenticated  nobody is signed in
├── NotSupported   understood, and not offered here
├── TooLarge       a limit on size or number is exceeded
└── Unavailable    may work later; the only branch that may be retried

Every problem says what is wrong (`detail`), where (`param`) and what to do (`fix`). A branch maps to
one HTTP status, in `web/api/problems.py` and nowhere else.
"""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """A failure with a stable `code`, an English `detail`, and facts to render it in any language.

    `code` is `area.what_is_wrong`, stable API and the key of the translated sentence; `facts` fill its
    placeholders; `param` names the field, parameter or line that is wrong; `fix` says what to do.
    """

    code = "problem"
    title = "Something went wrong"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        param: str | None = None,
        fix: str | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.param = param
        self.fix = fix
        self.facts = facts


class Invalid(Problem):
    code = "invalid"
    title = "The request is not valid"


class NotFound(Problem):
    code = "not_found"
    title = "Not found"


class Conflict(Problem):
    code = "conflict"
    title = "In conflict with what exists"


class Forbidden(Problem):
    code = "forbidden"
    title = "Not allowed"


class Unauthenticated(Problem):
    code = "unauthenticated"
    title = "Sign in first"


class NotSupported(Problem):
    code = "not_supported"
    title = "Not supported"


class TooLarge(Problem):
    code = "too_large"
    title = "Too large"


class Unavailable(Problem):
    code = "unavailable"
    title = "Not available now"

    def __init__(self, detail: str, *, retry_after_s: int = 1, **more: Any) -> None:
        super().__init__(detail, **more)
        self.retry_after_s = retry_after_s
