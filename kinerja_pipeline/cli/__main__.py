"""`python -m kinerja_pipeline.cli` is `kinerja`. Nothing else belongs here."""

from kinerja_pipeline.cli import main

if __name__ == "__main__":
    main()
