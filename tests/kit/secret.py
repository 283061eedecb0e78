"""The secret that tests look for where it must not be."""

from qga_cli import wire

CANARY = "correct horse battery staple"
SHOWN = wire.to_base64(CANARY.encode())  # base64 hides nothing
SET = ("user", "set-password", "x", "root")
