"""Who provisions tenants: each in a process that `benchmarks.control.provisioning` starts."""
