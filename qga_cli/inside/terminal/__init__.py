"""What runs inside the guest, sent there as text: for any Python from 3.6 on, and its built-in
modules only, as Debian's python3-minimal has neither termios nor pty nor json."""
