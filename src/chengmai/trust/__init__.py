"""Who may do what, and the proof of what was done. Read policy.py, rules.py, sessions.py, audit.py first."""

from chengmai.trust.audit import AuditTrail, Broken, Head, verify
from chengmai.trust.model import Account, NewAccount, NewToken, SignedIn, Token, TrustSettings
from chengmai.trust.passwords import Argon2
from chengmai.trust.policy import ACTIONS, ASSIGNABLE_ROLES, allow, may
from chengmai.trust.ports import Audit
from chengmai.trust.service import Trust, TrustStore, build_trust

__all__ = [
    "ACTIONS",
    "ASSIGNABLE_ROLES",
    "Account",
    "Argon2",
    "Audit",
    "AuditTrail",
    "Broken",
    "Head",
    "NewAccount",
    "NewToken",
    "SignedIn",
    "Token",
    "Trust",
    "TrustSettings",
    "TrustStore",
    "allow",
    "build_trust",
    "may",
    "verify",
]
