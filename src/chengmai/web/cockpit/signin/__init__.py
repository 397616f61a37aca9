"""Sign-in, sign-out, language and appearance."""
