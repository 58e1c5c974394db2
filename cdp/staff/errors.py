"""Why an account cannot be made, changed or signed in to."""

from __future__ import annotations

from cdp.errors import CdpError


class UserExistsError(CdpError):
    reason = "user_exists"


class UnknownUserError(CdpError):
    reason = "unknown_user"


class UnusableNameError(CdpError):
    reason = "unusable_name"


class WeakPasswordError(CdpError):
    reason = "weak_password"


class SignInRefusedError(CdpError):
    """Wrong name, wrong password, locked or disabled: they look the same."""

    reason = "sign_in_refused"


class UnknownIdentityError(SignInRefusedError):
    """An issuer vouches for somebody to whom no account is bound."""

    reason = "identity_unknown"


class ClosedAccountError(SignInRefusedError):
    """An issuer vouches for somebody whose account is closed."""

    reason = "account_closed"


class IdentityTakenError(CdpError):
    reason = "identity_taken"
