"""Schemas of multi-tenant applications made from a seed: sound by construction, or with one flaw.

`growing` makes a sound one, `mutations` has the catalogue of walls to break, `judging` surveys
either and says whether the verdict is right and nothing was left behind.

    python -m benchmarks.schemas                  # 200 sound schemas, 200 mutations
    python -m benchmarks.schemas --seed 17        # one sound schema and one mutation again
"""
