"""`python -m agent` is `wardtap`."""

from agent.service.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
