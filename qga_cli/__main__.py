"""`python -m qga_cli`."""

from qga_cli.cli.main import main

if __name__ == "__main__":
    main()
