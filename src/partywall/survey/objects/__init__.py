"""The survey of an object store that speaks S3: each tenant's login, nobody's, and given links."""
