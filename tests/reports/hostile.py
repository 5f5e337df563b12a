"""Reports in which every word that a database or an API says is the same hostile text."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from partywall.reports import audit_overview, probe_overview
from partywall.reports.overview import Overview
from partywall.survey.verdict import Advice, Excepted, Undecided, WitnessStep
from tests.reports import probe_values, values

NASTY = (
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- x -->", "]]>",
    "\"' onfocus=alert(1) x=\"", "`` ` ```", "| a | b |", "\n\n# heading\n\n- item", "@everyone #1",
    "[x](javascript:alert(1))", "**b** _i_ ~~s~~ $x$", "<details>", "</details></pre></code>",
    "%0A::error::x", "\n::set-output name=x::y", "a\r\nb", "\u2028::error::\u2029", "&amp;&#64;",
    "{{ 7 * 7 }}{% raw %}", "https://evil.test www.evil.test", "\x00\x1b[31m\x07", "\ufffe\ud800",
    "🧱 \u202ex", "--\n*/ DROP TABLE x; /*", "    code", "1. x", "1) x", "- x", "+ x", "> x", "\\",
    "=====", 'public."a""b"',
)  # fmt: skip
"""What means something in one of the formats."""

TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec=None), max_size=40),
    st.builds("".join, st.lists(st.sampled_from(NASTY), max_size=3)),
).map(lambda text: f"{text}x")
"""Never empty: what is empty is left out, by design."""


def audit(text: str) -> Overview:
    """A survey of a database that says *text* wherever it can."""
    step = WitnessStep(text, f"SELECT '{text}'", text)
    finding = replace(
        values.FINDING, at=text, attacker=text, victim=text, witness=(step,), because=text,
        fix=f"see {text}",
    )  # fmt: skip
    report = replace(
        values.report(finding, cells={}),
        undecided=(Undecided("PW222", "move-row", "write", text, text),),
        excepted=(Excepted(replace(finding, effect="destroy"), text, text),),
        advice=(Advice("PW121", "policy-per-row", text, text, f"see {text}", "https://x.test"),),
        left=(text,),
        known=(replace(finding, effect="detect"),),
        known_undecided=(Undecided("PW222", "move-row", "disrupt", text, text),),
        remarks=(text,),
        compared=True,
        target=text,
        model=None,
        identities={},
    )
    return audit_overview.overview(report, "partywall.toml")


def probe(text: str) -> Overview:
    """A survey of an API that says *text* wherever it can."""
    step = WitnessStep(text, "", text, f"curl {text}")
    finding = replace(
        probe_values.FINDING, at=text, attacker=text, victim=text, witness=(step,), because=text,
        fix=f"see {text}",
    )  # fmt: skip
    other = f"other {text}"
    report = replace(
        probe_values.report(finding, every=(
            probe_values.tried(text, "breached", attacker=text, victim=text),
            probe_values.tried(other, "undecided", mode=text, because=text, attacker=text),
        )),
        public=(replace(probe_values.COUNTRIES, at=other, because=text, witness=(step,)),),
        killers=(text,),
        left=(text,),
        known=(replace(finding, code="PW302", name="wildcard-id"),),
        known_undecided=(Undecided("PW300", "owners-own", "read", other, text),),
        remarks=(text,),
        compared=True,
        target=text,
    )  # fmt: skip
    return probe_overview.overview(report, "partywall.toml")
