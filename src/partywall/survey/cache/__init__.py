"""The survey of a Redis: what each tenant's login may do there, and what an application keeps."""
