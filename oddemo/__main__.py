"""`python -m oddemo` is the same as `oddemo`."""

from oddemo.cli import main

if __name__ == "__main__":
    main()
