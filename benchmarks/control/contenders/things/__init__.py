"""An application of Django with as many tables as `settings.BENCH_TABLES` says."""
